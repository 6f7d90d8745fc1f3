"""Notes, tasks, appointments and sales activities: one call per record, hard delete (fact sheet sections 7 and 17)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.activityrows import KINDS, TARGET_TYPES, render_activity, targetable
from connectors.freshsales.sandbox.answers import Json, bad, empty, not_found, reply, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.includes import asked
from connectors.freshsales.sandbox.render import render, user_row
from connectors.freshsales.sandbox.schema import Field
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.times import kept
from connectors.freshsales.sandbox.unlucky import refuse_unlucky
from connectors.freshsales.sandbox.values import as_id, check, check_custom, moment
from connectors.freshsales.sandbox.views import asked_page, meta
from connectors.freshsales.sandbox.writer import read_body


@dataclass(frozen=True, slots=True)
class Kind:
    """What bodies of one kind hold: plain values by type, required names, status of a create (sections 7 and 15)."""

    name: str
    created: int
    required: tuple[str, ...]
    texts: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    selectors: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


ACTIVITY_KINDS = {
    "notes": Kind("note", 200, ("description",), areas=("description",)),
    "tasks": Kind(
        "task", 201, ("title", "due_date"), ("title",), ("description",), ("due_date", "completed_date"),
        (("task_type_id", "sales_activity_entity_types"), ("outcome_id", "sales_activity_outcomes")),
    ),
    "appointments": Kind(
        "appointment", 201, ("title", "from_date", "end_date"), ("title", "location", "time_zone"), ("description",),
        ("from_date", "end_date"), (("outcome_id", "sales_activity_outcomes"),), ("is_allday",),
    ),
    "sales_activities": Kind(
        "sales_activity", 201, ("title", "start_date", "end_date", "sales_activity_type_id"),
        ("title", "location", "latitude", "longitude"), ("notes",), ("start_date", "end_date"),
        (("sales_activity_type_id", "sales_activity_types"), ("sales_activity_outcome_id", "sales_activity_outcomes")),
    ),
}  # fmt: skip
_LABELS = {"due_date": "Due date", "from_date": "From", "end_date": "End date", "start_date": "Start date"}


def _kind(request: Request) -> Kind:
    return ACTIVITY_KINDS[request.path_params["kind"]]


def _field(name: str, type_: str, selector: str | None = None) -> Field:
    label = _LABELS.get(name, name.removesuffix("_id").replace("_", " ").capitalize())
    return Field(0, name, label, type_, 0, selector=selector)


def target_of(crm: Crm, body: Json) -> tuple[int, str]:
    """Id and module of the live record that `targetable_type` and `targetable_id` name; 400 otherwise."""
    given, key = body.get("targetable_type"), as_id(body.get("targetable_id"))
    if given in (None, "") or body.get("targetable_id") in (None, ""):
        raise empty("Targetable")
    if not isinstance(given, str):
        raise wrong_type("targetable_type")
    snake = {module: module for module in TARGET_TYPES.values()}
    module = {**TARGET_TYPES, **snake}.get(given, given)
    found = crm.schema.modules.get(module)
    if found is None or not (module in snake or found.custom) or (module == "lead" and not crm.options.classic):
        raise bad("Targetable type is invalid")
    if key is None or not crm.store.live(module, [key]):
        raise bad("Targetable is invalid")
    return key, module


def _values(crm: Crm, kind: Kind, body: Json) -> Json:
    data: Json = {}
    for names, type_ in ((kind.texts, "text"), (kind.areas, "textarea")):
        data |= {name: check(crm, _field(name, type_), body[name]) for name in names if name in body}
    for name in kind.moments:
        if name in body:
            data[name] = None if body[name] in (None, "") else moment(crm, _field(name, "date_time_split"), body[name])
    for name, selector in kind.selectors:
        if name in body:
            data[name] = check(crm, _field(name, "dropdown", selector), body[name])
    for name in kind.flags:
        if name in body:
            data[name] = check(crm, _field(name, "checkbox"), body[name])
    return data


def _apply(crm: Crm, kind: Kind, row: Row, body: Json) -> None:
    row.data = {**row.data, **_values(crm, kind, body)}
    for name in kind.required:
        if row.data.get(name) in (None, ""):
            raise empty(_field(name, "text").label)
    if body.get("owner_id") is not None:
        row.owner = check(crm, _field("owner_id", "dropdown", "users"), body["owner_id"])
    if kind.name == "task":
        _task(crm, row, body)
    elif kind.name == "appointment" and "appointment_attendees_attributes" in body:
        row.data["attendees"] = _attendees(crm, body["appointment_attendees_attributes"])
    elif kind.name == "sales_activity":
        _sales_activity(crm, row, body)
    row.name = str(row.data.get("title") or row.data.get("description") or "")[:256]


def _task(crm: Crm, row: Row, body: Json) -> None:
    """`status` 0 open, 1 done; a done task gets its completed date (section 7). Custom fields are not taken."""
    if "status" in body:
        if as_id(body["status"]) not in (0, 1):
            raise bad("Status is invalid")
        row.data["status"] = as_id(body["status"])
    row.data.setdefault("status", 0)
    if row.data["status"] == 1 and not row.data.get("completed_date"):
        row.data["completed_date"] = kept(crm.utc_now())
    users = body.get("task_users_attributes")
    if users is not None:
        if not isinstance(users, list) or not all(isinstance(item, dict) for item in users):
            raise wrong_type("task_users_attributes")
        row.data["user_ids"] = [
            check(crm, _field("user_id", "dropdown", "users"), item.get("user_id")) for item in users
        ]


def _attendees(crm: Crm, given: Any) -> list[Json]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise wrong_type("appointment_attendees_attributes")
    rows = []
    for item in given:
        key, type_ = as_id(item.get("attendee_id")), item.get("attendee_type")
        known = key in crm.book.rows["users"] if type_ == "FdMultitenant::User" else (
            type_ == "Contact" and bool(crm.store.live("contact", [key or 0]))
        )  # fmt: skip
        if not known:
            raise bad("Attendee is invalid")
        rows.append({"id": crm.store.next_id(), "attendee_type": type_, "attendee_id": key})
    return rows


def _sales_activity(crm: Crm, row: Row, body: Json) -> None:
    """Only an administrator's own type is taken, never a built-in one (section 7)."""
    if crm.book.rows["sales_activity_types"][row.data["sales_activity_type_id"]]["is_default"]:
        raise bad("Sales activity type is invalid")
    if body.get("custom_field") is not None:
        row.data["custom_field"] = check_custom(crm, crm.schema.modules["sales_activity"].fields, body["custom_field"])


async def create(crm: Crm, request: Request) -> Response:
    """POST /notes, /tasks, /appointments, /sales_activities; author and time are those of the call (section 7)."""
    kind = _kind(request)
    body = read_body(json_object(request), kind.name)
    refuse_unlucky(crm, kind.name, body)
    row = new_row(crm, kind.name)
    _apply(crm, kind, row, body)
    target, module = target_of(crm, body)
    with crm.store.transaction():
        save_new(crm, row, target, module)
    return reply(kind.created, _answer(crm, kind, row))


def new_row(crm: Crm, module: str) -> Row:
    """An activity by the key's user, now."""
    admin = crm.book.admin["id"]
    return Row(0, module, "", created=crm.now(), updated=crm.now(), owner=admin, creator=admin, updater=admin,
               indexed=crm.seconds())  # fmt: skip


def save_new(crm: Crm, row: Row, target: int, module: str) -> None:
    """Stores an activity on its target."""
    row.id = crm.store.next_id()
    row.data |= {"target_id": target, "target_type": module}
    crm.store.save_row(row)
    crm.store.set_target(row.module, row.id, target, module)
    crm.stats.created[row.module] += 1


def _answer(crm: Crm, kind: Kind, row: Row) -> Json:
    shown = render_activity(crm, row)
    if kind.name == "appointment":
        attendees = row.data.get("attendees", [])
        return {"appointment_attendees": attendees, "conferences": [], "notes": [], "appointment": shown}
    return {kind.name: shown}


def _row_of(crm: Crm, kind: Kind, request: Request) -> Row:
    row = crm.store.row(kind.name, as_id(request.path_params["id"]) or 0)
    if row is None:
        raise not_found()
    return row


async def update(crm: Crm, request: Request) -> Response:
    """PUT /{kind}/{id}"""
    kind = _kind(request)
    row = _row_of(crm, kind, request)
    body = read_body(json_object(request), kind.name)
    refuse_unlucky(crm, kind.name, body, row.data)
    _apply(crm, kind, row, body)
    row.updated, row.updater = crm.now(), crm.book.admin["id"]
    with crm.store.transaction():
        if "targetable_id" in body:
            target, module = target_of(crm, body)
            row.data |= {"target_id": target, "target_type": module}
            crm.store.set_target(kind.name, row.id, target, module)
        crm.store.save_row(row)
    crm.stats.updated[kind.name] += 1
    return reply(200, _answer(crm, kind, row))


async def delete(crm: Crm, request: Request) -> Response:
    """DELETE /{kind}/{id} -> `{"success":"200"}`; there is no bin for these (sections 7 and 17)."""
    kind = _kind(request)
    row = _row_of(crm, kind, request)
    with crm.store.transaction():
        crm.store.drop_row(row.id)
    crm.stats.deleted[kind.name] += 1
    return reply(200, {"success": "200"})


def _sideloads(crm: Crm, rows: list[Row]) -> Json:
    """Users and target records as siblings of tasks and appointments (section 7)."""
    users, targets = crm.book.rows["users"], {}
    for row in rows:
        for each in crm.store.live(row.data["target_type"], [row.data["target_id"]]):
            targets[each.id] = each
    owners = {row.owner for row in rows}
    found: Json = {"users": [user_row(users[key]) for key in owners if key in users]}
    for name, module in (("contacts", "contact"), ("sales_accounts", "sales_account"), ("deals", "deal")):
        matching = [render(crm, each) for each in targets.values() if each.module == module]
        if matching:
            found[name] = matching
    return found


def _listed(crm: Crm, row: Row) -> Json:
    shown = {**render_activity(crm, row), "targetable": targetable(row)}
    if row.module == "task":
        shown["user_ids"] = row.data.get("user_ids") or [row.owner]
    return shown


async def view(crm: Crm, request: Request) -> Response:
    """GET /{kind}/{id}; notes have no such call (section 2)."""
    kind = _kind(request)
    if kind.name == "note":
        raise not_found()
    row = _row_of(crm, kind, request)
    answer = {**_answer(crm, kind, row), kind.name: _listed(crm, row)}
    wanted = asked(request.query_params)
    return reply(200, {**answer, **_sideloads(crm, [row])} if kind.name == "task" or wanted else answer)


async def listing(crm: Crm, request: Request) -> Response:
    """GET /tasks?filter=, /appointments?filter=, /sales_activities; the filter is mandatory where there is one."""
    kind = _kind(request)
    if kind.name == "note":
        raise not_found()
    where, values = _filter(crm, kind, request.query_params.get("filter"))
    page = asked_page(request.query_params)
    rows = crm.store.rows(where, values, f"ORDER BY id LIMIT {page.size} OFFSET {page.offset}")
    total = crm.store.count(f"SELECT count(*) FROM records WHERE {where}", values)  # noqa: S608 - our own condition
    return reply(200, {
        KINDS[kind.name]: [_listed(crm, row) for row in rows], **_sideloads(crm, rows), "meta": meta(total, page),
    })  # fmt: skip


def _filter(crm: Crm, kind: Kind, text: str | None) -> tuple[str, list[Any]]:
    """Section 7; the spelling with or without underscore is a switch (section 19 item 7)."""
    where, now = f"module = '{kind.name}'", kept(crm.utc_now())
    if kind.name == "sales_activity":
        return where, []
    if kind.name == "appointment":
        clauses = {"past": "json_extract(data, '$.end_date') < ?", "upcoming": "json_extract(data, '$.end_date') >= ?"}
        if text not in clauses:
            raise bad("filter is invalid")
        return f"{where} AND {clauses[text]}", [now]
    name = _filter_name(crm, text or "")
    if name == "completed":
        return f"{where} AND json_extract(data, '$.status') = 1", []
    where += " AND json_extract(data, '$.status') = 0"
    if name == "open":
        return where, []
    due = "json_extract(data, '$.due_date')"
    if name == "overdue":
        return f"{where} AND {due} < ?", [now]
    today = datetime.combine(crm.utc_now().astimezone(crm.zone).date(), datetime.min.time(), crm.zone)
    start = today + timedelta(days=1 if name == "due tomorrow" else 0)
    return f"{where} AND {due} >= ? AND {due} < ?", [kept(start), kept(start + timedelta(days=1))]


def _filter_name(crm: Crm, text: str) -> str:
    spelling = crm.options.task_filter
    name = text.replace("_", " ")
    wrong = (spelling == "space" and "_" in text) or (spelling == "underscore" and " " in text)
    if wrong or name not in ("open", "due today", "due tomorrow", "overdue", "completed"):
        raise bad("filter is invalid")
    return name
