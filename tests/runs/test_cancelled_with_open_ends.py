"""A run that ends for good while nobody knows the end of a call: what the call made is found by whoever comes next."""

from datetime import timedelta

import pytest

from app.runs.service import cancel_run, find_run
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import by_id, rollback_report, theirs
from tests.runs.doom import at, one_life
from tests.runs.judging import Dump, unequal
from tests.runs.road import sandbox
from tests.runs.test_control import order
from tests.runs.test_crashes import LOADS, SMALL


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


async def test_what_a_cancelled_delta_wrote_is_no_edit_of_a_person(open_way: OpenWay) -> None:
    """Updates whose answers nobody booked: of a record of theirs and of two that we made."""
    with sandbox("servicetracker", SandboxConfig(scale=20, seed=5)) as url:
        async with Tracker(url) as tracker:
            accounts = [row["Id"] for row in await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 3")]
            for one in accounts:
                await tracker.change("Account", one, Description="First words", Phone="+1 415 555 0100")
            async with open_way(source=url, **SMALL) as way:
                await way.up_to("provision")
                taken_over = await theirs(way, accounts[0], Description="Their words")
                before = await by_id(way)
                await way.run("full")
                for one in accounts:
                    await tracker.change("Account", one, Description=None, Phone="+1 415 555 0199")
                since = (await way.row(way.runs["preflight"])).created_at - timedelta(seconds=5)
                run_id = await way.start("delta", options={"batch": 1, "since": since.isoformat()})
                doom = await one_life(way, run_id, at("answer Accounts"))
                assert doom.last == "answer Accounts"
                async with way.runtime.db.transaction(way.tenant_id) as session:
                    await cancel_run(way.runtime, session, await find_run(session, way.tenant_id, run_id, lock=True))
                await way.drive(run_id, expect="cancelled")
                now = await by_id(way)
                assert now[taken_over]["Phone"] == "+14155550199"
                assert "Description" not in now[taken_over]
                await way.run("rollback")
                assert await by_id(way) == before
                report = await rollback_report(way)
                assert (report["kept_edits"], report["equal"]) == (0, True)
