"""After a sample the report says what appeared at the destination that we did not write."""

from tests.runs.conftest import OpenWay
from tests.runs.customer import create


async def test_what_appeared_meanwhile_is_counted_by_object(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        run_id = await way.start("sample", options={"rehearse_rollback": True})
        # a workflow that made a task, and one that made a contact, while the sample was under way
        task = await create(way, "Tasks", Subject="Call the new client")
        contact = await create(way, "Contacts", Last_Name="Made by a rule")
        await way.drive(run_id)
        traces = (await way.row(run_id)).counts["automation"]
        assert traces["appeared"] == {"Contacts": 1, "Tasks": 1}
        assert traces["examples"] == {"Contacts": [contact], "Tasks": [task]}
        assert traces["suppressed"] is True
        summary = next(found for kind, found, _ in await way.reports(run_id) if kind == "sample")
        assert summary["created"] > 100


async def test_a_quiet_sample_leaves_no_trace(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("sample")
        traces = (await way.row(way.runs["sample"])).counts["automation"]
        assert traces["appeared"] == {}
