"""A run that ends for good while nobody knows the end of a call: what the call made is found by whoever comes next."""

import pytest

from tests.runs.conftest import OpenWay
from tests.runs.doom import at
from tests.runs.judging import Dump, unequal
from tests.runs.test_control import order
from tests.runs.test_crashes import LOADS, SMALL, one_life


@pytest.mark.parametrize("load", LOADS)
async def test_the_next_run_takes_it_for_ours(open_way: OpenWay, undisturbed: Dump, load: str) -> None:
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        run_id = await way.start("full")
        doom = await one_life(way, run_id, at(f"answer {LOADS[load]}"))
        assert doom.last == f"answer {LOADS[load]}"
        await order(way, "cancel")
        await way.drive(run_id, expect="cancelled")
        await way.run("full")
        assert unequal(await way.destination.dump(), undisturbed) == []
        assert await way.fetch("SELECT 1 FROM intents") == []
        await way.run("rollback")
        assert await way.destination.dump() == before


@pytest.mark.parametrize("load", LOADS)
async def test_a_rollback_takes_it_away(open_way: OpenWay, load: str) -> None:
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        run_id = await way.start("full")
        doom = await one_life(way, run_id, at(f"answer {LOADS[load]}"))
        assert doom.last == f"answer {LOADS[load]}"
        await order(way, "cancel")
        await way.drive(run_id, expect="cancelled")
        assert len(await way.destination.dump()) > len(before)
        await way.run("rollback")
        assert await way.destination.dump() == before
        assert await way.fetch("SELECT 1 FROM intents") == []
