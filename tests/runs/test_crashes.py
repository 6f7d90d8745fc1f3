"""A worker may die at any moment: another one brings the run to the same end, nothing lost and nothing doubled."""

import random
from dataclasses import replace
from typing import Any

import pytest

from app.runs.claims import LeaseLost
from app.runs.ledger import Book
from app.runs.recording import Recorder
from tests.runs.conftest import OpenWay
from tests.runs.doom import after, one_life
from tests.runs.judging import Dump, unequal

SMALL = {"flush_rows": 6, "call_timeout_seconds": 0.5}
"""Pages of six records, so that every load has blocks ahead, on the wire and behind."""
LOADS = {"accounts": "Accounts", "tasks": "Tasks", "notes": "Notes", "files": "Attachments"}
"""Keyed with upsert, keyed with insert only, and two without any key."""
MOMENTS = {
    "before the intent is committed": "intent {load}",
    "after the intent, before the call": "call {object}",
    "after the call, before its result is kept": "answer {object}",
    "while results are being kept": "record {load}",
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_death_loses_and_doubles_nothing(open_way: OpenWay, undisturbed: Dump, moment: str) -> None:
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        run_id = await way.start("full")
        left = {MOMENTS[moment].format(load=load, object=name) for load, name in LOADS.items()}
        while left:  # loads overlap: whichever comes there first
            doom = await one_life(way, run_id, lambda step: step in left)
            assert doom.last in left
            left.remove(doom.last)
            assert (await way.row(run_id)).state == "running"
        await way.drive(run_id)
        assert unequal(await way.destination.dump(), undisturbed) == []
        assert await way.fetch("SELECT 1 FROM intents") == []
        assert (await way.row(run_id)).fence == len(LOADS) + 1


async def test_booking_ends_leaves_the_cursor_to_the_announcement(
    open_way: OpenWay, undisturbed: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ends are booked beside an announcement that is not committed yet: an older cursor must not go over the newer one,
    or the next worker would take a block twice.
    """
    commit, gone_back = Recorder._commit, []

    async def older(self: Recorder, entries: Any, blocks: Any) -> None:
        stage = self._stage
        self._stage = replace(stage, cursor="older", counts={**stage.counts, "taken": -1})
        try:
            await commit(self, entries, blocks)
        finally:
            stage.counts["settled"] = self._stage.counts.get("settled", 0)
            self._stage = stage
        async with self._work.transaction() as connection:
            gone_back.extend(
                await connection.fetch(
                    "SELECT key FROM run_stages WHERE run_id = $1 AND (cursor = 'older' OR counts ->> 'taken' = '-1')",
                    self._work.run.id,
                )
            )

    monkeypatch.setattr(Recorder, "_commit", older)
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        await way.run("full")
        assert gone_back == []
        assert unequal(await way.destination.dump(), undisturbed) == []


@pytest.mark.parametrize("load", ["accounts", "tasks"])
async def test_a_block_that_could_not_be_announced_is_read_again(
    open_way: OpenWay, undisturbed: Dump, monkeypatch: pytest.MonkeyPatch, load: str
) -> None:
    """The worker gives up while it announces a block, and commits what it knows of the blocks before: the next one
    begins with the block that nobody announced, although the lease never passed to anybody.
    """
    announce, announced = Book.commit_intent, []

    async def failing(book: Book, connection: Any, intent: Any, stage: str, **more: Any) -> None:
        if stage == f"load:{load}":
            announced.append(more["upto_id"])
            if len(announced) == 2:
                raise LeaseLost
        await announce(book, connection, intent, stage, **more)

    monkeypatch.setattr(Book, "commit_intent", failing)
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        run_id = await way.start("full")
        await way.drive_once(run_id)
        assert len(announced) == 2
        await way.free(run_id)
        await way.drive(run_id)
        assert announced[2] == announced[1]
        assert unequal(await way.destination.dump(), undisturbed) == []


async def test_a_run_of_many_deaths_ends_as_if_nothing_had_been(open_way: OpenWay, undisturbed: Dump) -> None:
    """Deaths drawn over every step: between any two commits, around any call."""
    draw = random.Random(11)
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        run_id = await way.start("full")
        deaths: list[str] = []
        for _ in range(12):
            patience = draw.randrange(5, 60)
            doom = await one_life(way, run_id, after(patience))
            if not doom.last:
                break
            deaths.append(doom.last)
        await way.drive(run_id)
        assert len(deaths) > 5
        assert unequal(await way.destination.dump(), undisturbed) == []


@pytest.mark.parametrize("fault", ["drop", "fail5xx_after", "fail5xx", "fail429"])
async def test_lost_and_refused_answers_lose_and_double_nothing(
    open_way: OpenWay, undisturbed: Dump, fault: str
) -> None:
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        await way.destination.faults(seed=3, **{fault: 400 if fault == "fail429" else 900})
        run_id = await way.run("full")
        injected = (await way.destination.stats())["faults"][fault]
        assert injected > 1
        assert unequal(await way.destination.dump(), undisturbed) == []
        if fault == "fail429":
            assert (await way.row(run_id)).calls["rejected_429"] > 0
