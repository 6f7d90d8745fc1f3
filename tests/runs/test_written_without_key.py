"""The field of our key is taken away while an answer is lost: what the call stored stands without it, and is found."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app.paging import Paging
from app.runs.clearing_up import MAY_BE_WRITTEN
from app.runs.failures import list_failures
from app.runs.schemas import FailureView
from connectors.base import WriteResult, WriteTarget
from connectors.freshsales.destination import FreshsalesDestination
from connectors.sandboxkit.config import SandboxConfig
from connectors.zoho_crm.destination import ZohoDestination
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.road import Road, sandbox
from tests.runs.test_crashes import SMALL
from tests.runs.test_schema_under_way import discrepancies, restore

DESTINATIONS: dict[str, Any] = {"zoho_crm": ZohoDestination, "freshsales": FreshsalesDestination}
KEYS = {"zoho_crm": "Source_System_ID", "freshsales": "cf_source_system_id"}
EACH = 12


@dataclass
class Robbery:
    """What was done to the account: how often, and for which records the answer was lost."""

    calls: int = 0
    lost: int = 0


@contextmanager
def robbed(way: Road, module: str, kind: str, *, at: int = 1, back: bool = False) -> Iterator[Robbery]:
    """At call number `at` that writes to `module` an administrator takes away the field of our key (of the stand-in's
    module `kind`), the vendor stores the records all the same, and its answer is lost. `back`: the field is there again
    before anybody looks.
    """
    platform = way.pair[1]
    done, original = Robbery(), DESTINATIONS[platform].write
    gone = {"action": "change_schema", "how": "field_gone", "modules": [kind], "field": KEYS[platform]}

    async def write(self: Any, target: WriteTarget, records: list[bytes]) -> list[WriteResult]:
        done.calls += target.object == module
        if target.object != module or done.calls != at:
            made: list[WriteResult] = await original(self, target, records)
            return made
        await way.destination.post("admin", gone)
        await way.destination.faults(drop=10_000)
        try:
            await original(self, target, records)
            raise AssertionError("the answer was not lost")
        finally:
            done.lost = len(records)
            await way.destination.faults()
            if back:
                await restore(way)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DESTINATIONS[platform], "write", write)
        yield done
    assert done.lost


async def unkeyed(way: Road, kind: str) -> list[dict[str, Any]]:
    """Records of the account in which our key is blank."""
    lines = [line for line in await way.destination.dump() if line["module"] == kind and "data" in line]
    return [line for line in lines if not _values(line).get(KEYS[way.pair[1]])]


def _values(line: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = line["data"]
    return {**data, **(data.get("custom_field") or {})}


async def edit(way: Road, record_id: str, **values: Any) -> None:
    await way.destination.post("admin", {"action": "edit_record", "module": "Tasks", "id": record_id, "values": values})


async def failures(way: Road) -> list[FailureView]:
    async with way.runtime.db.transaction(way.tenant_id) as session:
        return (await list_failures(session, await way.row(way.runs["full"]), Paging(100, None, bytes))).rows


@asynccontextmanager
async def visits(open_way: OpenWay) -> AsyncIterator[Road]:
    """A road before its full run. The tasks have nothing in common, so that a changed one can only be one of them."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            for number in range(EACH):
                account = await tracker.create("Account", Name=f"Client {number}")
                words = {"Subject": f"Visit {number}", "Description": f"About {number}"}
                await tracker.create("Task", WhatId=account, ActivityDate=f"2026-03-{number + 1:02}", **words)
        async with open_way(source=url, **SMALL) as way:
            await way.up_to("provision")
            yield way


async def questioned(way: Road) -> dict[str, Any]:
    """A full run that cannot tell what became of one task; the record in doubt as it was written."""
    with robbed(way, "Tasks", "Tasks"):
        run_id = await way.start("full")
        await way.drive(run_id, expect="waiting_admin")
    await restore(way)
    [doubtful] = [line for line in await unkeyed(way, "Tasks") if line["data"]["Subject"] == "Visit 5"]
    await edit(way, doubtful["id"], Subject="Changed by hand")
    await way.resume(run_id)
    await way.drive(run_id)
    return doubtful


async def subjects(way: Road) -> list[str]:
    """Of the tasks that have our key; each key is there once."""
    tasks = [line["data"] for line in await way.destination.dump() if line["module"] == "Tasks"]
    keys = [one[KEYS["zoho_crm"]] for one in tasks if one.get(KEYS["zoho_crm"])]
    assert len(set(keys)) == len(keys)
    return sorted(one["Subject"] for one in tasks if one.get(KEYS["zoho_crm"]))


EVERY = sorted(f"Visit {number}" for number in range(EACH))


@pytest.mark.parametrize("back", [True, False])
async def test_tasks_whose_key_was_lost_stand_once(open_way: OpenWay, back: bool) -> None:
    """Whether the run stood still over it, or nobody noticed that the field was away for a moment."""
    async with visits(open_way) as way:
        with robbed(way, "Tasks", "Tasks", back=back):
            run_id = await way.start("full")
            if not back:
                run = await way.drive(run_id, expect="waiting_admin")
                assert "Source System ID" in run.problem["missing"][0]
                assert len(await unkeyed(way, "Tasks")) == EACH
                await restore(way)
                await way.resume(run_id)
            run = await way.drive(run_id)
        assert (run.counts["held"], run.counts["quarantined"]) == (0, 0)
        assert run.counts["readback"]["discrepancies"] == 0
        assert (await subjects(way), await unkeyed(way, "Tasks")) == (EVERY, [])


async def test_a_task_that_somebody_changed_meanwhile_is_a_question(open_way: OpenWay) -> None:
    """Ours or a person's: nobody can tell. It stays held however often it is tried, until it has its key back."""
    async with visits(open_way) as way:
        doubtful = await questioned(way)
        [question] = [one for one in await failures(way) if one.code == MAY_BE_WRITTEN]
        [held] = await way.ledger(f"outcome = 'held' AND reason = '{MAY_BE_WRITTEN}'")
        assert (question.load, question.examples) == ("tasks", [held["source_id"]])
        assert "external id" in question.advice
        again = await way.run("full")
        assert len(await way.ledger(f"run_id = '{again}' AND reason = '{MAY_BE_WRITTEN}'")) == 1
        assert await subjects(way) == [one for one in EVERY if one != "Visit 5"]

        key = f"servicetracker:Task:{held['source_id']}"
        await edit(way, doubtful["id"], Subject="Visit 5", Source_System_ID=key)
        await way.run("full")
        assert (await subjects(way), await unkeyed(way, "Tasks")) == (EVERY, [])
        assert await discrepancies(way, "reconcile") == 0


async def test_what_is_gone_when_it_is_looked_for_again_is_sent(open_way: OpenWay) -> None:
    """The other answer to the same question: the record in doubt is taken away, and the next full run writes it."""
    async with visits(open_way) as way:
        doubtful = await questioned(way)
        await way.destination.post("admin", {"action": "delete_record", "module": "Tasks", "id": doubtful["id"]})
        await way.run("full")
        assert (await subjects(way), await unkeyed(way, "Tasks")) == (EVERY, [])


async def test_a_replay_says_that_what_stands_there_is_not_ours(open_way: OpenWay) -> None:
    async with visits(open_way) as way:
        doubtful = await questioned(way)
        [question] = [one for one in await failures(way) if one.code == MAY_BE_WRITTEN]
        await way.run("replay", options={"cause": question.cause})
        assert await subjects(way) == EVERY
        assert [line["id"] for line in await unkeyed(way, "Tasks")] == [doubtful["id"]]


async def test_a_cancelled_run_leaves_no_doubles_either(open_way: OpenWay) -> None:
    """The next run looks for what the cancelled one may have written, before it writes itself."""
    async with visits(open_way) as way:
        with robbed(way, "Tasks", "Tasks"):
            run_id = await way.start("full")
            await way.drive(run_id, expect="waiting_admin")
        await restore(way)
        await way.execute("UPDATE runs SET state = 'cancelled', finished_at = now() WHERE id = $1", run_id)
        await way.run("full")
        assert (await subjects(way), await unkeyed(way, "Tasks")) == (EVERY, [])
