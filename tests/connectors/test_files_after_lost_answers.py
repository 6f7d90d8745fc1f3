"""Files whose answer was lost are found again by name, size and bytes: two files of one name at one parent are two."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from app.runs.filing import FileLinks, FileWriter
from app.runs.items import Item
from connectors.base import FileRef, FileStream, Source, WriteTarget
from connectors.registry import PLATFORMS
from tests.connectors.destination_cases import Bench, content, stream
from tests.runs.test_keyless_writers import NoPlaces


class Shelf:
    """A source of files by id, and links to them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    @asynccontextmanager
    async def open_file(self, ref: FileRef) -> AsyncIterator[FileStream]:
        body = self.files[ref.id]
        yield FileStream(ref.id, "image/png", len(body), content(body))

    async def archive(self, source: Source, ref: FileRef, name: str) -> str:
        return f"https://archive.example.com/{ref.id}"


def writer(bench: Bench, shelf: Shelf, *ours: str, limit: int = 10**6) -> FileWriter:
    facts = PLATFORMS[bench.case.slug].object_facts(bench.case.files)
    return FileWriter(
        cast("Source", shelf),
        bench.destination,
        WriteTarget(bench.case.files),
        facts.parent_field,
        facts.parent_object_field,
        limit,
        cast("FileLinks", shelf),
        NoPlaces(*ours),
        facts.deletable,
    )


def items(bench: Bench, parent: str, shelf: Shelf, sizes: Sequence[int | None] = ()) -> list[Item]:
    """Every file of the shelf under one name at one parent."""
    facts = PLATFORMS[bench.case.slug].object_facts(bench.case.files)
    made = []
    for number, (key, body) in enumerate(shelf.files.items()):
        size = sizes[number] if sizes else len(body)
        record = {"BlobObject": "File", "BlobId": key, "BlobField": "Body", "Size": size}
        payload: dict[str, Any] = {
            facts.parent_field: parent, facts.parent_object_field: bench.case.keyed, "name": "photo.png"
        }  # fmt: skip
        made.append(Item(key, cast("Any", record), payload, b"", b""))
    return made


async def parent_of(bench: Bench, key: str) -> str:
    (one,) = await bench.destination.write(bench.target(), bench.records(key))
    return str(one.id)


async def test_a_file_of_the_same_name_and_another_size_is_not_taken_for_ours(bench: Bench) -> None:
    parent = await parent_of(bench, "sizes")
    shelf = Shelf({"short": b"x" * 10, "long": b"x" * 2000})
    short, long = items(bench, parent, shelf)
    [made] = await writer(bench, shelf).send([short])  # its answer is lost, and so is the writer
    found = await writer(bench, shelf).probe([short, long])
    assert {key: one.id for key, one in found.items()} == {"short": made.id}


async def test_equal_names_and_sizes_are_told_apart_by_their_bytes_where_these_can_be_read(bench: Bench) -> None:
    parent = await parent_of(bench, "bytes")
    shelf = Shelf({"first": b"a" * 500, "second": b"b" * 500})
    first, second = items(bench, parent, shelf)
    [made] = await writer(bench, shelf).send([second])
    found = await writer(bench, shelf).probe([first, second])
    readable = await bench.destination.file_digest(bench.case.keyed, parent, str(made.id)) is not None
    assert list(found) == (["second"] if readable else ["first"])
    assert [one.id for one in found.values()] == [made.id]  # one file is never two records


async def test_a_file_of_another_record_is_not_found(bench: Bench) -> None:
    """By the ledger, by an answer of this run, and by what was found before."""
    parent = await parent_of(bench, "owned")
    shelf = Shelf({"one": b"a" * 50, "other": b"a" * 50})
    one, other = items(bench, parent, shelf)
    mine = writer(bench, shelf)
    [made] = await mine.send([one])
    assert await mine.probe([other]) == {}
    assert await writer(bench, shelf, str(made.id)).probe([other]) == {}
    stranger = writer(bench, shelf)
    assert list(await stranger.probe([one])) == ["one"]
    assert await stranger.probe([other]) == {}


async def test_links_and_files_without_an_announced_size_are_found_by_name(bench: Bench) -> None:
    parent = await parent_of(bench, "links")
    shelf = Shelf({"large": b"x" * 900})
    large = items(bench, parent, shelf)
    [made] = await writer(bench, shelf, limit=100).send(large)
    assert {one.id for one in (await writer(bench, shelf, limit=100).probe(large)).values()} == {made.id}
    parent = await parent_of(bench, "unannounced")
    unknown = items(bench, parent, shelf, [None])
    [made] = await writer(bench, shelf).send(unknown)
    assert {one.id for one in (await writer(bench, shelf).probe(unknown)).values()} == {made.id}


async def test_the_digest_is_that_of_the_bytes_and_a_link_has_none(bench: Bench) -> None:
    parent = await parent_of(bench, "digest")
    body = bytes(range(256)) * 300
    made = await bench.destination.attach(bench.case.keyed, parent, stream("a.bin", body, size=len(body)))
    shown = await bench.destination.file_digest(bench.case.keyed, parent, str(made.id))
    assert shown in (None, hashlib.sha256(body).hexdigest())
    assert (shown is None) is not bench.case.files_deletable  # where nothing can be read, nothing can be deleted
    link = await bench.destination.attach_link(bench.case.keyed, parent, "b", "https://files.example.net/b")
    assert await bench.destination.file_digest(bench.case.keyed, parent, str(link.id)) is None
