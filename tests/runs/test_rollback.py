"""One call takes everything back: the destination is as it was, except for what people changed since."""

from typing import Any

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.doom import Killed, doomed
from tests.runs.judging import Dump
from tests.runs.road import Road, Stand, sandbox
from tests.runs.test_crashes import after


async def edit(way: Road, module: str, record_id: str, **values: Any) -> None:
    """What a person does in the product's pages."""
    body = {"action": "edit_record", "module": module, "id": record_id, "values": values, "as": "owner1@example.com"}
    assert (await way.destination.post("admin", body))["status"] == "success"


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
    tracker = Tracker(source_url)
    await tracker.sign_in()
    first, second = (row["Id"] for row in (await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 2")))
    await tracker.close()
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


def filled(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, "", [])}


async def test_an_interrupted_rollback_goes_on_where_it_was(open_way: OpenWay) -> None:
    async with open_way(call_timeout_seconds=0.5) as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        await way.run("full")
        run_id = await way.start("rollback")
        deaths = []
        for patience in (12, 30, 41, 55):
            with doomed(way.runtime, after(patience)) as (runtime, doom):
                try:
                    await way.drive_once(run_id, runtime=runtime)
                except Killed:
                    deaths.append(doom.last)
                finally:
                    doom.dead = True
                    await runtime.db.close()
            await way.free(run_id)
        await way.drive(run_id)
        assert len(deaths) == 4
        assert await way.destination.dump() == before


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
