"""How planned writes reach a destination and how a lost answer is cleared up, per kind of load.

A writer sends one batch and returns one verdict per item; `probe` finds at the destination what an unanswered call may
have stored. Neither commits anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from app.domain.numerals import decimal_of
from app.domain.values import exact_json
from app.runs.deciding import Item
from connectors.base import (
    Destination,
    FileRef,
    Found,
    ObjectFacts,
    ProbeStyle,
    Source,
    WriteResult,
    WriteStatus,
    WriteStyle,
    WriteTarget,
)


class Writer(Protocol):
    """`batch` is items per call; `keyless` says that a crash must leave few unknowns (ruling 9).

    `repeatable`: a call without an answer is sent again as it is, since it ends in the same state.
    """

    batch: int
    keyless: bool
    repeatable: bool

    async def send(self, items: Sequence[Item]) -> list[WriteResult]: ...

    async def probe(self, items: Sequence[Item]) -> dict[str, Found]:
        """Source id → the destination record that carries this item already."""


@dataclass(slots=True)
class RecordWriter:
    """Records of an object with a key: insert or upsert, probe by the key."""

    destination: Destination
    target: WriteTarget
    key_field: str
    batch: int = 100
    keyless: bool = False
    repeatable: bool = False

    async def send(self, items: Sequence[Item]) -> list[WriteResult]:
        encoded = [item.encoded for item in items]
        if items[0].record_id is not None:
            return await self.destination.update(self.target, encoded)
        return await self.destination.write(self.target, encoded)

    async def probe(self, items: Sequence[Item]) -> dict[str, Found]:
        updates = {item.source_id: Found(item.record_id) for item in items if item.record_id is not None}
        keys = {item.payload[self.key_field]: item.source_id for item in items if item.record_id is None}
        if not keys:
            return {}  # an update may be sent again: it ends in the same state
        found = await self.destination.find(self.target.object, self.key_field, list(keys))
        return {keys[key]: rows[0] for key, rows in found.items() if rows and key in keys and keys[key] not in updates}


@dataclass(slots=True)
class NoteWriter:
    """Notes: no key field at all, so a marker in the text is looked for in the parent's list."""

    destination: Destination
    target: WriteTarget
    parent_field: str
    parent_object_field: str
    marker_field: str
    batch: int = 100
    keyless: bool = True
    repeatable: bool = False

    async def send(self, items: Sequence[Item]) -> list[WriteResult]:
        encoded = [item.encoded for item in items]
        if items[0].record_id is not None:
            return await self.destination.update(self.target, encoded)
        return await self.destination.write(self.target, encoded)

    async def probe(self, items: Sequence[Item]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for item in items:
            if item.record_id is not None:
                continue
            parent = parent_of(item.payload, self.parent_field, self.parent_object_field)
            if parent not in lists:
                lists[parent] = await self.destination.children(self.target.object, *parent)
            child = self._child(item.payload, lists[parent])
            if child is not None:
                found[item.source_id] = Found(str(child["id"]))
                lists[parent].remove(child)  # a line that occurs twice is found twice
        return found

    def _child(self, payload: Mapping[str, Any], listed: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """The parent's child with this item's marker; without a marker field the one with the same values."""
        if self.marker_field:
            marker = marker_of(str(payload.get(self.marker_field) or ""))
            return next((one for one in listed if marker and marker in str(one.get(self.marker_field) or "")), None)
        names = payload.keys() - {self.parent_field, self.parent_object_field, "id"}
        return next((one for one in listed if all(_same(payload[name], one.get(name)) for name in names)), None)


@dataclass(slots=True)
class FileWriter:
    """Files: one call each, streamed from source to destination; probed by name in the parent's list."""

    source: Source
    destination: Destination
    target: WriteTarget
    parent_field: str
    parent_object_field: str
    limit: int
    links: "FileLinks"
    batch: int = 1
    keyless: bool = True
    repeatable: bool = False

    async def send(self, items: Sequence[Item]) -> list[WriteResult]:
        results = []
        for item in items:
            object_name, parent = parent_of(item.payload, self.parent_field, self.parent_object_field)
            name = str(item.payload["name"])
            size = int(item.record.get("Size") or 0)
            if size > self.limit:
                url = await self.links.archive(self.source, file_ref(item.record), name)
                results.append(await self.destination.attach_link(object_name, parent, name, url))
                continue
            async with self.source.open_file(file_ref(item.record)) as stream:
                named = type(stream)(name, stream.content_type, stream.size, stream.chunks)
                results.append(await self.destination.attach(object_name, parent, named))
        return results

    async def probe(self, items: Sequence[Item]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for item in items:
            object_name, parent = parent_of(item.payload, self.parent_field, self.parent_object_field)
            for child in await self.destination.children(self.target.object, object_name, parent):
                if child.get("File_Name") == item.payload["name"]:
                    found[item.source_id] = Found(str(child["id"]))
        return found


class FileLinks(Protocol):
    """Keeps a file that is too large for the destination and answers with a signed, expiring link (ruling 25)."""

    async def archive(self, source: Source, ref: FileRef, name: str) -> str: ...


def file_ref(record: Mapping[str, Any]) -> FileRef:
    """Where the bytes of a staged `File` record are."""
    return FileRef(str(record["BlobObject"]), str(record["BlobId"]), str(record["BlobField"]))


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
    return orjson.dumps(payload)
