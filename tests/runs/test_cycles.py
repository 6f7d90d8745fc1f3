"""Lookups in circles: what may stay blank is set afterwards; what must resolve is named before anything is written."""

from itertools import pairwise

import pytest

from app.domain.mapping import LookupRule, MappingDocument, Missing
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.doom import at, one_life
from tests.runs.road import Road, only, sandbox
from tests.runs.test_again import writes

DEPTH = 6


async def test_a_tree_of_any_depth_and_a_ring_arrive_with_all_their_links(open_way: OpenWay) -> None:
    """Children come before their parents by id, and two clients name each other."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            ids = [await tracker.create("Account", Name=f"Level {number}") for number in range(DEPTH)]
            ring = [await tracker.create("Account", Name=f"Ring {number}") for number in range(2)]
            above = dict(pairwise(ids)) | {ring[0]: ring[1], ring[1]: ring[0]}
            for child, parent in above.items():
                await tracker.change("Account", child, ParentId=parent)
        async with open_way(source=url) as way:
            await way.up_to("provision")
            await way.run("full")
            assert await parents_there(way) == above


def with_required_parents(document: MappingDocument) -> MappingDocument:
    """Accounts that may not be written without the parent that they name."""
    links = document.load("account_links")
    rule = links.fields[0].model_copy(update={"lookup": LookupRule(loads=("accounts",), on_missing=Missing.HOLD)})
    loads = tuple(
        one.model_copy(update={"fields": (*one.fields, rule)}) if one.key == "accounts" else one
        for one in document.loads
        if one.key != "account_links"
    )
    return document.model_copy(update={"loads": loads})


@pytest.mark.parametrize("deaths", [0, 6])
async def test_parents_that_must_resolve_come_first_and_a_ring_is_held(open_way: OpenWay, deaths: int) -> None:
    """A level is written before the next one, whoever dies between; what leads round in a ring is held and named."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            ids = [await tracker.create("Account", Name=f"Level {number}") for number in range(DEPTH)]
            ring = [await tracker.create("Account", Name=f"Ring {number}") for number in range(3)]
            # children come before their parents by id; the last of the ring hangs below it
            above = dict(pairwise(ids)) | {ring[0]: ring[1], ring[1]: ring[0], ring[2]: ring[0]}
            for child, parent in above.items():
                await tracker.change("Account", child, ParentId=parent)
        async with open_way(source=url, flush_rows=2, call_timeout_seconds=0.2) as way:
            await way.up_to("provision")
            await way.confirm(only(with_required_parents(await way.document()), ["accounts"]))
            run_id = await way.start("full")
            for number in range(deaths):
                await one_life(way, run_id, at("answer Accounts") if number % 2 else at("record accounts"))
            await way.drive(run_id)
            rows = {row["source_id"]: (row["outcome"], row["reason"]) for row in await way.ledger()}
            assert [rows[one][0] for one in ids] == ["created"] * DEPTH
            assert [rows[one] for one in ring] == [
                ("held", "reference_ring:Parent_Account"), ("held", "reference_ring:Parent_Account"),
                ("held", "lookup_missing:Parent_Account"),
            ]  # fmt: skip
            found = await parents_there(way)
            assert found == {child: parent for child, parent in above.items() if child in ids}
            stage = (await way.stages(run_id))["load:accounts"]
            assert (stage.counts["read"], stage.counts["created"], stage.counts["held"]) == (DEPTH + 3, DEPTH, 3)
            made = await writes(way)
            await way.run("full")
            assert await writes(way) == made


async def parents_there(way: Road) -> dict[str, str]:
    """Source id of each account that has a parent at the destination → that parent's."""
    dump = [line["data"] | {"id": line["id"]} for line in await way.destination.dump() if "data" in line]
    former = {data["id"]: str(data.get("Source_System_ID", "")).rpartition(":")[2] for data in dump}
    return {former[data["id"]]: former[data["Parent_Account"]] for data in dump if data.get("Parent_Account")}


async def test_a_ring_of_lookups_that_must_resolve_is_named_before_anything_is_written(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        document = await way.document()
        must = {"accounts": "contacts", "contacts": "accounts"}
        loads = {load.key: load for load in document.loads}
        for key in must:
            load = loads[key]
            rule = load.fields[0].model_copy(
                update={
                    "target": "Primary_Contact__c" if load.key == "accounts" else "Account_Name",
                    "sources": ("ParentId",) if load.key == "accounts" else ("AccountId",),
                    "transform": "copy",
                    "lookup": LookupRule(loads=(must[load.key],), on_missing=Missing.HOLD),
                    "required": True,
                }
            )
            others = tuple(one for one in load.fields if one.target != rule.target)
            loads[key] = load.model_copy(update={"fields": (*others, rule)})
        await way.confirm(document.model_copy(update={"loads": tuple(loads.values())}))
        made = await writes(way)
        run_id = await way.run("full", expect="failed")
        problem = (await way.row(run_id)).problem
        assert problem["code"] == "plan-impossible"
        assert "accounts" in problem["detail"]
        assert "contacts" in problem["detail"]
        assert "Account_Name" in problem["detail"] or "Primary_Contact__c" in problem["detail"]
        assert await writes(way) == made
        assert await way.ledger() == []
