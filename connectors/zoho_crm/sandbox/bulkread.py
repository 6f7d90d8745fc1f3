"""Bulk read: a job writes up to 200,000 rows of a module to a CSV in a zip (Zoho fact sheet section 18)."""

import asyncio
import csv
import io
import zipfile
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from connectors.zoho_crm.sandbox.answers import Json, Refusal, reply, success
from connectors.zoho_crm.sandbox.conditions import BadCondition, Condition, Group, Sql, Test, to_sql
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.render import Renderer
from connectors.zoho_crm.sandbox.schema import Module
from connectors.zoho_crm.sandbox.store import ROW_COLUMNS, as_row
from connectors.zoho_crm.sandbox.times import shown_seconds

PAGE_ROWS = 200_000
_STEP = 2_000
_OPS = {
    "equal": "=", "not_equal": "!=", "in": "in", "not_in": "not in", "less_than": "<", "less_equal": "<=",
    "greater_than": ">", "greater_equal": ">=", "contains": "contains", "starts_with": "starts_with",
    "between": "between",
}  # fmt: skip
_MAX_DEPTH = 10


async def create_job(crm: Crm, request: Request) -> Response:
    """POST /crm/bulk/v8/read: 50 credits."""
    query = json_object(request.scope).get("query")
    named = query.get("module") if isinstance(query, dict) else None
    module = crm.schema.module(str(named.get("api_name")) if isinstance(named, dict) else "")
    assert isinstance(query, dict)
    names = query.get("fields") or [f.api_name for f in module.fields.values() if f.data_type != "subform"]
    page = query.get("page", 1)
    if (
        not isinstance(names, list)
        or not set(map(str, names)) <= set(module.fields)
        or not isinstance(page, int)
        or page < 1
    ):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "fields"})
    _where(crm, module, query.get("criteria"))
    creator, job_id = crm.people.brief(crm.people.admin.id), str(crm.store.next_id())
    when = shown_seconds(crm.now(), crm.zone)
    job: Json = {
        "id": job_id, "operation": "read", "state": "ADDED", "created_by": creator, "created_time": when,
        "file_type": "csv",
        "query": {"module": {"api_name": module.api_name}, "fields": names, "criteria": query.get("criteria"),
        "page": page},
    }  # fmt: skip
    crm.store.save_document("bulk_read", job_id, job)
    crm.background(_run(crm, module, job))
    details = {"id": job_id, "operation": "read", "state": "ADDED", "created_by": creator, "created_time": when}
    added = {**success("Added successfully.", details), "code": "ADDED_SUCCESSFULLY"}
    return reply(201, {"data": [added], "info": {}})


def _where(crm: Crm, module: Module, criteria: Any) -> Sql:
    if criteria is None:
        return Sql("1", [])
    try:
        return to_sql(crm, module, _tree(criteria, 0))
    except BadCondition as error:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "criteria", "near": str(error)}) from error


def _tree(criteria: Any, depth: int) -> Condition:
    """`{group_operator, group}` or `{field: {api_name}, comparator, value}`."""
    if not isinstance(criteria, dict) or depth > _MAX_DEPTH:
        raise BadCondition("criteria")
    if isinstance(criteria.get("group"), list) and criteria["group"]:
        joiner = str(criteria.get("group_operator", "and")).lower()
        if joiner not in ("and", "or"):
            raise BadCondition("group_operator")
        return Group(joiner, tuple(_tree(part, depth + 1) for part in criteria["group"]))
    field, op = criteria.get("field"), _OPS.get(str(criteria.get("comparator")))
    if not isinstance(field, dict) or op is None:
        raise BadCondition("comparator")
    value = criteria.get("value")
    return Test(str(field.get("api_name")), op, tuple(value) if isinstance(value, list) else (value,))


async def get_job(crm: Crm, request: Request) -> Response:
    """GET /crm/bulk/v8/read/{id}."""
    job = crm.store.document("bulk_read", request.path_params["id"])
    if job is None:
        raise Refusal(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
    return reply(200, {"data": [job]})


async def get_result(crm: Crm, request: Request) -> Response:
    """GET /crm/bulk/v8/read/{id}/result: the zip."""
    job_id = request.path_params["id"]
    path = crm.files / f"bulk-read-{job_id}.zip"
    if not job_id.isdigit() or not path.exists():
        raise Refusal(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
    return FileResponse(path, media_type="application/octet-stream", filename=f"{job_id}.zip")


async def _run(crm: Crm, module: Module, job: Json) -> None:
    await asyncio.sleep(crm.options.bulk_delay_ms / 1000)
    query = job["query"]
    where = _where(crm, module, query["criteria"])
    path = crm.files / f"bulk-read-{job['id']}.csv"
    count = await _write_csv(crm, module, query, where, path)
    more = crm.store.one(
        f"SELECT 1 FROM records r WHERE r.module = ? AND ({where.text}) LIMIT 1 OFFSET ?",  # noqa: S608
        (module.api_name, *where.values, query["page"] * PAGE_ROWS),
    )
    _pack(path, crm.files / f"bulk-read-{job['id']}.zip", f"{job['id']}.csv")
    job["state"] = "COMPLETED"
    job["result"] = {
        "page": query["page"], "per_page": PAGE_ROWS, "count": count, "more_records": more is not None,
        "download_url": f"/crm/bulk/v8/read/{job['id']}/result", "next_page_token": None,
    }  # fmt: skip
    crm.store.save_document("bulk_read", job["id"], job)


async def _write_csv(crm: Crm, module: Module, query: Json, where: Sql, path: Path) -> int:
    last, count, skip = 0, 0, (query["page"] - 1) * PAGE_ROWS
    _append(path, [["Id" if name == "id" else name for name in query["fields"]]])
    while count < PAGE_ROWS:
        rows = crm.store.all(
            f"SELECT {ROW_COLUMNS} FROM records r WHERE r.module = ? AND r.id > ? AND ({where.text}) "  # noqa: S608
            "ORDER BY r.id LIMIT ? OFFSET ?",
            (module.api_name, last, *where.values, min(_STEP, PAGE_ROWS - count), skip),
        )
        if not rows:
            break
        renderer = Renderer(crm, module, [], bare_lookups=True)
        kept = [as_row(raw) for raw in rows]
        _append(
            path, [[_cell(renderer.listed(row, query["fields"]).get(name)) for name in query["fields"]] for row in kept]
        )
        last, skip, count = kept[-1].id, 0, count + len(kept)
        await asyncio.sleep(0)
    return count


def _append(path: Path, rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    with path.open("a", encoding="utf-8", newline="") as handle:
        handle.write(out.getvalue())


def _pack(source: Path, target: Path, name: str) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(source, name)
    source.unlink()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return str(value.get("id", ""))
    if isinstance(value, list):
        return ";".join(str(part.get("name", part)) if isinstance(part, dict) else str(part) for part in value)
    return str(value)
