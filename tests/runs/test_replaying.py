"""Failures are grouped by cause; mending one rule or value and replaying that group touches that group only."""

import pytest

from app.domain.mapping import MappingDocument
from app.engagements.facts import Account
from app.errors import Invalid, StepMissing
from app.models.engagement import Engagement
from app.paging import Paging
from app.runs.failures import check_cause, list_failures
from app.runs.schemas import FailureView
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.road import Road, only, sandbox

RECORDS = 40


def strict(document: MappingDocument) -> MappingDocument:
    """The document with a rule that some records do not meet."""
    loads = []
    for load in document.loads:
        fields = [
            rule.model_copy(update={"required": load.key == "accounts" and rule.target == "Description"})
            for rule in load.fields
        ]
        loads.append(load.model_copy(update={"fields": tuple(fields)}) if load.key == "accounts" else load)
    return document.model_copy(update={"loads": tuple(loads)})


async def failures(way: Road, kind: str) -> list[FailureView]:
    async with way.runtime.db.transaction(way.tenant_id) as session:
        paging = Paging(100, None, bytes)
        return (await list_failures(session, await way.row(way.runs[kind]), paging)).rows


async def created(way: Road) -> int:
    records = (await way.destination.stats())["records"]
    return int(records["created"].get("Accounts", 0))


async def test_a_mended_rule_and_a_mended_value_replay_their_group_and_only_that(open_way: OpenWay) -> None:
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            ids = []
            for number in range(RECORDS):
                given = {} if number % 4 == 0 else {"Description": f"About {number}"}
                ids.append(await tracker.create("Account", Name=f"Client {number:03}", **given))
            async with open_way(source=url) as way:
                await way.up_to("provision")
                lenient = only(await way.document(), ["accounts"])
                await way.confirm(strict(lenient))
                await way.destination.faults(reject_record=3_000, seed=2)
                await way.run("full")
                groups = {one.code: one for one in await failures(way, "full")}
                blank = groups.pop("missing_required")
                [refused] = groups.values()
                assert (blank.load, blank.field, blank.records) == ("accounts", "Description", 10)
                assert set(blank.examples) <= set(ids)
                assert refused.records > 3
                await way.destination.faults()

                # a value mended at the source, under the same rule: of the group, that record alone lands
                await tracker.change("Account", blank.examples[0], Description="Filled in")
                await tracker.change("Account", ids[1], Description="Not of the group: the next delta brings it")
                before = await created(way)
                await way.run("replay", options={"cause": blank.cause})
                counts = (await way.row(way.runs["replay"])).counts
                assert (counts["read"], counts["created"], counts["quarantined"]) == (10, 1, 9)
                assert await created(way) == before + 1

                # the rule mended: the rest of the group lands, the other group still waits
                await way.confirm(lenient)
                await way.run("replay", options={"cause": blank.cause})
                counts = (await way.row(way.runs["replay"])).counts
                assert (counts["read"], counts["created"]) == (9, 9)
                assert await created(way) == before + 10
                [left] = await failures(way, "full")
                assert left == refused
                with pytest.raises(StepMissing):
                    await check(way, blank.cause)
                await check(way, refused.cause)
                await way.run("replay", options={"cause": refused.cause})
                assert await created(way) == RECORDS
                assert await failures(way, "full") == []

                # what the replay left alone is still new to a delta
                await way.delta()
                names = {line["data"].get("Description") for line in await way.destination.dump() if "data" in line}
                assert "Not of the group: the next delta brings it" in names


async def check(way: Road, cause: str) -> None:
    target = Account(way.connections["destination"], "destination", way.pair[1], "ok", described=True)
    async with way.runtime.db.transaction(way.tenant_id) as session:
        engagement = await session.get_one(Engagement, way.engagement_id)
        await check_cause(session, engagement, target, cause)


@pytest.mark.parametrize("cause", ["", "accounts", "accounts:created:", "nothing:held:x"])
async def test_what_is_no_cause_is_refused(open_way: OpenWay, cause: str) -> None:
    async with open_way() as way:
        for step in ("discovery", "preflight"):
            await way.run(step)
        await way.confirm(await way.propose())
        with pytest.raises(Invalid):
            await check(way, cause)
