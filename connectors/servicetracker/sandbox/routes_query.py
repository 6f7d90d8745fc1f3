"""Routes that read many records: query, queryAll, their further pages, and Bulk API 2.0 query jobs."""

import json
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import Response, StreamingResponse

from connectors.servicetracker.sandbox.context import Sandbox, body_of, data_path, sandbox_of
from connectors.servicetracker.sandbox.cursors import LARGEST_BATCH, SMALLEST_BATCH
from connectors.servicetracker.sandbox.errors import ApiError, json_answer, malformed_query, not_found
from connectors.servicetracker.sandbox.generator import API_USER_ID
from connectors.servicetracker.sandbox.soql_sql import plan

router = APIRouter()
CSV_TYPE = "text/csv;charset=UTF-8"


@router.get("/services/data/v{version}/query")
async def query(request: Request) -> Response:
    return await _start(request, include_deleted=False)


@router.get("/services/data/v{version}/queryAll")
async def query_all(request: Request) -> Response:
    return await _start(request, include_deleted=True)


@router.get("/services/data/v{version}/query/{locator}")
@router.get("/services/data/v{version}/queryAll/{locator}")
async def query_more(request: Request) -> Response:
    """Section 1.4: the locator of `nextRecordsUrl`."""
    base, box = data_path(request), sandbox_of(request)
    if box.faults.draw("locator_gone"):
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _answered(box, await box.run(box.cursors.more, request.path_params["locator"], base))


async def _start(request: Request, *, include_deleted: bool) -> Response:
    base, box = data_path(request), sandbox_of(request)
    text = request.query_params.get("q")
    if not text:
        raise malformed_query("A query string has to be specified")
    if box.faults.draw("query_timeout"):
        raise ApiError(400, "QUERY_TIMEOUT", "Your query request was running for too long.")
    batch = _batch_size(request.headers.get("sforce-query-options"))

    def work() -> dict[str, Any]:
        links = box.config.options.get("content_links") == "open"
        return box.cursors.start(plan(text, include_deleted=include_deleted, open_links=links), batch, base)

    return _answered(box, await box.run(work))


def _answered(box: Sandbox, page: dict[str, Any]) -> Response:
    if page["records"]:
        box.statistics.rows[page["records"][0]["attributes"]["type"]] += len(page["records"])
    return json_answer(page)


def _batch_size(options: str | None) -> int:
    """Section 1.4: `batchSize=N` within 200..2,000 is only a hint, so what lies outside is brought inside."""
    for option in (options or "").replace(";", ",").split(","):
        name, _, value = option.strip().partition("=")
        if name.lower() == "batchsize" and value.strip().isdecimal():
            return min(max(int(value), SMALLEST_BATCH), LARGEST_BATCH)
    return LARGEST_BATCH


def _bulk(request: Request) -> Sandbox:
    """Section 1 says both that a tenant has bulk and that it has none: the option `bulk` decides."""
    data_path(request)
    box = sandbox_of(request)
    if box.config.options.get("bulk") == "off":
        raise ApiError(403, "API_DISABLED_FOR_ORG", "The Bulk API is not enabled for this Organization or Partner")
    return box


@router.post("/services/data/v{version}/jobs/query")
async def create_job(request: Request, background: BackgroundTasks) -> Response:
    """Section 1.5 step 1; the job runs on by itself after the answer."""
    box = _bulk(request)
    try:
        asked = json.loads(await body_of(request))
    except (ValueError, RecursionError):
        raise ApiError(400, "JSON_PARSER_ERROR", "The request body is not valid JSON") from None
    if not isinstance(asked, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The request body must be a JSON object")
    most = int(box.config.options.get("daily_bulk_jobs", "10000"))
    if len(box.jobs.all_shown()) >= most:
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "DailyBulkV2QueryJobs Limit exceeded.")
    job = await box.run(box.jobs.create, asked, API_USER_ID, request.path_params["version"])
    shown = dict(job.shown)
    failure = "The job failed on the server" if box.faults.draw("bulk_failed") else None
    background.add_task(box.run, box.jobs.process, job, failure)
    return json_answer(shown)


@router.get("/services/data/v{version}/jobs/query")
async def list_jobs(request: Request) -> Response:
    box = _bulk(request)
    return json_answer({"done": True, "records": box.jobs.all_shown(), "nextRecordsUrl": None})


@router.get("/services/data/v{version}/jobs/query/{job}")
async def poll_job(request: Request) -> Response:
    return json_answer(_bulk(request).jobs.poll(request.path_params["job"]))


@router.patch("/services/data/v{version}/jobs/query/{job}")
async def abort_job(request: Request) -> Response:
    box = _bulk(request)
    try:
        asked = json.loads(await body_of(request))
    except (ValueError, RecursionError):
        asked = None
    if asked != {"state": "Aborted"}:
        raise ApiError(400, "INVALIDJOBSTATE", "A query job can only be set to Aborted")
    return json_answer(box.jobs.abort(request.path_params["job"]))


@router.delete("/services/data/v{version}/jobs/query/{job}")
async def delete_job(request: Request) -> Response:
    _bulk(request).jobs.delete(request.path_params["job"])
    return Response(status_code=204)


@router.get("/services/data/v{version}/jobs/query/{job}/results")
async def job_results(request: Request) -> Response:
    """Section 1.5 step 3: the header row in every page, the locator `null` behind the last."""
    box, asked = _bulk(request), request.query_params
    most = asked.get("maxRecords")
    if most is not None and not most.isdecimal():
        raise ApiError(400, "INVALID_LOCATOR", f"maxRecords is no number: {most}")
    job_id = request.path_params["job"]
    page = await box.run(box.jobs.results, job_id, asked.get("locator"), int(most) if most else None)
    box.statistics.rows[box.jobs.get(job_id).shown["object"]] += page.rows
    headers = {
        "Sforce-Locator": page.locator,
        "Sforce-NumberOfRecords": str(page.rows),
        "Content-Length": str(page.size),
    }
    return StreamingResponse(page.blocks(), media_type=CSV_TYPE, headers=headers)


@router.get("/services/data/v{version}/jobs/query/{job}/resultPages")
async def result_pages(request: Request) -> Response:
    """Section 1.5 step 4 offers this in recent versions only; the sandbox stands for the older ones."""
    _bulk(request)
    raise not_found()
