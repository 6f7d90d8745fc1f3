"""Tasks, appointments, notes, phone calls and sales activities: one call per record (Freshsales fact sheet 7 and 9).

None of them has a key; they are read back through the records they hang on, a hundred of those a call.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.answers import Answer
from connectors.base import WriteResult, WriteStatus
from connectors.errors import Ambiguous, BatchRefused, ContractBroken, QuotaExhausted, Transient
from connectors.freshsales import modules, wire
from connectors.freshsales.bodies import payloads_of
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import Module
from connectors.freshsales.naming import Names, UnknownName, activity_names, as_id
from connectors.freshsales.reading import JSON, PER_PAGE, Reader, is_id, part
from connectors.freshsales.verdicts import REFUSED, accepted, gone, missing, refused, unknown_name
from connectors.http import ApiClient

_BY_INCLUDE = frozenset({modules.TASKS, modules.APPOINTMENTS, modules.NOTES, modules.SALES_ACTIVITIES})
_NO_DELETE, _NO_UPDATE = "NO_DELETE_CALL", "NO_UPDATE_CALL"
_RUBY = b"Symbol"  # what a phone call in the other form provokes (section 9)
_OUTGOING = frozenset({"outgoing", "outbound", "true", "1"})
Payload = Mapping[str, Any]


class Activities:
    """Activity calls of one account."""

    def __init__(self, api: ApiClient, metadata: Metadata, reader: Reader) -> None:
        self._api = api
        self._metadata = metadata
        self._reader = reader
        self._bare_calls: bool | None = None

    async def write(self, name: str, records: Sequence[bytes]) -> list[WriteResult]:
        """Creates each; an error after the first stored record is Ambiguous, the batch must not be sent again."""
        names = await activity_names(self._metadata, name)
        results: list[WriteResult] = []
        stored = False
        for payload in payloads_of(records):
            try:
                result = await self._create(name, payload, names)
            except (Transient, QuotaExhausted, BatchRefused) as error:
                if stored:
                    raise Ambiguous(f"stopped within a batch: {error.detail}", code="BATCH_STOPPED") from error
                raise
            stored = stored or result.status is not WriteStatus.REFUSED
            results.append(result)
        return results

    async def update(self, name: str, records: Sequence[bytes]) -> list[WriteResult]:
        """Changes what each record names; a phone call cannot be changed, its note can."""
        names = await activity_names(self._metadata, name)
        results = []
        for payload in payloads_of(records):
            identifier = str(payload.get("id"))
            results.append(await self._change(name, identifier, payload, names))
        return results

    async def _create(self, name: str, payload: Payload, names: Names) -> WriteResult:
        try:
            body = activity_body(payload, names)
        except UnknownName as error:
            return unknown_name(error.field)
        if name == modules.PHONE_CALLS:
            return await self._call_log(body)
        singular = modules.ACTIVITIES[name]
        answer = await self._send("POST", f"/{name}", {singular: body}, f"write {name}")
        return refused(answer, {}) if answer.status in REFUSED else accepted(answer, singular, WriteStatus.CREATED)

    async def _change(self, name: str, identifier: str, payload: Payload, names: Names) -> WriteResult:
        if not is_id(identifier):
            return missing(identifier)
        try:
            body = activity_body(payload, names)
        except UnknownName as error:
            return unknown_name(error.field)._replace(id=identifier)
        if name == modules.PHONE_CALLS:  # the id of a call is that of its note
            if "description" not in body:
                text = "there is no call that changes a phone call; its note can be changed"
                return WriteResult(WriteStatus.REFUSED, identifier, code=_NO_UPDATE, message=text)
            name, body = modules.NOTES, {"description": body["description"]}
        singular = modules.ACTIVITIES[name]
        answer = await self._send("PUT", f"/{name}/{identifier}", {singular: body}, f"update {name}")
        if answer.status in REFUSED:
            return refused(answer, {})._replace(id=identifier)
        return accepted(answer, singular, WriteStatus.UPDATED)

    async def _send(
        self, method: str, path: str, body: Any, purpose: str, accept: frozenset[int] = frozenset()
    ) -> Answer:
        return await self._api.request(
            method,
            path,
            purpose=purpose,
            writing=True,
            idempotent=method == "PUT",
            content=msgspec.json.encode(body),
            headers=JSON,
            accept=REFUSED | accept,
        )

    async def _call_log(self, body: Payload) -> WriteResult:
        """Both forms that sources report, the one that worked first (section 19 item 3).

        The record's id is that of the call's note: calls cannot be read, changed or deleted, their notes can.
        """
        forms = [False, True] if self._bare_calls is None else [self._bare_calls]
        no: WriteResult | None = None
        for bare in forms:
            form = _bare_call(body) if bare else _wrapped_call(body)
            answer = await self._send("POST", "/phone_calls", form, "write phone_calls", frozenset({500}))
            if answer.status == 500:
                if _RUBY not in answer.body:
                    raise self._api.refusal(answer)
                continue  # the body was not understood, so nothing was stored
            if answer.status in REFUSED:
                no = refused(answer, {})  # which form was understood is not told by a refusal
                continue
            self._bare_calls = bare
            return _logged(answer)
        if no is not None:
            return no
        raise ContractBroken("phone calls are taken in neither of the two known forms", code="PHONE_CALL_FORM")

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def children(self, name: str, parent: Module, parent_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Activities by parent id, flat; parents that are gone have none."""
        kind = modules.NOTES if name == modules.PHONE_CALLS else name
        names = await activity_names(self._metadata, name)
        ids = [one for one in dict.fromkeys(parent_ids) if is_id(one)]
        found: dict[str, list[dict[str, Any]]] = {one: [] for one in parent_ids}
        if len(ids) == 1 and kind == modules.NOTES:
            found[ids[0]] = [_flat(row, names) for row in await self._notes_of(parent, ids[0])]
            return found
        if kind not in _BY_INCLUDE:
            raise ContractBroken(f"{name} of a record cannot be listed", code="NO_LIST_CALL")
        for parent_id, rows in (await self._reader.sideloaded(parent, ids, kind)).items():
            found[parent_id] = [_flat(row, names) for row in rows]
        return found

    async def _notes_of(self, parent: Module, parent_id: str) -> list[dict[str, Any]]:
        """The notes of one record, which have a list of their own (section 1)."""
        rows: list[dict[str, Any]] = []
        number = 1
        while True:
            answer = await self._api.request(
                "GET",
                f"{parent.path}/{part(parent_id)}/notes",
                purpose="list notes",
                params={"page": str(number), "per_page": str(PER_PAGE)},
                accept=frozenset({404}),
            )
            if answer.status == 404:
                return []
            listed = answer.decode(wire.OBJECT).get("notes")
            if not isinstance(listed, list):
                raise ContractBroken("the list of notes has another shape than documented", code="UNREADABLE")
            rows += [row for row in listed if isinstance(row, dict)]
            if len(listed) < PER_PAGE:
                return rows
            number += 1

    async def fetch(self, name: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Activities by id, one call each. Raises ContractBroken for notes and calls, which have no such call."""
        if name in (modules.NOTES, modules.PHONE_CALLS):
            raise ContractBroken(f"{name} are read through their parent", code="NO_READ_CALL")
        names = await activity_names(self._metadata, name)
        found: dict[str, dict[str, Any]] = {}
        for one in dict.fromkeys(ids):
            if not is_id(one):
                continue
            answer = await self._api.request("GET", f"/{name}/{one}", purpose=f"fetch {name}", accept=frozenset({404}))
            row = None if answer.status == 404 else answer.decode(wire.OBJECT).get(modules.ACTIVITIES[name])
            if isinstance(row, dict):
                found[one] = _flat(row, names)
        return found

    async def count(self, name: str) -> int:
        """How many there are. Raises ContractBroken for notes and calls, which no call counts."""
        filters: dict[str, tuple[str, ...]] = {
            modules.TASKS: ("open", "completed"), modules.APPOINTMENTS: ("past", "upcoming"),
            modules.SALES_ACTIVITIES: ("",),
        }  # fmt: skip
        if name not in filters:
            raise ContractBroken(f"{name} cannot be counted", code="NO_COUNT_CALL")
        total = 0
        for one in filters[name]:
            params = {"page": "1", "per_page": "1"} | ({"filter": one} if one else {})
            answer = await self._api.request("GET", f"/{name}", purpose=f"count {name}", params=params)
            total += answer.decode(wire.COUNTED).meta.total or 0
        return total

    # ── deleting and owners ───────────────────────────────────────────────────────────────────────────────────────

    async def delete(self, name: str, ids: Sequence[str]) -> list[WriteResult]:
        """For good: there is no bin for these (section 17). Of a phone call only the note can go."""
        path = modules.NOTES if name == modules.PHONE_CALLS else name
        results = []
        for one in ids:
            if is_id(one):
                await self._api.request(
                    "DELETE",
                    f"/{path}/{one}",
                    purpose=f"delete {name}",
                    writing=True,
                    idempotent=True,
                    accept=frozenset({404}),
                )
            if name == modules.PHONE_CALLS:
                text = "its note is deleted; there is no call that deletes a phone call"
                results.append(WriteResult(WriteStatus.REFUSED, one, code=_NO_DELETE, message=text))
            else:
                results.append(gone(one))
        return results

    async def reassign(self, name: str, ids: Sequence[str], user: str) -> list[WriteResult]:
        if name not in (modules.TASKS, modules.SALES_ACTIVITIES):
            raise ContractBroken(f"{name} have no owner of their own", code="NO_OWNER")
        records = [msgspec.json.encode({"id": one, "owner_id": user}) for one in ids]
        return await self.update(name, records)


def activity_body(payload: Payload, names: Names) -> dict[str, Any]:
    """The inner object of an activity. Raises UnknownName."""
    body: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in payload.items():
        if name == "id" or name.startswith("$"):
            continue
        if name.startswith("cf_"):
            custom[name] = value
        elif name == "targetable_type":
            body[name] = target_model(str(value))
        elif name in ("targetable_id", "owner_id"):
            body[name] = None if value is None else as_id(value)
        elif name in names:
            body[name] = names.id_of(name, value, payload)
        else:
            body[name] = value
    if custom:
        body["custom_field"] = custom
    return body


def target_model(object_name: str) -> str:
    """`contacts` as bodies call it: Contact, SalesAccount, Deal; a custom module by its own name."""
    parent = modules.PARENTS.get(object_name)
    return parent.model if parent else object_name


def _wrapped_call(body: Payload) -> dict[str, Any]:
    call: dict[str, Any] = {
        "call_direction": _is_outgoing(body),
        "targetable_type": body.get("targetable_type"),
        "targetable": {"id": body.get("targetable_id")},
    }
    if body.get("description"):
        call["note"] = {"description": body["description"]}
    return {"phone_call": call}


def _bare_call(body: Payload) -> dict[str, Any]:
    return {
        "call_direction": "outgoing" if _is_outgoing(body) else "incoming",
        "targetable_type": body.get("targetable_type"),
        "targetable_id": body.get("targetable_id"),
        "call_notes": body.get("description"),
    }


def _is_outgoing(body: Payload) -> bool:
    return str(body.get("call_direction", "")).strip().casefold() in _OUTGOING


def _logged(answer: Answer) -> WriteResult:
    """The id of the call's note, or of the call where it has none."""
    body = answer.decode(wire.OBJECT)
    for name in ("notes", "phone_calls"):
        rows = body.get(name)
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and str(rows[0].get("id", "")).isdigit():
            return WriteResult(WriteStatus.CREATED, str(rows[0]["id"]))
    raise answer.unreadable("it names no phone call")


def _flat(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A row as the flat record that was written."""
    record = {name: value for name, value in row.items() if name != "custom_field"}
    custom = row.get("custom_field")
    record.update(custom if isinstance(custom, dict) else {})
    record["id"] = str(row.get("id"))
    target = _target(row)
    if target is not None:
        record["targetable_type"], record["targetable_id"] = target
    for name in [name for name in record if name in names]:
        record[name] = names.name_of(name, record[name])
    return record


def _target(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Object and id of what an activity hangs on, by our names; spellings differ by call (section 7)."""
    listed = row.get("targetables")
    found = row.get("targetable") or (listed[0] if isinstance(listed, list) and listed else None)
    if not isinstance(found, dict) or "id" not in found:
        return None
    given = str(found.get("type") or "").replace("_", "").casefold()
    name = next((one.name for one in modules.PARENTS.values() if one.model.casefold() == given), str(found.get("type")))
    return name, str(found["id"])
