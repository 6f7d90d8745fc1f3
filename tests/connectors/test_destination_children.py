"""Every destination: notes, files and links that hang on a record."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from connectors.base import FileStream, WriteStatus, WriteStyle, WriteTarget
from connectors.errors import ContractBroken, Transient
from tests.connectors.destination_cases import Bench, stream


class TestChildren:
    async def parent(self, bench: Bench, key: str) -> str:
        (one,) = await bench.destination.write(bench.target(), bench.records(key))
        return str(one.id)

    async def test_notes_are_listed_and_deleted(self, bench: Bench) -> None:
        parent = await self.parent(bench, "with notes")
        notes = [bench.case.note(bench.case.keyed, parent, f"marker {n}") for n in range(3)]
        results = await bench.destination.write(WriteTarget(bench.case.child, style=WriteStyle.INSERT), notes)
        rows = await bench.destination.children(bench.case.child, bench.case.keyed, parent)
        assert [(row["id"], row[bench.case.note_text]) for row in rows] == [
            (one.id, f"marker {n}") for n, one in enumerate(results)
        ]
        ids = [str(one.id) for one in results]
        for _ in range(2):
            gone = await bench.destination.delete(bench.case.child, ids)
            assert [one.status for one in gone] == [WriteStatus.UPDATED] * 3
        assert await bench.destination.children(bench.case.child, bench.case.keyed, parent) == []

    async def test_files_arrive_byte_by_byte(self, bench: Bench) -> None:
        parent = await self.parent(bench, "with files")
        parts = [bytes([n]) * 70_000 for n in range(10)]
        names = ["photo.png", "photo.png", "Ünïcode – 日本.pdf", "empty.txt"]
        for name in names[:3]:
            result = await bench.destination.attach(bench.case.keyed, parent, stream(name, *parts, size=700_000))
            assert result.status is WriteStatus.CREATED
        unknown = await bench.destination.attach(bench.case.keyed, parent, stream(names[3], b"x"))
        assert unknown.status is WriteStatus.CREATED
        rows = await bench.destination.children(bench.case.files, bench.case.keyed, parent)
        assert sorted(row["File_Name"] for row in rows) == sorted(names)
        stored = {one.name: one for one in await bench.case.stored(bench.sandbox, parent)}
        assert stored["photo.png"].sha256 == hashlib.sha256(b"".join(parts)).hexdigest()

    async def test_a_link_in_place_of_a_file(self, bench: Bench) -> None:
        parent = await self.parent(bench, "with link")
        url = "https://files.example.net/a?b=c&d=%20e"
        result = await bench.destination.attach_link(bench.case.keyed, parent, "Big report", url)
        assert result.status is WriteStatus.CREATED
        assert [one.url for one in await bench.case.stored(bench.sandbox, parent)] == [url]

    async def test_files_are_deleted_through_their_parent_twice_or_said_to_stay(self, bench: Bench) -> None:
        parent = await self.parent(bench, "losing files")
        made = await bench.destination.attach(bench.case.keyed, parent, stream("a.txt", b"abc", size=3))
        for _ in range(2):
            (gone,) = await bench.destination.delete(
                bench.case.files, [str(made.id)], parent_object=bench.case.keyed, parent_id=parent
            )
            assert gone.status is (WriteStatus.UPDATED if bench.case.files_deletable else WriteStatus.REFUSED)
            assert bool(gone.code) is not bench.case.files_deletable
        left = await bench.destination.children(bench.case.files, bench.case.keyed, parent)
        assert len(left) == int(not bench.case.files_deletable)

    async def test_a_file_over_the_limit_is_a_refusal(self, bench: Bench) -> None:
        parent = await self.parent(bench, "too much")
        announced = await bench.destination.attach(bench.case.keyed, parent, stream("a.bin", size=10**9))
        assert announced.status is WriteStatus.REFUSED
        block = b"x" * 1024 * 1024
        found_out = await bench.destination.attach(
            bench.case.keyed, parent, stream("b.bin", *([block] * bench.case.too_many_megabytes))
        )
        assert found_out.status is WriteStatus.REFUSED
        assert await bench.destination.children(bench.case.files, bench.case.keyed, parent) == []

    async def test_a_source_that_breaks_off_leaves_no_file(self, bench: Bench) -> None:
        parent = await self.parent(bench, "cut off")

        async def breaking() -> AsyncIterator[bytes]:
            yield b"x" * 100_000
            raise Transient("the source hung up")

        with pytest.raises(Transient, match="hung up"):
            await bench.destination.attach(bench.case.keyed, parent, FileStream("a", "text/plain", 200_000, breaking()))
        with pytest.raises(ContractBroken):
            await bench.destination.attach(bench.case.keyed, parent, stream("b", b"abc", size=5))
        assert await bench.destination.children(bench.case.files, bench.case.keyed, parent) == []

    async def test_a_file_for_a_parent_that_is_gone(self, bench: Bench) -> None:
        result = await bench.destination.attach(bench.case.keyed, "999999999999999999", stream("a", b"x", size=1))
        assert result.status is WriteStatus.REFUSED
        assert await bench.destination.children(bench.case.files, bench.case.keyed, "999999999999999999") == []
