"""A call without an end whose source record is gone when somebody looks for it: what it made is found all the same."""

from collections.abc import Mapping

import pytest

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.doom import at, one_life
from tests.runs.road import Road, sandbox
from tests.runs.test_control import order
from tests.runs.test_crashes import SMALL

KEYLESS: Mapping[str, tuple[str, str]] = {
    "notes": ("Notes", "Note"),
    "files": ("Attachments", "Attachment"),
    "tasks": ("Tasks", "Task"),
}
"""Load → its object at the destination, and at the source."""


async def cancelled_with(way: Road, load: str) -> None:
    """A full run whose first call of the load was answered to nobody, and which ended for good."""
    name = KEYLESS[load][0]
    run_id = await way.start("full")
    assert (await one_life(way, run_id, at(f"answer {name}"))).last == f"answer {name}"
    await order(way, "cancel")
    await way.drive(run_id, expect="cancelled")


@pytest.mark.parametrize("then", ["full", "rollback"])
@pytest.mark.parametrize("load", KEYLESS)
async def test_it_is_found_and_has_one_end(open_way: OpenWay, load: str, then: str) -> None:
    with sandbox("servicetracker", SandboxConfig(scale=60, seed=6)) as url:
        async with Tracker(url) as tracker, open_way(source=url, **SMALL) as way:
            await way.up_to("provision")
            before = await way.destination.dump()
            await cancelled_with(way, load)
            target, source = KEYLESS[load]
            made = [line for line in await way.destination.dump() if line["module"] == target and line not in before]
            assert made
            for row in await tracker.rows(f"SELECT Id FROM {source}"):
                await tracker.delete(source, row["Id"])
            await way.run("preflight")
            if then == "full":
                await way.run("full")
                rows = await way.ledger(f"target_object = '{target}' AND record_id IS NOT NULL")
                now = [line["id"] for line in await way.destination.dump() if line["module"] == target]
                there = set(now) - {line["id"] for line in before}
                assert {row["record_id"] for row in rows} == there >= {line["id"] for line in made}
                assert all(row["created"] for row in rows)
            await way.run("rollback")
            assert await way.destination.dump() == before
            assert await way.fetch("SELECT 1 FROM intents") == []
