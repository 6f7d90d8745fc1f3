"""Endpoints of modules and layouts (Zoho fact sheet sections 6 and 8)."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, Refusal, batch_reply, invalid, reply, success
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.fields import asked_module, shown_option
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.provision import create_field
from connectors.zoho_crm.sandbox.reading import header_time
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.values import as_id

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9 ]{0,24}")
_NAME = re.compile(r"[A-Za-z](?!.*__)\w{0,49}(?<!_)", re.ASCII)
_RESERVED = frozenset(
    {"settings", "users", "org", "coql", "files", "upload", "actions", "record", "records", "module", "modules"}
)
_MAX_PATCHES = 5


def shown_module(crm: Crm, module: Module, number: int) -> Json:
    return {
        "id": str(module.id), "api_name": module.api_name, "module_name": module.api_name,
        "singular_label": module.singular, "plural_label": module.plural, "generated_type": module.kind,
        "api_supported": True, "creatable": True, "editable": True, "viewable": True, "deletable": True,
        "visible": True, "show_as_tab": module.kind != "linking", "sequence_number": number,
        "profiles": [{"id": str(key), "name": name} for key, name in crm.people.profiles.items()],
        "modified_time": shown_seconds(module.modified, crm.zone) if module.kind == "custom" else None,
        "parent_module": {}, "visibility": 1, "status": "visible", "global_search_supported": True,
        "quick_create": True, "presence_sub_menu": True, "feeds_required": False, "web_link": None,
    }  # fmt: skip


async def list_modules(crm: Crm, request: Request) -> Response:
    """GET /settings/modules, with If-Modified-Since."""
    since = header_time(request, "If-Modified-Since")
    modules = [m for m in crm.schema.modules.values() if since is None or m.modified > since]
    if not modules:
        return reply(304)
    return reply(200, {"modules": [shown_module(crm, module, n) for n, module in enumerate(modules)]})


def _asked(crm: Crm, request: Request) -> Module:
    text = request.path_params["id"]
    found = crm.schema.modules.get(text) or crm.schema.module_by_id(as_id(text) or 0)
    return found if found is not None else crm.schema.module(text)


async def get_module(crm: Crm, request: Request) -> Response:
    """GET /settings/modules/{api_name or id}."""
    module = _asked(crm, request)
    body = shown_module(crm, module, 0)
    body["fields"] = [{"id": str(item.id), "api_name": item.api_name} for item in module.fields.values()]
    return reply(200, {"modules": [body]})


async def create_module(crm: Crm, request: Request) -> Response:
    """POST /settings/modules: one custom module, Enterprise and above, 500 credits."""
    items = json_object(request.scope).get("modules")
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "modules", "maximum_length": 1})
    if not crm.edition.custom_modules and not crm.options.custom_modules_cap:
        raise Refusal(400, "NOT_SUPPORTED", "custom modules are not supported in this edition")
    cap = crm.options.custom_modules_cap or crm.edition.custom_modules
    if sum(module.kind == "custom" for module in crm.schema.modules.values()) >= cap:
        raise Refusal(400, "LIMIT_EXCEEDED", "the limit of custom modules is exceeded", {"limit": cap})
    try:
        with crm.store.transaction():
            module = _created(crm, items[0])
    except ItemProblem as refused:
        status = 403 if refused.code == "RESERVED_KEYWORD_NOT_ALLOWED" else 400
        return reply(status, {"modules": [refused.body()]})
    return reply(201, {"modules": [success("module created successfully", {"id": str(module.id)})]})


def _created(crm: Crm, item: Json) -> Module:
    path = "$.modules[0]"
    for name in ("plural_label", "singular_label"):
        text = item.get(name)
        if text is None:
            raise ItemProblem(
                "MANDATORY_NOT_FOUND", "required field not found", {"api_name": name, "json_path": f"{path}.{name}"}
            )
        if not isinstance(text, str) or not _LABEL.fullmatch(text):
            raise invalid(name, f"{path}.{name}", maximum_length=25)
    profiles = _profiles(crm, item.get("profiles"), path)
    name = item.get("api_name") or re.sub(r" +", "_", item["plural_label"].strip())
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid("api_name", f"{path}.api_name")
    if name.lower() in _RESERVED:
        raise ItemProblem(
            "RESERVED_KEYWORD_NOT_ALLOWED", "reserved keyword", {"api_name": "api_name", "json_path": path}
        )
    _check_free(crm, name, item, path)
    display = item.get("display_field") if isinstance(item.get("display_field"), dict) else {}
    assert isinstance(display, dict)
    module = crm.schema.new_module(api_name=name, singular=item["singular_label"], plural=item["plural_label"])
    module.profiles = profiles
    label, kind = str(display.get("field_label") or f"{item['singular_label']} Name"), display.get("data_type", "text")
    if kind not in ("text", "autonumber"):
        raise invalid("data_type", f"{path}.display_field.data_type", supported_values=["text", "autonumber"])
    definition = {"auto_number": display.get("auto_number")} if kind == "autonumber" else {}
    crm.schema.new_field(module, "Name", label, kind, 120, mandatory=kind == "text", definition=definition)
    for extra, extra_label, extra_kind, size in (
        ("Email", "Email", "email", 100),
        ("Secondary_Email", "Secondary Email", "email", 100),
    ):
        crm.schema.new_field(module, extra, extra_label, extra_kind, size)
    crm.schema.save(module)
    return module


def _profiles(crm: Crm, given: Any, path: str) -> list[str]:
    ids = (
        [as_id(entry.get("id")) if isinstance(entry, dict) else None for entry in given]
        if isinstance(given, list)
        else []
    )
    if not ids:
        details = {"api_name": "profiles", "json_path": f"{path}.profiles"}
        raise ItemProblem("MINIMUM_DATA_NOT_FOUND", "at least one profile is needed", details)
    if any(found not in crm.people.profiles for found in ids):
        raise invalid("profiles", f"{path}.profiles", message="the id given seems to be invalid")
    return [str(found) for found in ids]


def _check_free(crm: Crm, name: str, item: Json, path: str) -> None:
    for module in crm.schema.modules.values():
        same = module.api_name.lower() == name.lower() or module.plural.lower() == item["plural_label"].lower()
        if same or (module.kind == "custom" and module.singular.lower() == item["singular_label"].lower()):
            clash = "api_name" if module.api_name.lower() == name.lower() else "plural_label"
            details = {"api_name": clash, "json_path": f"{path}.{clash}", "id": str(module.id)}
            raise ItemProblem("DUPLICATE_DATA", "duplicate data", details)


async def update_module(crm: Crm, request: Request) -> Response:
    """PUT /settings/modules/{id or api_name}: labels and profiles; the API name stays."""
    module = _asked(crm, request)
    items = json_object(request.scope).get("modules")
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "modules", "maximum_length": 1})
    item = items[0]
    if "api_name" in item and item["api_name"] != module.api_name:
        details = {"api_name": "api_name", "json_path": "$.modules[0].api_name"}
        return reply(400, {"modules": [ItemProblem("NOT_ALLOWED", "the API name cannot be changed", details).body()]})
    for name in ("plural_label", "singular_label"):
        if name in item and (not isinstance(item[name], str) or not _LABEL.fullmatch(item[name])):
            return reply(400, {"modules": [invalid(name, f"$.modules[0].{name}", maximum_length=25).body()]})
    module.plural = item.get("plural_label", module.plural)
    module.singular = item.get("singular_label", module.singular)
    crm.schema.save(module)
    return reply(200, {"modules": [success("module updated successfully", {"id": str(module.id)})]})


def shown_layout(crm: Crm, module: Module) -> Json:
    """A layout with its one main section; `required` per field stands here (section 8)."""
    layout = module.layout
    fields = [
        _shown_in_layout(module, item, number)
        for number, item in enumerate(module.fields.values())
        if item.api_name not in layout.unused and item.api_name != "id"
    ]
    section = {
        "id": str(layout.section_id), "name": f"{module.singular} Information",
        "display_label": f"{module.singular} Information",
        "api_name": f"{module.singular} Information", "sequence_number": 1, "column_count": 2,
        "isSubformSection": False,
        "generated_type": "default", "tab_traversal": 2, "fields": fields,
    }  # fmt: skip
    return {
        "id": str(layout.id), "name": layout.name, "api_name": layout.name, "display_label": layout.name,
        "status": "active", "visible": True, "generated_type": "default", "source": "crm", "has_more_profiles": False,
        "profiles": [{"id": str(key), "name": name, "default": True} for key, name in crm.people.profiles.items()],
        "sections": [section, *layout.sections], "convert_mapping": None,
    }  # fmt: skip


def _shown_in_layout(module: Module, item: Field, number: int) -> Json:
    return {
        "id": str(item.id), "api_name": item.api_name, "field_label": item.label, "data_type": item.data_type,
        "required": item.mandatory or item.api_name in module.layout.required, "sequence_number": number + 1,
        "length": item.length, "custom_field": item.custom,
        "pick_list_values": [shown_option(option, n + 1) for n, option in enumerate(item.options)],
    }  # fmt: skip


async def list_layouts(crm: Crm, request: Request) -> Response:
    """GET /settings/layouts?module= and /settings/layouts/{id}?module=."""
    module = asked_module(crm, request)
    wanted = request.path_params.get("id")
    if wanted not in (None, str(module.layout.id)):
        return reply(204)
    return reply(200, {"layouts": [shown_layout(crm, module)]})


async def patch_layout(crm: Crm, request: Request) -> Response:
    """PATCH /settings/layouts/{id}?module=: at most five field actions and five new sections."""
    module = asked_module(crm, request)
    if request.path_params["id"] != str(module.layout.id):
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 2})
    items = json_object(request.scope).get("layouts")
    sections = (
        items[0].get("sections") if isinstance(items, list) and len(items) == 1 and isinstance(items[0], dict) else None
    )
    if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "layouts", "maximum_length": 1})
    actions = [field for section in sections for field in section.get("fields") or []]
    new = [section for section in sections if not section.get("id")]
    if len(actions) > _MAX_PATCHES or len(new) > _MAX_PATCHES:
        raise Refusal(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": _MAX_PATCHES})
    try:
        with crm.store.transaction():
            for number, action in enumerate(actions):
                _act(crm, module, action, f"$.layouts[0].sections[0].fields[{number}]")
            for section in new:
                label = str(section.get("display_label") or "Section")
                module.layout.sections.append(
                    {"id": str(crm.store.next_id()), "display_label": label, "name": label, "fields": []}
                )
            crm.schema.save(module)
    except ItemProblem as refused:
        return reply(400, {"layouts": [refused.body()]})
    return batch_reply("layouts", [success("layout updated successfully", {"id": str(module.layout.id)})])


def _act(crm: Crm, module: Module, action: Any, path: str) -> None:
    """One field action: create, demand, or move to the unused fields."""
    if not isinstance(action, dict):
        raise invalid("fields", path, expected_data_type="jsonobject")
    if "id" not in action and "field_label" in action:
        item = create_field(crm, module, action, path)
    else:
        found = module.field_by_id(as_id(action.get("id")) or 0) or module.fields.get(str(action.get("api_name")))
        if found is None:
            raise invalid("id", f"{path}.id", message="the id given seems to be invalid")
        item = found
    layout = module.layout
    if "_delete" in action:
        if item.mandatory:
            raise ItemProblem(
                "NOT_ALLOWED",
                "a mandatory field cannot leave the layout",
                {"api_name": item.api_name, "json_path": path},
            )
        layout.unused.add(item.api_name)
        layout.required.discard(item.api_name)
        return
    layout.unused.discard(item.api_name)
    if action.get("required") is True:
        layout.required.add(item.api_name)
    elif action.get("required") is False:
        layout.required.discard(item.api_name)
