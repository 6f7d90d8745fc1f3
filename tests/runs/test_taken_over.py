"""A record of the customer's that a run takes over: what it held is safe before the first call, whoever dies then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import by_id, edit, rollback_report, theirs
from tests.runs.doom import at, doomed, one_life
from tests.runs.road import only, sandbox


@asynccontextmanager
async def company() -> AsyncIterator[tuple[str, Tracker, str]]:
    """A company of twenty records: its URL, a client of it, and the id of its first account."""
    with sandbox("servicetracker", SandboxConfig(scale=20, seed=5)) as url:
        async with Tracker(url) as tracker:
            [account, *_] = await tracker.rows("SELECT Id FROM Account ORDER BY Id")
            yield url, tracker, account["Id"]


@pytest.mark.parametrize("moment", ["call Accounts", "answer Accounts", "record accounts"])
async def test_a_worker_that_dies_around_the_first_call_leaves_it_theirs(
    open_way: OpenWay, source_url: str, moment: str
) -> None:
    async with Tracker(source_url) as tracker:
        formers = [row["Id"] for row in (await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 3"))]
    async with open_way(call_timeout_seconds=0.5) as way:
        await way.up_to("provision")
        ids = [await theirs(way, former) for former in formers]
        before = await by_id(way)
        run_id = await way.start("full")
        assert (await one_life(way, run_id, at(moment))).last == moment
        await way.drive(run_id)
        rows = {row["source_id"]: row for row in await way.ledger("target_object = 'Accounts' AND part = ''")}
        assert [(rows[one]["record_id"], rows[one]["created"]) for one in formers] == [(one, False) for one in ids]
        assert {rows[one]["run_id"] for one in formers} == {run_id}
        now = await by_id(way)
        assert all(now[one] != before[one] for one in ids)
        await way.run("rollback")
        assert await by_id(way) == before


@pytest.mark.parametrize("moment", ["call Accounts", "answer Accounts", "record accounts"])
async def test_what_the_source_leaves_blank_stays_theirs_whoever_dies(open_way: OpenWay, moment: str) -> None:
    """The successor of a dead worker writes what that one would have written: it clears nothing that we never set."""
    async with company() as (url, tracker, account):
        await tracker.change("Account", account, Description=None, Phone="+1 415 555 0100")
        async with open_way(source=url, call_timeout_seconds=0.5) as way:
            await way.up_to("provision")
            one = await theirs(way, account, Description="Their words")
            before = await by_id(way)
            run_id = await way.start("full")
            assert (await one_life(way, run_id, at(moment))).last == moment
            await way.drive(run_id)
            now = await by_id(way)
            assert now[one]["Phone"] == "+14155550100"
            assert now[one]["Description"] == "Their words"
            await way.run("rollback")
            assert await by_id(way) == before


async def test_what_a_delta_cleared_comes_back(open_way: OpenWay) -> None:
    """The source filled the field first and emptied it later; both were ours."""
    async with company() as (url, tracker, account):
        await tracker.change("Account", account, Description="From the source", Fax=None)
        async with open_way(source=url) as way:
            await way.up_to("provision")
            one = await theirs(way, account, Description="Their words", Fax="+1 415 555 0188")
            before = await by_id(way)
            await way.run("full")
            assert (await by_id(way))[one]["Description"] == "From the source"
            await tracker.change("Account", account, Description=None)
            await way.delta()
            now = await by_id(way)
            assert "Description" not in now[one]
            assert now[one]["Fax"] == "+1 415 555 0188"
            await way.run("rollback")
            assert await by_id(way) == before
            report = await rollback_report(way)
            assert (report["restored"], report["kept_edits"], report["equal"]) == (1, 0, True)


async def test_what_a_person_entered_where_we_wrote_nothing_stays_and_is_listed(open_way: OpenWay) -> None:
    async with company() as (url, tracker, account):
        await tracker.change("Account", account, Description=None)
        async with open_way(source=url) as way:
            await way.up_to("provision")
            one = await theirs(way, account, Description="Their words")
            before = await by_id(way)
            await way.run("full")
            await edit(way, "Accounts", one, Description="Their later words")
            await way.run("rollback")
            now = await by_id(way)
            assert now.pop(one) == {**before.pop(one), "Description": "Their later words"}
            assert now == before
            report = await rollback_report(way)
            assert (report["restored"], report["kept_edits"], report["equal"]) == (1, 1, True)
            assert [kept["fields"] for kept in report["kept"]] == [["Description"]]


@pytest.mark.parametrize("filled", [False, True], ids=["never filled", "filled before"])
async def test_a_full_run_clears_of_theirs_only_what_we_filled(open_way: OpenWay, filled: bool) -> None:
    """The delta's update was refused, so the full run after it writes the record again as a whole."""
    async with company() as (url, tracker, account):
        await tracker.change("Account", account, Description="From the source" if filled else None)
        async with open_way(source=url) as way:
            await way.up_to("provision")
            one = await theirs(way, account, Description="Their words")
            before = await by_id(way)
            await way.run("full")
            await tracker.change("Account", account, Description=None, Phone="+1 415 555 0199")
            await way.destination.faults(reject_record=10_000, seed=1)
            await way.delta()
            await way.destination.faults()
            await way.run("full")
            now = await by_id(way)
            assert now[one]["Phone"] == "+14155550199"
            assert now[one].get("Description") == (None if filled else "Their words")
            await way.run("rollback")
            assert await by_id(way) == before
            assert (await rollback_report(way))["equal"] is True


async def test_a_record_entered_while_we_wrote_stays_theirs(open_way: OpenWay) -> None:
    """A person enters it after we looked and before our first call: nobody knows what it held, but it is not ours."""
    async with company() as (url, _, account), open_way(source=url) as way:
        await way.up_to("provision")
        await way.confirm(only(await way.document(), ["accounts"]))
        before = await by_id(way)
        values = {"Account_Name": "Theirs", "Source_System_ID": f"servicetracker:Account:{account}"}
        body = {"action": "create_record", "module": "Accounts", "values": values, "as": "owner1@example.com"}
        entered: list[httpx.Response] = []

        def enter(step: str) -> bool:
            if step == "call Accounts" and not entered:
                entered.append(httpx.post(f"{way.urls['destination']}/_sandbox/admin", json=body))
            return False

        run_id = await way.start("full")
        with doomed(way.runtime, enter) as (runtime, _):
            await way.drive_once(run_id, runtime=runtime)
            await runtime.db.close()
        assert [answer.status_code for answer in entered] == [200]
        [row] = await way.ledger(f"target_object = 'Accounts' AND part = '' AND source_id = '{account}'")
        assert (row["outcome"], row["created"]) == ("updated", False)
        await way.run("rollback")
        assert (await by_id(way)).keys() - before.keys() == {row["record_id"]}
        kept = (await rollback_report(way))["kept"]
        assert [one["source_id"] for one in kept] == [account]
        assert "Account_Name" in kept[0]["fields"]
