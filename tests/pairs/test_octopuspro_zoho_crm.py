"""Every row and checkable warning of OctopusPro → Zoho CRM, from uploaded files to what the vendor's API shows."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.domain.grading import grade
from connectors.registry import PLATFORMS, load_blueprint
from tests.pairs import octopus_zoho_rows as rows
from tests.pairs import verdicts
from tests.pairs.comparing import Expected
from tests.pairs.conftest import Move, moving
from tests.pairs.octopus_company import SIGNATURE, ZONE, OctopusCompany, octopus_company, octopus_files
from tests.pairs.planting import lacking
from tests.pairs.uploading import send_files

PAIR = ("octopuspro", "zoho_crm")
ROWS: dict[str, Callable[[OctopusCompany], list[Expected]]] = {
    "customer": rows.customers,
    "booking": rows.bookings,
    "field_worker": rows.field_workers,
    "invoice": rows.invoices,
    "payment": rows.payments,
    "quote": rows.quotes,
    "service": rows.services,
    "custom_field_customer": rows.customer_fields,
    "custom_field_booking": rows.booking_fields,
}
PLANTED = {
    "customer": ("second_contacts", "Mobile", "Mobile"),
    "booking": ("booking_lines", "Line_Product__c", "Product"),
    "field_worker": ("booking_deals", "Field_Workers__c", "Field Workers"),
    "invoice": ("invoice_deals", "Outstanding_Amount__c", "Outstanding Amount"),
    "payment": ("payments", "Payment_Method__c", "Payment Method"),
    "quote": ("quote_deals", "Loss_Reason__c", "Loss Reason"),
    "service": ("products", "Variable_Price__c", "Variable Price"),
    "custom_field_customer": ("contacts", "Pet_Types__c", "Pet Types"),
    "custom_field_booking": ("booking_deals", "Job_Photos__c", "Job Photos"),
}
ELSEWHERE = {
    "edition_api_access": "tests/pairs/test_gotchas.py: the vendor's rule, not the pair's",
    "edition_custom_objects": "tests/pairs/test_gotchas.py",
    "credits": "tests/pairs/test_gotchas.py",
    "owners": "row field_worker, and the checklist in tests/pairs/test_octopuspro_freshsales.py",
    "source_times": "row customer",
}
CHECKED = {
    *("billing_model", "charges", "export_request", "portal", "custom_fields", "stages", "void_invoices"),
    *("signatures", "placeholder_emails"),
}


@pytest.fixture(scope="module")
def company() -> OctopusCompany:
    return octopus_company()


@pytest.fixture(scope="module")
async def move(database_url: str, company: OctopusCompany) -> AsyncIterator[Move]:
    """The account after sample and full run."""
    async with moving(database_url, "", company, pair=PAIR) as made:
        await send_files(made.road, octopus_files(), timezone=ZONE)
        await made.up_to("full")
        await made.account.sign_in()
        yield made


def test_the_page_says_what_the_blueprint_does() -> None:
    blueprint = load_blueprint(*PAIR)
    assert [row.key for row in blueprint.rows] == list(ROWS)
    assert PLANTED.keys() == ROWS.keys()
    assert (blueprint.one_to_one, blueprint.mapped_of_eight, blueprint.timeline.label) == (8, 2, "2–4 weeks")
    assert grade(blueprint, {}).grade.value == "B"
    assert {one.check for one in blueprint.gotchas} == ELSEWHERE.keys() | CHECKED


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: Move, company: OctopusCompany, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row](company))


async def test_nobody_else_arrives(move: Move, company: OctopusCompany) -> None:
    people = {word: company.former(word) for word in ("customer", "single", "no first")}
    others = {company.former("customer", "contact:2"), company.former("customer", "contact:3")}
    assert set(await move.zoho.records("Contacts")) == {*people.values(), *others}


async def test_a_payment_is_told_in_a_note_too(move: Move, company: OctopusCompany) -> None:
    deal = (await move.zoho.records("Deals"))[company.former("paid")]
    notes = await move.zoho.notes("Deals", deal["id"])
    assert sorted(one["Note_Title"] for one in notes) == ["Payment", "Refund"]
    text = next(one["Note_Content"] for one in notes if one["Note_Title"] == "Payment")
    assert text.startswith("Payment of 671 by EFT on 2024-11-25, Completed. Reference TX-77")
    assert text.endswith(f"[{company.former('payment')}]")


async def test_void_and_missing_invoices_hold_their_payments(move: Move, company: OctopusCompany) -> None:
    """Nothing hangs on another deal, and the void invoice goes to a file."""
    held = await move.road.ledger("source_object = 'payments' AND outcome = 'held'")
    assert {(row["source_id"], row["target_object"]) for row in held} == {
        (company.id(word), target) for word in ("void payment", "missing payment") for target in ("Tasks", "Notes")
    }
    assert company.former("void") not in await move.zoho.records("Deals")
    assert company.former("void line") not in await move.zoho.records("Deal Lines")
    body = await move.road.file(move.road.runs["full"], "void_invoices.csv")
    (row,) = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    assert (row["Number"], row["Total"], row["Status"]) == ("INV-4", "60", "Void")


async def test_a_status_of_the_tenants_own_holds_its_bookings(move: Move, company: OctopusCompany) -> None:
    assert company.former("own status") not in await move.zoho.records("Deals")
    (row,) = await move.road.ledger("source_object = 'bookings' AND outcome = 'held'")
    assert (row["source_id"], row["reason"]) == (company.id("own status"), "unmapped_value:Stage")


async def test_passwords_and_signatures_are_nowhere(move: Move) -> None:
    """The report names the signature fields; no byte of them, and no password, left the files."""
    report = next(body for kind, _, body in await move.road.reports(move.road.runs["preflight"]) if kind == "gap")
    left = {(one["source_object"], one["field"]): one for one in report["not_moving"] if one["field"]}
    for name in (("customers", "Consent_Signature"), ("bookings", "Completion_Signature")):
        assert left[name]["reason"] == "not_supported"
        assert "Capture it again" in left[name]["note"]
    facts = (await move.road.inventory("source")).facts
    assert facts["not_migratable"] == ["bookings.Completion Signature", "customers.Consent Signature"]
    assert facts["never_read"] == ["customers.Password"]
    dump = str(await move.road.destination.dump())
    assert "hunter2" not in dump
    assert SIGNATURE not in dump
    assert "captured" not in dump


async def test_billing_models_and_odd_charges_are_told(move: Move) -> None:
    facts = (await move.road.inventory("source")).facts
    assert facts["billing_models"] == ["Booking Fee", "Commission"]
    assert facts["charges"] == {"void": 1, "overpaid": 0, "does_not_add_up": 1}


async def test_who_used_the_portal_is_noted(move: Move, company: OctopusCompany) -> None:
    people = await move.zoho.records("Contacts")
    assert people[company.former("customer")]["Portal User"] is True
    assert people[company.former("single")]["Portal User"] is False


async def test_custom_fields_have_the_types_of_the_inventory(move: Move) -> None:
    fields = await move.zoho.get("/crm/v8/settings/fields", module="Contacts")
    kinds = {one["field_label"]: one["data_type"] for one in fields["fields"]}
    wanted = {
        "Pet Types": "multiselectpicklist", "Loyalty Member": "boolean", "Visits Allowed": "double",
        "Next Review": "date", "Pet Health History": "textarea",
    }  # fmt: skip
    assert {name: kinds.get(name) for name in wanted} == wanted
    assert "Consent Signature" not in kinds
    options = next(one for one in fields["fields"] if one["field_label"] == "Pet Types")["pick_list_values"]
    assert {"Dog", "Cat", "Bird, tame"} <= {one["display_value"] for one in options}


async def test_placeholders_mark_workers_without_an_address(move: Move) -> None:
    body = await move.road.file(move.road.runs["full"], "field_workers.csv")
    table = {row["Field worker"]: row for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))}
    assert table["FW-1"]["Email is a placeholder"] == "no"
    assert (table["FW-2"]["Email"], table["FW-2"]["Email is a placeholder"], table["FW-2"]["Account to create"]) == (
        "field-worker-fw-2@placeholder.invalid",
        "yes",
        "inactive",
    )
    users = {one.id: one for one in (await move.road.inventory("source")).users}
    assert (users["FW-2"].name, users["FW-2"].active) == ("Bo Ray", False)


def test_the_request_to_the_vendor_names_everything() -> None:
    """Any caller can read the letter: the API serves the platform's facts."""
    letter = PLATFORMS["octopuspro"].facts["export_request"]
    for word in (
        "Customers",
        "Bookings",
        "Field workers",
        "Invoices",
        "Payments",
        "Quotes",
        "Services",
        "custom field",
    ):
        assert word in letter, word
    assert "five to ten working" in letter


async def test_the_run_conserves_and_finds_no_discrepancy(move: Move) -> None:
    await verdicts.conserves(move.road)


# ── planted faults: the same comparison must miss what a rule no longer carries ──────────────────────────────────────


@pytest.fixture(scope="module")
async def faulty(database_url: str, company: OctopusCompany) -> AsyncIterator[Move]:
    """The same account, with one rule taken out of the mapping for each row."""
    async with moving(database_url, "", company, pair=PAIR) as made:
        await send_files(made.road, octopus_files(), timezone=ZONE)
        await made.up_to("provision")
        await made.road.confirm(lacking(await made.road.document(), PLANTED))
        await made.road.run("full")
        await made.account.sign_in()
        yield made


@pytest.mark.parametrize("row", ROWS)
async def test_a_missing_rule_turns_its_row_red(faulty: Move, company: OctopusCompany, row: str) -> None:
    await verdicts.is_missed(faulty.reader, ROWS[row](company), PLANTED[row][2], PLANTED)


# ── a second export ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_second_export_brings_what_changed(faulty: Move, company: OctopusCompany) -> None:
    """Compared by hash: one booking further on, everything else untouched, and nobody deleted by absence."""
    files: dict[str, Any] = dict(octopus_files())
    files["bookings.csv"] = files["bookings.csv"].replace(b",In Progress,", b",Completed,")
    name = "Customers-Harbour-20241101.csv"
    files[name] = b"\r\n".join(line for line in files[name].split(b"\r\n") if b"Redgum" not in line)
    await send_files(faulty.road, {one: files[one] for one in ("bookings.csv", name)}, timezone=ZONE)
    await faulty.road.delta()
    counts = (await faulty.road.row(faulty.road.runs["delta"])).counts
    assert counts["updated"] >= 1
    fresh = type(faulty.zoho)(faulty.road.urls["destination"])
    await fresh.sign_in()
    try:
        deals = await fresh.records("Deals")
        assert deals[company.former("named booking")]["Stage"] == "Job Completed"
        assert company.former("no first") in await fresh.records("Contacts")
    finally:
        await fresh.close()
