"""What a destination will not take back: named and listed, never silent, and tried again by the next rollback."""

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import by_id, edit, rollback_report, theirs
from tests.runs.road import sandbox
from tests.runs.test_replaying import failures

_ALL = 10_000


async def test_a_refused_restore_is_named_and_the_next_rollback_tries_again(open_way: OpenWay, source_url: str) -> None:
    async with Tracker(source_url) as tracker:
        first, second = (row["Id"] for row in (await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 2")))
    async with open_way() as way:
        await way.up_to("provision")
        ids = [await theirs(way, first), await theirs(way, second)]
        before = await by_id(way)
        await way.run("full")
        await way.destination.faults(reject_record=_ALL, seed=1)
        await way.run("rollback")
        report = await rollback_report(way)
        assert (report["restored"], report["refused"], report["not_restored"], report["equal"]) == (0, 2, 2, False)
        assert [(one["load"], one["source_id"], one["what"]) for one in report["refused_records"]] == [
            ("accounts", first, "restore"),
            ("accounts", second, "restore"),
        ]
        rows = await way.ledger("source_object = 'Account' AND reason LIKE 'not_restored:%'")
        assert [(row["source_id"], row["outcome"], row["record_id"]) for row in rows] == [
            (one, "quarantined", there) for one, there in zip((first, second), ids, strict=True)
        ]
        [group] = [one for one in await failures(way, "rollback") if one.code.startswith("not_restored")]
        assert (group.load, group.records, group.examples) == ("accounts", 2, sorted((first, second)))
        now = await by_id(way)
        assert all(now[one] != before[one] for one in ids)
        await way.destination.faults()
        await way.run("rollback")
        assert await by_id(way) == before
        report = await rollback_report(way)
        assert (report["restored"], report["refused"], report["not_restored"], report["equal"]) == (2, 0, 0, True)
        assert await way.ledger("record_id IS NOT NULL") == []


async def test_a_batch_refused_as_a_whole_costs_only_the_record_at_fault(open_way: OpenWay, source_url: str) -> None:
    async with Tracker(source_url) as tracker:
        formers = [row["Id"] for row in await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 9")]
    async with open_way() as way:
        await way.up_to("provision")
        for former in formers:
            await theirs(way, former)
        before = await by_id(way)
        await way.run("full")
        await way.destination.faults(refuse_batch=3_000, seed=5)
        await way.run("rollback")
        report = await rollback_report(way)
        assert report["refused"] > 0
        assert report["restored"] == len(formers) - report["refused"] > 0
        await way.destination.faults()
        await way.run("rollback")
        assert await by_id(way) == before


async def test_what_a_later_run_could_not_write_again_is_taken_back_all_the_same(open_way: OpenWay) -> None:
    """One record of ours and one of theirs changed at the source, and the destination refused the change: what stands
    there is what we wrote first, so it is neither an edit of a person nor to be forgotten."""
    with sandbox("servicetracker", SandboxConfig(scale=60, seed=9)) as url:
        async with Tracker(url) as tracker:
            ours, adopted = (row["Id"] for row in (await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 2")))
            async with open_way(source=url) as way:
                await way.up_to("provision")
                await theirs(way, adopted)
                before = await by_id(way)
                await way.run("full")
                for number, former in enumerate((ours, adopted)):
                    await tracker.change("Account", former, Description=f"Said later {number}")
                await way.destination.faults(reject_record=_ALL, seed=1)
                await way.delta()
                await way.destination.faults()
                rows = await way.ledger("source_object = 'Account' AND part = '' AND outcome = 'quarantined'")
                assert {row["source_id"] for row in rows} >= {ours, adopted}
                await way.run("rollback")
                report = await rollback_report(way)
                assert (report["kept"], report["restored"], report["equal"]) == ([], 1, True)
                assert await by_id(way) == before


async def test_an_edit_stays_an_edit_where_the_source_had_gone_on(open_way: OpenWay) -> None:
    with sandbox("servicetracker", SandboxConfig(scale=60, seed=9)) as url:
        async with Tracker(url) as tracker:
            [former] = [row["Id"] for row in await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 1")]
            async with open_way(source=url) as way:
                await way.up_to("provision")
                before = await by_id(way)
                await way.run("full")
                await tracker.change("Account", former, Description="Said later")
                await way.destination.faults(reject_record=_ALL, seed=1)
                await way.delta()
                await way.destination.faults()
                [row] = await way.ledger(f"source_id = '{former}' AND target_object = 'Accounts' AND part = ''")
                await edit(way, "Accounts", row["record_id"], Phone="+49 30 1234567")
                await way.run("rollback")
                [kept] = [one for one in (await rollback_report(way))["kept"] if one["source_id"] == former]
                assert kept["fields"] == ["Phone"]
                assert (await by_id(way)).keys() - before.keys() == {row["record_id"]}


async def test_a_refused_link_is_told_by_its_own_row_and_not_as_damage_of_the_record(open_way: OpenWay) -> None:
    """The record stands as it was meant; only the reference that was to be set on it afterwards is missing."""
    async with open_way() as way:
        await way.up_to("provision")
        before = await by_id(way)
        await way.destination.faults(reject_record=2_500, seed=3)
        await way.run("full")
        await way.destination.faults()
        links = await way.ledger("part = 'links' AND outcome = 'quarantined'")
        bases = await way.ledger("part = '' AND outcome = 'created'")
        assert {row["source_id"] for row in links} & {row["source_id"] for row in bases}
        assert (await way.row(way.runs["full"])).counts["readback"]["discrepancies"] == 0
        await way.run("reconcile")
        assert (await way.row(way.runs["reconcile"])).counts["readback"]["discrepancies"] == 0
        await way.run("rollback")
        assert await by_id(way) == before
