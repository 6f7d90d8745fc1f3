"""Fields, forms and custom modules (Freshsales fact sheet sections 11 and 12)."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, bad, empty, forbidden, not_found, reply
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.schema import Field, Module
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.writer import read_body

# The vendor's integer codes of `field_type` are not known to any source (section 11); these are the sandbox's own.
FIELD_CODES = {
    1: "text", 2: "textarea", 3: "number", 4: "dropdown", 5: "radio", 6: "multi_select_dropdown", 7: "checkbox",
    8: "date", 9: "date_time_split", 10: "lookup", 11: "formula", 12: "auto_number",
}  # fmt: skip
_WORDS = {"decimal": "number", "multiselect": "multi_select_dropdown", "datetime": "date_time_split"}
_ENTITY = re.compile(r"^[a-z][a-z0-9_]{0,60}$")
_FORM_MODULES = ("contact", "sales_account", "deal", "lead", "sales_activity", "product")


async def fields(crm: Crm, request: Request) -> Response:
    """GET /settings/{p}/fields(?include=field_group)"""
    module = _formed(crm, request.path_params["plural"])
    rows = [crm.schema.shown(module, field, crm.book.rows) for field in module.fields.values()]
    answer: Json = {"fields": rows}
    if "field_group" in (request.query_params.get("include") or ""):
        answer["field_groups"] = [{"id": module.form_id, "name": "basic_information", "label": "Basic Information"}]
        for row in rows:
            row["field_group_id"] = module.form_id
    return reply(200, answer)


def _formed(crm: Crm, plural: str) -> Module:
    module = crm.schema.by_plural(plural)
    if module.name == "lead" and not crm.options.classic:
        raise not_found()
    return module


def form_field(module: Module, field: Field) -> Json:
    """A field as a form shows it (section 11)."""
    return {
        "id": field.id, "name": field.name, "label": field.label, "type": field.type,
        "field_class": field.type.title().replace("_", ""), "form_id": module.form_id, "custom": field.custom,
        "editable": not field.read_only, "required": field.required, "visible": field.visible, "hint": None,
        "placeholder": None, "choices": field.choices, "default_value": None, "position": field.position,
        "quick_add_position": None, "parent_id": None, "fields": [], "link": None,
        "allow_clearing_default_value": True,
        "lookup_entity": field.target,  # how the vendor names a lookup's target is not known (section 11)
        "field_options": {
            "unique": field.unique, "system_field": not field.custom, "can_label_be_renamed": field.custom,
            "can_required_be_changed": True, "can_uniqueness_be_changed": field.custom,
            "can_choices_be_customized": field.custom, "can_not_be_hidden": False,
        },
    }  # fmt: skip


async def forms(crm: Crm, request: Request) -> Response:
    """GET /settings/{entity}/forms: sections basic_information and hidden_fields."""
    module = _formed(crm, request.path_params["plural"])
    sections: list[Json] = []
    for name, visible in (("basic_information", True), ("hidden_fields", False)):
        rows = [form_field(module, field) for field in module.fields.values() if field.visible is visible]
        sections.append({"id": len(sections) + 1, "name": name, "label": name, "type": "section", "fields": rows})
    form = {
        "id": module.form_id, "field_class": f"{module.model}Form", "active": True, "description": None,
        "fields": sections,
    }  # fmt: skip
    return reply(200, {"forms": [form]})


async def create_field(crm: Crm, request: Request) -> Response:
    """POST /settings/{entity}/forms/{form_id}/fields, with an integer `field_type` or a word `type`.

    Uniqueness is an administrator's setting and ignored here (section 14). Section 11: on standard modules the call
    is undocumented, hence a switch.
    """
    module = _formed(crm, request.path_params["plural"])
    if as_id(request.path_params["form"]) != module.form_id:
        raise not_found()
    if module.custom is None and not crm.options.standard_field_create:
        raise forbidden()
    body = read_body(json_object(request), "field")
    label = body.get("label")
    if not isinstance(label, str) or not label.strip():
        raise empty("Label")
    if len(label) > crm.options.text_limit:
        raise bad(f"Label is too long (maximum is {crm.options.text_limit} characters)")
    with crm.store.transaction():
        field = crm.schema.add_field(
            module, label.strip(), _type_of(crm, body), required=body.get("required") is True,
            choices=_choices_of(body), target=_target_of(crm, body),
        )  # fmt: skip
    crm.stats.created["field"] += 1
    return reply(200, {"field": form_field(module, field)})


def _type_of(crm: Crm, body: Json) -> str:
    code, word = body.get("field_type"), body.get("type")
    if code is not None and crm.options.field_create != "word":
        found = FIELD_CODES.get(as_id(code) or 0)
        if found is None:
            raise bad("Field type is invalid")
        return found
    if isinstance(word, str) and crm.options.field_create != "code":
        return _WORDS.get(word, word)
    raise empty("Field type")


def _choices_of(body: Json) -> list[str]:
    """Choices as texts or rows `{value}`; the vendor's payload is not known (section 11)."""
    given = body.get("choices") or []
    if not isinstance(given, list):
        raise bad("Choices is invalid")
    texts = [item.get("value") if isinstance(item, dict) else item for item in given]
    if not all(isinstance(text, str) and text.strip() and len(text) <= 256 for text in texts):
        raise bad("Choices is invalid")
    return [str(text) for text in texts]


def _target_of(crm: Crm, body: Json) -> str | None:
    given = body.get("lookup_entity")
    if given is None:
        return None
    if not isinstance(given, str) or given not in crm.schema.modules:
        raise bad("Lookup entity is invalid")
    return given


# custom modules


async def list_modules(crm: Crm, _: Request) -> Response:
    """GET /settings/module_customizations: built-in modules as well; custom ones carry `custom: true`."""
    rows = []
    for module in crm.schema.modules.values():
        if module.custom:
            rows.append(_shown(crm, module.custom))
        elif module.name in _FORM_MODULES[:3]:
            rows.append({"id": module.form_id, "custom": False, "entity_name": module.name, "status": "active"})
    return reply(200, {"module_customizations": rows})


def _shown(crm: Crm, body: Json) -> Json:
    name = body["entity_name"]
    return {
        "id": body["id"], "coll_id": body["id"], "configs": {"filters_v2_enabled": True},
        "created_at": crm.when(body["created"]), "updated_at": crm.when(body["updated"]), "custom": True,
        "description": body["description"], "entity_name": name, "icon": body["icon"],
        "layout_customizations": {"lookup_sections": [], "section_config": []}, "plural_name": body["plural_name"],
        "position": 1, "renaming_customizations": {}, "resource_path_for_navigation": f"/custom_module/{name}",
        "show_in_navigation_menu": body["show_in_navigation_menu"], "singular_name": body["singular_name"],
        "status": "active", "table_name": name,
    }  # fmt: skip


def _customization(crm: Crm, request: Request) -> Module:
    key = as_id(request.path_params["id"])
    for module in crm.schema.modules.values():
        if module.custom and module.custom["id"] == key:
            return module
    raise not_found()


async def create_module(crm: Crm, request: Request) -> Response:
    """POST /settings/module_customizations; Enterprise only."""
    if not crm.plan.custom_modules:
        raise forbidden()
    body = read_body(json_object(request), "module_customization")
    for name in ("entity_name", "singular_name", "plural_name", "icon"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise empty(name.replace("_", " ").capitalize())
    name = body["entity_name"] if body["entity_name"].startswith("cm_") else f"cm_{body['entity_name']}"
    if not _ENTITY.match(name):
        raise bad("Entity name is invalid")
    if name in crm.schema.modules:
        raise bad("Entity name has already been taken")
    with crm.store.transaction():
        now, next_id = crm.now(), crm.store.next_id
        kept: Json = {
            "id": next_id(), "form_id": next_id(), "view_id": next_id(), "bin_view_id": next_id(), "entity_name": name,
            "created": now, "updated": now, **_described(body),
        }  # fmt: skip
        crm.schema.save_module(kept)
    crm.stats.created["module"] += 1
    return reply(200, {"module_customization": _shown(crm, kept)})


def _described(body: Json) -> dict[str, Any]:
    return {
        "singular_name": str(body["singular_name"])[:256], "plural_name": str(body["plural_name"])[:256],
        "icon": str(body["icon"])[:256], "description": str(body.get("description") or "")[:10_000],
        "show_in_navigation_menu": body.get("show_in_navigation_menu") is not False,
    }  # fmt: skip


async def get_module(crm: Crm, request: Request) -> Response:
    """GET /settings/module_customizations/{id}"""
    module = _customization(crm, request)
    assert module.custom is not None
    return reply(200, {"module_customization": _shown(crm, module.custom)})


async def update_module(crm: Crm, request: Request) -> Response:
    """PUT /settings/module_customizations/{id}: names and description; the entity name stays."""
    module = _customization(crm, request)
    assert module.custom is not None
    body = read_body(json_object(request), "module_customization")
    kept = {**module.custom, **_described({**module.custom, **body}), "updated": crm.now()}
    with crm.store.transaction():
        crm.schema.save_module(kept)
    return reply(200, {"module_customization": _shown(crm, kept)})


async def delete_module(crm: Crm, request: Request) -> Response:
    """DELETE /settings/module_customizations/{id}: with its fields and records."""
    module = _customization(crm, request)
    with crm.store.transaction():
        for row in crm.store.rows("module = ?", (module.name,)):
            crm.store.drop_row(row.id)
        crm.schema.drop_module(module)
    return reply(200, {"message": f"{module.plural} deleted successfully."})
