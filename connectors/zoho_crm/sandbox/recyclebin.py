"""Endpoints of deletion and of the recycle bin (Zoho fact sheet section 15)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, Refusal, batch_reply, missing_param, reply, success
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.deleting import delete_records, expire_bin, purge, restore
from connectors.zoho_crm.sandbox.external import addressed_id
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.paging import number
from connectors.zoho_crm.sandbox.store import marks
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.values import as_id

_RESTORE_IDS = 200
_RESTORE_NOW = 1_000


def _split(text: str | None, most: int) -> list[int | None]:
    if not text:
        raise missing_param("ids")
    ids = [as_id(part.strip()) for part in text.split(",")]
    if len(ids) > most:
        raise Refusal(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": most, "param_name": "ids"})
    return ids


async def delete_many(crm: Crm, request: Request) -> Response:
    """DELETE /{module}?ids= up to a hundred."""
    module = crm.schema.module(request.path_params["module"])
    return batch_reply("data", delete_records(crm, module, _split(request.query_params.get("ids"), 100)))


async def delete_one(crm: Crm, request: Request) -> Response:
    """DELETE /{module}/{id or external value}."""
    module = crm.schema.module(request.path_params["module"])
    return batch_reply("data", delete_records(crm, module, [addressed_id(crm, module, request)]))


async def mass_delete(crm: Crm, request: Request) -> Response:
    """POST /{module}/actions/mass_delete with up to 500 ids."""
    module = crm.schema.module(request.path_params["module"])
    ids = json_object(request.scope).get("ids")
    if not isinstance(ids, list) or not 0 < len(ids) <= 500:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "ids", "maximum_length": 500})
    return batch_reply("data", delete_records(crm, module, [as_id(i) for i in ids], message="record is deleted"))


async def list_bin(crm: Crm, request: Request) -> Response:
    """GET /settings/recycle_bin, newest first."""
    expire_bin(crm)
    params = request.query_params
    size, page = number(params, "per_page", 200, most=200), number(params, "page", 1)
    where, values = "kind = 'recycle'", []
    if params.get("ids"):
        values = _split(params["ids"], 200)
        where += f" AND id IN ({marks(values)})"
    return _bin_page(crm, where, values, size, page)


async def one_in_bin(crm: Crm, request: Request) -> Response:
    """GET /settings/recycle_bin/{id}."""
    return _bin_page(crm, "kind = 'recycle' AND id = ?", [as_id(request.path_params["id"]) or 0], 1, 1)


def _bin_page(crm: Crm, where: str, values: list[Any], size: int, page: int) -> Response:
    rows = crm.store.all(
        f"SELECT id, module, name, deleted_by, deleted_at, creator FROM bin WHERE {where} AND root = id "  # noqa: S608
        "ORDER BY deleted_at DESC, id DESC LIMIT ? OFFSET ?",
        (*values, size + 1, (page - 1) * size),
    )
    if not rows:
        return reply(204)
    data = [
        {
            "id": str(row[0]), "display_name": row[2], "module": row[1], "owner": crm.people.brief(row[5]),
            "deleted_by": crm.people.brief(row[3]), "deleted_time": shown_seconds(row[4], crm.zone),
        }
        for row in rows[:size]
    ]  # fmt: skip
    info = {"per_page": size, "count": len(data), "page": page, "more_records": len(rows) > size}
    return reply(200, {"recycle_bin": data, "info": info})


async def count_bin(crm: Crm, _: Request) -> Response:
    """GET /settings/recycle_bin/actions/count."""
    expire_bin(crm)
    found = crm.store.one("SELECT count(*) FROM bin WHERE kind = 'recycle' AND root = id")
    return reply(200, {"count": found[0] if found else 0})


async def restore_many(crm: Crm, request: Request) -> Response:
    """POST /settings/recycle_bin/actions/restore with exactly one of ids, filters, restore_all_records."""
    expire_bin(crm)
    body = json_object(request.scope)
    given = [name for name in ("ids", "filters", "restore_all_records") if name in body]
    if len(given) != 1:
        raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {
            "ambiguity_due_to": [{"param_name": name} for name in given],
        })  # fmt: skip
    ids = _asked_ids(crm, body, given[0])
    results = [restore(crm, found) if found is not None else _unknown(found) for found in ids]
    if not results:
        return reply(204)
    if len(ids) > _RESTORE_NOW:
        job = str(crm.store.next_id())
        return reply(202, {"recycle_bin": [success("restore scheduled", {"job_id": job})]})
    return batch_reply("recycle_bin", results)


def _asked_ids(crm: Crm, body: Json, name: str) -> list[int | None]:
    if name == "ids":
        ids = body["ids"]
        if not isinstance(ids, list) or not 0 < len(ids) <= _RESTORE_IDS:
            raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "ids", "maximum_length": _RESTORE_IDS})
        return [as_id(found) for found in ids]
    where, values = ("1", []) if name == "restore_all_records" else _filter(body["filters"])
    rows = crm.store.all(f"SELECT id FROM bin WHERE kind = 'recycle' AND root = id AND {where} ORDER BY id", values)  # noqa: S608
    return [row[0] for row in rows]


def _filter(filters: Any) -> tuple[str, list[Any]]:
    """Filters by module with `equal`: the one kind of filter this sandbox knows."""
    group = filters.get("group", [filters]) if isinstance(filters, dict) else None
    if not isinstance(group, list):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "filters"})
    names = []
    for part in group:
        field = part.get("field") if isinstance(part, dict) else None
        value = part.get("value") if isinstance(part, dict) else None
        name = value.get("api_name") if isinstance(value, dict) else value
        if not isinstance(field, dict) or field.get("api_name") != "module" or not isinstance(name, str):
            raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "filters"})
        names.append(name)
    return f"module IN ({marks(names)})", names


def _unknown(found: int | None) -> Json:
    return ItemProblem("INVALID_DATA", "the id given seems to be invalid", {"id": str(found)}).body()


async def restore_one(crm: Crm, request: Request) -> Response:
    """POST /settings/recycle_bin/{id}/actions/restore."""
    expire_bin(crm)
    return batch_reply("recycle_bin", [restore(crm, as_id(request.path_params["id"]) or 0)])


async def drop_many(crm: Crm, request: Request) -> Response:
    """DELETE /settings/recycle_bin?ids= up to a hundred, or one with its id in the path."""
    text = request.path_params.get("id") or request.query_params.get("ids")
    results = []
    with crm.store.transaction():
        for found in _split(text, 100):
            gone = found is not None and purge(crm, found)
            results.append(success("record deleted", {"id": str(found)}) if gone else _unknown(found))
    return batch_reply("recycle_bin", results)


async def empty_bin(crm: Crm, _: Request) -> Response:
    """POST /settings/recycle_bin/actions/empty."""
    with crm.store.transaction():
        for (record_id,) in crm.store.all("SELECT id FROM bin WHERE kind = 'recycle'"):
            purge(crm, record_id)
    return reply(200, {"recycle_bin": [success("recycle bin emptied", {})]})
