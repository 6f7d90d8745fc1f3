"""Running again: a second full run finds nothing to do, a delta brings what changed and can be repeated."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import SCALE, OpenWay
from tests.runs.judging import Dump, unequal, without_ids
from tests.runs.road import Road, Stand, sandbox

_FORMER = re.compile(r"servicetracker:\w+:\w+")
_WRITING = ("POST /crm/v8/", "PUT /crm/v8/", "PATCH /crm/v8/", "DELETE /crm/v8/")


Changed = tuple[Road, dict[str, list[dict[str, str]]]]


async def writes(way: Road) -> int:
    """Calls that changed something at the destination, by the sandbox's own count."""
    requests = (await way.destination.stats())["requests"]
    return sum(n for name, n in requests.items() if name.startswith(_WRITING) and not name.endswith("/coql"))


async def test_a_second_full_run_makes_no_write_call(open_way: OpenWay, undisturbed: Dump) -> None:
    """The sample comes first, as it does on the road; neither run after it brings anything twice."""
    async with open_way() as way:
        await way.up_to("full")
        # where two contacts say that they are the primary one, the account shows whichever was written last
        assert unequal(await way.destination.dump(), undisturbed, ignoring="Primary_Contact") == []
        before, made = await way.destination.dump(), await writes(way)
        await way.run("full")
        # what Zoho refused may be accepted by now, so it is asked once more: one call for each load that has such
        refused = [key for key, one in (await way.stages(way.runs["full"])).items() if one.counts.get("quarantined")]
        assert await writes(way) == made + len(refused) <= made + 1
        assert await way.destination.dump() == before
        counts = (await way.row(way.runs["full"])).counts
        assert counts["created"] == counts["updated"] == 0
        assert counts["unchanged"] > 100


@pytest.fixture(scope="module")
async def changing() -> AsyncIterator[tuple[str, Tracker]]:
    """A company that changes while the road is under way."""
    with sandbox("servicetracker", SandboxConfig(scale=SCALE, seed=9)) as url:
        async with Tracker(url) as tracker:
            yield url, tracker


@pytest.fixture(scope="module")
async def after_delta(
    open_way: OpenWay, changing: tuple[str, Tracker]
) -> AsyncIterator[tuple[Road, dict[str, list[dict[str, str]]]]]:
    """A road whose source changed after the full run, with one delta done, and what had changed."""
    async with open_way(source=changing[0]) as way:
        await way.up_to("provision")
        await way.run("full")
        asked = {"seed": 5, "updates": 12, "creates": 8, "deletes": 3, "merges": 2}
        changes = await Stand(changing[0]).post("mutate", asked)
        await way.delta()
        yield way, changes


async def test_a_delta_ends_where_a_fresh_migration_would(
    open_way: OpenWay, changing: tuple[str, Tracker], after_delta: Changed
) -> None:
    """Only what the source deleted or merged away is still there; a person decides about those."""
    way, changes = after_delta
    gone = {f"servicetracker:{one['object']}:{one['id']}" for one in changes["deleted"]}
    gone |= {f"servicetracker:{one['object']}:{one['loser']}" for one in changes["merged"]}
    async with open_way(source=changing[0]) as other:
        await other.up_to("provision")
        await other.run("full")
        fresh = without_ids(await other.destination.dump())
    kept = without_ids(await way.destination.dump())
    assert {_FORMER.findall(name)[0] for name in kept.keys() - fresh.keys()} <= gone
    assert not fresh.keys() - kept.keys()
    for name, data in fresh.items():
        still = {key: value for key, value in kept[name].items() if str(value).partition(" ")[2] not in gone}
        assert shown(still) == shown(data), name


def shown(data: dict[str, Any]) -> dict[str, Any]:
    """Without the primary contact, which two contacts of one account may claim."""
    return {key: value for key, value in data.items() if key != "Primary_Contact"}


async def test_a_delta_counts_what_it_brought(after_delta: Changed) -> None:
    way, changes = after_delta
    created = {one["id"] for one in changes["created"]}
    rows = await way.ledger("outcome = 'created'")
    assert created <= {row["source_id"] for row in rows if row["run_id"] == way.runs["delta"]}
    updated = {one["id"] for one in changes["updated"] if one["object"] == "Account"}
    rows = await way.ledger("outcome = 'updated' AND source_object = 'Account' AND part = ''")
    assert updated <= {row["source_id"] for row in rows}


async def test_deletions_and_merges_are_reported_with_their_records(after_delta: Changed) -> None:
    way, changes = after_delta
    listed = [
        row for kind, _, body in await way.reports(way.runs["delta"]) if kind == "deletions" for row in body["rows"]
    ]
    deleted = {row["source_id"] for row in listed if row["kind"] == "deleted"}
    assert deleted == {one["id"] for one in changes["deleted"]}
    merged = {row["source_id"]: row["merged_into"] for row in listed if row["kind"] == "merged"}
    assert merged == {one["loser"]: one["winner"] for one in changes["merged"]}
    assert all(row["record_id"] for row in listed if row["target"])


async def test_children_of_a_merged_client_follow_the_survivor(
    after_delta: Changed, changing: tuple[str, Tracker]
) -> None:
    way, changes = after_delta
    merge = next(one for one in changes["merged"] if one["object"] == "Account")
    children = await changing[1].rows(f"SELECT Id FROM Contact WHERE AccountId = '{merge['winner']}'")
    records = without_ids(await way.destination.dump())
    for child in children:
        name = f"Contacts servicetracker:Contact:{child['Id']}"
        assert records[name]["Account_Name"] == f"Accounts servicetracker:Account:{merge['winner']}"
    assert f"Accounts servicetracker:Account:{merge['loser']}" not in {
        data.get("Account_Name") for name, data in records.items() if name.startswith(("Contacts", "Deals"))
    }


async def test_a_delta_without_changes_makes_no_write_call(after_delta: Changed) -> None:
    """It reads the overlap again and recognises everything by its content."""
    way, _ = after_delta
    made = await writes(way)
    await way.delta()
    assert await writes(way) == made


async def test_a_value_emptied_at_the_source_is_emptied(after_delta: Changed, changing: tuple[str, Tracker]) -> None:
    way, changes = after_delta
    taken = {one.get("id") for kind in ("deleted", "updated", "created") for one in changes[kind]}
    taken |= {one[end] for one in changes["merged"] for end in ("winner", "loser")}
    rows = await changing[1].rows("SELECT Id, Description FROM Account")
    account = next(row["Id"] for row in rows if row["Description"] and row["Id"] not in taken)
    await changing[1].change("Account", account, Description=None)
    await way.delta()
    records = without_ids(await way.destination.dump())
    assert "Description" not in records[f"Accounts servicetracker:Account:{account}"]
