"""Seeded changes to a running account, so that a delta has something to find: updates, creates, deletes, merges."""

from random import Random
from typing import Any

from connectors.servicetracker.sandbox.errors import ApiError
from connectors.servicetracker.sandbox.record_writes import RecordWriter
from connectors.servicetracker.sandbox.schema import OBJECTS
from connectors.servicetracker.sandbox.schema_work import WORK_STATUSES
from connectors.servicetracker.sandbox.store import Store

CHANGED = ("Account", "Contact", "WorkOrder", "Task")
MERGED = ("Account", "Contact")
MOST = 100_000


class Mutation:
    """One set of changes; the same seed on the same data changes the same records."""

    def __init__(self, store: Store, writer: RecordWriter, seed: int) -> None:
        self._store = store
        self._writer = writer
        self._rng = Random(f"mutate:{seed}")  # noqa: S311  # reproducible data, no secrets
        self._touched: set[str] = set()
        self._names: dict[str, list[str]] = {}

    def apply(self, asked: dict[str, int]) -> dict[str, Any]:
        """Applies the changes in one transaction and tells what was changed.

        No record is changed twice; where an object has too few living records, fewer changes are made.
        """
        changes: dict[str, Any] = {"updated": [], "created": [], "deleted": [], "merged": []}
        with self._store.writing():
            for number in range(asked["merges"]):
                changes["merged"] += self._merge(MERGED[number % len(MERGED)])
            for number in range(asked["deletes"]):
                changes["deleted"] += self._delete(CHANGED[number % len(CHANGED)])
            for number in range(asked["updates"]):
                changes["updated"] += self._update(CHANGED[number % len(CHANGED)])
            for number in range(asked["creates"]):
                changes["created"] += self._create(CHANGED[number % len(CHANGED)])
        return changes

    def _pick(self, name: str) -> str | None:
        """A living record that this set has not touched yet."""
        if name not in self._names:
            archived = " AND IsArchived = 0" if OBJECTS[name].archived else ""
            rows = self._store.reading.execute(f'SELECT Id FROM "{name}" WHERE IsDeleted = 0{archived} ORDER BY Id')  # noqa: S608
            self._names[name] = [row[0] for row in rows]
        known = self._names[name]
        while known:
            place = self._rng.randrange(len(known))
            known[place], known[-1] = known[-1], known[place]
            record_id = known.pop()
            if record_id not in self._touched:
                self._touched.add(record_id)
                return record_id
        return None

    def _update(self, name: str) -> list[dict[str, Any]]:
        record_id = self._pick(name)
        if record_id is None:
            return []
        values = self._new_values(name)
        self._writer.update(OBJECTS[name], record_id, values)
        return [{"object": name, "id": record_id, "fields": sorted(values)}]

    def _create(self, name: str) -> list[dict[str, Any]]:
        values: dict[str, Any] = self._new_values(name)
        number = self._rng.randrange(1_000_000)
        client = self._pick("Account")
        if name == "Account":
            values["Name"] = f"Newcomer {number}"
        elif name == "Contact":
            values |= {"FirstName": "Nova", "LastName": f"Newcomer{number}", "AccountId": client}
        else:
            values |= {"Subject": f"New {number}", "AccountId" if name == "WorkOrder" else "WhatId": client}
        return [{"object": name, "id": self._writer.create(OBJECTS[name], values)}]

    def _delete(self, name: str) -> list[dict[str, Any]]:
        record_id = self._pick(name)
        if record_id is None:
            return []
        self._writer.delete(OBJECTS[name], record_id)
        return [{"object": name, "id": record_id}]

    def _merge(self, name: str) -> list[dict[str, Any]]:
        winner, loser = self._pick(name), self._pick(name)
        if winner is None or loser is None:
            return []
        moved = self._writer.merge(OBJECTS[name], winner, loser)
        return [{"object": name, "winner": winner, "loser": loser, "reparented": moved}]

    def _new_values(self, name: str) -> dict[str, Any]:
        number = self._rng.randrange(10_000)
        if name == "Account":
            return {"Phone": f"+1 999 555 {number:04d}", "Description": f"Changed by hand, {number}"}
        if name == "Contact":
            return {"Title": f"Manager {number}", "MobilePhone": f"+1 998 555 {number:04d}"}
        if name == "WorkOrder":
            return {"Status": self._rng.choice(WORK_STATUSES), "Description": f"Rescheduled, reference {number}"}
        return {"Status": "Completed", "Description": f"Closed by phone, {number}"}


def read_request(body: object) -> tuple[int, dict[str, int]]:
    """Seed and wished numbers of a mutate call; raises ApiError 400 for anything else."""
    names = ("updates", "creates", "deletes", "merges")
    if not isinstance(body, dict) or set(body) - {"seed", *names}:
        raise ApiError(400, "INVALID_INPUT", f"a JSON object with seed and {', '.join(names)} is wanted")
    values = [body.get(name, 0) for name in ("seed", *names)]
    if any(isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in values):
        raise ApiError(400, "INVALID_INPUT", "seed and numbers must be whole and not negative")
    if sum(values[1:]) > MOST:
        raise ApiError(400, "INVALID_INPUT", f"at most {MOST} changes a call")
    return values[0], dict(zip(names, values[1:], strict=True))
