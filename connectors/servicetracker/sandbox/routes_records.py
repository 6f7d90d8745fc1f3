"""Routes of the data API: versions, metadata, records, bytes, deleted and updated ids, limits."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from connectors.servicetracker.sandbox import record_reads
from connectors.servicetracker.sandbox.context import (
    NEWEST_VERSION,
    OLDEST_VERSION,
    Sandbox,
    body_of,
    data_path,
    object_of,
    sandbox_of,
)
from connectors.servicetracker.sandbox.describe import describe_object, global_entry
from connectors.servicetracker.sandbox.errors import ApiError, json_answer, not_found
from connectors.servicetracker.sandbox.generator import API_USER_ID
from connectors.servicetracker.sandbox.record_writes import RecordWriter
from connectors.servicetracker.sandbox.schema import OBJECTS

router = APIRouter()
# The schema is part of the program, so it changed last when it was written.
SCHEMA_CHANGED = datetime(2026, 6, 1, tzinfo=UTC)
MOST_IN_COLLECTION = 200
_SEASONS = {0: "Winter", 1: "Spring", 2: "Summer"}


@router.get("/services/data")
async def versions() -> Response:
    """Section 1.2: the list needs no token."""
    known = range(OLDEST_VERSION, NEWEST_VERSION + 1)
    return json_answer(
        [{"label": _label(one), "url": f"/services/data/v{one}.0", "version": f"{one}.0"} for one in known]
    )


def _label(version: int) -> str:
    """Three releases a year; v50 was Winter '21."""
    return f"{_SEASONS[(version - 50) % 3]} '{21 + (version - 50) // 3}"


@router.get("/services/data/v{version}")
async def resources(request: Request) -> Response:
    base = data_path(request)
    names = ("sobjects", "query", "queryAll", "limits", "jobs", "composite")
    return json_answer({name: f"{base}/{name}" for name in names})


@router.get("/services/data/v{version}/limits")
async def limits(request: Request) -> Response:
    """Section 1.6."""
    data_path(request)
    box = sandbox_of(request)
    most = int(box.config.options.get("daily_bulk_jobs", "10000"))
    jobs = len(box.jobs.all_shown())
    return json_answer(
        {
            "ConcurrentAsyncGetReportInstances": {"Max": 200, "Remaining": 200},
            "DailyApiRequests": _left(box.daily_requests, box.calls.used),
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
            "DailyBulkV2QueryJobs": _left(most, jobs),
            "DataStorageMB": {"Max": 10_240, "Remaining": 9_000},
            "FileStorageMB": {"Max": 102_400, "Remaining": 90_000},
        }
    )


def _left(most: int, used: int) -> dict[str, int]:
    return {"Max": most, "Remaining": max(0, most - used)}


@router.get("/services/data/v{version}/sobjects")
async def describe_global(request: Request) -> Response:
    base = data_path(request)
    if _is_fresh(request):
        return Response(status_code=304)
    entries = [global_entry(one, base) for one in OBJECTS.values()]
    return _dated(json_answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries}))


@router.get("/services/data/v{version}/sobjects/{sobject}/describe")
async def describe_one(request: Request) -> Response:
    """Section 1.2: 304 where the client's copy is fresh."""
    base, sobject = data_path(request), object_of(request)
    if _is_fresh(request):
        return Response(status_code=304)
    return _dated(json_answer(describe_object(sobject, base)))


def _is_fresh(request: Request) -> bool:
    given = request.headers.get("if-modified-since")
    if given is None:
        return False
    try:
        since = parsedate_to_datetime(given)
    except ValueError:
        return False
    return (since if since.tzinfo else since.replace(tzinfo=UTC)) >= SCHEMA_CHANGED


def _dated(answer: Response) -> Response:
    answer.headers["Last-Modified"] = format_datetime(SCHEMA_CHANGED, usegmt=True)
    return answer


@router.get("/services/data/v{version}/sobjects/{sobject}")
async def basics(request: Request) -> Response:
    base, sobject = data_path(request), object_of(request)
    return json_answer({"objectDescribe": global_entry(sobject, base), "recentItems": []})


@router.post("/services/data/v{version}/sobjects/{sobject}")
async def create(request: Request) -> Response:
    data_path(request)
    sobject, values = object_of(request), await _record_body(request)
    box = sandbox_of(request)
    record_id = await box.run(writer(box).create, sobject, values)
    return json_answer({"id": record_id, "success": True, "errors": []}, 201)


@router.get("/services/data/v{version}/sobjects/{sobject}/deleted")
async def deleted(request: Request) -> Response:
    return await _replication(request, record_reads.deleted)


@router.get("/services/data/v{version}/sobjects/{sobject}/updated")
async def updated(request: Request) -> Response:
    return await _replication(request, record_reads.updated)


async def _replication(request: Request, read: Any) -> Response:
    data_path(request)
    box, asked = sandbox_of(request), request.query_params
    now = box.config.clock()
    return json_answer(await box.run(read, box.store, object_of(request), asked.get("start"), asked.get("end"), now))


@router.get("/services/data/v{version}/sobjects/{sobject}/{record}")
async def read(request: Request) -> Response:
    base, sobject, box = data_path(request), object_of(request), sandbox_of(request)
    record, names = request.path_params["record"], request.query_params.get("fields")
    found = await box.run(record_reads.read_record, box.store, box.cursors, sobject, record, base, names)
    box.statistics.rows[sobject.name] += 1
    return json_answer(found)


@router.patch("/services/data/v{version}/sobjects/{sobject}/{record}")
async def update(request: Request) -> Response:
    data_path(request)
    sobject, values = object_of(request), await _record_body(request)
    box = sandbox_of(request)
    await box.run(writer(box).update, sobject, request.path_params["record"], values)
    return Response(status_code=204)


@router.delete("/services/data/v{version}/sobjects/{sobject}/{record}")
async def delete(request: Request) -> Response:
    data_path(request)
    box = sandbox_of(request)
    await box.run(writer(box).delete, object_of(request), request.path_params["record"])
    return Response(status_code=204)


@router.get("/services/data/v{version}/sobjects/{sobject}/{first}/{second:path}")
async def blob_or_external_id(request: Request) -> Response:
    """Section 1.2: `{id}/{blobField}` gives bytes, `{externalIdField}/{value}` a record."""
    base, sobject, box = data_path(request), object_of(request), sandbox_of(request)
    first, second = request.path_params["first"], request.path_params["second"]
    if sobject.blob and second.lower() == sobject.blob.name.lower():
        size, kind, blocks = await box.run(record_reads.open_body, box.store, sobject, first)
        headers = {"Content-Length": str(size)}
        return StreamingResponse(blocks, media_type=kind or "application/octetstream", headers=headers)
    field = sobject.field(first)
    if field is None or not field.id_lookup:
        raise not_found("Provided external ID field does not exist or is not accessible: " + first)
    ids = await box.run(record_reads.find_external, box.store, sobject, field, second)
    if len(ids) > 1:
        return json_answer([f"{base}/sobjects/{sobject.name}/{one}" for one in ids], 300)
    names = request.query_params.get("fields")
    found = await box.run(record_reads.read_record, box.store, box.cursors, sobject, ids[0], base, names)
    box.statistics.rows[sobject.name] += 1
    return json_answer(found)


@router.post("/services/data/v{version}/composite/sobjects")
async def create_many(request: Request) -> Response:
    """Up to 200 records in one call; with `allOrNone` one refusal undoes all."""
    data_path(request)
    body = await _record_body(request)
    records = body.get("records")
    if not isinstance(records, list) or not 0 < len(records) <= MOST_IN_COLLECTION:
        raise ApiError(400, "INVALID_INPUT", f"records must hold 1 to {MOST_IN_COLLECTION} records")
    box = sandbox_of(request)
    return json_answer(await box.run(_create_all, box, records, all_or_none=body.get("allOrNone") is True))


class _UndoError(Exception):
    """Rolls the transaction of a collection back."""


def _create_all(box: Sandbox, records: list[Any], *, all_or_none: bool) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    try:
        with box.store.writing():
            results.extend(_create_one(box, record) for record in records)
            if all_or_none and not all(result["success"] for result in results):
                raise _UndoError
    except _UndoError:
        undone = ApiError(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all were valid")
        return [one if not one["success"] else _refused(undone) for one in results]
    return results


def _create_one(box: Sandbox, record: Any) -> dict[str, Any]:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(kind, str) or kind not in OBJECTS:
        return _refused(ApiError(400, "INVALID_TYPE", f"sObject type '{kind}' is not supported."))
    try:
        return {"id": writer(box).create(OBJECTS[kind], record), "success": True, "errors": []}
    except ApiError as refusal:
        return _refused(refusal)


def _refused(refusal: ApiError) -> dict[str, Any]:
    entry = {"statusCode": refusal.code, "message": refusal.message, "fields": refusal.fields or []}
    return {"success": False, "errors": [entry]}


def writer(box: Sandbox) -> RecordWriter:
    """Writes as the user the API's credentials belong to."""
    return RecordWriter(box.store, box.config.clock, API_USER_ID)


async def _record_body(request: Request) -> dict[str, Any]:
    """The JSON object sent; numbers stay decimal. Raises ApiError 400 JSON_PARSER_ERROR."""
    try:
        found = json.loads(await body_of(request), parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"The request body is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The request body must be a JSON object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
