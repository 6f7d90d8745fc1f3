"""A full run that extracts by itself ends like one whose records were staged before, whatever way they come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.mapping import FieldRule
from app.domain.schema import Record
from app.runs.handover import Block, Handover
from app.runs.loading import Loader
from connectors.base import Deletion, Page
from connectors.errors import ContractBroken
from connectors.servicetracker.source import ServiceTrackerSource
from tests.runs.conftest import OpenWay
from tests.runs.doom import one_life
from tests.runs.judging import Dump, unequal

HANGS_SECONDS = 60.0

Pages = AsyncIterator[Page]


async def _twice(pages: Pages) -> Pages:
    async for page in pages:
        yield page
        yield page


async def _backwards(pages: Pages) -> Pages:
    async for page in pages:
        yield Page(list(reversed(page.records)), page.deletions, page.cursor)


async def _small(pages: Pages) -> Pages:
    async for page in pages:
        for start in range(0, len(page.records), 7):
            yield Page(page.records[start : start + 7])
        yield Page((), page.deletions, page.cursor)


async def _later_differently(pages: Pages) -> Pages:
    """Each page comes with other names first, in pieces that a load takes up at once; then as it should be."""
    async for page in pages:
        former = [{**one, "Name": f"{one['Name']} before"} if "Name" in one else one for one in page.records]
        for start in range(0, len(former), 7):
            yield Page(former[start : start + 7])
            await asyncio.sleep(0)
        yield page


async def _late_ones(pages: Pages) -> Pages:
    """What comes first by its key comes last."""
    held: list[Record] = []
    async for page in pages:
        held += page.records[:3]
        for start in range(3, len(page.records), 7):
            yield Page(page.records[start : start + 7])
    yield Page(held)


async def _in_spite_of_deletions(pages: Pages) -> Pages:
    async for page in pages:
        gone = Deletion("zzz", datetime(2026, 1, 1, tzinfo=UTC))
        yield Page(page.records[:5], [gone])
        yield Page(page.records[5:], page.deletions, page.cursor)


def come(monkeypatch: pytest.MonkeyPatch, changed: Callable[[Pages], Pages], name: str = "") -> None:
    """From now on the pages of this source object ("": of all) come in another way; `undo` ends it."""
    read = ServiceTrackerSource.read

    def reading(source: Any, read_name: str, *given: Any, **named: Any) -> Pages:
        pages = read(source, read_name, *given, **named)
        return changed(pages) if name in ("", read_name) else pages

    monkeypatch.setattr(ServiceTrackerSource, "read", reading)


UNORDERLY = (_twice, _backwards, _later_differently, _late_ones, _in_spite_of_deletions)


@pytest.mark.parametrize("way_to_come", [None, _small, *UNORDERLY])
async def test_records_arrive_once_however_they_come(
    open_way: OpenWay,
    undisturbed: Dump,
    monkeypatch: pytest.MonkeyPatch,
    way_to_come: Callable[[Pages], Pages] | None,
) -> None:
    handed = 0
    take = Handover.take

    def counted(self: Handover, *arguments: Any) -> list[Block]:
        nonlocal handed
        blocks = take(self, *arguments)
        handed += len(blocks)
        return blocks

    monkeypatch.setattr(Handover, "take", counted)
    if way_to_come is not None:
        come(monkeypatch, way_to_come)
    async with open_way() as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        await way.run("full")
        assert unequal(await way.destination.dump(), undisturbed) == []
    assert handed > 0 or way_to_come in (_twice, _backwards, _in_spite_of_deletions)


async def test_a_load_follows_the_extraction_of_its_object(
    open_way: OpenWay, undisturbed: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are announced before their object has been read to its end, and arrive once."""
    followed: list[bool] = []
    announce, gate = Loader._announce, asyncio.Event()

    async def waiting(pages: Pages) -> Pages:
        async for page in _small(pages):
            yield page
        with suppress(TimeoutError):
            async with asyncio.timeout(HANGS_SECONDS):
                await gate.wait()
        followed.append(gate.is_set())

    async def announcing(self: Loader, *given: Any) -> Any:
        if self._load.key == "deals":
            gate.set()
        return await announce(self, *given)

    async with open_way() as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        come(monkeypatch, waiting, "WorkOrder")
        monkeypatch.setattr(Loader, "_announce", announcing)
        await way.run("full")
        assert followed == [True]
        assert unequal(await way.destination.dump(), undisturbed) == []


@pytest.mark.parametrize(
    ("way_to_come", "moments"),
    [
        (_small, ("call Accounts", "answer Accounts", "record accounts", "answer Contacts")),
        (_late_ones, ("call Accounts", "record accounts", "answer Contacts")),
        (_later_differently, ("answer Accounts",)),  # what was sent is not what is read the next time
        (_later_differently, ("answer Contacts", "record contacts")),
    ],
)
async def test_death_beside_an_extraction_loses_and_doubles_nothing(
    open_way: OpenWay,
    undisturbed: Dump,
    monkeypatch: pytest.MonkeyPatch,
    way_to_come: Callable[[Pages], Pages],
    moments: tuple[str, ...],
) -> None:
    async with open_way(flush_rows=6, call_timeout_seconds=0.5) as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        come(monkeypatch, way_to_come)
        run_id = await way.start("full")
        for moment in moments:
            doom = await one_life(way, run_id, moment.__eq__)
            assert doom.last == moment
        await way.drive(run_id)
        assert unequal(await way.destination.dump(), undisturbed) == []
        assert await way.fetch("SELECT 1 FROM intents") == []
        assert await way.fetch("SELECT 1 FROM run_stages WHERE detail ? 'followed'") == []


async def test_what_is_deleted_while_it_is_being_written_stays_this_runs(
    open_way: OpenWay, undisturbed: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands at the destination and in the ledger; that it is gone is the next delta's business."""
    announce, gate = Loader._announce, asyncio.Event()

    async def one_goes(pages: Pages) -> Pages:
        records: list[Record] = []
        async for page in _small(pages):
            records += page.records
            yield page
        with suppress(TimeoutError):
            async with asyncio.timeout(HANGS_SECONDS):
                await gate.wait()
        yield Page((), [Deletion(str(records[0]["Id"]), datetime(2026, 1, 1, tzinfo=UTC))])

    async def announcing(self: Loader, *given: Any) -> Any:
        made = await announce(self, *given)
        if self._load.key == "deals":
            gate.set()
        return made

    async with open_way() as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        come(monkeypatch, one_goes, "WorkOrder")
        monkeypatch.setattr(Loader, "_announce", announcing)
        await way.run("full")
        dump = [one for one in await way.destination.dump() if one["module"] == "Deals"]
        assert len(dump) == sum(one["module"] == "Deals" for one in undisturbed)
        gone = await way.fetch("SELECT source_id FROM staged WHERE object = 'WorkOrder' AND deleted_at IS NOT NULL")
        assert len(gone) > 0
        ledger = {row["source_id"]: row["outcome"] for row in await way.ledger("source_object = 'WorkOrder'")}
        assert ledger[gone[0]["source_id"]] == "created"


async def test_a_record_finds_a_later_one_of_its_kind(open_way: OpenWay, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a mapping takes over a dotted path from the load's own object must have been read whole."""

    async def children_first(pages: Pages) -> Pages:
        records = [one async for page in pages for one in page.records]
        parent = records[-1]["Id"]
        for start in range(0, len(records), 3):
            part = records[start : start + 3]
            yield Page([one if one["Id"] == parent else {**one, "ParentId": parent} for one in part])
            await asyncio.sleep(0.02)

    async with open_way() as way:
        come(monkeypatch, children_first, "Account")
        await way.up_to("preflight")
        await way.decide_owners()
        document = await way.propose()
        accounts = document.load("accounts")
        rules = [one for one in accounts.fields if one.target != "Description"]
        changed = accounts.model_copy(
            update={"fields": (*rules, FieldRule(target="Description", sources=("ParentId.Name",)))}
        )
        loads = tuple(changed if one.key == "accounts" else one for one in document.loads)
        await way.confirm(document.model_copy(update={"loads": loads}))
        await way.run("provision")
        staged = await way.fetch("SELECT count(*) AS n FROM staged WHERE object = 'Account' AND deleted_at IS NULL")
        await way.execute("DELETE FROM staged")
        await way.run("full")
        there = [one["data"] for one in await way.destination.dump() if one["module"] == "Accounts" and "data" in one]
        skipped = await way.ledger("outcome = 'skipped' AND source_object = 'Account'")
        assert sum(bool(one.get("Description")) for one in there) >= staged[0]["n"] - 1 - len(skipped)


@pytest.mark.parametrize("kind", ["full", "preflight", "sample"])
async def test_a_part_that_a_failed_run_staged_is_not_taken_for_all(
    open_way: OpenWay, undisturbed: Dump, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    async def broken(pages: Pages) -> Pages:
        async for page in pages:
            yield Page(page.records[:5])
            yield Page(())
            yield Page(())
            raise ContractBroken("the source makes no sense any more", code="NO_SENSE")

    async with open_way() as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        await way.execute("UPDATE run_stages SET state = 'skipped' WHERE kind = 'extract'")  # as if nobody had read
        come(monkeypatch, broken, "Account")
        await way.run(kind, expect="failed")
        monkeypatch.undo()
        await way.run("full")
        assert unequal(await way.destination.dump(), undisturbed) == []
