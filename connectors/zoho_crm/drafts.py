"""How a planned field looks in Zoho's words: data type, length and attributes of a create call (section 7).

Pure: nothing here calls anything.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.schema import FieldType
from connectors.base import SchemaChange
from connectors.zoho_crm import wire

_LABEL_SIGNS = re.compile(r"[^\w \-./()]+")
_MODULE_SIGNS = re.compile(r"[^A-Za-z0-9 ]+")
_LONGEST_LABEL = 50
_LONGEST_MODULE_LABEL = 25
_SIMPLE = {
    FieldType.EMAIL: "email", FieldType.PHONE: "phone", FieldType.URL: "website", FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date", FieldType.DATETIME: "datetime", FieldType.USER: "userlookup",
}  # fmt: skip
_LENGTHS = {"email": 100, "phone": 30, "website": 450}
_DECIMALS = {FieldType.DECIMAL: ("double", 16), FieldType.CURRENCY: ("currency", 16), FieldType.PERCENT: ("percent", 5)}
# A field that exists already serves when it can hold what was planned.
_SERVES = {
    "text": {"text", "textarea", "picklist"}, "textarea": {"textarea"}, "email": {"email", "text"},
    "phone": {"phone", "text"}, "website": {"website", "text"}, "integer": {"integer", "bigint", "double"},
    "bigint": {"bigint"}, "double": {"double", "currency"}, "currency": {"currency", "double"},
    "percent": {"percent", "double"}, "userlookup": {"userlookup", "ownerlookup"},
}  # fmt: skip


def clean_label(text: str) -> str:
    """A field label without the signs that Zoho refuses."""
    return " ".join(_LABEL_SIGNS.sub(" ", text).split())[:_LONGEST_LABEL].strip()


def clean_module_label(text: str) -> str:
    """A module label: letters, digits and blanks, at most 25 (section 6)."""
    return " ".join(_MODULE_SIGNS.sub(" ", text).split())[:_LONGEST_MODULE_LABEL].strip()


def derived_name(label: str) -> str:
    """The API name that the vendor's rule makes of a label; only to recognise a field, never to write with it."""
    return re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")


def values_of(change: SchemaChange, *keys: str) -> list[str]:
    """The texts that a change lists under one of `keys`; entries may be texts or objects with a name or value."""
    for key in keys:
        listed = change.attributes.get(key)
        if isinstance(listed, list):
            found = [one.get("name") or one.get("value") if isinstance(one, dict) else one for one in listed]
            return list(dict.fromkeys(str(one) for one in found if one))
    return []


def field_body(change: SchemaChange, names: Mapping[str, str]) -> dict[str, Any]:
    """One item of a create call. `names` turns the logical name of a lookup's target into its API name."""
    kind = FieldType(str(change.attributes.get("type") or FieldType.TEXT))
    label = clean_label(change.label or change.name)
    body: dict[str, Any] = {"field_label": label, **_typed(kind, change)}
    if body["data_type"] == "lookup":
        target = str(change.attributes.get("references") or "")
        related = clean_label(f"{change.object.removesuffix('_C').replace('_', ' ')} {label}")
        body["lookup"] = {"module": {"api_name": names.get(target, target)}, "display_label": related}
    if body["data_type"] == "text":
        if change.attributes.get("external"):
            body["external"] = {"type": "org", "show": True}
        elif change.attributes.get("unique"):
            body["unique"] = {"case_sensitive": False}
    return body


def _typed(kind: FieldType, change: SchemaChange) -> dict[str, Any]:
    if kind in _SIMPLE:
        return _simple(_SIMPLE[kind], _number(change, "length"))
    if kind in (FieldType.PICKLIST, FieldType.MULTIPICKLIST):
        return _choice(kind, change)
    if kind in (FieldType.INTEGER, *_DECIMALS):
        return _numeric(kind, _number(change, "length"), _number(change, "scale"))
    if kind is FieldType.LOOKUP:
        return {"data_type": "lookup"}
    return _text(kind, _number(change, "length"))


def _simple(name: str, length: int | None) -> dict[str, Any]:
    most = _LENGTHS.get(name)
    return {"data_type": name, "length": min(length or most, most)} if most else {"data_type": name}


def _numeric(kind: FieldType, length: int | None, scale: int | None) -> dict[str, Any]:
    if kind is FieldType.INTEGER:
        wide = (length or 9) > 9
        return {"data_type": "bigint" if wide else "integer", "length": min(length or 9, 18 if wide else 9)}
    name, most = _DECIMALS[kind]
    places = min(2 if scale is None else scale, 9)
    typed: dict[str, Any] = {"data_type": name, "length": min(length or most, most), "decimal_place": places}
    if name == "currency":
        typed["currency"] = {"rounding_option": "normal", "precision": max(places - 1, 0)}
    return typed


def _text(kind: FieldType, length: int | None) -> dict[str, Any]:
    if kind is FieldType.TEXTAREA or (length or 0) > 255:
        small = (length or 32_000) <= 2_000
        size, area = (2_000, "small") if small else (32_000, "large")
        return {"data_type": "textarea", "length": size, "textarea": {"type": area}}
    return {"data_type": "text", "length": min(length or 255, 255)}


def _choice(kind: FieldType, change: SchemaChange) -> dict[str, Any]:
    """A picklist needs an option to begin with (section 7); one without any becomes a text."""
    values = values_of(change, "picklist", "values")
    if not values:
        return {"data_type": "text", "length": 255}
    name = "picklist" if kind is FieldType.PICKLIST else "multiselectpicklist"
    return {"data_type": name, "pick_list_values": [option_body(value) for value in values]}


def option_body(value: str) -> dict[str, Any]:
    return {"display_value": value[:120], "actual_value": value[:120]}


def _number(change: SchemaChange, name: str) -> int | None:
    value = change.attributes.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def serves(field: wire.Field, body: Mapping[str, Any]) -> bool:
    """Whether an existing field can hold what a create call would have made."""
    wanted = body["data_type"]
    if field.data_type != wanted and field.data_type not in _SERVES.get(wanted, set()):
        return False
    if wanted == "lookup":
        return bool(field.target == body["lookup"]["module"]["api_name"])
    if "external" in body or "unique" in body:
        return bool(field.unique or field.external)
    return True


def matching(fields: list[wire.Field], change: SchemaChange, label: str) -> list[wire.Field]:
    """Existing fields that a change could mean: by label, by derived or by logical name; custom ones first."""
    name = derived_name(label).lower()
    wanted = {name, change.name.lower(), change.name.lower().removesuffix("__c")} - {""}
    found = [
        field
        for field in fields
        if field.field_label.strip().lower() == label.lower() or field.api_name.lower() in wanted
    ]
    return sorted(found, key=lambda field: not field.custom_field)
