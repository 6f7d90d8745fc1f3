"""Sensitive fields leave under an agreement only, also when the word is taken back after a run was queued or begun."""

import asyncio

from app.domain.masking import sensitive_count
from app.engagements.agreeing import confirm_agreement, withdraw_agreement
from app.engagements.service import find_engagement
from app.models.columns import new_id
from tests.runs.conftest import OpenWay
from tests.runs.road import Road

QUICK = {"flush_rows": 6, "call_timeout_seconds": 1.0, "lease_seconds": 1.0}


async def say(way: Road, *, agreed: bool) -> None:
    """What an owner does over the API."""
    async with way.runtime.db.transaction(way.tenant_id) as session:
        engagement = await find_engagement(session, way.tenant_id, way.engagement_id, lock=True)
        if agreed:
            await confirm_agreement(way.runtime, session, engagement, reference="DPA 8", by=new_id())
        else:
            await withdraw_agreement(way.runtime, session, engagement)


async def without_marks(way: Road) -> None:
    """The same mapping as if nothing in it were sensitive, confirmed."""
    document = await way.document()
    assert sensitive_count(document) > 0
    loads = [
        load.model_copy(update={"fields": tuple(rule.model_copy(update={"sensitive": False}) for rule in load.fields)})
        for load in document.loads
    ]
    await way.confirm(document.model_copy(update={"loads": tuple(loads)}))


async def test_a_queued_run_does_not_begin(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        run_id = await way.start("full")
        await say(way, agreed=False)
        run = await way.drive_once(run_id)
        assert (run.state, run.problem["code"]) == ("paused", "agreement-not-confirmed")
        assert str(way.engagement_id) not in run.problem["detail"]
        assert await way.destination.dump() == before
        await way.resume(run_id)
        assert (await way.drive_once(run_id)).state == "paused", "resuming is not agreeing"
        await say(way, agreed=True)
        await way.resume(run_id)
        await way.drive(run_id)
        assert len(await way.destination.dump()) > len(before)


async def test_a_run_under_way_stops_in_good_order(open_way: OpenWay) -> None:
    async with open_way(**QUICK) as way:
        await way.up_to("provision")
        before = len(await way.destination.dump())
        run_id = await way.start("full")
        await way.destination.faults(latency_ms=100)
        worker = asyncio.create_task(way.drive_once(run_id))
        async with asyncio.timeout(60):
            while len(await way.destination.dump()) < before + 10:
                assert not worker.done()
                await asyncio.sleep(0.01)
        await say(way, agreed=False)
        async with asyncio.timeout(20):
            assert (await worker).state == "paused"
        held = await way.destination.dump()
        await way.destination.faults()
        await way.resume(run_id)
        run = await way.drive_once(run_id)
        assert (run.state, run.problem["code"]) == ("paused", "agreement-not-confirmed")
        assert await way.destination.dump() == held


async def test_what_is_not_sensitive_needs_no_agreement(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        await without_marks(way)
        await say(way, agreed=False)
        await way.run("full")
