"""Bulk write: a zip of CSV comes in, a job writes its rows, a zip tells what became of each (fact sheet section 18)."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, Refusal, reply
from connectors.zoho_crm.sandbox.bulkcells import row_item
from connectors.zoho_crm.sandbox.catalogue import BULK_WRITE_MODULES
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.people import ORG_ZGID
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.uploads import receive
from connectors.zoho_crm.sandbox.writer import Order, Writer

_ZIP_LIMIT = 25 * 1024 * 1024
_MAX_UNPACKED = 300 * 1024 * 1024
_MAX_ROWS = 25_000
_MAX_COLUMNS = 200
_STEP = 100
_SHOWN_COLUMNS = 3


async def upload(crm: Crm, request: Request) -> Response:
    """POST /upload with `feature: bulk-write` and `X-CRM-ORG`: a zip of at most 25 MB."""
    if request.headers.get("feature") != "bulk-write" or request.headers.get("x-crm-org") != ORG_ZGID:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"header_name": "feature,X-CRM-ORG"})
    received = await receive(request, crm.files, _ZIP_LIMIT)
    try:
        if len(received.files) != 1:
            raise Refusal(
                400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param_name": "file"}
            )
        given = received.files[0]
        if given.too_big:
            raise Refusal(413, "FILE_TOO_LARGE", "the file is too large", {"limit": _ZIP_LIMIT})
        if not zipfile.is_zipfile(given.path):
            raise Refusal(400, "INVALID_FILE_FORMAT", "the file format is invalid")
        file_id = str(crm.store.next_id())
        given.path.rename(crm.files / f"bulk-{file_id}.zip")
        crm.store.save_document("bulk_file", file_id, {"name": given.name})
    finally:
        received.discard()
    details = {"file_id": file_id, "created_time": shown_seconds(crm.now(), crm.zone)}
    return reply(
        200, {"status": "success", "code": "FILE_UPLOAD_SUCCESS", "message": "file uploaded.", "details": details}
    )


async def create_job(crm: Crm, request: Request) -> Response:
    """POST /crm/bulk/v8/write: one module per job, 500 credits."""
    body = json_object(request.scope)
    resources = body.get("resource")
    if (
        body.get("operation") not in ("insert", "update", "upsert")
        or not isinstance(resources, list)
        or len(resources) != 1
    ):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "operation"})
    resource = resources[0]
    module = _module_of(crm, resource)
    mappings = resource.get("field_mappings")
    if not isinstance(mappings, list) or not mappings or not all(_sound(module, mapping) for mapping in mappings):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "field_mappings"})
    if crm.store.document("bulk_file", str(resource.get("file_id"))) is None:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "file_id"})
    find_by = resource.get("find_by")
    keys = {"id", *(f.api_name for f in module.keyed_fields), module.duplicate_field}
    if (body["operation"] != "insert" and find_by is None) or (find_by is not None and find_by not in keys):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "find_by"})
    job_id = str(crm.store.next_id())
    creator = crm.people.brief(crm.people.admin.id)
    job: Json = {
        "id": job_id, "status": "ADDED", "operation": body["operation"], "created_by": creator, "resource": [resource],
        "created_time": shown_seconds(crm.now(), crm.zone), "ignore_empty": body.get("ignore_empty") is True,
        "character_encoding": "UTF-8",
    }  # fmt: skip
    if isinstance(body.get("callback"), dict):
        job["callback"] = body["callback"]
    crm.store.save_document("bulk_write", job_id, job)
    crm.background(_run(crm, module, job, str(request.base_url).rstrip("/")))
    return reply(201, {
        "status": "success", "code": "SUCCESS", "message": "success", "details": {"id": job_id, "created_by": creator},
    })  # fmt: skip


def _module_of(crm: Crm, resource: Any) -> Module:
    named = resource.get("module") if isinstance(resource, dict) else None
    module = crm.schema.module(str(named.get("api_name")) if isinstance(named, dict) else "")
    if module.api_name not in BULK_WRITE_MODULES and module.kind != "custom":
        raise Refusal(400, "NOT_SUPPORTED", "bulk write is not supported for this module", {"module": module.api_name})
    return module


def _sound(module: Module, mapping: Any) -> bool:
    return isinstance(mapping, dict) and (mapping.get("api_name") == "id" or mapping.get("api_name") in module.fields)


async def get_job(crm: Crm, request: Request) -> Response:
    """GET /crm/bulk/v8/write/{id}."""
    job = crm.store.document("bulk_write", request.path_params["id"])
    if job is None:
        raise Refusal(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
    return reply(200, job)


async def get_result(crm: Crm, request: Request) -> Response:
    """The address in `result.download_url`."""
    path = crm.files / f"bulk-result-{request.path_params['id']}.zip"
    if not request.path_params["id"].isdigit() or not path.exists():
        raise Refusal(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
    return FileResponse(path, media_type="application/octet-stream", filename=f"{request.path_params['id']}.zip")


async def _run(crm: Crm, module: Module, job: Json, root: str) -> None:
    """The job itself, in steps of a hundred rows so that other calls are answered meanwhile; the address of its
    result is absolute, since the official SDK calls it as it stands."""
    await asyncio.sleep(crm.options.bulk_delay_ms / 1000)
    job["status"] = "INPROGRESS"
    crm.store.save_document("bulk_write", job["id"], job)
    resource = job["resource"][0]
    counts = {"added_count": 0, "skipped_count": 0, "updated_count": 0, "total_count": 0}
    try:
        name, rows = _rows(crm, resource)
        await _write_rows(crm, module, job, rows, counts)
        resource["file"] = {"name": name, "status": "COMPLETED", **counts}
        job["status"] = "COMPLETED"
    except (Refusal, ValueError, zipfile.BadZipFile) as error:
        code = error.code if isinstance(error, Refusal) else "INVALID_FILE_FORMAT"
        resource["code"], resource["message"] = code, "the file cannot be processed"
        resource["file"] = {"name": None, "status": "FAILED", **counts}
        job["status"] = "FAILED"
    resource["status"] = job["status"]
    job["result"] = {"download_url": f"{root}/crm/bulk/v8/write/{job['id']}/result"}
    crm.store.save_document("bulk_write", job["id"], job)


def _rows(crm: Crm, resource: Json) -> tuple[str, list[list[str]]]:
    """The rows of the CSV, header first; refuses more than 25,000 rows or 200 columns."""
    with zipfile.ZipFile(crm.files / f"bulk-{resource['file_id']}.zip") as archive:
        names = resource.get("file_names") or [n for n in archive.namelist() if n.lower().endswith(".csv")]
        if len(names) != 1 or names[0] not in archive.namelist():
            raise ValueError("one CSV is expected")
        if archive.getinfo(names[0]).file_size > _MAX_UNPACKED:
            raise ValueError("the CSV is too large")
        with archive.open(names[0]) as raw:
            rows = list(csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline="")))
    if not rows:
        raise ValueError("the CSV is empty")
    if len(rows[0]) > _MAX_COLUMNS:
        raise Refusal(400, "HEADER_LIMIT_EXCEEDED", "too many columns")
    if len(rows) - 1 > _MAX_ROWS:
        raise Refusal(400, "ROW_LIMIT_EXCEEDED", "too many rows")
    return names[0], rows


async def _write_rows(crm: Crm, module: Module, job: Json, rows: list[list[str]], counts: dict[str, int]) -> None:
    resource = job["resource"][0]
    shown = [mapping for mapping in resource["field_mappings"] if isinstance(mapping.get("index"), int)][
        :_SHOWN_COLUMNS
    ]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            *(rows[0][m["index"]] if m["index"] < len(rows[0]) else m["api_name"] for m in shown),
            "STATUS",
            "RECORD_ID",
            "ERRORS",
        ]
    )
    for start in range(1, len(rows), _STEP):
        part = rows[start : start + _STEP]
        for cells, (status, record_id, errors) in zip(part, _step(crm, module, job, part), strict=True):
            counts["total_count"] += 1
            counts[f"{status.lower()}_count"] += 1
            values = [cells[m["index"]] if m["index"] < len(cells) else "" for m in shown]
            writer.writerow([*values, status, record_id, errors])
        await asyncio.sleep(0)
    target = crm.files / f"bulk-result-{job['id']}.zip"
    _save_zip(target, job["id"], out.getvalue())


def _save_zip(target: Any, job_id: str, text: str) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{job_id}.csv", text)


def _step(crm: Crm, module: Module, job: Json, part: list[list[str]]) -> Iterator[tuple[str, str, str]]:
    """Status, record id and errors of each row."""
    resource = job["resource"][0]
    items: list[Json] = []
    problems: dict[int, ItemProblem] = {}
    for number, cells in enumerate(part):
        try:
            mappings, ignore = resource["field_mappings"], job["ignore_empty"]
            items.append(row_item(crm, module, cells, mappings, ignore_empty=ignore))
        except ItemProblem as refused:
            problems[number] = refused
    results = iter(Writer(crm, module, _order(module, job)).run(items) if items else [])
    for number in range(len(part)):
        unread = problems.get(number)
        result = unread.body() if unread is not None else next(results)
        if result["status"] == "error":
            yield "SKIPPED", str(result["details"].get("id", "")), _errors(result)
        else:
            action = "ADDED" if result["message"] == "record added" else "UPDATED"
            yield action, result["details"]["id"], ""


def _order(module: Module, job: Json) -> Order:
    find_by = job["resource"][0].get("find_by")
    by: Field | None = module.fields[find_by] if find_by not in (None, "id") else None
    if job["operation"] == "update":
        return Order("update", external_id=by)
    if job["operation"] == "upsert":
        return Order("upsert", match_fields=[by] if by is not None else [])
    return Order("insert")


def _errors(result: Json) -> str:
    """`CODE-Column[:CODE-Column]`."""
    parts = result["details"].get("errors") or [result]
    return ":".join(f"{part['code']}-{part['details'].get('api_name', '')}" for part in parts)
