"""How planned writes reach a destination and how a lost answer is cleared up, per kind of load.

A writer sends one batch and returns one verdict per item; `probe` finds at the destination what an unanswered call may
have stored. Neither commits anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.domain.json_texts import json_text
from app.domain.numerals import decimal_of
from app.domain.values import exact_json
from app.runs.items import Item
from connectors.base import (
    Destination,
    Found,
    ObjectFacts,
    ProbeStyle,
    WriteResult,
    WriteStatus,
    WriteStyle,
    WriteTarget,
)


class Writer(Protocol):
    """`batch` is items per call, `update_batch` that of updates (0: as `batch`); `keyless` says that a crash must leave
    few unknowns (ruling 9).

    `repeatable`: a call without an answer is sent again as it is, since it ends in the same state.
    """

    target: WriteTarget
    batch: int
    update_batch: int
    keyless: bool
    repeatable: bool

    async def send(self, items: Sequence[Item]) -> list[WriteResult]: ...

    async def probe(self, items: Sequence[Item], since: datetime | None = None) -> dict[str, Found]:
        """Source id → the destination record that carries this item already; what was there before `since`, as far as
        the platform tells, is none of ours.
        """

    async def finish(self, items: Sequence[Item]) -> dict[str, WriteResult]:
        """Brings to its end what a call without an answer has half done; by source id, nothing is begun anew."""


@dataclass(slots=True)
class RecordWriter:
    """Records of an object with a key: insert or upsert, probe by the key."""

    destination: Destination
    target: WriteTarget
    key_field: str
    batch: int = 100
    update_batch: int = 0
    keyless: bool = False
    repeatable: bool = False

    async def send(self, items: Sequence[Item]) -> list[WriteResult]:
        encoded = [item.encoded for item in items]
        if items[0].record_id is not None:
            return await self.destination.update(self.target, encoded)
        return await self.destination.write(self.target, encoded)

    async def probe(self, items: Sequence[Item], since: datetime | None = None) -> dict[str, Found]:  # noqa: ARG002
        updates = {item.source_id: Found(item.record_id) for item in items if item.record_id is not None}
        keys = {item.payload[self.key_field]: item.source_id for item in items if item.record_id is None}
        if not keys:
            return {}  # an update may be sent again: it ends in the same state
        found = await self.destination.find(self.target.object, self.key_field, list(keys))
        return {keys[key]: rows[0] for key, rows in found.items() if rows and key in keys and keys[key] not in updates}

    async def finish(self, items: Sequence[Item]) -> dict[str, WriteResult]:  # noqa: ARG002
        """A record is written by one call, wholly or not at all."""
        return {}


class Places(Protocol):
    """Remembers on which parent a note or file hangs (see `placing`)."""

    def remember(self, item: Item, place: tuple[str, str]) -> None: ...

    async def known(self, source_ids: Sequence[str]) -> dict[str, tuple[str, str]]: ...

    async def owned(self, record_ids: Sequence[str]) -> set[str]:
        """Which of these destination records the ledger has for a source record already."""


@dataclass(slots=True)
class NoteWriter:
    """Notes: no key field at all, so a marker in the text is looked for in the parent's list.

    A note whose parent changed is written anew and taken away where it hung: vendors do not move notes. Both steps
    may be repeated, so a crash between them is nothing special.

    Records without a marker are told by their values; one that already belongs to another source record, by the ledger
    or by an answer of this run (`claimed`: record id to source id), is not found a second time.
    """

    destination: Destination
    target: WriteTarget
    parent_field: str
    parent_object_field: str
    marker_field: str
    places: Places
    batch: int = 100
    deletable: bool = True
    update_batch: int = 0
    keyless: bool = True
    repeatable: bool = False
    claimed: dict[str, str] = field(default_factory=dict)

    async def send(self, items: Sequence[Item]) -> list[WriteResult]:
        self._place(items)
        if items[0].record_id is None:
            made = await self.destination.write(self.target, [item.encoded for item in items])
            self.claimed |= {one.id: item.source_id for item, one in zip(items, made, strict=True) if one.id}
            return made
        before = await self.places.known([item.source_id for item in items])
        moved = [item for item in items if before.get(item.source_id, self._parent(item)) != self._parent(item)]
        results = {item.source_id: await self._move(item, before[item.source_id]) for item in moved}
        staying = [item for item in items if item.source_id not in results]
        if staying:
            updated = await self.destination.update(self.target, [item.encoded for item in staying])
            results |= {item.source_id: result for item, result in zip(staying, updated, strict=True)}
        return [results[item.source_id] for item in items]

    async def _move(self, item: Item, old: tuple[str, str]) -> WriteResult:
        """Written at its new place first, then taken away at the old one: a crash between them loses nothing."""
        assert item.record_id is not None
        if not self.deletable:
            return WriteResult(WriteStatus.REFUSED, code="cannot_be_moved")
        found = await self._look([item])
        if item.source_id in found:  # an earlier try may have come as far as this
            made = WriteResult(WriteStatus.CREATED, id=found[item.source_id].id)
        else:
            fresh = {name: value for name, value in item.payload.items() if name != "id"}
            [made] = await self.destination.write(self.target, [encode(fresh)])
        if made.status is WriteStatus.REFUSED:
            return made
        return await replaced(self.destination, self.target.object, made, item.record_id, old, self._parent(item))

    async def finish(self, items: Sequence[Item]) -> dict[str, WriteResult]:
        """Takes away what moved, where it stands at its new place already. Nothing is written."""
        known = await self.places.known([item.source_id for item in items])
        moving = [item for item in items if item.record_id is not None and item.source_id in known]
        moved = [item for item in moving if known[item.source_id] != self._parent(item)]
        found = await self._look(moved)
        self._place(moved)
        return {
            item.source_id: await self._move(item, known[item.source_id]) for item in moved if item.source_id in found
        }

    async def probe(self, items: Sequence[Item], since: datetime | None = None) -> dict[str, Found]:  # noqa: ARG002
        self._place(items)
        return await self._look([item for item in items if item.record_id is None])

    async def _look(self, items: Sequence[Item]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for item in items:
            parent = self._parent(item)
            if parent not in lists:
                lists[parent] = await self._unowned(await self.destination.children(self.target.object, *parent))
            open_to_it = [one for one in lists[parent] if self._is_open(str(one["id"]), item)]
            child = self._child(item.payload, open_to_it)
            if child is not None:
                found[item.source_id] = Found(str(child["id"]))
                self.claimed[str(child["id"])] = item.source_id
                lists[parent].remove(child)  # a line that occurs twice is found twice
        return found

    async def _unowned(self, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.marker_field or not listed:
            return listed
        owned = await self.places.owned([str(one["id"]) for one in listed])
        return [one for one in listed if str(one["id"]) not in owned]

    def _is_open(self, record_id: str, item: Item) -> bool:
        return bool(self.marker_field) or self.claimed.get(record_id, item.source_id) == item.source_id

    def _child(self, payload: Mapping[str, Any], listed: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """The parent's child with this item's marker; without a marker field the one with the same values."""
        if self.marker_field:
            marker = marker_of(str(payload.get(self.marker_field) or ""))
            return next((one for one in listed if marker and marker in str(one.get(self.marker_field) or "")), None)
        names = payload.keys() - {self.parent_field, self.parent_object_field, "id"}
        return next((one for one in listed if all(_same(payload[name], one.get(name)) for name in names)), None)

    def _parent(self, item: Item) -> tuple[str, str]:
        return parent_of(item.payload, self.parent_field, self.parent_object_field)

    def _place(self, items: Sequence[Item]) -> None:
        for item in items:
            self.places.remember(item, self._parent(item))


async def replaced(
    destination: Destination,
    object_name: str,
    made: WriteResult,
    former: str,
    old: tuple[str, str],
    new: tuple[str, str],
) -> WriteResult:
    """Takes the `former` record away at its `old` place, now that `made` stands at the `new` one.

    Where it has to stay, what was made goes again, so that there is one of them in the end.
    """
    [gone] = await destination.delete(object_name, [former], parent_object=old[0], parent_id=old[1])
    if gone.status is not WriteStatus.REFUSED:
        return made._replace(status=WriteStatus.UPDATED)
    assert made.id is not None
    await destination.delete(object_name, [made.id], parent_object=new[0], parent_id=new[1])
    return gone


def parent_of(payload: Mapping[str, Any], parent_field: str, object_field: str) -> tuple[str, str]:
    """(object, id) of the record a note or file hangs on."""
    parent = payload[parent_field]
    return str(payload[object_field]) if object_field else "", str(parent["id"] if isinstance(parent, dict) else parent)


def _same(sent: Any, got: Any) -> bool:
    """Whether a value reads back as it was sent: numbers by their worth, everything else as text."""
    ours, theirs = (str(exact_json(encode({"v": one}))["v"]) for one in (sent, got))
    first, second = decimal_of(ours), decimal_of(theirs)
    return first == second if first is not None and second is not None else ours == theirs


def marker_of(text: str) -> str:
    """The last bracketed line of a note: the external id that makes it findable."""
    end = text.rfind("]")
    start = text.rfind("[", 0, end) if end >= 0 else -1
    return text[start : end + 1] if start >= 0 else ""


def style_for(facts: ObjectFacts, *, key_is_unique: bool) -> WriteStyle:
    """Upsert only on a key that is unique there; otherwise insert and look up (ruling 16)."""
    if facts.style is WriteStyle.UPSERT and not key_is_unique:
        return WriteStyle.INSERT
    return facts.style


def is_repeatable(facts: ObjectFacts, target: WriteTarget) -> bool:
    """Only an upsert by a unique key may be sent again unseen, and only where the platform's facts prefer that."""
    return facts.probe is ProbeStyle.REPEAT and target.style is WriteStyle.UPSERT and bool(target.key_field)


def is_keyless(facts: ObjectFacts) -> bool:
    return facts.probe is ProbeStyle.PARENT_LIST or facts.key_field is None


def adopted(result: WriteResult, key_field: str) -> WriteResult:
    """A refusal because of our own key means that the record is there already: an earlier call stored it."""
    if result.status is WriteStatus.REFUSED and result.duplicate_id and result.field == key_field:
        return WriteResult(WriteStatus.CREATED, id=result.duplicate_id)
    return result


def encode(payload: Mapping[str, Any]) -> bytes:
    return json_text(payload)
