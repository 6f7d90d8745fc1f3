"""Metadata answers: describe global, describe of an object, with every key a connector may read.

Keys: source fact sheet section 1.3.
"""

from functools import cache
from typing import Any

from connectors.servicetracker.sandbox.fields import NUMBER_TYPES, Field, SObject
from connectors.servicetracker.sandbox.ids import IdMaker
from connectors.servicetracker.sandbox.schema import OBJECTS, references_to

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
} | dict.fromkeys(NUMBER_TYPES, "xsd:double")
_READ_ONLY = frozenset({"ContentDocument"})


def global_entry(sobject: SObject, base: str) -> dict[str, Any]:
    """One object in describe global; `base` is the versioned data path."""
    url = f"{base}/sobjects/{sobject.name}"
    writable = sobject.name not in _READ_ONLY
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": writable,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.name != "User",
        "deprecatedAndHidden": False,
        "feedEnabled": sobject.mergeable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": True,
        "mergeable": sobject.mergeable,
        "mruEnabled": True,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": sobject.name != "User",
        "updateable": writable,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def describe_object(sobject: SObject, base: str) -> dict[str, Any]:
    """The full description of an object."""
    return global_entry(sobject, base) | {
        "childRelationships": _children(sobject.name),
        "fields": [_field(one) for one in sobject.fields],
        "namedLayoutInfos": [],
        "recordTypeInfos": [_MASTER_RECORD_TYPE],
        "supportedScopes": [{"label": f"All {sobject.plural}", "name": "everything"}],
    }


_MASTER_RECORD_TYPE = {
    "active": True,
    "available": True,
    "defaultRecordTypeMapping": True,
    "developerName": "Master",
    "master": True,
    "name": "Master",
    "recordTypeId": IdMaker("012")(0),
}


@cache
def _children(name: str) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": None if field.system else child.plural.replace(" ", ""),
            "restrictedDelete": False,
        }
        for child, field in references_to(name)
        if child.name in OBJECTS
    ]


def _picklist(field: Field) -> list[dict[str, Any]]:
    return [
        {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
        for value in field.picks
    ]


def _default(field: Field) -> bool | str | None:
    if field.type == "boolean":
        return field.default == "true"
    return None


def _field(field: Field) -> dict[str, Any]:
    comparable = field.filterable
    textual = field.length > 0
    return {
        "aggregatable": comparable and field.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.auto_number is not None,
        "byteLength": field.length * 3 if textual and field.type not in {"id", "reference"} else field.length,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": field.compound,
        "controllerName": None,
        "createable": field.writable,
        "custom": field.custom,
        "defaultValue": _default(field),
        "defaultValueFormula": None,
        # The owner falls to the caller, a boolean to its default: neither is required from a client.
        "defaultedOnCreate": field.system
        or field.default is not None
        or field.name == "OwnerId"
        or field.auto_number is not None,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.precision if field.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "filterable": comparable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": comparable and field.type not in NUMBER_TYPES | {"datetime"},
        "highScaleNumber": False,
        "htmlFormatted": field.html,
        "idLookup": field.id_lookup,
        "inlineHelpText": None,
        "label": field.title,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.refers) > 1,
        "nillable": _nillable(field),
        "permissionable": field.custom,
        "picklistValues": _picklist(field),
        "polymorphicForeignKey": len(field.refers) > 1,
        "precision": field.precision if field.type in NUMBER_TYPES else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.refers),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": False,
        "scale": field.scale,
        "searchPrefilterable": False,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": comparable,
        "type": field.type,
        "unique": field.auto_number is not None,
        "updateable": field.writable,
        "writeRequiresMasterRead": False,
    }


def _nillable(field: Field) -> bool:
    if field.type in {"boolean", "id"} or field.auto_number:
        return False
    always_set = {"OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "SystemModstamp"}
    return not (field.required or field.name in always_set)
