"""`/_sandbox`: our own counters, dump, faults and an administrator's hand. Nothing here is the vendor's."""

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.sandboxkit.disturbing import restore_schema
from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, Refusal, reply
from connectors.zoho_crm.sandbox.crm import Crm, Stats
from connectors.zoho_crm.sandbox.deleting import delete_records
from connectors.zoho_crm.sandbox.disturbing import change_schema
from connectors.zoho_crm.sandbox.people import User
from connectors.zoho_crm.sandbox.seeds import seed_customer
from connectors.zoho_crm.sandbox.store import ROW_COLUMNS, as_row
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.values import as_id
from connectors.zoho_crm.sandbox.writer import Order, Writer

_STEP = 1_000


async def stats(crm: Crm, _: Request) -> Response:
    """GET /_sandbox/stats."""
    seen, counted = crm.meter.seen, crm.stats
    return reply(200, {
        "edition": crm.edition.name,
        "requests": dict(sorted(counted.requests.items())),
        "records": {
            "created": dict(counted.created), "updated": dict(counted.updated), "deleted": dict(counted.deleted),
            "live": dict(crm.store.all("SELECT module, count(*) FROM records GROUP BY module")),
        },
        "refused": dict(counted.refused),
        "credits": {"used": seen.credits_used, "remaining": crm.meter.remaining(), "daily": crm.meter.daily},
        "too_many_requests": seen.too_many,
        "in_flight": crm.meter.in_flight,
        "max_concurrency": seen.max_concurrency,
        "max_sub_concurrency": seen.max_sub_concurrency,
        "faults": dict(crm.faults.injected),
    })  # fmt: skip


async def dump(crm: Crm, request: Request) -> Response:
    """GET /_sandbox/dump?module=*&include_system=0: NDJSON of live records by id, attachments with checksums.

    A line is `{"module", "id", "data", "system"?}`; without `system` two dumps compare equal after an edit was undone.
    """
    wanted = request.query_params.get("module", "*")
    system = request.query_params.get("include_system", "0") == "1"
    return StreamingResponse(_lines(crm, wanted, system=system), media_type="application/x-ndjson")


async def _lines(crm: Crm, wanted: str, *, system: bool) -> AsyncIterator[bytes]:
    where, values = ("1", ()) if wanted == "*" else ("module = ?", (wanted,))
    last = 0
    while True:
        rows = crm.store.all(
            f"SELECT {ROW_COLUMNS} FROM records WHERE {where} AND id > ? ORDER BY id LIMIT ?",  # noqa: S608
            (*values, last, _STEP),
        )
        if not rows:
            break
        yield b"".join(_record_line(crm, raw, system=system) for raw in rows)
        last = rows[-1][0]
    if wanted in ("*", "Attachments"):
        for row in crm.store.all(
            "SELECT id, module, parent, name, size, sha256, url FROM attachments WHERE root = 0 ORDER BY id"
        ):
            data = {
                "module": "Attachments", "id": str(row[0]), "parent": {"module": row[1], "id": str(row[2])},
                "file_name": row[3], "size": row[4], "sha256": row[5], "url": row[6],
            }  # fmt: skip
            yield orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    if wanted in ("*", "Relations"):
        for kind, left, right, body in crm.store.all("SELECT * FROM relations ORDER BY kind, left_id, right_id"):
            data = {
                "module": "Relations",
                "kind": kind,
                "left": str(left),
                "right": str(right),
                "data": orjson.loads(body),
            }
            yield orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _record_line(crm: Crm, raw: tuple[Any, ...], *, system: bool) -> bytes:
    row = as_row(raw)
    data = row.data
    if row.module == "Notes":
        text = str(data.get("Note_Content") or "")
        data = {**data, "Note_Content_sha256": hashlib.sha256(text.encode()).hexdigest()}
    line: Json = {"module": row.module, "id": str(row.id), "data": data}
    if system:
        line["system"] = {
            "Created_Time": shown_seconds(row.created, crm.zone), "Modified_Time": shown_seconds(row.modified,
            crm.zone),
            "Created_By": str(row.creator), "Modified_By": str(row.modifier),
        }  # fmt: skip
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


async def faults(crm: Crm, request: Request) -> Response:
    """GET shows, POST merges a JSON object of whole numbers, DELETE clears."""
    if request.method == "POST":
        body = await _body(request)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in body.values()):
            raise Refusal(400, "INVALID_DATA", "faults are whole numbers")
        crm.faults.update(body)
    elif request.method == "DELETE":
        crm.faults.clear()
    return reply(200, {"values": crm.faults.values, "injected": dict(crm.faults.injected)})


async def _body(request: Request) -> Json:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "JSON_PARSE_ERROR", "the body is no JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "INVALID_DATA", "the body is a JSON object")
    return body


async def reset(crm: Crm, _: Request) -> Response:
    """POST /_sandbox/reset: a fresh org with the same settings; faults and counters go as well."""
    crm.store.clear()
    for path in crm.files.iterdir():
        path.unlink()
    crm.load()
    crm.faults.clear()
    crm.faults.injected.clear()
    crm.meter.reset()
    seed_customer(crm)
    crm.stats = Stats()
    return reply(200, {"status": "success"})


async def admin(crm: Crm, request: Request) -> Response:
    """POST /_sandbox/admin `{"action", ...}`: what a person does in the product's pages.

    Actions: create_user (first_name, last_name, email), set_user_status (email, status), create_stage (name,
    probability, forecast_type, pipeline), create_record and edit_record (module, id, values, as),
    delete_record (module, id), change_schema (how, draw, spare, modules) and restore_schema.
    """
    body = await _body(request)
    action = _ACTIONS.get(str(body.get("action")))
    if action is None:
        raise Refusal(400, "INVALID_DATA", "unknown action", {"supported_values": sorted(_ACTIONS)})
    try:
        return reply(200, action(crm, body))
    except (KeyError, ItemProblem) as error:
        raise Refusal(400, "INVALID_DATA", f"the action cannot be done: {error}") from error


def _create_user(crm: Crm, body: Json) -> Json:
    people = crm.people
    if people.by_email(body["email"]) is not None:
        raise ItemProblem("DUPLICATE_DATA", "duplicate data", {"api_name": "email"})
    role, profile = list(people.roles)[1], list(people.profiles)[1]
    user = people.add(body.get("first_name", ""), body["last_name"], body["email"], role, profile)
    return {"id": str(user.id)}


def _set_status(crm: Crm, body: Json) -> Json:
    user = _person(crm, body["email"])
    if body["status"] not in ("active", "inactive", "deleted"):
        raise KeyError("status")
    user.status = body["status"]
    crm.people.save(user)
    return {"id": str(user.id)}


def _person(crm: Crm, email: str) -> User:
    user = crm.people.by_email(email)
    if user is None:
        raise KeyError(email)
    return user


def _create_stage(crm: Crm, body: Json) -> Json:
    deals = crm.schema.modules["Deals"]
    stage = deals.fields["Stage"]
    option = stage.option(body["name"])
    if option is None:
        forecast, probability = body.get("forecast_type", "Open"), int(body.get("probability", 0))
        option = crm.schema.new_option(body["name"], probability=probability, forecast=forecast)
        stage.options.append(option)
    name = body.get("pipeline")
    for pipeline in crm.schema.pipelines.values():
        if (pipeline.name == name or (name is None and pipeline.default)) and option.id not in dict(pipeline.stages):
            pipeline.stages.append((option.id, option.display))
            crm.schema.save_pipeline(pipeline)
    crm.schema.save(deals)
    return {"id": str(option.id)}


def _create_record(crm: Crm, body: Json) -> Json:
    actor = _person(crm, body["as"]).id if body.get("as") else None
    module = crm.schema.module(body["module"])
    return Writer(crm, module, Order("insert"), actor=actor).run([body["values"]])[0]


def _edit_record(crm: Crm, body: Json) -> Json:
    actor = _person(crm, body["as"]).id if body.get("as") else None
    module = crm.schema.module(body["module"])
    return Writer(crm, module, Order("update"), actor=actor).run([{**body["values"], "id": body["id"]}])[0]


def _delete_record(crm: Crm, body: Json) -> Json:
    return delete_records(crm, crm.schema.module(body["module"]), [as_id(body["id"])])[0]


_ACTIONS: dict[str, Callable[[Crm, Json], Json]] = {
    "create_user": _create_user,
    "set_user_status": _set_status,
    "create_stage": _create_stage,
    "create_record": _create_record,
    "edit_record": _edit_record,
    "delete_record": _delete_record,
    "change_schema": change_schema,
    "restore_schema": restore_schema,
}
