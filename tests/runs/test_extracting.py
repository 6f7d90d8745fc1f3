"""A full run that extracts by itself ends like one whose records were staged before, whatever way they come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.schema import Record
from app.runs.handover import Block, Handover
from app.runs.loading import Loader
from connectors.base import Deletion, Page
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


UNORDERLY = (_twice, _backwards, _later_differently, _late_ones, _in_spite_of_deletions)


@pytest.mark.parametrize("way_to_come", [None, _small, *UNORDERLY])
async def test_records_arrive_once_however_they_come(
    open_way: OpenWay,
    undisturbed: Dump,
    monkeypatch: pytest.MonkeyPatch,
    way_to_come: Callable[[Pages], Pages] | None,
) -> None:
    handed = 0
    take, read = Handover.take, ServiceTrackerSource.read

    def counted(self: Handover, *arguments: Any) -> list[Block]:
        nonlocal handed
        blocks = take(self, *arguments)
        handed += len(blocks)
        return blocks

    monkeypatch.setattr(Handover, "take", counted)
    if way_to_come is not None:
        changed = way_to_come
        monkeypatch.setattr(ServiceTrackerSource, "read", lambda *given, **named: changed(read(*given, **named)))
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
    read, announce, gate = ServiceTrackerSource.read, Loader._announce, asyncio.Event()

    async def waiting(pages: Pages) -> Pages:
        async for page in _small(pages):
            yield page
        with suppress(TimeoutError):
            async with asyncio.timeout(HANGS_SECONDS):
                await gate.wait()
        followed.append(gate.is_set())

    def reading(source: Any, name: str, *given: Any, **named: Any) -> Pages:
        pages = read(source, name, *given, **named)
        return waiting(pages) if name == "WorkOrder" else pages

    async def announcing(self: Loader, *given: Any) -> Any:
        if self._load.key == "deals":
            gate.set()
        return await announce(self, *given)

    async with open_way() as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        monkeypatch.setattr(ServiceTrackerSource, "read", reading)
        monkeypatch.setattr(Loader, "_announce", announcing)
        await way.run("full")
        assert followed == [True]
        assert unequal(await way.destination.dump(), undisturbed) == []


@pytest.mark.parametrize("way_to_come", [_small, _later_differently, _late_ones])
async def test_death_beside_an_extraction_loses_and_doubles_nothing(
    open_way: OpenWay, undisturbed: Dump, monkeypatch: pytest.MonkeyPatch, way_to_come: Callable[[Pages], Pages]
) -> None:
    read = ServiceTrackerSource.read
    async with open_way(flush_rows=6, call_timeout_seconds=0.5) as way:
        await way.up_to("provision")
        await way.execute("DELETE FROM staged")
        monkeypatch.setattr(ServiceTrackerSource, "read", lambda *given, **named: way_to_come(read(*given, **named)))
        run_id = await way.start("full")
        for moment in ("call Accounts", "answer Accounts", "record accounts", "answer Contacts"):
            doom = await one_life(way, run_id, moment.__eq__)
            assert doom.last == moment
        await way.drive(run_id)
        assert unequal(await way.destination.dump(), undisturbed) == []
        assert await way.fetch("SELECT 1 FROM intents") == []
        assert await way.fetch("SELECT 1 FROM run_stages WHERE detail ? 'followed'") == []
