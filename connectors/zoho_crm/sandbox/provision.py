"""Creating and changing custom fields: data types, lengths, edition caps and the rule for API names."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, invalid
from connectors.zoho_crm.sandbox.catalogue import ACTIVITY_MODULES
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.editions import UNIQUE_FIELDS_PER_MODULE
from connectors.zoho_crm.sandbox.schema import Field, Module, Option
from connectors.zoho_crm.sandbox.values import as_id

_LABEL = re.compile(r"[^\W_][\w \-./()]*")
_MAX_LABEL = 50
# Data types that can be created, with the length range and the default length (Zoho fact sheet section 7).
_LENGTHS: dict[str, tuple[int, int, int]] = {
    "text": (1, 255, 255), "email": (1, 100, 100), "phone": (1, 30, 30), "integer": (1, 9, 9), "bigint": (1, 18, 18),
    "double": (1, 18, 16), "currency": (1, 16, 16), "percent": (1, 5, 5), "autonumber": (1, 255, 255),
    "website": (1, 450, 255), "fileupload": (1, 5, 1), "imageupload": (1, 10, 1),
}  # fmt: skip
_UNSIZED = {
    "picklist": 120, "multiselectpicklist": 2000, "date": 20, "datetime": 120, "boolean": 5, "lookup": 120,
    "userlookup": 120, "multiselectlookup": 120, "multiuserlookup": 120, "formula": 255, "rollup_summary": 255,
    "address": 255,
}  # fmt: skip
_AREAS = {2000: "small", 32000: "large", 50000: "rich_text"}
_KEPT = (
    "tooltip",
    "textarea",
    "currency",
    "auto_number",
    "formula",
    "lookup",
    "multiselectlookup",
    "profiles",
    "crypt",
)


def unique_used(crm: Crm, module: Module) -> int:
    """Slots of the two unique fields that are taken; whether external fields count is a switch (section 12)."""
    counts = crm.options.external_counts_as_unique
    return sum(item.unique or (counts and item.external is not None) for item in module.fields.values())


@dataclass(slots=True)
class Draft:
    """A field about to be made: where, from what, and the path for error details."""

    crm: Crm
    module: Module
    item: Json
    path: str

    def bad(self, name: str, **details: Any) -> ItemProblem:
        return invalid(name, f"{self.path}.{name}", **details)


def create_field(crm: Crm, module: Module, item: Any, path: str) -> Field:
    """One custom field (Zoho fact sheet section 7); ItemProblem with the vendor's code otherwise."""
    if not isinstance(item, dict):
        raise ItemProblem("INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject", "json_path": path})
    draft = Draft(crm, module, item, path)
    for name in ("field_label", "data_type"):
        if not item.get(name):
            details = {"api_name": name, "json_path": f"{path}.{name}"}
            raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
    label, kind = item["field_label"], item["data_type"]
    check_label(label, f"{path}.field_label")
    if kind not in _LENGTHS and kind not in _UNSIZED and kind != "textarea":
        raise draft.bad("data_type", supported_values=sorted([*_LENGTHS, *_UNSIZED, "textarea"]))
    _check_caps(draft, kind)
    more: Json = {"custom": True, "decimal_place": _decimals(draft, kind)}
    more |= _uniqueness(draft, kind) | _SPECIAL.get(kind, _nothing)(draft)
    more["definition"] = {key: item[key] for key in _KEPT if item.get(key) is not None}
    name = free_name(module, derive_name(label))
    return crm.schema.new_field(module, name, label, kind, _length(draft, kind), **more)


def check_label(label: Any, path: str) -> None:
    """Letters, digits, blanks and a few signs; special characters are refused (Zoho fact sheet section 7)."""
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise invalid("field_label", path)
    if len(label) > _MAX_LABEL:
        raise invalid("field_label", path, maximum_length=_MAX_LABEL)


def derive_name(label: str) -> str:
    """The API name made from a label: blanks become `_`, it starts with a letter and has no double `_`."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")
    name = re.sub(r"^[^A-Za-z]+", "", name)
    return name[:50].rstrip("_") or "Field"


def free_name(module: Module, name: str) -> str:
    """A name already in use gets a number behind it: `Name1` (Zoho fact sheet section 7)."""
    taken = {existing.lower() for existing in module.fields}
    number, found = 0, name
    while found.lower() in taken:
        number += 1
        found = f"{name}{number}"
    return found


def _check_caps(draft: Draft, kind: str) -> None:
    crm, module = draft.crm, draft.module
    if crm.options.tasks_custom_fields == "reject" and module.api_name in ACTIVITY_MODULES | {"Notes"}:
        raise ItemProblem("NOT_SUPPORTED", "custom fields are not supported for this module", {"json_path": draft.path})
    cap = crm.options.custom_fields_cap or crm.edition.custom_fields
    if sum(item.custom for item in module.fields.values()) >= cap:
        details = {"limit": cap, "limit_due_to": [{"api_name": "custom_field", "json_path": draft.path}]}
        raise ItemProblem("FIELD_LIMIT_EXCEEDED", "the limit of custom fields is exceeded", details)
    if kind == "autonumber" and any(item.data_type == "autonumber" for item in module.fields.values()):
        raise ItemProblem("LIMIT_EXCEEDED", "the limit of auto-number fields is exceeded", {"limit": 1})


def _length(draft: Draft, kind: str) -> int:
    given = draft.item.get("length")
    if kind == "textarea":
        return _area_length(draft, given)
    if kind in _UNSIZED:
        return _UNSIZED[kind]
    low, high, default = _LENGTHS[kind]
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
        raise draft.bad("length", minimum_length=low, maximum_length=high)
    return given


def _area_length(draft: Draft, given: Any) -> int:
    """2,000, 32,000 or 50,000 characters, in agreement with `textarea.type`."""
    area = draft.item.get("textarea")
    kind = area.get("type") if isinstance(area, dict) else None
    if kind is not None and kind not in _AREAS.values():
        raise draft.bad("textarea", supported_values=list(_AREAS.values()))
    if given is None:
        return next((size for size, name in _AREAS.items() if name == kind), 2000)
    if given not in _AREAS or (kind is not None and _AREAS[given] != kind):
        raise draft.bad("length", supported_values=list(_AREAS))
    return int(given)


def _decimals(draft: Draft, kind: str) -> int | None:
    if kind not in ("double", "currency", "percent"):
        return None
    given = draft.item.get("decimal_place", 2)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 9:
        raise draft.bad("decimal_place", maximum_length=9)
    return given


def _uniqueness(draft: Draft, kind: str) -> Json:
    """Unique and external attributes with their cap of two per module (Zoho fact sheet sections 7, 12 and 21)."""
    item, module, crm = draft.item, draft.module, draft.crm
    unique = bool(item.get("unique"))
    external = item.get("external")
    if external is not None and (not isinstance(external, dict) or external.get("type") not in ("user", "org")):
        raise draft.bad("external", supported_values=["user", "org"])
    if unique and kind not in ("text", "email", "phone", "integer", "bigint", "website"):
        raise ItemProblem(
            "NOT_SUPPORTED", "unique is not supported for this data type", {"json_path": f"{draft.path}.unique"}
        )
    if external is not None and (kind != "text" or module.api_name == "Calls"):
        raise ItemProblem("NOT_SUPPORTED", "external is not supported here", {"json_path": f"{draft.path}.external"})
    takes = unique or (external is not None and crm.options.external_counts_as_unique)
    taken = takes and crm.faults.draw("no_unique_slots")
    if taken or (takes and unique_used(crm, module) >= UNIQUE_FIELDS_PER_MODULE):
        details = {
            "limit": UNIQUE_FIELDS_PER_MODULE,
            "limit_due_to": [{"api_name": "unique_field", "json_path": draft.path}],
        }
        raise ItemProblem("LIMIT_EXCEEDED", "the limit of unique fields is exceeded", details)
    return {"unique": unique, "external": external["type"] if external is not None else None}


def _nothing(_: Draft) -> Json:
    return {}


def _options(draft: Draft) -> Json:
    """Options of a picklist: a list of its own or a global set, never both and never neither."""
    values, shared = draft.item.get("pick_list_values"), draft.item.get("global_picklist")
    if values and shared:
        names = [{"param_name": "pick_list_values"}, {"param_name": "global_picklist"}]
        raise ItemProblem(
            "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {"ambiguity_due_to": names}
        )
    if shared:
        known = (
            draft.crm.schema.global_picklists.get(as_id(shared.get("id")) or 0) if isinstance(shared, dict) else None
        )
        if known is None:
            raise draft.bad("global_picklist")
        made = [draft.crm.schema.new_option(v["display_value"], v["actual_value"]) for v in known["pick_list_values"]]
        return {"options": made, "global_picklist": int(known["id"])}
    if not values:
        expected = [{"api_name": n, "json_path": f"{draft.path}.{n}"} for n in ("pick_list_values", "global_picklist")]
        details = {"expected_fields": expected}
        raise ItemProblem("EXPECTED_DEPENDENT_FIELD_MISSING", "expected dependent field missing", details)
    return {
        "options": [
            new_option(draft.crm, value, f"{draft.path}.pick_list_values[{n}]") for n, value in enumerate(values)
        ]
    }


def new_option(crm: Crm, value: Any, path: str) -> Option:
    """An option of `display_value` and `actual_value`, both required and at most 120 characters."""
    for name in ("display_value", "actual_value"):
        text = value.get(name) if isinstance(value, dict) else None
        if not isinstance(text, str) or not text:
            raise ItemProblem(
                "MANDATORY_NOT_FOUND", "required field not found", {"api_name": name, "json_path": f"{path}.{name}"}
            )
        if len(text) > 120:
            raise invalid(name, f"{path}.{name}", maximum_length=120)
    return crm.schema.new_option(value["display_value"], value["actual_value"])


def _target(draft: Draft) -> Json:
    """The module a lookup points at; it cannot change later."""
    lookup = draft.item.get("lookup")
    target = lookup.get("module") if isinstance(lookup, dict) else None
    name = target.get("api_name") if isinstance(target, dict) else None
    found = draft.crm.schema.modules.get(name) if isinstance(name, str) else None
    if found is None or found.kind == "linking":
        raise draft.bad("lookup", expected_data_type="jsonobject")
    return {"lookup": found.api_name}


def _many(draft: Draft) -> Json:
    """A multi-select lookup makes a linking module between the two."""
    body = draft.item.get("multiselectlookup")
    connected = body.get("connected_details") if isinstance(body, dict) else None
    target = connected.get("module") if isinstance(connected, dict) else None
    name = target.get("api_name") if isinstance(target, dict) else None
    found = draft.crm.schema.modules.get(name) if isinstance(name, str) else None
    if found is None:
        raise draft.bad("multiselectlookup", expected_data_type="jsonobject")
    label = f"{draft.module.singular} {derive_name(str(draft.item['field_label']))}"
    linking = draft.crm.schema.new_module(
        api_name=f"LinkingModule{len(draft.crm.schema.modules)}", singular=label, plural=label, kind="linking"
    )
    draft.crm.schema.save(linking)
    return {"lookup": found.api_name}


_SPECIAL: dict[str, Callable[[Draft], Json]] = {
    "picklist": _options,
    "multiselectpicklist": _options,
    "lookup": _target,
    "multiselectlookup": _many,
}
