"""A full run that extracts by itself ends like one whose records were staged before, whatever way they come."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.runs.handover import Block, Handover
from connectors.base import Page
from connectors.servicetracker.source import ServiceTrackerSource
from tests.runs.conftest import OpenWay
from tests.runs.judging import Dump, unequal

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
            yield Page(page.records[start : start + 7], cursor=page.cursor)


@pytest.mark.parametrize("way_to_come", [None, _twice, _backwards, _small])
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
    assert handed > 0 or way_to_come in (_twice, _backwards)
