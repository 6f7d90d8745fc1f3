"""What a vendor refuses: single records in a mixed answer, whole batches, and the search for the bad one in them."""

from zlib import crc32

import orjson
import pytest

from app.runs.ledger import Outcome
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.judging import Dump, counts
from tests.runs.road import Road, only, sandbox

HUNDRED = 100


async def test_refused_records_are_quarantined_one_by_one_and_the_rest_lands(
    open_way: OpenWay, undisturbed: Dump
) -> None:
    """A 207 is read per record: each refusal has its cause, nothing refused counts as written."""
    async with open_way() as way:
        await way.up_to("provision")
        await way.destination.faults(reject_record=2_500, seed=4)
        await way.run("full")
        stats = await way.destination.stats()
        rejected = stats["faults"]["reject_record"]
        assert rejected > 10
        rows = await way.ledger("outcome = 'quarantined'")
        assert len(rows) >= rejected
        assert all(row["record_id"] is None and row["reason"] for row in rows)
        await agree(way)
        # the fault is mended: only what was refused, and what waited for it, is written now
        await way.destination.faults()
        await way.run("full")
        assert counts(await way.destination.dump()) == counts(undisturbed)
        await agree(way)


async def agree(way: Road) -> None:
    """Every record that the ledger calls written stands at the destination, and nothing else of ours does."""
    outcomes = ("created", "updated", "unchanged")
    rows = await way.ledger(f"outcome IN {outcomes} AND part NOT IN ('links', 'primary') AND record_id IS NOT NULL")
    there = {line["id"] for line in await way.destination.dump() if "id" in line}
    assert {row["record_id"] for row in rows} <= there
    created = (await way.destination.stats())["records"]["created"]
    assert sum(created.values()) == len(rows)


@pytest.mark.parametrize("fault", ["refuse_batch", "length"])
async def test_one_bad_record_in_a_hundred_costs_at_most_fifteen_calls(open_way: OpenWay, fault: str) -> None:
    """`refuse_batch`: the vendor refuses the whole call; `length`: it names the bad record in a mixed answer."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            for number in range(HUNDRED):
                await tracker.create("Account", Name=f"Client {number:03}")
        async with open_way(source=url) as way:
            await way.up_to("provision")
            await way.confirm(only(await way.document(), ["accounts"]))
            if fault == "refuse_batch":
                await way.destination.faults(refuse_batch=100, seed=await seed_for_one(way))
            else:
                await way.destination.faults(reject_record=100, seed=await seed_for_one(way))
            await way.run("full")
            stage = (await way.stages(way.runs["full"]))["load:accounts"]
            assert stage.counts[Outcome.CREATED] == HUNDRED - 1
            assert stage.counts[Outcome.QUARANTINED] == 1
            calls = (await way.row(way.runs["full"])).calls["by_purpose"]["write Accounts"]
            assert calls <= 15
            assert calls == 1 or fault == "refuse_batch"
            assert (await way.destination.stats())["records"]["created"]["Accounts"] == HUNDRED - 1


async def seed_for_one(way: Road) -> int:
    """A seed under which the sandbox's fault of one in a hundred picks exactly one of our accounts.

    The sandbox draws by a checksum over module, key and seed (its `unlucky`); the key is our external id.
    """
    rows = await way.fetch("SELECT source_id FROM staged WHERE object = 'Account'")
    keys = [f"servicetracker:Account:{row['source_id']}" for row in rows]
    for seed in range(1, 500):
        picked = [key for key in keys if crc32(orjson.dumps(["Accounts", key, seed])) % 10_000 < 100]
        if len(picked) == 1:
            return seed
    raise AssertionError("no such seed")
