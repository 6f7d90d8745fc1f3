"""Freshsales: records, and what they cost in calls (Freshsales fact sheet sections 3 to 6, 10, 13)."""

from typing import Any

import httpx
import pytest
import respx

from connectors.base import ChangeKind, SchemaChange, WriteStatus
from connectors.errors import Ambiguous, ContractBroken
from connectors.freshsales.destination import FreshsalesDestination
from tests.connectors.connector_kit import freshsales_context, no_sleep
from tests.connectors.freshsales_kit import account

CREATED, UPDATED, REFUSED = WriteStatus.CREATED, WriteStatus.UPDATED, WriteStatus.REFUSED


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"last_name": f"P{number}", "external_id": f"st:Contact:{number}", "email": f"p{number}@example.com", **more}


async def test_a_hundred_upserts_are_three_calls_and_reading_them_back_is_one() -> None:
    async with account() as fresh:
        await fresh.made("contacts", **person(1000))  # fields and statuses are asked for once
        calls = fresh.count()
        results = await fresh.upsert("contacts", "external_id", *map(person, range(100)))
        assert calls.by_purpose() == {"bulk contacts": 1, "job contacts": 1, "find contacts": 1}
        assert [one.status for one in results] == [CREATED] * 100
        ids = [str(one.id) for one in results]
        await fresh.destination.fetch("contacts", ids, [])  # the ids of the views are asked for once
        calls = fresh.count()
        rows = await fresh.destination.fetch("contacts", ids, ["last_name"])
        assert calls.by_purpose() == {"fetch contacts": 1}
        assert [rows[one]["last_name"] for one in ids] == [f"P{n}" for n in range(100)]


async def test_up_to_three_records_go_one_by_one_and_tell_created_from_updated() -> None:
    async with account() as fresh:
        first = await fresh.upsert("contacts", "external_id", person(1), person(2))
        calls = fresh.count()
        second = await fresh.upsert("contacts", "external_id", person(2), person(3), person(4))
        assert calls.by_purpose() == {"write contacts": 3}
        assert [one.status for one in first + second] == [CREATED, CREATED, UPDATED, CREATED, CREATED]


async def test_accounts_of_one_name_are_told_apart_after_a_job() -> None:
    async with account(account_name_unique="off") as fresh:
        key = await fresh.unique_key()
        await fresh.destination.describe()
        names = ["Same", "Same", "Other", "Third", "Fourth"]
        records = [{"name": name, key: f"st:Account:{n}"} for n, name in enumerate(names)]
        results = await fresh.upsert("sales_accounts", key, *records)
        rows = await fresh.destination.fetch("sales_accounts", [str(one.id) for one in results], [key])
        assert [rows[str(one.id)][key] for one in results] == [f"st:Account:{n}" for n in range(5)]


async def test_a_field_that_is_not_unique_is_no_key() -> None:
    async with account() as fresh:
        name = await fresh.field("sales_accounts", "Legacy")
        inventory = await fresh.destination.describe()
        spec = inventory.object("sales_accounts")
        assert spec is not None
        assert not spec.field(name).unique  # type: ignore[union-attr]
        with pytest.raises(ContractBroken, match="not unique"):
            await fresh.upsert("sales_accounts", name, *({"name": f"A{n}", name: f"k:{n}"} for n in range(4)))


async def test_refused_rows_of_a_job_are_values_with_field_and_record_in_the_way() -> None:
    async with account() as fresh:
        taken = await fresh.made("contacts", last_name="First", email="p2@example.com")
        rows = [person(n) for n in range(5)]
        rows[3]["owner_id"] = 4711
        results = await fresh.upsert("contacts", "external_id", *rows)
        assert [one.status for one in results] == [CREATED, CREATED, REFUSED, REFUSED, CREATED]
        assert (results[2].code, results[2].field, results[2].duplicate_id) == ("DUPLICATE_DATA", "email", taken)
        assert (results[3].code, results[3].field) == ("INVALID_DATA", "owner_id")


async def test_one_key_twice_in_a_batch_is_one_record() -> None:
    async with account() as fresh:
        rows = [person(n) for n in range(5)] + [person(2, last_name="Again")]
        results = await fresh.upsert("contacts", "external_id", *rows)
        assert results[5].id == results[2].id
        assert results[5].status is UPDATED


async def test_dropdowns_are_names_and_an_unknown_name_is_refused_without_a_call() -> None:
    async with account() as fresh:
        await fresh.admin("create_pipeline", name="Renewals", stages=[["New", 10, "Open"], ["Won", 100, "Closed Won"]])
        await fresh.destination.describe()
        key = await fresh.made("deals", name="D", amount="10", deal_stage_id="won", deal_pipeline_id="Renewals")
        row = (await fresh.destination.fetch("deals", [key], ["deal_stage_id"]))[key]
        assert (row["deal_pipeline_id"], row["deal_stage_id"]) == ("Renewals", "Won")
        calls = fresh.count()
        results = await fresh.insert(
            "deals",
            {"name": "D", "amount": 1, "deal_stage_id": "Demo", "deal_pipeline_id": "Renewals"},
            {"name": "D", "amount": 1, "deal_type_id": "Barter"},
        )
        assert [(one.status, one.code, one.field) for one in results] == [
            (REFUSED, "UNKNOWN_OPTION", "deal_stage_id"), (REFUSED, "UNKNOWN_OPTION", "deal_type_id"),
        ]  # fmt: skip
        assert calls.by_purpose() == {}


async def test_a_status_belongs_to_its_lifecycle_stage() -> None:
    async with account(lifecycle_on_get="null") as fresh:
        await fresh.admin("create_contact_status", name="New", lifecycle_stage="Customer")
        fields = {"last_name": "A", "lifecycle_stage_id": "Customer", "contact_status_id": "New"}
        key = await fresh.made("contacts", **fields)
        row = (await fresh.destination.fetch("contacts", [key], list(fields)))[key]
        assert (row["lifecycle_stage_id"], row["contact_status_id"]) == ("Customer", "New")


@pytest.mark.parametrize("mode", ["merge", "replace"])
async def test_a_partial_update_keeps_other_custom_values(mode: str) -> None:
    async with account(custom_field_put=mode) as fresh:
        one, two = await fresh.field("contacts", "One"), await fresh.field("contacts", "Two")
        ids = [await fresh.made("contacts", **person(n), **{one: "1", two: "2"}) for n in range(5)]
        await fresh.update("contacts", {"id": ids[0], one: "new"})
        await fresh.update("contacts", *({"id": key, one: None} for key in ids[1:]))
        rows = await fresh.destination.fetch("contacts", ids, [one, two])
        assert [(rows[key][one], rows[key][two]) for key in ids] == [("new", "2"), *[(None, "2")] * 4]


async def test_nothing_is_read_before_an_update_that_loses_nothing() -> None:
    async with account() as fresh:
        one, two = await fresh.field("contacts", "One"), await fresh.field("contacts", "Two")
        key = await fresh.made("contacts", **person(1), **{one: "1"})
        await fresh.update("contacts", {"id": key})
        calls = fresh.count()
        await fresh.update("contacts", {"id": key, "city": "Rome"})
        await fresh.update("contacts", {"id": key, one: "a", two: "b"})
        assert calls.by_purpose() == {"update contacts": 2}


async def test_a_hundred_updates_are_a_job_and_one_look() -> None:
    async with account() as fresh:
        one = await fresh.field("contacts", "One")
        await fresh.field("contacts", "Two")
        made = await fresh.upsert("contacts", "external_id", *map(person, range(100)))
        ids = [str(each.id) for each in made]
        await fresh.destination.fetch("contacts", ids, [])
        calls = fresh.count()
        results = await fresh.update("contacts", *({"id": key, one: "x"} for key in ids))
        assert [each.status for each in results] == [UPDATED] * 100
        assert calls.by_purpose() == {"fetch contacts": 1, "bulk contacts": 1, "job contacts": 1}


async def test_a_contact_keeps_the_accounts_it_had() -> None:
    async with account() as fresh:
        first, second = await fresh.made("sales_accounts", name="A"), await fresh.made("sales_accounts", name="B")
        key = await fresh.made("contacts", last_name="P", sales_account=first)
        await fresh.update("contacts", {"id": key, "sales_account": int(second)})
        shown = (await fresh.seen(f"contacts/{key}?include=sales_accounts"))["contact"]["sales_accounts"]
        assert {(str(one["id"]), one["is_primary"]) for one in shown} == {(first, False), (second, True)}


async def test_deals_are_found_again_in_all_their_views() -> None:
    async with account() as fresh:
        contact = await fresh.made("contacts", last_name="P")
        stages = ["New", "Won", "Lost", "Demo", "Won"]
        records = [
            {"name": f"D{n}", "amount": n, "deal_stage_id": stage, "contacts": int(contact)}
            for n, stage in enumerate(stages)
        ]
        results = await fresh.insert("deals", *records)
        ids = [str(one.id) for one in results]
        rows = await fresh.destination.fetch("deals", [*ids, "999"], ["contacts", "deal_stage_id"])
        assert [rows[key]["deal_stage_id"] for key in ids] == stages
        assert {str(rows[key]["contacts"]) for key in ids} == {contact}
        assert "999" not in rows
        assert await fresh.destination.count("deals") == 5


async def test_a_deal_has_the_contact_it_is_given_last() -> None:
    async with account() as fresh:
        first, second = await fresh.made("contacts", last_name="A"), await fresh.made("contacts", last_name="B")
        key = await fresh.made("deals", name="D", amount=1, contacts=int(first))
        for given, expected in ((int(second), int(second)), (None, [])):
            await fresh.update("deals", {"id": key, "contacts": given})
            row = (await fresh.destination.fetch("deals", [key], ["contacts"]))[key]
            assert row["contacts"] == expected


async def test_an_insert_that_stops_midway_is_never_sent_again_unseen() -> None:
    async with account(hourly_calls="9") as fresh:
        with pytest.raises(Ambiguous):
            await fresh.insert("deals", *({"name": f"D{n}", "amount": 1} for n in range(20)))
        assert (await fresh.stats())["records"]["created"]["deal"] > 0


async def test_search_that_lags_is_waited_for() -> None:
    async with account(search_lag_seconds="3") as fresh:
        results = await fresh.upsert("contacts", "external_id", *map(person, range(5)))
        assert [one.status for one in results] == [CREATED] * 5
        assert sum(fresh.clock.pauses) >= 3


@pytest.mark.parametrize(("status", "forget"), [("200", False), ("204", True)])
async def test_deleting_and_forgetting(status: str, forget: bool) -> None:
    async with account(delete_status=status, config={"forget": forget}) as fresh:
        ids = [await fresh.made("contacts", **person(n)) for n in range(3)]
        for _ in range(2):
            gone = await fresh.destination.delete("contacts", ids)
            assert [one.status for one in gone] == [UPDATED] * 3
        (one,) = await fresh.destination.delete("sales_accounts", [await fresh.made("sales_accounts", name="A")])
        assert one.status is UPDATED
        records = (await fresh.stats())["records"]
        assert records["bin"] == ({} if forget else {"contact": 3, "sales_account": 1})
        assert await fresh.destination.fetch("contacts", ids, []) == {}


async def test_custom_modules_are_read_by_pages() -> None:
    async with account() as fresh:
        change = SchemaChange(kind=ChangeKind.OBJECT, object="cm_work_order", label="Work Orders")
        name = (await fresh.destination.provision(change, {})).api_name
        key = await fresh.field(name, "Source System ID")
        results = [*await fresh.insert(name, *({"name": f"W{n}", key: f"st:WO:{n}"} for n in range(100)))]
        results += await fresh.insert(name, *({"name": f"W{n}", key: f"st:WO:{n}"} for n in range(100, 130)))
        ids = [str(one.id) for one in results]
        await fresh.destination.fetch(name, ids[:5], [key])
        calls = fresh.count()
        rows = await fresh.destination.fetch(name, ids[100:], [key])
        assert [rows[one][key] for one in ids[100:]] == [f"st:WO:{n}" for n in range(100, 130)]
        assert calls.by_purpose() == {f"fetch {name}": 2}
        found = await fresh.destination.find(name, key, ["st:WO:7", "st:WO:107"])
        assert {value: rows[0].id for value, rows in found.items()} == {"st:WO:7": ids[7], "st:WO:107": ids[107]}
        assert await fresh.destination.count(name, key) == 130
        assert [one.status for one in await fresh.destination.delete(name, ids[:2])] == [UPDATED] * 2


async def test_pages_that_are_fewer_than_last_time_lose_nothing() -> None:
    async with account() as fresh:
        change = SchemaChange(kind=ChangeKind.OBJECT, object="cm_visit", label="Visits")
        name = (await fresh.destination.provision(change, {})).api_name
        made = [*await fresh.insert(name, *({"name": f"V{n}"} for n in range(100)))]
        made += await fresh.insert(name, *({"name": f"V{n}"} for n in range(100, 110)))
        ids = [str(one.id) for one in made]
        assert len(await fresh.destination.fetch(name, ids[100:], [])) == 10
        await fresh.destination.delete(name, ids[50:])
        assert set(await fresh.destination.fetch(name, ids, [])) == set(ids[:50])


@respx.mock
async def test_a_view_that_is_missing_is_no_proof_that_records_are_gone() -> None:
    base = "http://views.example.net/crm/sales/api"
    views = {"filters": [{"id": 1, "name": "Open Deals"}, {"id": 2, "name": "Won Deals"}]}
    respx.get(f"{base}/deals/filters").respond(json=views)
    respx.get(f"{base}/settings/deals/fields").respond(json={"fields": [{"name": "name", "type": "text"}]})
    respx.get(f"{base}/selector/deal_pipelines").respond(json={"deal_pipelines": []})
    for key in range(1, 11):
        respx.get(f"{base}/deals/{key}").respond(json={"deal": {"id": key, "name": f"D{key}"}})
    context = freshsales_context("http://views.example.net")
    destination = FreshsalesDestination(context, transport=httpx.AsyncHTTPTransport(), sleep=no_sleep, retries=0)
    assert len(await destination.fetch("deals", [str(key) for key in range(1, 11)], [])) == 10
    with pytest.raises(ContractBroken, match="view"):
        await destination.count("deals")
    await destination.close()


async def test_owners_change_in_bulk() -> None:
    async with account() as fresh:
        user = (await fresh.destination.describe()).users[2].id
        contacts = await fresh.upsert("contacts", "external_id", *map(person, range(5)))
        deals = await fresh.insert("deals", *({"name": f"D{n}", "amount": 1} for n in range(5)))
        for name, made in (("contacts", contacts), ("deals", deals)):
            ids = [str(one.id) for one in made]
            calls = fresh.count()
            changed = await fresh.destination.reassign(name, ids, user)
            assert [one.status for one in changed] == [UPDATED] * 5
            assert sum(calls.by_purpose().values()) <= 2
            rows = await fresh.destination.fetch(name, ids, ["owner_id"])
            assert {str(row["owner_id"]) for row in rows.values()} == {user}


async def test_changes_since_name_edited_and_deleted_records() -> None:
    async with account() as fresh:
        kept, edited, binned = [await fresh.made("contacts", **person(n)) for n in range(3)]
        since = fresh.clock()
        fresh.clock.advance(seconds=60)
        await fresh.admin("edit_record", module="contact", id=edited, values={"city": "Rome"})
        await fresh.admin("delete_record", module="contact", id=binned)
        pages = await fresh.destination.changed_since("contacts", since)
        assert pages is not None
        found = {key async for page in pages for key in page}
        assert found == {edited, binned}
        assert kept not in found
        assert await fresh.destination.changed_since("tasks", since) is None


async def test_leads_of_the_classic_suite() -> None:
    async with account(classic="on") as fresh:
        inventory = await fresh.destination.describe()
        assert inventory.facts["classic"] is True
        key = await fresh.made("leads", last_name="L", email="l@example.com", lead_stage_id="Qualified")
        row = (await fresh.destination.fetch("leads", [key], ["email"]))[key]
        assert (row["email"], row["lead_stage_id"]) == ("l@example.com", "Qualified")
