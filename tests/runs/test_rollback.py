"""One call takes everything back: the destination is as it was, except for what people changed since."""

from typing import Any

import orjson

from app.runs.referring import NAME
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import create, edit, filled, rollback_report
from tests.runs.doom import after, one_life
from tests.runs.judging import Dump
from tests.runs.road import Stand, sandbox


def of(dump: Dump, module: str) -> list[dict[str, Any]]:
    return [line for line in dump if line["module"] == module]


async def test_a_rollback_leaves_the_org_as_it_was(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        await way.run("sample")
        await way.run("full")
        assert len(await way.destination.dump()) > len(before) + 100
        await way.run("rollback")
        assert await way.destination.dump() == before
        left = await way.fetch("SELECT count(*) AS n FROM ledger WHERE record_id IS NOT NULL")
        assert left[0]["n"] == 0
        report = next(body for kind, _, body in await way.reports(way.runs["rollback"]) if kind == "rollback")
        assert report["rollback"]["kept_edits"] == report["rollback"]["still_there"] == 0
        assert report["rollback"]["deleted"] > 100
        assert report["rollback"]["equal"] is True
        assert report["rollback"]["root_before"] == report["rollback"]["root_after"]
        middle = ["run.started", "run.phase.completed"]
        assert await way.told("discovery") == [*middle, "run.completed"]
        assert await way.told("sample") == [*middle, "sample.ready", "run.completed"]
        assert await way.told("full") == [*middle, "reconciliation.ready", "run.completed"]
        assert await way.told("rollback") == [*middle, "run.rolled_back"]


async def test_what_people_edited_stays_and_is_listed(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        await way.run("full")
        product = of(await way.destination.dump(), "Products")[-1]
        await edit(way, "Products", product["id"], Description="Agreed with the client")
        await way.run("rollback")
        after_all = await way.destination.dump()
        extra = [line for line in after_all if line not in before]
        assert [line["id"] for line in extra] == [product["id"]]
        assert extra[0]["data"]["Description"] == "Agreed with the client"
        assert [line for line in after_all if line in before] == before
        report = next(body for kind, _, body in await way.reports(way.runs["rollback"]) if kind == "rollback")
        kept = report["rollback"]["kept"]
        assert [(one["load"], one["fields"]) for one in kept] == [("products", ["Description"])]
        assert report["rollback"]["kept_edits"] == 1


async def test_records_that_were_there_before_get_their_values_back(open_way: OpenWay, source_url: str) -> None:
    """A record that carries the former id already is adopted, and restored field by field; an edit since stays."""
    async with Tracker(source_url) as tracker:
        first, second = (row["Id"] for row in (await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 2")))
    async with open_way() as way:
        await way.up_to("provision")
        for former in (first, second):
            values = {"Account_Name": f"Theirs {former}", "Industry": "Real Estate", "Employees": 12}
            key = {"Source_System_ID": f"servicetracker:Account:{former}"}
            body = {"action": "create_record", "module": "Accounts", "values": {**values, **key}}
            assert (await way.destination.post("admin", body))["status"] == "success"
        before = await way.destination.dump()
        await way.run("full")
        changed = {line["id"]: line["data"] for line in of(await way.destination.dump(), "Accounts")}
        theirs = [line for line in of(before, "Accounts") if str(line["data"]["Account_Name"]).startswith("Theirs")]
        assert not [line for line in theirs if changed[line["id"]]["Account_Name"] == line["data"]["Account_Name"]]
        edited = theirs[1]
        await edit(way, "Accounts", edited["id"], Description="Talked to them")
        await way.run("rollback")
        now = {line["id"]: line for line in await way.destination.dump()}
        assert now.keys() == {line["id"] for line in before}
        for line in before:
            data = dict(now[line["id"]]["data"])
            if line["id"] == edited["id"]:
                assert data.pop("Description") == "Talked to them"
            assert filled(data) == filled(line["data"])
        report = await rollback_report(way)
        assert (report["restored"], report["equal"], report["not_restored"]) == (2, True, 0)


async def test_an_interrupted_rollback_goes_on_where_it_was(open_way: OpenWay) -> None:
    async with open_way(call_timeout_seconds=0.5) as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        await way.run("full")
        run_id = await way.start("rollback")
        deaths = [(await one_life(way, run_id, after(patience))).last for patience in (12, 30, 41, 55)]
        await way.drive(run_id)
        assert all(deaths)
        assert await way.destination.dump() == before
        # the last worker proves what all of them did
        report = await rollback_report(way)
        stages = await way.stages(run_id)
        proved = sum(one.counts["checked_records"] for one in stages.values() if one.kind == "verify")
        assert proved == report["deleted"] + report["restored"]
        assert report["equal"] is True


async def test_a_rollback_after_a_delta_takes_back_what_the_source_deleted_since(open_way: OpenWay) -> None:
    """A record that is gone at the source was ours all the same."""
    with sandbox("servicetracker", SandboxConfig(scale=150, seed=3)) as url:
        async with open_way(source=url) as way:
            await way.up_to("provision")
            before = await way.destination.dump()
            await way.run("full")
            await Stand(url).post("mutate", {"seed": 2, "updates": 6, "creates": 4, "deletes": 4, "merges": 2})
            await way.delta()
            await way.run("rollback")
            assert await way.destination.dump() == before


async def test_what_their_records_refer_to_stays_and_is_carried_back(open_way: OpenWay) -> None:
    """A person hung a contact of her own on an account that we made: both stay, and a file lists hers."""
    async with open_way() as way:
        await way.up_to("provision")
        before = {line["id"] for line in await way.destination.dump() if "id" in line}
        await way.run("full")
        [*_, ours] = await way.ledger("target_object = 'Accounts' AND part = '' AND created")
        hers = await create(way, "Contacts", Last_Name="Her own", Account_Name={"id": ours["record_id"]})
        await way.run("rollback")
        left = {line["id"] for line in await way.destination.dump() if "id" in line}
        assert left - before == {hers, ours["record_id"]}
        report = await rollback_report(way)
        assert (report["kept_referred"], report["equal"]) == (1, True)
        [kept] = report["kept"]
        assert (kept["source_id"], kept["referred_by"]) == (ours["source_id"], ["Contacts"])
        listed = [orjson.loads(line) for line in (await way.file(way.runs["rollback"], NAME)).splitlines()]
        # what the org itself made in the minutes before the run is listed too: clocks differ
        [line] = [one for one in listed if one["id"] not in before]
        assert (line["object"], line["id"], line["values"]["Last_Name"]) == ("Contacts", hers, "Her own")


async def test_a_link_set_on_their_record_is_taken_back(open_way: OpenWay) -> None:
    """The primary contact that a contact's load set on an account of theirs."""
    with sandbox("servicetracker", SandboxConfig(scale=60, seed=4)) as url:
        async with Tracker(url) as tracker:
            [contact, *_] = await tracker.rows(
                "SELECT Id, AccountId FROM Contact WHERE Is_Primary__c = true ORDER BY Id"
            )
            account = contact["AccountId"]
            await tracker.change("Account", account, Description=None)
            async with open_way(source=url) as way:
                await way.up_to("provision")
                hers = await create(way, "Contacts", Last_Name="Their primary")
                values = {"Account_Name": "Theirs", "Description": "Their words", "Primary_Contact": {"id": hers}}
                key = {"Source_System_ID": f"servicetracker:Account:{account}"}
                theirs = await create(way, "Accounts", **values, **key)
                before = {line["id"]: line for line in await way.destination.dump() if "id" in line}
                await way.run("full")
                now = {line["id"]: line for line in await way.destination.dump() if "id" in line}
                assert now[theirs]["data"]["Primary_Contact"] != hers
                await way.run("rollback")
                after_all = {line["id"]: line for line in await way.destination.dump() if "id" in line}
                assert after_all.keys() == before.keys()
                assert filled(after_all[theirs]["data"]) == filled(before[theirs]["data"])
                assert (await rollback_report(way))["equal"] is True
