"""What the blueprint warns of on the way to Freshsales, as far as the service itself sees to it: one test a warning."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.domain.mapping import Dedupe, DedupeMode
from connectors.registry import load_blueprint
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import provision
from tests.pairs.freshsales_account import Freshsales
from tests.pairs.vendors import Tracker
from tests.runs.road import Road, road, sandbox

PAIR = ("servicetracker", "freshsales")
ELSEWHERE = {
    "source_api": "tests/pairs/test_gotchas.py",
    "custom_fields": "the proposal, tests/domain/test_proposing.py",
    "offline_devices": "a person's task: it stands on the pair page",
    "assistant_plan": "nothing of a run needs it: it stands on the pair page",
    "bot_sessions": "no run starts a bot: it stands on the pair page",
    "phone_credits": "no load writes calls in this pair",
    "source_times": "tests/pairs/test_servicetracker_freshsales.py, every row",
    "shared_values": "tests/pairs/test_servicetracker_freshsales.py",
    "private_notes": "tests/pairs/test_servicetracker_freshsales.py",
}
CHECKED = {
    *("workflows_off", "file_storage", "hourly_budget", "edition_custom_objects"),
    *("custom_fields_by_type", "admin_only", "rollback_leftovers"),
}


def test_every_warning_is_seen_to() -> None:
    assert {one.check for one in load_blueprint(*PAIR).gotchas} == ELSEWHERE.keys() | CHECKED


@pytest.fixture(scope="module")
async def tracker() -> AsyncIterator[tuple[str, Tracker]]:
    """A few clients, one with a photo, an order, a history entry and two contacts that are one person."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as client:
            account = await client.create("Account", Name="Birch Dental", Phone="+1 217 555 0101")
            for number in range(3):
                await client.create("Account", Name=f"Client {number}")
            order = await client.create("WorkOrder", Subject="Leak", AccountId=account, Status="Open")
            await client.create("Task", Subject="Called", WhatId=order, Status="Completed")
            await client.create("Attachment", ParentId=account, Name="door.png", Body=b"\x89PNG" + bytes(3000))
            first = await client.create("Contact", FirstName="Ann", LastName="Lee", Email="lee@example.org")
            second = await client.create("Contact", FirstName="ann", LastName="Lee", Email="LEE@example.org")
            await client.create("Contact", FirstName="Bob", LastName="Lee", Email="lee@example.org")
            await client.create("WorkOrder", Subject="Drip", ContactId=second, AccountId=account, Status="Open")
            await client.create("Note", ParentId=first, Title="Open", Body="Everybody may read this.")
            yield url, client


@asynccontextmanager
async def account(
    database_url: str, source_url: str, *, edition: str = "enterprise", **options: str
) -> AsyncIterator[tuple[Road, Freshsales]]:
    """An engagement towards an account of a plan with sandbox options."""
    with sandbox("freshsales", SandboxConfig(edition=edition, options=options)) as url:
        async with road(database_url, source_url, url, pair=PAIR) as way:
            reader = Freshsales(url)
            try:
                yield way, reader
            finally:
                await reader.close()


async def findings(way: Road) -> list[dict[str, Any]]:
    """The gap report's findings."""
    found = next(body for kind, _, body in await way.reports(way.runs["preflight"]) if kind == "gap")
    listed: list[dict[str, Any]] = found["findings"]
    return listed


async def test_a_small_plan_is_told_what_does_not_fit(database_url: str, tracker: Any) -> None:
    """Modules and lookups need another plan, files are set beside the space, and nothing silences workflows."""
    async with account(database_url, tracker[0], edition="growth") as (way, _):
        await way.run("discovery")
        await way.run("preflight")
        told = await findings(way)
        by_code = {one["code"]: one for one in told}
        assert by_code["custom_objects_cap"]["severity"] == "blocker"
        assert "Upgrade to Enterprise" in by_code["custom_objects_cap"]["remedy"]
        kinds = {(one["object"], one["text"].split("kind ")[1].split(",")[0]) for one in told
                 if one["code"] == "custom_fields_by_type"}  # fmt: skip
        assert ("deals", "lookup") in kinds
        assert "2.0 GB" not in by_code["file_storage"]["text"]  # a share for each of the three active users
        assert "6.0 GB" in by_code["file_storage"]["text"]
        assert by_code["file_storage"]["severity"] == "info"
        assert "switches them off" in by_code["workflows_off"]["remedy"]
        assert "recycle bin" in by_code["rollback_leftovers"]["text"]


async def test_the_run_waits_for_the_administrator_and_writes_nothing(database_url: str, tracker: Any) -> None:
    """What is missing is named, a resume looks again, and goes on once it is there."""
    async with account(database_url, tracker[0]) as (way, _):
        await way.up_to("mapping")
        before = await way.destination.dump()
        run_id = await way.run("provision", expect="waiting_admin")
        problem = (await way.row(run_id)).problem
        assert problem["code"] == "admin-needed"
        assert [("ServiceTracker Website" in one) for one in problem["missing"]] == [True]
        await way.resume(run_id)
        await way.drive(run_id, expect="waiting_admin")
        assert await way.destination.dump() == before
        row = {"action": "create_row", "selector": "lead_sources", "name": "ServiceTracker Website"}
        await way.destination.post("admin", row)
        await way.resume(run_id)
        await way.drive(run_id)
        assert await way.fetch("SELECT 1 FROM destination_names WHERE manual <> ''") == []
        advice = await way.fetch("SELECT object, advice FROM destination_names WHERE advice <> ''")
        assert [(one["object"], "unique" in one["advice"]) for one in advice] == [("sales_accounts", True)]


async def test_a_run_waits_for_the_window_to_turn_and_leaves_others_their_share(
    database_url: str, tracker: Any
) -> None:
    """With a budget far below what the run needs it waits window after window, is never refused, and ends complete."""
    async with account(database_url, tracker[0], quota_window="3", hourly_calls="200") as (way, reader):
        await way.execute(
            "UPDATE connections SET config = config || $2 WHERE id = $1",
            *(way.connections["destination"], {"quota_window": 3, "calls_per_window": 200, "reserve": 0.75}),
        )
        await way.run("discovery")
        await way.run("preflight")
        await way.confirm(await way.propose())
        await way.decide_owners()
        run_id = await way.start("provision")
        waits = await wait_out(way, run_id, "waiting_admin")
        row = {"action": "create_row", "selector": "lead_sources", "name": "ServiceTracker Website"}
        await way.destination.post("admin", row)
        await way.resume(run_id)
        waits += await wait_out(way, run_id)
        full = await way.start("full")
        waits += await wait_out(way, full)  # on a slow machine the windows turn before this run has spent them
        run = await way.row(full)
        forecast = run.forecast
        assert forecast["budget"] == {"per_window": 200, "window_seconds": 3.0, "reserved_share": 0.75}
        assert forecast["windows"] == -(-forecast["credits"] // 50) > 1
        assert forecast["waiting_seconds"] == (forecast["windows"] - 1) * 3.0
        assert {"accounts", "contacts", "work_orders", "activities", "reconcile"} <= forecast["phases"].keys()
        assert waits > 0
        stats = await way.destination.stats()
        assert stats["too_many_requests"] == 0
        assert stats["calls"]["busiest_window"] <= 50
        await reader.sign_in()
        assert len(await reader.records("sales_accounts")) == 4


async def wait_out(way: Road, run_id: Any, expect: str = "completed") -> int:
    """Drives a run that waits for its budget now and then; how often it did."""
    for waits in range(400):
        for state in ("waiting_quota", expect):
            try:
                await way.drive(run_id, expect=state)
                break
            except AssertionError:
                found = (await way.row(run_id)).state
                assert found in ("waiting_quota", expect), (found, (await way.row(run_id)).problem)
        if (await way.row(run_id)).state == expect:
            return waits
        # the window turns: the next try is due now instead of in a second or two
        await way.execute("UPDATE runs SET next_at = now() + interval '0.2 seconds' WHERE id = $1", run_id)
        await asyncio.sleep(0.25)
    raise AssertionError("the run waits for its budget again and again")


async def test_doubles_are_merged_on_request_and_families_are_not(database_url: str, tracker: Any) -> None:
    """A person asks for it in the mapping: the oldest survives, the other leads to it, who has another name stays."""
    async with account(database_url, tracker[0]) as (way, reader):
        for kind in ("discovery", "preflight"):
            await way.run(kind)
        document = await way.propose()
        merge = Dedupe(mode=DedupeMode.MERGE, keys=(("Email",),), apart=("FirstName",))
        loads = (one.model_copy(update={"dedupe": merge}) if one.key == "contacts" else one for one in document.loads)
        await way.confirm(document.model_copy(update={"loads": tuple(loads)}))
        await way.decide_owners()
        await provision(way)
        await way.run("full")
        await reader.sign_in()
        people = await reader.records("contacts")
        assert sorted((one["first_name"], one["email"], one["Shared Email"]) for one in people.values()) == [
            ("Ann", "lee@example.org", None), ("Bob", None, "lee@example.org")
        ]  # fmt: skip
        merged = await way.ledger("source_object = 'Contact' AND outcome = 'skipped'")
        assert [row["reason"] for row in merged] == ["merged_into"]
        ann = next(row for row in people.values() if row["first_name"] == "Ann")
        orders = await reader.records("cm_work_order")
        drip = next(row for row in orders.values() if row["Subject"] == "Drip")
        assert reader.reference(drip["Contact"]) == ann["id"]
