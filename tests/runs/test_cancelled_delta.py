"""A delta that is cancelled half-way: what it staged and did not write, and what it wrote and did not book."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from app.runs.service import cancel_run, find_run
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import by_id
from tests.runs.doom import Policy, at, one_life
from tests.runs.road import Road, sandbox
from tests.runs.test_three_way_children import PHOTO, b64


@asynccontextmanager
async def company(open_way: OpenWay) -> AsyncIterator[tuple[Road, Tracker, str, list[str]]]:
    """One client with three files, at the source; nothing of it at the destination yet."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker, open_way(source=url, call_timeout_seconds=0.5) as way:
            client = await tracker.create("Account", Name="Ash Ltd", Phone="+1 415 555 0100")
            files = [
                await tracker.create("Attachment", ParentId=client, Name=f"photo {n}.png", Body=PHOTO + bytes(n))
                for n in range(3)
            ]
            await way.up_to("provision")
            yield way, tracker, client, files


async def cancelled_delta(way: Road, policy: Policy) -> UUID:
    """A delta whose worker dies where the policy says, and which ended for good then."""
    way.batch += 1
    since = (await way.row(way.runs["preflight"])).created_at - timedelta(seconds=5)
    run_id = await way.start("delta", options={"batch": way.batch, "since": since.isoformat()})
    assert (await one_life(way, run_id, policy)).last
    async with way.runtime.db.transaction(way.tenant_id) as session:
        await cancel_run(way.runtime, session, await find_run(session, way.tenant_id, run_id, lock=True))
    await way.drive(run_id, expect="cancelled")
    return run_id


async def attached(way: Road) -> list[tuple[str, int]]:
    dump = await way.destination.dump()
    return sorted((line["file_name"], line["size"]) for line in dump if line["module"] == "Attachments")


async def test_the_next_delta_brings_what_a_cancelled_one_had_only_staged(open_way: OpenWay) -> None:
    async with company(open_way) as (way, tracker, client, _):
        await way.run("full")
        await tracker.change("Account", client, Phone="+1 415 555 0199")
        await cancelled_delta(way, at("call Accounts"))
        await way.delta()
        [phone] = [one["Phone"] for one in (await by_id(way)).values() if one.get("Account_Name") == "Ash Ltd"]
        assert phone == "+14155550199"


@pytest.mark.parametrize("then", ["delta", "full", "rollback"])
@pytest.mark.parametrize("moment", [at("answer Attachments"), at("answer Attachments", skip=1), at("record files")])
async def test_a_file_that_was_being_replaced(open_way: OpenWay, moment: Policy, then: str) -> None:
    async with company(open_way) as (way, tracker, _, files):
        before = await way.destination.dump()
        await way.run("full")
        sizes = dict(await attached(way))
        await tracker.change("Attachment", files[1], Body=b64(PHOTO + bytes(50)))
        await cancelled_delta(way, moment)
        if then == "delta":
            await tracker.change("Attachment", files[1], Body=b64(PHOTO + bytes(70)))
            await way.delta()
            assert await attached(way) == sorted({**sizes, "photo 1.png": len(PHOTO) + 70}.items())
            assert await way.fetch("SELECT 1 FROM merge_findings") == []
        elif then == "full":
            await way.run("full")
            assert await attached(way) == sorted({**sizes, "photo 1.png": len(PHOTO) + 50}.items())
        assert await way.fetch("SELECT 1 FROM intents") == [] or then == "rollback"
        await way.run("rollback")
        assert await way.destination.dump() == before
        assert await way.fetch("SELECT 1 FROM intents") == []
