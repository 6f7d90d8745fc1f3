"""How files reach a destination: one call each, streamed from the source, told apart by name, size and bytes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.runs.items import Item
from app.runs.writers import Places, parent_of, replaced
from connectors.base import Destination, FileRef, Found, Source, WriteResult, WriteStatus, WriteTarget
from connectors.errors import BatchRefused

Place = tuple[str, str]


class FileLinks(Protocol):
    """Keeps a file that is too large for the destination and answers with a signed, expiring link (ruling 25)."""

    async def archive(self, source: Source, ref: FileRef, name: str) -> str: ...


@dataclass(slots=True)
class FileWriter:
    """Files, probed in their parent's list.

    A listed file is an item's when its name and its size are the item's, when the vendor shows its bytes these too,
    and when no other source record has it: by the ledger, or by an answer of this run (`claimed`: file id to source
    id). A file cannot be changed there: one that has another parent or other bytes replaces what was attached before.
    """

    source: Source
    destination: Destination
    target: WriteTarget
    parent_field: str
    parent_object_field: str
    limit: int
    links: FileLinks
    places: Places
    deletable: bool = True
    batch: int = 1
    update_batch: int = 0
    keyless: bool = True
    repeatable: bool = False
    claimed: dict[str, str] = field(default_factory=dict)

    async def send(self, items: Sequence[Item]) -> list[WriteResult]:
        return [await self._replace(item) if item.record_id is not None else await self._attach(item) for item in items]

    async def _replace(self, item: Item) -> WriteResult:
        """Attached first, then the former file goes: a crash between them loses nothing."""
        assert item.record_id is not None
        if not self.deletable:
            return WriteResult(WriteStatus.REFUSED, code="file_cannot_be_replaced")
        old = (await self.places.known([item.source_id])).get(item.source_id, self._parent(item))
        self.places.remember(item, self._parent(item))
        found = await self._look([item])  # an earlier try may have come as far as this
        if item.source_id in found:
            made = WriteResult(WriteStatus.CREATED, id=found[item.source_id].id)
        else:
            made = await self._attach(item)
        if made.status is WriteStatus.REFUSED:
            return made
        return await replaced(self.destination, self.target.object, made, item.record_id, old, self._parent(item))

    async def _attach(self, item: Item) -> WriteResult:
        object_name, parent = self._parent(item)
        self.places.remember(item, (object_name, parent))
        name = str(item.payload["name"])
        if self._as_link(item):
            url = await self.links.archive(self.source, file_ref(item.record), name)
            made = await self.destination.attach_link(object_name, parent, name, url)
        else:
            async with self.source.open_file(file_ref(item.record)) as stream:
                named = type(stream)(name, stream.content_type, stream.size, stream.chunks)
                made = await self.destination.attach(object_name, parent, named)
        if made.id:
            self.claimed[made.id] = item.source_id
        return made

    async def probe(self, items: Sequence[Item], since: datetime | None = None) -> dict[str, Found]:
        for item in items:
            self.places.remember(item, self._parent(item))
        return await self._look([item for item in items if item.record_id is None], since)

    async def finish(self, items: Sequence[Item]) -> dict[str, WriteResult]:
        """Takes away what these replace, where the new file stands already. Nothing is attached."""
        replacing = [item for item in items if item.record_id is not None and self.deletable]
        found = await self._look(replacing)
        return {item.source_id: await self._replace(item) for item in replacing if item.source_id in found}

    async def _look(self, items: Sequence[Item], since: datetime | None = None) -> dict[str, Found]:
        found: dict[str, Found] = {}
        lists: dict[Place, list[dict[str, Any]]] = {}
        for item in items:
            parent = self._parent(item)
            if parent not in lists:
                listed = await self._unowned(parent)
                lists[parent] = [one for one in listed if since is None or not _is_older(one, since)]
            for child in lists[parent]:
                if await self._is(item, parent, child):
                    found[item.source_id] = Found(str(child["id"]))
                    self.claimed[str(child["id"])] = item.source_id
                    lists[parent].remove(child)
                    break
        return found

    async def _unowned(self, parent: Place) -> list[dict[str, Any]]:
        listed = await self.destination.children(self.target.object, *parent)
        owned = await self.places.owned([str(one["id"]) for one in listed]) if listed else set()
        return [one for one in listed if str(one["id"]) not in owned]

    async def _is(self, item: Item, parent: Place, child: Mapping[str, Any]) -> bool:
        file_id = str(child["id"])
        if (
            self.claimed.get(file_id, item.source_id) != item.source_id
            or child.get("File_Name") != item.payload["name"]
        ):
            return False
        size = announced_size(item.record)
        if self._as_link(item) or size is None:
            return True
        if child.get("Size") is not None and str(child["Size"]) != str(size):
            return False
        theirs = await self.destination.file_digest(*parent, file_id)
        try:
            ours, length = await self._digest(item) if theirs is not None else ("", size)
            return theirs is None or theirs == ours or length != size  # with other bytes now it was sent as it was then
        except BatchRefused:  # the source has let it go since: its name and size are all that is left to tell it by
            return True

    async def _digest(self, item: Item) -> tuple[str, int]:
        """Of the bytes that the source has now, and how many these are."""
        found, length = hashlib.sha256(), 0
        async with self.source.open_file(file_ref(item.record)) as stream:
            async for chunk in stream.chunks:
                found.update(chunk)
                length += len(chunk)
        return found.hexdigest(), length

    def _as_link(self, item: Item) -> bool:
        return (announced_size(item.record) or 0) > self.limit

    def _parent(self, item: Item) -> Place:
        return parent_of(item.payload, self.parent_field, self.parent_object_field)


def _is_older(listed: Mapping[str, Any], since: datetime) -> bool:
    """Whether a listed file was there before; one whose list does not say so may be of any age."""
    try:
        made = datetime.fromisoformat(str(listed.get("Created_Time")))
    except ValueError:
        return False
    return made.tzinfo is not None and made < since


def file_ref(record: Mapping[str, Any]) -> FileRef:
    """Where the bytes of a staged `File` record are."""
    return FileRef(str(record["BlobObject"]), str(record["BlobId"]), str(record["BlobField"]))


def announced_size(record: Mapping[str, Any]) -> int | None:
    """Bytes of a staged `File` record as its source says; None where it does not, as with signatures."""
    size = record.get("Size")
    return None if size is None or int(size) < 0 else int(size)
