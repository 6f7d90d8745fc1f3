"""Routes under `/_sandbox`: counters, data, faults, changes and a fresh start. They are ours, not the vendor's."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from connectors.servicetracker.sandbox.context import Sandbox, body_of, sandbox_of
from connectors.servicetracker.sandbox.csv_folder import export_rows, import_csv
from connectors.servicetracker.sandbox.errors import ApiError, json_answer, not_found
from connectors.servicetracker.sandbox.fields import SObject
from connectors.servicetracker.sandbox.generator import TODAY, generate
from connectors.servicetracker.sandbox.mutations import Mutation, read_request
from connectors.servicetracker.sandbox.routes_records import writer
from connectors.servicetracker.sandbox.schema import OBJECTS, find_object

router = APIRouter(prefix="/_sandbox")
_ROWS_IN_BLOCK = 500


@router.get("/stats")
async def stats(request: Request) -> Response:
    box = sandbox_of(request)

    def counts() -> dict[str, int]:
        return {name: box.store.count(one) for name, one in OBJECTS.items()}

    plain = box.statistics.as_json()
    usage = {"used": box.calls.used, "limit": box.daily_requests}
    faults = {"values": box.faults.values, "injected": dict(box.faults.injected)}
    return json_answer({**plain, "api_usage": usage, "faults": faults, "records": await box.run(counts)})


@router.get("/dump")
async def dump(request: Request) -> Response:
    """Every stored row of an object as NDJSON, deleted ones included; without `object` all objects."""
    box = sandbox_of(request)
    wanted = [_asked_object(request)] if "object" in request.query_params else list(OBJECTS.values())

    def lines() -> Iterator[bytes]:
        for sobject in wanted:
            columns = [name for name in sobject.columns if name != "_Blob"]
            for row in box.store.all_rows(sobject, columns):
                record = {"_object": sobject.name} | dict(zip(columns, row, strict=True))
                yield orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)

    return StreamingResponse(_blocks(lines()), media_type="application/x-ndjson")


@router.get("/export")
async def export(request: Request) -> Response:
    """One object as CSV, in the form `csv_dir` reads."""
    box, sobject = sandbox_of(request), _asked_object(request)

    def lines() -> Iterator[bytes]:
        text = io.StringIO(newline="")
        out = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row in export_rows(box.store, sobject):
            out.writerow(row)
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()

    return StreamingResponse(_blocks(lines()), media_type="text/csv;charset=UTF-8")


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Joins lines, so that not every row costs a trip through the server."""
    gathered: list[bytes] = []
    for line in lines:
        gathered.append(line)
        if len(gathered) == _ROWS_IN_BLOCK:
            yield b"".join(gathered)
            gathered.clear()
    yield b"".join(gathered)


def _asked_object(request: Request) -> SObject:
    found = find_object(request.query_params.get("object", ""))
    if found is None:
        raise not_found(f"There is no object {request.query_params.get('object')}")
    return found


@router.get("/faults")
async def show_faults(request: Request) -> Response:
    switch = sandbox_of(request).faults
    return json_answer({"values": switch.values, "injected": dict(switch.injected)})


@router.post("/faults")
async def set_faults(request: Request) -> Response:
    """Rates per 10,000 requests; besides the kit's: fail401, locator_gone, query_timeout, bulk_failed."""
    body = await _json(request)
    if not isinstance(body, dict) or not all(type(value) is int and value >= 0 for value in body.values()):
        raise ApiError(400, "INVALID_INPUT", "a JSON object of whole numbers is wanted")
    switch = sandbox_of(request).faults
    switch.update(body)
    return json_answer({"values": switch.values, "injected": dict(switch.injected)})


@router.delete("/faults")
async def clear_faults(request: Request) -> Response:
    sandbox_of(request).faults.clear()
    return Response(status_code=204)


@router.post("/mutate")
async def mutate(request: Request) -> Response:
    box = sandbox_of(request)
    seed, asked = read_request(await _json(request))
    return json_answer(await box.run(lambda: Mutation(box.store, writer(box), seed).apply(asked)))


@router.post("/reset")
async def reset(request: Request) -> Response:
    """The account as it was on the first start; `seed` and `scale` in the body override the configured ones."""
    box = sandbox_of(request)
    body = await _json(request) if int(request.headers.get("content-length") or 0) else {}
    if not isinstance(body, dict) or set(body) - {"seed", "scale"}:
        raise ApiError(400, "INVALID_INPUT", "only seed and scale can be given")
    if not all(type(value) is int and value >= 0 for value in body.values()):
        raise ApiError(400, "INVALID_INPUT", "seed and scale must be whole and not negative")
    rows = await box.run(fill, box, body.get("seed"), body.get("scale"))
    return json_answer({"records": rows})


def fill(box: Sandbox, seed: int | None = None, scale: int | None = None) -> dict[str, int]:
    """Empties the account and fills it anew from the generator or from the configured folder."""
    box.cursors.clear()
    box.jobs.clear()
    box.statistics.clear()
    box.calls.clear()
    box.faults.clear()
    box.store.clear()
    config = box.config
    if config.csv_dir is not None:
        return import_csv(box.store, config.csv_dir, config.clock)
    today = date.fromisoformat(config.options["today"]) if "today" in config.options else TODAY
    return generate(
        box.store,
        seed=config.seed if seed is None else seed,
        scale=config.scale if scale is None else scale,
        today=today,
    )


async def _json(request: Request) -> Any:
    try:
        return json.loads(await body_of(request))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"The request body is not valid JSON: {error}") from None
