"""`/_sandbox`: our own counters, faults and an administrator's hand. Nothing here is the vendor's."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import orjson
from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, Refusal, bad, reply
from connectors.freshsales.sandbox.crm import Crm, Stats
from connectors.freshsales.sandbox.disturbing import change_schema
from connectors.freshsales.sandbox.records import bin_row
from connectors.freshsales.sandbox.schema import Module
from connectors.freshsales.sandbox.seeds import seed
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.writer import Writer
from connectors.sandboxkit.disturbing import restore_schema


async def stats(crm: Crm, _: Request) -> Response:
    """GET /_sandbox/stats."""
    seen, counted = crm.quota.seen, crm.stats
    live = crm.store.all("SELECT module, count(*) FROM records WHERE deleted = 0 GROUP BY module")
    in_bin = crm.store.all("SELECT module, count(*) FROM records WHERE deleted = 1 GROUP BY module")
    return reply(200, {
        "edition": crm.plan.name,
        "requests": dict(sorted(counted.requests.items())),
        "records": {
            "created": dict(counted.created), "updated": dict(counted.updated), "deleted": dict(counted.deleted),
            "live": dict(live), "bin": dict(in_bin),
        },
        "refused": dict(counted.refused),
        "calls": {
            "total": seen.calls, "limit": crm.quota.limit, "remaining": crm.quota.remaining(),
            "busiest_window": seen.busiest_window,
        },
        "too_many_requests": seen.too_many,
        "jobs": {"in_flight": len(crm.jobs), "most_in_flight": counted.most_jobs},
        "files": {"bytes": crm.store.count("SELECT sum(size) FROM files"), "limit": crm.storage_limit},
        "faults": dict(crm.faults.injected),
    })  # fmt: skip


async def faults(crm: Crm, request: Request) -> Response:
    """GET shows, POST merges a JSON object of whole numbers, DELETE clears.

    Own names beside those of the kit: `no_unique_slots`, `quota_gone`, `reject_record` (always the same records, see
    `unlucky`), `reject_row` (bulk jobs, drawn anew), `search_lag_seconds`, `job_seconds`.
    """
    if request.method == "POST":
        body = await _body(request)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in body.values()):
            raise bad("faults are whole numbers")
        crm.faults.update(body)
    elif request.method == "DELETE":
        crm.faults.clear()
    return reply(200, {"values": crm.faults.values, "injected": dict(crm.faults.injected)})


async def _body(request: Request) -> Json:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise bad("the body is no JSON") from error
    if not isinstance(body, dict):
        raise bad("the body is a JSON object")
    return body


async def reset(crm: Crm, _: Request) -> Response:
    """POST /_sandbox/reset: a fresh account with the same settings; faults and counters go as well."""
    crm.store.clear()
    for path in crm.files.iterdir():
        path.unlink()
    crm.load()
    crm.faults.clear()
    crm.faults.injected.clear()
    crm.quota.reset()
    seed(crm)
    crm.stats = Stats()
    return reply(200, {"status": "success"})


async def admin(crm: Crm, request: Request) -> Response:
    """POST /_sandbox/admin `{"action", ...}`: what only a person can do in the product's pages (section 18).

    create_user (name, email), set_user_status (email, active), create_row (selector, name: territories, lead_sources,
    deal_types, ...), create_pipeline (name, stages [[name, probability, forecast_type]]), create_stage (name,
    probability, forecast_type, pipeline), create_lifecycle_stage (name), create_contact_status (name, lifecycle_stage,
    forecast_type), create_activity_type (name), create_currency (code, exchange_rate), create_field (module, label,
    type, choices, required, target), set_unique and set_required (module, field), create_record and edit_record
    (module, values, id, as), delete_record, restore_record (module, id), change_schema (how, draw, spare, modules) and
    restore_schema.
    """
    body = await _body(request)
    action = _ACTIONS.get(str(body.get("action")))
    if action is None:
        raise bad(f"unknown action; known: {', '.join(sorted(_ACTIONS))}")
    try:
        with crm.store.transaction():
            done = action(crm, body)
            return reply(200, done if isinstance(done, dict) else {"id": done})
    except (AttributeError, KeyError, ValueError, TypeError, InvalidOperation) as error:
        raise bad(f"the action cannot be done: {error!r}") from error


def _create_user(crm: Crm, body: Json) -> int:
    if crm.book.user_by_email(body["email"]) is not None:
        raise bad("Email has already been taken")
    return int(crm.book.add_user(body["name"], body["email"])["id"])


def _set_user_status(crm: Crm, body: Json) -> int:
    user = crm.book.user_by_email(body["email"])
    if user is None:
        raise KeyError(body["email"])
    user["is_active"] = bool(body["active"])
    crm.book.save("users", user)
    return int(user["id"])


_ROWS = (
    "territories", "deal_types", "deal_reasons", "deal_payment_statuses", "deal_products", "lead_sources", "campaigns",
    "industry_types", "business_types", "lost_reasons", "designations", "lead_stages", "lead_reasons",
)  # fmt: skip


def _create_row(crm: Crm, body: Json) -> int:
    if body["selector"] not in _ROWS:
        raise KeyError(body["selector"])
    return int((crm.book.named(body["selector"], body["name"]) or crm.book.add(body["selector"], body["name"]))["id"])


def _create_pipeline(crm: Crm, body: Json) -> int:
    if not crm.plan.multiple_pipelines:
        raise Refusal(403, "Multiple pipelines are not part of this plan")
    stages = [(str(name), int(probability), str(forecast)) for name, probability, forecast in body["stages"]]
    if not stages:
        raise KeyError("stages")
    return int(crm.book.add_pipeline(body["name"], stages)["id"])


def _create_stage(crm: Crm, body: Json) -> int:
    name = body.get("pipeline")
    pipeline = crm.book.named("deal_pipelines", name) if name else crm.book.default_pipeline
    forecast = body.get("forecast_type", "Open")
    if pipeline is None or forecast not in ("Open", "Closed Won", "Closed Lost"):
        raise KeyError("pipeline or forecast_type")
    found = next((row for row in crm.book.stages_of(pipeline["id"]) if row["name"] == body["name"]), None)
    return int((found or crm.book.add_stage(pipeline, body["name"], int(body.get("probability", 0)), forecast))["id"])


def _create_lifecycle_stage(crm: Crm, body: Json) -> int:
    return int((crm.book.named("lifecycle_stages", body["name"]) or crm.book.add_lifecycle_stage(body["name"]))["id"])


def _create_contact_status(crm: Crm, body: Json) -> int:
    stage = crm.book.named("lifecycle_stages", body["lifecycle_stage"])
    if stage is None:
        raise KeyError(body["lifecycle_stage"])
    return int(crm.book.add_status(stage, body["name"], body.get("forecast_type", "Open"))["id"])


def _create_activity_type(crm: Crm, body: Json) -> int:
    """Custom sales activities are Enterprise only (section 7)."""
    if not crm.plan.custom_activities:
        raise Refusal(403, "Custom sales activities are not part of this plan")
    found = crm.book.named("sales_activity_types", body["name"])
    return int((found or crm.book.add_activity_type(body["name"]))["id"])


def _create_currency(crm: Crm, body: Json) -> int:
    if not crm.plan.multi_currency:
        raise Refusal(403, "Several currencies are not part of this plan")
    rate = Decimal(str(body["exchange_rate"]))
    if not rate.is_finite() or rate <= 0:
        raise ValueError(body["exchange_rate"])
    return int(crm.book.add_currency(body["code"], str(rate), base=False)["id"])


def _module(crm: Crm, body: Json) -> Module:
    return crm.schema.modules[body["module"]]


def _create_field(crm: Crm, body: Json) -> int:
    made = crm.schema.add_field(
        _module(crm, body), body["label"], body["type"], required=body.get("required") is True,
        choices=body.get("choices"), target=body.get("target"),
    )  # fmt: skip
    return made.id


def _set_unique(crm: Crm, body: Json) -> int:
    """Text or number only, as many as the plan of section 14 allows, values must not repeat; not reversible."""
    module = _module(crm, body)
    field = module.fields[body["field"]]
    if crm.faults.draw("no_unique_slots"):
        raise bad("This field cannot be made unique")
    if field.type not in ("text", "number") or (not field.unique and crm.schema.unique_slots_left(module) < 1):
        raise bad("This field cannot be made unique")
    field.unique = True
    try:
        Writer(crm, module).rekey()
    except Refusal:
        field.unique = False
        raise
    crm.schema.keep_rule("unique", module.name, field.name)
    return field.id


def _set_required(crm: Crm, body: Json) -> int:
    field = _module(crm, body).fields[body["field"]]
    field.required = True
    crm.schema.keep_rule("required", body["module"], field.name)
    return field.id


def _actor(crm: Crm, body: Json) -> int | None:
    user = crm.book.user_by_email(body["as"]) if body.get("as") else None
    return user["id"] if user else None


def _row(crm: Crm, body: Json, *, deleted: bool) -> Row:
    row = crm.store.row(body["module"], as_id(body["id"]) or 0)
    if row is None or row.deleted is not deleted:
        raise KeyError("id")
    return row


def _create_record(crm: Crm, body: Json) -> int:
    return Writer(crm, _module(crm, body), actor=_actor(crm, body)).create(body["values"]).id


def _edit_record(crm: Crm, body: Json) -> int:
    row = _row(crm, body, deleted=False)
    return Writer(crm, _module(crm, body), actor=_actor(crm, body)).update(row, body["values"]).id


def _delete_record(crm: Crm, body: Json) -> int:
    row = _row(crm, body, deleted=False)
    bin_row(crm, row)
    return row.id


def _restore_record(crm: Crm, body: Json) -> int:
    """Restore exists in the product's pages only; an account's links to deals stay lost (section 17)."""
    row = _row(crm, body, deleted=True)
    row.deleted, row.updated = False, crm.now()
    crm.store.save_row(row)
    return row.id


_ACTIONS: dict[str, Callable[[Crm, Json], int | Json]] = {
    "create_user": _create_user,
    "set_user_status": _set_user_status,
    "create_row": _create_row,
    "create_pipeline": _create_pipeline,
    "create_stage": _create_stage,
    "create_lifecycle_stage": _create_lifecycle_stage,
    "create_contact_status": _create_contact_status,
    "create_activity_type": _create_activity_type,
    "create_currency": _create_currency,
    "create_field": _create_field,
    "set_unique": _set_unique,
    "set_required": _set_required,
    "create_record": _create_record,
    "edit_record": _edit_record,
    "delete_record": _delete_record,
    "restore_record": _restore_record,
    "change_schema": change_schema,
    "restore_schema": restore_schema,
}
