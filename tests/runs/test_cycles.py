"""Lookups in circles: what may stay blank is set afterwards; what must resolve is named before anything is written."""

from itertools import pairwise

from app.domain.mapping import LookupRule, Missing
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.road import sandbox
from tests.runs.test_again import writes

DEPTH = 6


async def test_a_tree_of_any_depth_and_a_ring_arrive_with_all_their_links(open_way: OpenWay) -> None:
    """Children come before their parents by id, and two clients name each other."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        tracker = Tracker(url)
        await tracker.sign_in()
        ids = [await tracker.create("Account", Name=f"Level {number}") for number in range(DEPTH)]
        ring = [await tracker.create("Account", Name=f"Ring {number}") for number in range(2)]
        above = dict(pairwise(ids)) | {ring[0]: ring[1], ring[1]: ring[0]}
        for child, parent in above.items():
            await tracker.change("Account", child, ParentId=parent)
        await tracker.close()
        async with open_way(source=url) as way:
            await way.up_to("provision")
            await way.run("full")
            dump = [line["data"] | {"id": line["id"]} for line in await way.destination.dump() if "data" in line]
            former = {data["id"]: str(data.get("Source_System_ID", "")).rpartition(":")[2] for data in dump}
            found = {former[data["id"]]: former[data["Parent_Account"]] for data in dump if data.get("Parent_Account")}
            assert found == above


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
