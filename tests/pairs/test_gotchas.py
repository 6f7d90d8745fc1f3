"""What the blueprint warns of, as far as the service itself sees to it: one test per warning."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from app.runs.staging import Scope, Staging
from connectors.registry import load_blueprint
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker, Zoho
from tests.runs.road import Road, road, sandbox

ELSEWHERE = {
    "custom_fields": "the proposal, tests/domain/test_proposing.py",
    "offline_devices": "a person's task: it stands on the pair page",
    "subforms": "no load writes to one",
    "export_links": "our own links, tests/pairs/test_servicetracker_zoho_crm.py",
    "task_links": "the row of the service history",
    "stages": "test_an_unknown_status_waits_for_a_person",
}
CHECKED = {
    *("source_api", "edition_api_access", "credits", "owners"),
    *("edition_custom_objects", "unique_slots", "source_times", "private_notes"),
}


def test_every_warning_is_seen_to() -> None:
    checks = {one.check for one in load_blueprint("servicetracker", "zoho_crm").gotchas}
    assert checks == ELSEWHERE.keys() | CHECKED


@pytest.fixture(scope="module")
async def tracker() -> AsyncIterator[tuple[str, Tracker]]:
    """A source of a few clients, work orders and notes."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as client:
            account = await client.create("Account", Name="Birch Dental", Phone="+1 217 555 0101")
            for number in range(5):
                await client.create("Account", Name=f"Client {number}")
            order = await client.create("WorkOrder", Subject="Leak", AccountId=account, Status="Waiting for Parts")
            part = await client.create("Product2", Name="Valve")
            await client.create("ProductConsumed", WorkOrderId=order, Product2Id=part, QuantityConsumed="1")
            await client.create("Task", Subject="Called", WhatId=order, Status="Completed")
            await client.create("Note", ParentId=account, Title="Open", Body="Everybody may read this.")
            await client.create("Note", ParentId=account, Title="Pay", Body="SECRET-LATE-PAYER", IsPrivate=True)
            users = {row["Email"]: row["Id"] for row in await client.rows("SELECT Id, Email FROM User")}
            await client.create("Contact", LastName="Former", OwnerId=users["inactive@example.com"])
            await client.create("Contact", LastName="Current", OwnerId=users["owner3@example.com"])
            yield url, client


@asynccontextmanager
async def org(
    database_url: str, source_url: str, *, edition: str = "enterprise", **options: str
) -> AsyncIterator[tuple[Road, Zoho]]:
    """An engagement towards an org of an edition with sandbox options."""
    with sandbox("zoho_crm", SandboxConfig(edition=edition, options=options)) as url:
        async with road(database_url, source_url, url) as way:
            zoho = Zoho(url)
            try:
                yield way, zoho
            finally:
                await zoho.close()


@pytest.fixture(scope="module")
async def plain(database_url: str, tracker: tuple[str, Tracker]) -> AsyncIterator[tuple[Road, Zoho]]:
    """The small company after sample and full run."""
    async with org(database_url, tracker[0]) as (way, zoho):
        await way.up_to("full")
        await zoho.sign_in()
        yield way, zoho


async def findings(way: Road) -> dict[str, Any]:
    """The gap report's findings by code."""
    body = next(body for kind, _, body in await way.reports(way.runs["preflight"]) if kind == "gap")
    return {one["code"]: one for one in body["findings"]}


async def test_an_edition_without_api_access_is_refused_at_once(database_url: str, tracker: Any) -> None:
    async with org(database_url, tracker[0], edition="standard", api_access="off") as (way, _):
        await way.run("discovery", expect="failed")
        problem = (await way.row(way.runs["discovery"])).problem
        assert problem["code"] == "api-not-supported"
        assert "a higher edition" in problem["detail"]


async def test_below_enterprise_custom_modules_are_a_blocker_and_nothing_is_half_written(
    database_url: str, tracker: Any
) -> None:
    """The gap report names the upgrade; provisioning leaves a checklist and waits for the administrator; a run that
    would need what is missing writes nothing."""
    async with org(database_url, tracker[0], edition="professional") as (way, _):
        before = await way.destination.dump()
        await way.up_to("mapping")
        await way.run("provision", expect="waiting_admin")
        cap = (await findings(way))["custom_objects_cap"]
        assert cap["severity"] == "blocker"
        assert "Upgrade to Enterprise" in cap["remedy"]
        report = next(body for kind, _, body in await way.reports(way.runs["provision"]) if kind == "provisioning")
        manual = {one["change"]["object"] for one in report["changes"] if one["manual"]}
        assert {"Contracts_C", "Assets_C", "Work_Order_Parts"} <= manual
        await way.run("full", expect="failed")
        problem = (await way.row(way.runs["full"])).problem
        assert problem["code"] == "mapping-invalid"
        assert {one["pointer"].split("/")[2] for one in problem["errors"]} >= {"contracts", "assets", "parts_used"}
        assert await way.destination.dump() == before


async def test_without_a_free_unique_field_records_are_found_by_query(database_url: str, tracker: Any) -> None:
    """Both slots of Accounts are the customer's: plain id field, insert, id map, queries where answers get lost."""
    async with org(database_url, tracker[0]) as (way, zoho):
        await zoho.sign_in()
        taken = [{"field_label": f"Customer key {n}", "data_type": "text", "unique": {"case_sensitive": False}}
                 for n in (1, 2)]  # fmt: skip
        await zoho.send("POST", "/crm/v8/settings/fields?module=Accounts", {"fields": taken})
        await way.up_to("provision")
        assert (await findings(way))["unique_slots"]["object"] == "Accounts"
        fields = (await zoho.get("/crm/v8/settings/fields", module="Accounts"))["fields"]
        former = next(one for one in fields if one["field_label"] == "Source System ID")
        assert not former["unique"]
        assert not former.get("external")
        await way.destination.faults(drop=2_000, seed=5)  # executed, but the answer is lost: must not be executed again
        await way.run("full")
        assert (await way.destination.stats())["faults"]["drop"] > 3
        await way.destination.faults()
        accounts = await zoho.records("Accounts")
        assert sorted(row["Account Name"] for row in accounts.values()) == [
            "Birch Dental", *(f"Client {n}" for n in range(5))
        ]  # fmt: skip
        assert (await way.destination.stats())["records"]["created"]["Accounts"] == 6
        await way.run("full")
        assert (await way.destination.stats())["records"]["created"]["Accounts"] == 6


async def test_owners_must_be_active_users(plain: tuple[Road, Zoho]) -> None:
    _, zoho = plain
    owners = {row["Last Name"]: row["Owner"]["email"] for row in (await zoho.records("Contacts")).values()}
    assert owners == {"Former": "admin@example.com", "Current": "owner3@example.com"}


async def test_private_notes_stay_out_and_are_handed_over(plain: tuple[Road, Zoho]) -> None:
    way, zoho = plain
    assert "SECRET-LATE-PAYER" not in str(await way.destination.dump())
    account = next(row for row in (await zoho.records("Accounts")).values() if row["Account Name"] == "Birch Dental")
    assert [note["Note_Title"] for note in await zoho.notes("Accounts", account["id"])] == ["Open"]
    body = await way.file(way.runs["full"], "private_notes.csv")
    assert [row["Text"] for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))] == ["SECRET-LATE-PAYER"]


async def test_credits_are_forecast_and_metered_as_the_vendor_does(plain: tuple[Road, Zoho]) -> None:
    """Our sum of every run is Zoho's sum (less what the test itself asked), and the full run kept to its forecast."""
    way, _ = plain
    full = await way.row(way.runs["full"])
    assert 0 < full.calls["credits"] <= full.forecast["credits"]
    before = (await way.destination.stats())["credits"]["used"]
    again = await way.row(await way.run("reconcile"))
    assert again.calls["credits"] == (await way.destination.stats())["credits"]["used"] - before > 0


async def test_original_times_are_kept_in_fields_of_our_own(plain: tuple[Road, Zoho], tracker: Any) -> None:
    for former, row in (await plain[1].records("Accounts")).items():
        at_source = await tracker[1].read("Account", former.split(":")[2])
        for ours, theirs in (("Created", "CreatedDate"), ("Modified", "LastModifiedDate")):
            assert _instant(row[f"Source {ours} Time"]) == _instant(at_source[theirs].replace(".000+0000", "+00:00"))


async def test_an_unknown_status_waits_for_a_person(plain: tuple[Road, Zoho]) -> None:
    """The order and what hangs on it are held; once the value is mapped, a second run brings exactly those."""
    way, zoho = plain
    held = await way.ledger("outcome = 'held'")
    assert {(row["source_object"], row["target_object"]) for row in held} == {
        ("WorkOrder", "Deals"),
        ("ProductConsumed", "Work_Order_Parts"),
    }
    assert next(row["reason"] for row in held if row["source_object"] == "WorkOrder") == "unmapped_value:Stage"
    document = await way.document()
    statuses = document.value_maps["work_order_status"]
    mapped = statuses.model_copy(update={"entries": {**statuses.entries, "waiting for parts": "On Hold"}})
    maps = {**document.value_maps, "work_order_status": mapped}
    await way.confirm(document.model_copy(update={"value_maps": maps}))
    created = (await way.destination.stats())["records"]["created"]
    await way.run("full")
    assert await way.ledger("outcome = 'held'") == []
    after = (await way.destination.stats())["records"]["created"]
    assert {name: after[name] - created.get(name, 0) for name in after if after[name] != created.get(name, 0)} == {
        "Deals": 1,
        "Work_Order_Parts": 1,
    }
    deals, tasks = await zoho.records("Deals"), await zoho.records("Tasks")
    assert [(row["Stage"], row["Source Status"]) for row in deals.values()] == [("On Hold", "Waiting for Parts")]
    assert [row["Related To"]["id"] for row in tasks.values()] == [row["id"] for row in deals.values()]


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


async def test_the_extraction_reads_the_same_without_the_bulk_interface(database_url: str) -> None:
    """A tenant without Bulk API is paged through; every value is the same."""
    staged = []
    for options in ({}, {"bulk": "off"}):
        with sandbox("servicetracker", SandboxConfig(scale=150, seed=4, options=options)) as url:
            async with org(database_url, url) as (way, _):
                await way.up_to("preflight")
                staged.append(await everything(way))
    assert staged[0] == staged[1]
    assert len(staged[0]) > 100


async def everything(way: Road) -> dict[tuple[str, str], dict[str, Any]]:
    """All staged records in the clear."""
    staging = Staging(way.engagement_id, way.tenant_id, await way.key())
    found = {}
    async with way.runtime.db.connection(way.tenant_id) as connection:
        for name in await staging.counts(connection):
            for row in await staging.page(connection, name, "", None, 10_000, Scope()):
                found[name, row.source_id] = dict(row.record)
    return found
