"""Freshsales: leads of the classic suite (Freshsales fact sheet sections 2, 3 and 7)."""

from typing import Any

from connectors.base import WriteStatus
from connectors.freshsales.destination import FreshsalesDestination
from connectors.freshsales.manifest import OBJECTS
from tests.connectors.freshsales_kit import account

CREATED, UPDATED = WriteStatus.CREATED, WriteStatus.UPDATED


def lead(number: int, **more: Any) -> dict[str, Any]:
    return {"last_name": f"L{number}", "cf_source_system_id": f"rs:leads:{number}", **more}


async def spec(destination: FreshsalesDestination, name: str) -> Any:
    found = (await destination.describe()).object(name)
    assert found is not None
    return found


async def test_only_the_classic_suite_has_leads_and_things_that_hang_on_them() -> None:
    for switch in ("on", "off"):
        async with account(classic=switch) as fresh:
            inventory = await fresh.destination.describe()
            tasks = inventory.object("tasks")
            assert tasks is not None
            target = tasks.field("targetable_id")
            assert target is not None
            has = switch == "on"
            assert ("leads" in target.references, inventory.facts["classic"]) == (has, has)
            assert (inventory.object("leads") is not None) is has


async def test_without_a_unique_field_a_lead_is_inserted_and_found_by_its_key() -> None:
    async with account(classic="on") as fresh:
        await fresh.field("leads", "Source System ID")
        first, second = await fresh.insert("leads", lead(1, company_name="Acme"), lead(2))
        assert (first.status, second.status) == (CREATED, CREATED)
        found = await fresh.destination.find("leads", "cf_source_system_id", ["rs:leads:2", "rs:leads:9"])
        assert {key: [one.id for one in rows] for key, rows in found.items()} == {"rs:leads:2": [second.id]}
        assert not (await spec(fresh.destination, "leads")).field("cf_source_system_id").unique


async def test_by_a_unique_field_a_lead_is_upserted_one_call_each() -> None:
    async with account(classic="on", lead_unique_fields="1") as fresh:
        key = await fresh.field("leads", "Source System ID")
        await fresh.admin("set_unique", module="lead", field=key)
        assert (await spec(fresh.destination, "leads")).field(key).unique
        await fresh.upsert("leads", key, *(lead(n) for n in range(2)))
        calls = fresh.count()
        results = await fresh.upsert("leads", key, *(lead(n, job_title="Cook") for n in range(5)))
        assert [one.status for one in results] == [UPDATED, UPDATED, CREATED, CREATED, CREATED]
        assert calls.by_purpose() == {"write leads": 5}
        assert OBJECTS["leads"].batch == 1


async def test_changing_a_leads_company_keeps_what_else_is_known_of_it() -> None:
    async with account(classic="on") as fresh:
        key = await fresh.made("leads", last_name="Doe", company={"name": "Acme", "city": "Rome"})
        await fresh.update("leads", {"id": key, "company_name": "Acme SpA"})
        rows = await fresh.destination.fetch("leads", [key], ["company_name", "owner_id"])
        assert (rows[key]["company_name"], rows[key]["company"]["city"]) == ("Acme SpA", "Rome")


async def test_notes_and_tasks_hang_on_a_lead_and_are_read_with_it() -> None:
    async with account(classic="on") as fresh:
        key = await fresh.made("leads", last_name="Doe")
        place = {"targetable_id": key, "targetable_type": "leads"}
        await fresh.made("notes", description="Rang twice", **place)
        due = "2026-03-05T09:00:00+00:00"
        await fresh.made("tasks", title="Ring again", due_date=due, status="Open", **place)
        (note,) = await fresh.destination.children("notes", "leads", key)
        (task,) = await fresh.destination.children("tasks", "leads", key)
        assert (note["description"], task["title"], task["targetable_type"]) == ("Rang twice", "Ring again", "leads")


async def test_leads_are_counted_reassigned_and_deleted() -> None:
    async with account(classic="on") as fresh:
        user = await fresh.admin("create_user", name="New", email="new@example.com")
        keys = [await fresh.made("leads", last_name=f"L{n}") for n in range(3)]
        assert await fresh.destination.count("leads") == 3
        await fresh.destination.reassign("leads", keys, str(user))
        rows = await fresh.destination.fetch("leads", keys, ["owner_id"])
        assert {str(row["owner_id"]) for row in rows.values()} == {str(user)}
        await fresh.destination.delete("leads", keys[:2])
        assert await fresh.destination.count("leads") == 1
