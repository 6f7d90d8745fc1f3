"""The field that carries our key is taken away under way: the run names it and waits, and nothing is written twice."""

from typing import Any

import httpx
import pytest

from tests.runs.conftest import OpenWay
from tests.runs.doom import doomed
from tests.runs.judging import Dump, unequal
from tests.runs.road import Road
from tests.runs.test_crashes import SMALL
from tests.runs.test_schema_under_way import change, discrepancies, restore

KEY = "Source_System_ID"


def named(problem: dict[str, Any], module: str) -> bool:
    """Whether it is this field that the run waits for, and nothing else."""
    [text] = problem["missing"]
    return problem["code"] == "schema-changed" and "Source System ID" in text and module in text


async def lost_at_the_second_call(way: Road, module: str) -> None:
    """Starts a full run and lets one worker drive it until it stands."""
    body = {"action": "change_schema", "how": "field_gone", "modules": [module], "field": KEY}
    calls: list[str] = []

    def policy(step: str) -> bool:
        if step == f"call {module}":
            calls.append(step)
            if len(calls) == 2:
                httpx.post(f"{way.urls['destination']}/_sandbox/admin", json=body).raise_for_status()
        return False

    with doomed(way.runtime, policy) as (runtime, _):
        await way.drive_once(await way.start("full"), runtime=runtime)
        await runtime.db.close()
    assert len(calls) > 1


@pytest.mark.parametrize("module", ["Contacts", "Tasks"])
async def test_a_key_that_is_gone_from_the_start_is_named(open_way: OpenWay, undisturbed: Dump, module: str) -> None:
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        await change(way, how="field_gone", modules=[module], field=KEY)
        run_id = await way.run("full", expect="waiting_admin")
        assert named((await way.row(run_id)).problem, module)
        await restore(way)
        await way.resume(run_id)
        await way.drive(run_id)
        assert unequal(await way.destination.dump(), undisturbed) == []


async def test_an_upsert_whose_key_is_gone_quarantines_nobody(open_way: OpenWay, undisturbed: Dump) -> None:
    """The vendor refuses every call as a whole; that is not for single records to answer for."""
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        await lost_at_the_second_call(way, "Contacts")
        run = await way.row(way.runs["full"])
        assert run.state == "waiting_admin"
        assert named(run.problem, "Contacts")
        assert await way.ledger("outcome = 'quarantined' AND target_object = 'Contacts'") == []
        await restore(way)
        await way.resume(run.id)
        await way.drive(run.id)
        assert unequal(await way.destination.dump(), undisturbed) == []


async def test_a_key_that_was_dropped_without_a_word_is_noticed_and_repaired(
    open_way: OpenWay, undisturbed: Dump
) -> None:
    """Tasks are inserted: the vendor takes them without the key, and reading back finds it missing."""
    async with open_way(**SMALL) as way:
        await way.up_to("provision")
        await lost_at_the_second_call(way, "Tasks")
        run = await way.row(way.runs["full"])
        assert run.state == "waiting_admin"
        assert named(run.problem, "Tasks")
        await way.resume(run.id)
        await way.drive(run.id, expect="waiting_admin")
        await restore(way)
        await way.resume(run.id)
        assert (await way.drive(run.id)).counts["readback"]["discrepancies"] > 0
        assert await discrepancies(way, "repair") == 0
        assert unequal(await way.destination.dump(), undisturbed) == []
