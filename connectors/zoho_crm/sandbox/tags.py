"""Tags of a module and on records (Zoho fact sheet section 16)."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import Json, Refusal, batch_reply, invalid, problem, reply, success
from connectors.zoho_crm.sandbox.changes import register_tags
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.schema import Module
from connectors.zoho_crm.sandbox.values import as_id, tag_name_fits

_PER_MODULE = 100
_PER_RECORD = 10


def _of_module(crm: Crm, module: Module) -> list[Json]:
    return [tag for tag in crm.store.documents("tag") if tag["module"] == module.api_name]


async def list_tags(crm: Crm, request: Request) -> Response:
    """GET /settings/tags?module=."""
    tags = _of_module(crm, crm.schema.module(request.query_params.get("module", "")))
    if not tags:
        return reply(204)
    shown = [{key: tag[key] for key in ("id", "name", "color_code")} for tag in tags]
    return reply(200, {"tags": shown, "info": {"count": len(shown), "allowed_count": _PER_MODULE}})


async def create_tags(crm: Crm, request: Request) -> Response:
    """POST /settings/tags?module=: names of at most 25 characters, a hundred per module."""
    module = crm.schema.module(request.query_params.get("module", ""))
    items = json_object(request.scope).get("tags")
    if not isinstance(items, list) or not 0 < len(items) <= _PER_MODULE:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "tags", "maximum_length": _PER_MODULE})
    results = [_create(crm, module, item, f"$.tags[{n}]") for n, item in enumerate(items)]
    return batch_reply("tags", results, good=201)


def _create(crm: Crm, module: Module, item: Any, path: str) -> Json:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not tag_name_fits(name):
        return invalid("name", f"{path}.name", maximum_length=25).body()
    known = {tag["name"]: tag for tag in _of_module(crm, module)}
    if name in known:
        return problem("DUPLICATE_DATA", "duplicate data", {"id": known[name]["id"], "api_name": "name"})
    if len(known) >= _PER_MODULE:
        return problem("LIMIT_EXCEEDED", "the limit of tags is exceeded", {"limit": _PER_MODULE})
    tag = {
        "id": str(crm.store.next_id()),
        "name": name,
        "module": module.api_name,
        "color_code": item.get("color_code"),
    }
    crm.store.save_document("tag", f"{module.api_name}:{name}", tag)
    return success("tags created successfully", {"id": tag["id"]})


async def delete_tag(crm: Crm, request: Request) -> Response:
    """DELETE /settings/tags/{id}."""
    wanted = request.path_params["id"]
    tag = next((each for each in crm.store.documents("tag") if each["id"] == wanted), None)
    if tag is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 2})
    crm.store.drop_document("tag", f"{tag['module']}:{tag['name']}")
    return reply(200, {"tags": success("tags deleted successfully", {"id": wanted})})


async def add_tags(crm: Crm, request: Request) -> Response:
    """POST /{module}/actions/add_tags for up to 500 records."""
    return _tagging(crm, request, adding=True)


async def remove_tags(crm: Crm, request: Request) -> Response:
    """POST /{module}/actions/remove_tags for up to 500 records."""
    return _tagging(crm, request, adding=False)


def _tagging(crm: Crm, request: Request, *, adding: bool) -> Response:
    module = crm.schema.module(request.path_params["module"])
    body = json_object(request.scope)
    items, single = body.get("tags"), request.path_params.get("id")
    ids = [single] if single is not None else body.get("ids")
    names: list[Any] = [t.get("name") for t in items if isinstance(t, dict)] if isinstance(items, list) else []
    if not names or not all(isinstance(name, str) and tag_name_fits(name) for name in names):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "tags"})
    if not isinstance(ids, list) or not 0 < len(ids) <= 500:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "ids", "maximum_length": 500})
    with crm.store.transaction():
        register_tags(crm, module.api_name, set(names) if adding else set())
        results = [_retag(crm, module, item, names, adding=adding, over=body.get("over_write") is True) for item in ids]
    return batch_reply("data", results)


def _retag(crm: Crm, module: Module, item: Any, names: list[str], *, adding: bool, over: bool) -> Json:
    row = crm.store.row(module.api_name, as_id(item) or 0)
    if row is None:
        return problem("INVALID_DATA", "the id given seems to be invalid", {"id": str(item)})
    old = row.data.get("Tag") or []
    if adding:
        new = list(dict.fromkeys([*([] if over else old), *names]))
    else:
        new = [name for name in old if name not in names]
    if len(new) > _PER_RECORD:
        return problem("LIMIT_EXCEEDED", "the limit of tags is exceeded", {"limit": _PER_RECORD, "id": str(row.id)})
    crm.store.run(
        "UPDATE records SET data = json_set(data, '$.Tag', json(?)), modified = ?, touched = ? WHERE id = ?",
        (orjson.dumps(new).decode(), crm.now(), crm.seconds(), row.id),
    )
    return success("tags updated successfully", {"id": str(row.id), "tags": new})
