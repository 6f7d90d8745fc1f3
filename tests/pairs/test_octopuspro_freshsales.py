"""Every row and checkable warning of OctopusPro → Freshsales, from uploaded files to what the vendor's API shows."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.grading import grade
from app.domain.mapping import MappingDocument
from app.domain.texts import parse_text_block
from app.engagements.checklist import read_checklist
from app.models.engagement import Engagement
from connectors.registry import load_blueprint
from tests.pairs import octopus_freshsales_rows as rows
from tests.pairs import verdicts
from tests.pairs.comparing import Expected
from tests.pairs.conftest import Move, moving, provision
from tests.pairs.octopus_company import SIGNATURE, ZONE, OctopusCompany, octopus_company, octopus_files
from tests.pairs.planting import lacking, switched_off
from tests.pairs.uploading import send_files
from tests.runs.road import Road

PAIR = ("octopuspro", "freshsales")
ROWS: dict[str, Callable[[OctopusCompany], list[Expected]]] = {
    "customer": rows.customers,
    "booking": rows.bookings,
    "field_worker": rows.field_workers,
    "invoice": rows.invoices,
    "quote": rows.quotes,
    "service": rows.services,
    "custom_field_customer": rows.customer_fields,
    "custom_field_booking": rows.booking_fields,
}
OTHERS = {"payment": "test_payments_are_tasks_and_notes_that_read_back"}
PLANTED = {
    "customer": ("second_contacts", "mobile_number", "mobile_number"),
    "booking": ("booking_deals", "cf_lines", "Lines"),
    "field_worker": ("booking_deals", "cf_field_workers", "Field Workers"),
    "invoice": ("invoice_deals", "cf_outstanding_amount", "Outstanding Amount"),
    "quote": ("quote_deals", "cf_loss_reason", "Loss Reason"),
    "service": ("products", "cf_variable_price", "Variable Price"),
    "custom_field_customer": ("contacts", "Pet_Types__c", "Pet Types"),
    "custom_field_booking": ("booking_deals", "Job_Photos__c", "Job Photos"),
}
ELSEWHERE = {
    "billing_model": "tests/pairs/test_octopuspro_zoho_crm.py: facts of the source",
    "charges": "tests/pairs/test_octopuspro_zoho_crm.py",
    "export_request": "tests/pairs/test_octopuspro_zoho_crm.py",
    "custom_fields": "rows of the custom fields, and the same file",
    "portal": "row customer",
    "source_times": "row customer",
    "assistant_plan": "a person's concern: no load needs it",
    "workflows_off": "tests/pairs: the vendor's rule, not the pair's",
    "bot_sessions": "a person's concern",
    "phone_credits": "no load calls anybody",
    "file_storage": "no load moves a file",
}
CHECKED = {
    *("stages", "admin_only", "line_amounts", "void_invoices", "shared_values", "signatures", "placeholder_emails"),
}


@pytest.fixture(scope="module")
def company() -> OctopusCompany:
    return octopus_company()


async def add_stages(way: Road) -> None:
    """The administrator makes the stages that the checklist asks for."""
    document = await way.document()
    stages: Any = document.constants["stages"]
    for stage in stages:
        if stage["name"] != "Lost":
            action = {"action": "create_stage", "name": stage["name"], "probability": stage["probability"]}
            await way.destination.post("admin", {**action, "forecast_type": stage["forecast"]})


async def prepared(made: Move, change: Callable[[MappingDocument], MappingDocument] = lambda one: one) -> None:
    """From the uploaded files to an account that is ready."""
    await send_files(made.road, octopus_files(), timezone=ZONE)
    await made.road.run("discovery")
    await made.road.run("preflight")
    await made.road.confirm(change(await made.road.propose()))
    await made.road.decide_owners()
    await provision(made.road, add_stages)


@pytest.fixture(scope="module")
async def move(database_url: str, company: OctopusCompany) -> AsyncIterator[Move]:
    """The account after sample and full run."""
    async with moving(database_url, "", company, pair=PAIR) as made:
        await prepared(made)
        await made.road.run("sample")
        await made.road.run("full")
        await made.account.sign_in()
        yield made


def test_the_page_says_what_the_blueprint_does() -> None:
    blueprint = load_blueprint(*PAIR)
    assert {row.key for row in blueprint.rows} == ROWS.keys() | OTHERS.keys()
    assert [(row.source_object, row.destination_object) for row in blueprint.rows] == [
        ("Customer", "Contact + Account"),
        ("Booking", "Deal + Activity (Task/Event)"),
        ("Field Worker", "User (Sales Rep)"),
        ("Invoice", "Deal + Product"),
        ("Payment", "Activity (Task) + Deal note"),
        ("Quote / Estimate", "Deal (pre-conversion)"),
        ("Service", "Product + Custom field"),
        ("Custom Field (Customer)", "Custom Field (Contact)"),
        ("Custom Field (Booking)", "Custom Field (Deal)"),
    ]
    assert (blueprint.one_to_one, len(blueprint.rows), blueprint.mapped_of_eight) == (8, 9, 2)
    assert (grade(blueprint, {}).grade.value, blueprint.timeline.label) == ("B", "2–4 weeks")
    assert {one.check for one in blueprint.gotchas} == ELSEWHERE.keys() | CHECKED


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: Move, company: OctopusCompany, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row](company))


async def test_visits_and_status_changes_keep_their_times(move: Move, company: OctopusCompany) -> None:
    """Row booking: appointments and finished tasks on the deal, with what they have no fields for in a block."""
    deal = (await move.freshsales.records("deals"))[company.former("booking")]
    (visit,) = await move.freshsales.activities("appointments", "deals", deal["id"])
    assert (visit["title"], visit["location"]) == ("BK-1 - Front windows", "Level 2, 5 King St, Newtown")
    assert datetime.fromisoformat(visit["from_date"]) == datetime(2024, 10, 30, 21, 30, tzinfo=UTC)
    assert datetime.fromisoformat(visit["end_date"]) == datetime(2024, 10, 30, 23, 0, tzinfo=UTC)
    assert parse_text_block(visit["description"]) == ("Ring twice", {"Field worker": "Iris Berg", "Booking": "BK-1"})
    tasks = await move.freshsales.activities("tasks", "deals", deal["id"])
    tasks = sorted(tasks, key=lambda one: str(one["title"]), reverse=True)  # several calls at once: in any order
    assert [one["title"] for one in tasks] == ["Status changed to To Do", "Status changed to Completed"]
    assert datetime.fromisoformat(tasks[1]["due_date"]) == datetime(2024, 10, 30, 13, 5, tzinfo=UTC)
    assert parse_text_block(tasks[1]["description"])[1] == {
        "Status": "Completed", "Happened at": "2024-10-30T13:05:00+00:00", "Done by": "Bo Ray", "Booking": "BK-1",
    }  # fmt: skip


async def test_payments_are_tasks_and_notes_that_read_back(move: Move, company: OctopusCompany) -> None:
    """Row payment."""
    deals = await move.freshsales.records("deals")
    paid = deals[company.former("paid")]["id"]
    tasks = await move.freshsales.activities("tasks", "deals", paid)
    assert sorted(one["title"] for one in tasks) == ["Payment: 671 by EFT", "Refund: -15.5 by EFT"]
    whole = next(one for one in tasks if one["title"].startswith("Payment"))
    assert parse_text_block(whole["description"]) == (
        "Thanks",
        {
            "Kind": "Payment", "Amount": "671", "Method": "EFT", "Payment status": "Completed", "Reference": "TX-77",
            "Paid on": "2024-11-25",
        },
    )  # fmt: skip
    notes = await move.freshsales.notes("deals", paid)
    assert len(notes) == 2
    assert sum(one.startswith("Payment of 671 by EFT on 2024-11-25, Completed. Reference TX-77") for one in notes) == 1
    (part,) = await move.freshsales.activities("tasks", "deals", deals[company.former("partial")]["id"])
    assert parse_text_block(part["description"])[1]["Kind"] == "Partial payment"


async def test_void_and_missing_invoices_hold_their_payments(move: Move, company: OctopusCompany) -> None:
    held = await move.road.ledger("source_object = 'payments' AND outcome = 'held'")
    assert {(row["source_id"], row["target_object"]) for row in held} == {
        (company.id(word), target) for word in ("void payment", "missing payment") for target in ("tasks", "notes")
    }
    assert company.former("void") not in await move.freshsales.records("deals")


async def test_lines_decide_the_amount_and_the_difference_is_expected(move: Move, company: OctopusCompany) -> None:
    """Ruling 22: the source's total stands in its own field; a line without a known service waits, and is told."""
    deals = await move.freshsales.records("deals")
    booking, paid = deals[company.former("booking")], deals[company.former("paid")]
    assert (float(booking["amount"]), float(booking["Source Amount"])) == (610.0, 671.0)
    assert (float(paid["amount"]), float(paid["Source Amount"])) == (610.0, 671.0)
    found = (await move.freshsales.get(f"/deals/{booking['id']}", include="products"))["deal"]["products"]
    assert [(float(one["quantity"]), float(one["unit_price"])) for one in found] == [(2.0, 65.0), (1.5, 320.0)]
    stages = await move.road.stages(move.road.runs["full"])
    checked = next(one for key, one in stages.items() if one.kind == "reconcile" and "booking_deals" in key)
    assert checked.detail["expected"] == {"amount": "deal_products"}
    assert "amount" not in checked.detail["fields"]
    (row,) = await move.road.ledger("source_object = 'quote_items'")
    assert (row["outcome"], row["reason"]) == ("held", "lookup_missing:product_id")


async def test_stages_wait_for_the_administrator(move: Move) -> None:
    """Every stage has the probability of the blueprint, made by hand while the provisioning waited."""
    found = (await move.freshsales.get("/selector/deal_stages"))["deal_stages"]
    names = {one["name"] for one in found}
    assert {"Quote Sent", "Appointment Scheduled", "Job Completed", "Invoice Open", "Part Paid", "Paid"} <= names
    provisioned = await move.road.row(move.road.runs["provision"])
    assert provisioned.state == "completed"


async def test_a_status_of_the_tenants_own_holds_its_bookings(move: Move, company: OctopusCompany) -> None:
    (row,) = await move.road.ledger("source_object = 'bookings' AND outcome = 'held'")
    assert (row["source_id"], row["reason"]) == (company.id("own status"), "unmapped_value:deal_stage_id")


async def test_signatures_are_named_and_stay_out(move: Move) -> None:
    report = next(body for kind, _, body in await move.road.reports(move.road.runs["preflight"]) if kind == "gap")
    reasons = {one["field"]: one["reason"] for one in report["not_moving"] if one["field"]}
    assert (reasons["Consent_Signature"], reasons["Completion_Signature"]) == ("not_supported", "not_supported")
    dump = str(await move.road.destination.dump())
    assert SIGNATURE not in dump
    assert "hunter2" not in dump


async def test_missing_workers_are_listed_and_looked_for_again(move: Move) -> None:
    """Who has no user stands on the checklist with the placeholder; once he is one, discovery takes him off."""
    assert "owners:FW-2" in await checklist(move)
    assert "owners:FW-1" not in await checklist(move)
    text = (await checklist(move))["owners:FW-2"]
    assert "Bo Ray (field-worker-fw-2@placeholder.invalid)" in text
    body = await move.road.file(move.road.runs["full"], "field_workers.csv")
    table = {row["Field worker"]: row for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))}
    assert (table["FW-2"]["Email is a placeholder"], table["FW-2"]["Account to create"]) == ("yes", "inactive")
    await move.road.destination.post(
        "admin", {"action": "create_user", "name": "Bo Ray", "email": table["FW-2"]["Email"]}
    )
    await move.road.run("discovery")
    await move.road.execute("DELETE FROM owner_decisions WHERE source_user_id = 'FW-2'")
    assert "owners:FW-2" not in await checklist(move)


async def test_automation_rules_come_with_recommended_counterparts(move: Move) -> None:
    listed = json.loads(await move.road.file(move.road.runs["full"], "automation_inventory.json"))
    (rule,) = listed["items"]
    assert (rule["name"], rule["active"]) == ("Reminder", True)
    assert rule["recommended_equivalent"].startswith("Create a time-based workflow on appointments")
    areas = await move.road.file(move.road.runs["full"], "service_areas.csv")
    assert b"Inner West" in areas


async def checklist(move: Move) -> dict[str, str]:
    """Texts by key, as the API serves them."""
    way = move.road
    async with way.runtime.db.transaction(way.tenant_id) as session:
        engagement = await session.get_one(Engagement, way.engagement_id)
        return {one.key: one.text for one in await read_checklist(way.runtime, session, engagement)}


async def test_the_run_conserves_and_finds_no_discrepancy(move: Move) -> None:
    await verdicts.conserves(move.road)


# ── planted faults: the same comparison must miss what a rule no longer carries ──────────────────────────────────────


@pytest.fixture(scope="module")
async def faulty(database_url: str, company: OctopusCompany) -> AsyncIterator[Move]:
    """The same account with one rule taken out for each row, payments without notes, and a name that two share."""

    def cut(document: MappingDocument) -> MappingDocument:
        document = lacking(document, PLANTED)
        return switched_off(document, "payment_notes")

    async with moving(database_url, "", company, pair=PAIR) as made:
        await prepared(made, cut)
        name = "Customers-Harbour-20241101.csv"
        twin = next(line for line in octopus_files()[name].split(b"\r\n") if line.startswith(b"1003,"))
        twin = twin.replace(b"1003,", b"1004,", 1).replace(b",call the office,", b",0412 999 888,")
        kin = next(line for line in octopus_files()[name].split(b"\r\n") if line.startswith(b"1002,"))
        more = b"\r\n".join(
            (octopus_files()[name].removesuffix(b"\r\n"), twin, kin.replace(b"1002,", b"1005,", 1), b"")
        )
        await send_files(made.road, {name: more}, timezone=ZONE)
        await made.road.run("preflight")
        await made.road.run("full")
        await made.account.sign_in()
        yield made


@pytest.mark.parametrize("row", ROWS)
async def test_a_missing_rule_turns_its_row_red(faulty: Move, company: OctopusCompany, row: str) -> None:
    await verdicts.is_missed(faulty.reader, ROWS[row](company), PLANTED[row][2], PLANTED)


async def test_missing_payment_notes_are_missed(faulty: Move, company: OctopusCompany) -> None:
    deal = (await faulty.freshsales.records("deals"))[company.former("paid")]
    assert await faulty.freshsales.notes("deals", deal["id"]) == []


async def test_two_customers_of_one_name_stay_two(faulty: Move, company: OctopusCompany) -> None:
    """Freshsales takes an account's name once: the other gets its number behind it (ruling 21)."""
    accounts = await faulty.freshsales.records("sales_accounts")
    first = accounts[company.former("no first", "account")]
    second = accounts["octopuspro:customers:1004:account"]
    assert first["name"] == "Redgum Property"
    assert (second["name"], second["Name At Source"]) == ("Redgum Property (1004)", "Redgum Property")
    people = await faulty.freshsales.records("contacts")
    one, other = people[company.former("single")], people["octopuspro:customers:1005"]
    assert (one["email"], one["Shared Email"]) == ("priya@example.com", None)
    assert (other["email"], other["Shared Email"]) == (None, "priya@example.com")
