"""Endpoints of field metadata (Zoho fact sheet section 7)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import (
    ItemProblem,
    Json,
    Refusal,
    batch_reply,
    invalid,
    missing_param,
    reply,
    success,
)
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.provision import check_label, create_field, new_option
from connectors.zoho_crm.sandbox.schema import Field, Module, Option
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.values import as_id

_JSON_TYPES = {
    "integer": "integer", "double": "double", "currency": "double", "percent": "double", "boolean": "boolean",
    "lookup": "jsonobject", "ownerlookup": "jsonobject", "userlookup": "jsonobject", "ALARM": "jsonobject",
    "RRULE": "jsonobject", "multiselectpicklist": "jsonarray", "subform": "jsonarray", "multiselectlookup": "jsonarray",
    "multiuserlookup": "jsonarray", "fileupload": "jsonarray", "imageupload": "jsonarray", "participants": "jsonarray",
    "multireminder": "jsonarray", "pricing": "jsonarray",
}  # fmt: skip
_NOT_FILTERABLE = frozenset({"textarea", "subform", "multiselectlookup", "fileupload", "imageupload"})


def asked_module(crm: Crm, request: Request) -> Module:
    name = request.query_params.get("module")
    if not name:
        raise missing_param("module")
    return crm.schema.module(name)


def shown_option(option: Option, number: int) -> Json:
    """A picklist option; stages carry probability and forecast."""
    body: Json = {
        "id": str(option.id), "display_value": option.display, "actual_value": option.actual,
        "reference_value": option.actual, "sequence_number": number, "type": "used" if option.used else "unused",
        "colour_code": None,
    }  # fmt: skip
    if option.forecast is not None:
        body["probability"] = option.probability
        body["forecast_type"] = option.forecast
    return body


def shown_field(crm: Crm, module: Module, item: Field) -> Json:
    """One field as metadata; it does not tell what a layout demands (section 7)."""
    writable = not item.read_only and item.data_type not in ("formula", "rollup_summary", "autonumber")
    body: Json = {
        "id": str(item.id), "api_name": item.api_name, "field_label": item.label, "display_label": item.label,
        "data_type": item.data_type,
        "json_type": "jsonarray" if item.api_name == "Tag" else _JSON_TYPES.get(item.data_type, "string"),
        "length": item.length, "decimal_place": item.decimal_place, "custom_field": item.custom,
        "system_mandatory": item.mandatory, "visible": True, "read_only": not writable, "field_read_only": not writable,
        "operation_type": {
            "web_create": writable, "web_update": writable, "api_create": writable, "api_update": writable,
        },
        "unique": {"case_sensitive": False} if item.unique else {},
        "external": {"type": item.external, "show": True} if item.external else None,
        "pick_list_values": [shown_option(option, n + 1) for n, option in enumerate(item.options)],
        "lookup": _shown_lookup(crm, item), "multiselectlookup": {}, "subform": None, "associated_module": None,
        "auto_number": item.definition.get("auto_number") or {}, "formula": item.definition.get("formula") or {},
        "currency": item.definition.get("currency") or {}, "tooltip": item.definition.get("tooltip"), "crypt": None,
        "created_source": "default" if not item.custom else "crm", "filterable": item.data_type not in _NOT_FILTERABLE,
        "sortable": item.data_type not in _NOT_FILTERABLE, "searchable": True, "mass_update": writable,
        "virtual_field": False, "created_time": shown_seconds(item.created, crm.zone) if item.custom else None,
        "modified_time": shown_seconds(item.modified, crm.zone) if item.custom else None,
        "profiles": [
            {"id": str(key), "name": name, "permission_type": "read_write" if writable else "read_only"}
            for key, name in crm.people.profiles.items()
        ],
        "layout_associations": [{"id": str(module.layout.id), "name": module.layout.name,
        "api_name": module.layout.name}],
    }  # fmt: skip
    if item.data_type == "textarea":
        body["textarea"] = item.definition.get("textarea") or {"type": "large" if item.length > 2000 else "small"}
    if item.global_picklist is not None:
        shared = crm.schema.global_picklists[item.global_picklist]
        body["global_picklist"] = {"id": shared["id"], "api_name": shared["api_name"]}
    return body


def _shown_lookup(crm: Crm, item: Field) -> Json:
    if item.data_type not in ("lookup", "multiselectlookup") or item.lookup is None:
        return {}
    target = crm.schema.modules.get(item.lookup)
    module = {"api_name": item.lookup, "id": str(target.id) if target else None}
    label = (item.definition.get("lookup") or {}).get("display_label")
    return {"module": module, "api_name": label, "display_label": label, "id": str(item.id)}


async def list_fields(crm: Crm, request: Request) -> Response:
    """GET /settings/fields?module=."""
    module = asked_module(crm, request)
    kind = request.query_params.get("type", "all")
    unused = module.layout.unused
    items = [f for f in module.fields.values() if kind != "unused" or f.api_name in unused]
    if not items:
        return reply(204)
    return reply(200, {"fields": [shown_field(crm, module, item) for item in items]})


def _asked_field(crm: Crm, request: Request) -> tuple[Module, Field]:
    module = asked_module(crm, request)
    found = module.field_by_id(as_id(request.path_params["id"]) or 0)
    if found is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 2})
    return module, found


async def get_field(crm: Crm, request: Request) -> Response:
    """GET /settings/fields/{id}?module=."""
    module, found = _asked_field(crm, request)
    return reply(200, {"fields": [shown_field(crm, module, found)]})


async def pick_list_values(crm: Crm, request: Request) -> Response:
    """GET /settings/fields/{id}/pick_list_values?module=."""
    _, found = _asked_field(crm, request)
    shown = [shown_option(option, n + 1) for n, option in enumerate(found.options)]
    return reply(200, {"pick_list_values": shown}) if shown else reply(204)


def _batch(crm: Crm, request: Request) -> list[Any]:
    items = json_object(request.scope).get("fields")
    most = crm.options.fields_per_call
    if not isinstance(items, list) or not items:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "fields", "expected_data_type": "jsonarray"})
    if len(items) > most:
        details = {"maximum_length": most, "api_name": "fields", "json_path": "$.fields"}
        raise Refusal(400, "INVALID_DATA", "invalid data", details)
    return items


async def create_fields(crm: Crm, request: Request) -> Response:
    """POST /settings/fields?module=: five per call by default; the answers hold only ids (sections 7 and 19)."""
    module = asked_module(crm, request)
    results = []
    with crm.store.transaction():
        for number, item in enumerate(_batch(crm, request)):
            try:
                made = create_field(crm, module, item, f"$.fields[{number}]")
                results.append(success("field created", {"id": str(made.id)}))
            except ItemProblem as refused:
                results.append(refused.body())
        crm.schema.save(module)
    return batch_reply("fields", results, good=201)


async def patch_fields(crm: Crm, request: Request) -> Response:
    """PATCH /settings/fields?module= with ids in the items."""
    module = asked_module(crm, request)
    items = _batch(crm, request)
    targets = [module.field_by_id(as_id(i.get("id")) or 0) if isinstance(i, dict) else None for i in items]
    return _patched(crm, module, list(zip(items, targets, strict=True)))


async def patch_field(crm: Crm, request: Request) -> Response:
    """PATCH /settings/fields/{id}?module=."""
    module, found = _asked_field(crm, request)
    return _patched(crm, module, [(_batch(crm, request)[0], found)])


def _patched(crm: Crm, module: Module, pairs: list[tuple[Any, Field | None]]) -> Response:
    results = []
    with crm.store.transaction():
        for number, (item, found) in enumerate(pairs):
            path = f"$.fields[{number}]"
            try:
                if found is None or not isinstance(item, dict):
                    raise invalid("id", f"{path}.id", message="the id given seems to be invalid")
                _change(crm, module, found, item, path)
                results.append(success("field updated", {"id": str(found.id)}))
            except ItemProblem as refused:
                results.append(refused.body())
        crm.schema.save(module)
    return batch_reply("fields", results)


def _change(crm: Crm, module: Module, found: Field, item: Json, path: str) -> None:
    """Label, length and options change; type, external attribute and lookup target never do."""
    for fixed in ("data_type", "external", "lookup"):
        if fixed in item and item[fixed] not in (None, found.data_type):
            raise ItemProblem(
                "NOT_ALLOWED", "this cannot be changed", {"api_name": fixed, "json_path": f"{path}.{fixed}"}
            )
    if "field_label" in item:
        check_label(item["field_label"], f"{path}.field_label")
    if (length := item.get("length")) is not None:
        if (
            found.data_type == "textarea"
            or isinstance(length, bool)
            or not isinstance(length, int)
            or length < 1
            or length > 255
        ):
            raise invalid("length", f"{path}.length")
        found.length = length
    if "pick_list_values" in item:
        _change_options(crm, module, found, item["pick_list_values"], f"{path}.pick_list_values")
    found.label = item.get("field_label", found.label)
    found.modified = crm.now()


def _change_options(crm: Crm, module: Module, found: Field, values: Any, path: str) -> None:
    """A new pair is added, a known id or actual value renamed, `_delete` takes an option out of use."""
    if found.data_type not in ("picklist", "multiselectpicklist") or not isinstance(values, list):
        raise invalid("pick_list_values", path)
    stage = module.api_name == "Deals" and found.api_name == "Stage"
    for number, value in enumerate(values):
        where = f"{path}[{number}]"
        if not isinstance(value, dict):
            raise invalid("pick_list_values", where, expected_data_type="jsonobject")
        known = _known_option(found, value)
        if known is None and "id" in value:
            raise invalid("id", f"{where}.id", message="the id given seems to be invalid")
        if known is None:
            if stage and not crm.options.stage_create:
                raise ItemProblem(
                    "NOT_ALLOWED", "stages cannot be added here", {"api_name": "Stage", "json_path": where}
                )
            known = new_option(crm, value, where)
            found.options.append(known)
        elif "_delete" in value:
            known.used = False
        else:
            known.display = str(value.get("display_value", known.display))[:120]
            known.used = True
        if stage:
            _stage_values(known, value, where)


def _known_option(found: Field, value: Json) -> Option | None:
    wanted = as_id(value.get("id"))
    return next(
        (o for o in found.options if o.id == wanted or (wanted is None and o.actual == value.get("actual_value"))), None
    )


def _stage_values(option: Option, value: Json, path: str) -> None:
    """Probability and forecast of a stage; that the API takes them is not verified (section 21)."""
    probability = value.get("probability", option.probability if option.probability is not None else 0)
    if isinstance(probability, bool) or not isinstance(probability, int) or not 0 <= probability <= 100:
        raise invalid("probability", f"{path}.probability", maximum_value=100)
    forecast = value.get("forecast_type", option.forecast or "Open")
    if forecast not in ("Open", "Closed Won", "Closed Lost"):
        raise invalid("forecast_type", f"{path}.forecast_type", supported_values=["Open", "Closed Won", "Closed Lost"])
    option.probability, option.forecast = probability, forecast


async def delete_field(crm: Crm, request: Request) -> Response:
    """DELETE /settings/fields/{id}?module=: custom fields only; the values in records go with it."""
    module, found = _asked_field(crm, request)
    if not found.custom:
        details = {"id": str(found.id), "api_name": found.api_name}
        raise Refusal(400, "NOT_ALLOWED", "only custom fields can be deleted", details)
    with crm.store.transaction():
        del module.fields[found.api_name]
        module.layout.required.discard(found.api_name)
        module.layout.unused.discard(found.api_name)
        crm.schema.save(module)
        crm.store.run("DELETE FROM keys WHERE slot = ?", (found.id,))
        crm.store.run("DELETE FROM links WHERE slot = ?", (found.id,))
        path = f"$.{found.api_name}"
        crm.store.run(
            "UPDATE records SET data = json_remove(data, ?) WHERE module = ? AND json_type(data, ?) IS NOT NULL",
            (path, module.api_name, path),
        )
    return batch_reply("fields", [success("field deleted", {"id": str(found.id)})])


async def list_global_picklists(crm: Crm, request: Request) -> Response:
    """GET /settings/global_picklists, or one with its id in the path."""
    wanted = request.path_params.get("id")
    found = [item for item in crm.schema.global_picklists.values() if wanted in (None, item["id"])]
    return reply(200, {"global_picklists": found}) if found else reply(204)


async def create_global_picklist(crm: Crm, request: Request) -> Response:
    """POST /settings/global_picklists: one set of options for many fields."""
    items = json_object(request.scope).get("global_picklists")
    item = items[0] if isinstance(items, list) and len(items) == 1 else None
    label = item.get("display_label") if isinstance(item, dict) else None
    values = item.get("pick_list_values") if isinstance(item, dict) else None
    if not isinstance(label, str) or not isinstance(values, list) or not values:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "global_picklists"})
    picklist_id = crm.store.next_id()
    options = []
    for number, value in enumerate(values):
        text = value.get("display_value") if isinstance(value, dict) else None
        if not isinstance(text, str) or not 0 < len(text) <= 120:
            raise Refusal(
                400, "INVALID_DATA", "invalid data", {"json_path": f"$.global_picklists[0].pick_list_values[{number}]"}
            )
        options.append(shown_option(crm.schema.new_option(text, value.get("actual_value") or text), number + 1))
    body = {
        "id": str(picklist_id), "display_label": label, "api_name": label.replace(" ", "_"), "actual_label": label,
        "pick_list_values": options, "created_by": crm.people.brief(crm.people.admin.id),
    }  # fmt: skip
    crm.schema.global_picklists[picklist_id] = body
    crm.store.save_document("global_picklist", picklist_id, body)
    return reply(201, {"global_picklists": [success("global picklist created", {"id": str(picklist_id)})]})
