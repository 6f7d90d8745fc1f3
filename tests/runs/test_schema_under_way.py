"""The destination's schema changes after discovery: a run that meets it waits and names what is gone, and goes on."""

from typing import Any

from tests.runs.conftest import OpenWay
from tests.runs.road import Road

ACCOUNTS = {"how": "field_gone", "modules": ["Accounts"], "spare": ["Source_System_ID"]}


async def change(way: Road, **what: Any) -> dict[str, Any]:
    made: dict[str, Any] = await way.destination.post("admin", {"action": "change_schema", **what})
    return made


async def restore(way: Road) -> None:
    await way.destination.post("admin", {"action": "restore_schema"})


async def waiting(way: Road, kind: str) -> tuple[Any, dict[str, Any]]:
    """A run that stands still for an administrator, with its problem."""
    run_id = await way.run(kind, expect="waiting_admin")
    problem: dict[str, Any] = (await way.row(run_id)).problem
    assert problem["code"] == "schema-changed"
    return run_id, problem


async def discrepancies(way: Road, kind: str) -> int:
    counts = (await way.row(await way.run(kind))).counts
    return int(counts["readback"]["discrepancies"])


async def written_field(way: Road, load: str, module: str) -> int:
    """The number of a custom field that the load fills, among those the administrator may take away."""
    spec = next(one for one in (await way.inventory("destination")).objects if one.name == module)
    names = sorted(field.name for field in spec.fields if field.custom and not (field.unique or field.external_id))
    names = [name for name in names if name != "Source_System_ID"]
    ours = [row["record_id"] for row in await way.ledger(f"target_object = '{load}' AND record_id IS NOT NULL")]
    data = [line["data"] for line in await way.destination.dump() if line["id"] in ours and "data" in line]
    return next(number for number, name in enumerate(names) if sum(bool(one.get(name)) for one in data) > 1)


async def test_a_field_that_is_gone_is_named_and_what_it_missed_is_repaired(open_way: OpenWay) -> None:
    """The vendor dropped its values without a word. While it is away a resumed run waits once more."""
    async with open_way() as way:
        await way.up_to("sample")
        made = await change(way, **ACCOUNTS, draw=await written_field(way, "Accounts", "Accounts"))
        run_id, problem = await waiting(way, "full")
        [text] = problem["missing"]
        assert "Accounts" in text
        assert made["field"].replace("_", " ") in text
        await way.resume(run_id)
        await way.drive(run_id, expect="waiting_admin")
        await restore(way)
        await way.resume(run_id)
        run = await way.drive(run_id)
        assert run.counts["readback"]["discrepancies"] > 0
        assert await discrepancies(way, "repair") == 0
        assert await discrepancies(way, "reconcile") == 0


async def test_a_module_that_is_gone_is_named_and_everything_lands_once(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        made = await change(way, how="module_gone")
        run_id, problem = await waiting(way, "full")
        assert any(made["module"] in text for text in problem["missing"])
        await restore(way)
        await way.resume(run_id)
        run = await way.drive(run_id)
        assert run.counts["readback"]["discrepancies"] == 0
        again = await way.row(await way.run("full"))
        assert (again.counts["created"], again.counts["updated"]) == (0, 0)


async def test_a_field_that_became_mandatory_holds_records_by_its_name(open_way: OpenWay) -> None:
    """They land with the next full run after it was put right. Neither of both asks what the schema looks like now."""
    async with open_way() as way:
        await way.up_to("provision")
        made = await change(way, how="field_required", modules=["Contacts"], spare=["Source_System_ID"])
        runs = [await way.run("full")]
        refused = await way.ledger("outcome = 'quarantined' AND target_object = 'Contacts'")
        assert refused
        assert {row["reason"].split(":")[1] for row in refused} == {made["field"]}
        await restore(way)
        runs.append(await way.run("full"))
        assert not await way.ledger("outcome = 'quarantined' AND target_object = 'Contacts'")
        assert await discrepancies(way, "reconcile") == 0
        for run_id in runs:
            assert "describe" not in (await way.row(run_id)).calls["by_purpose"]
