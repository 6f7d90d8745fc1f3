"""Every row of the table Clinic → Zoho CRM: what a clinic exported stands in Zoho, field by field."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.domain.grading import grade
from app.domain.texts import parse_text_block
from connectors.registry import load_blueprint
from tests.pairs import clinic_checks as checks
from tests.pairs import clinic_rows as rows
from tests.pairs import verdicts
from tests.pairs.clinic_company import CARD, CLINIC, CONSENT, LEASE
from tests.pairs.clinic_move import ClinicMove, moved_without, moving_clinic
from tests.pairs.clinic_rows import ZOHO, Row
from tests.pairs.comparing import FAR, Expected, Person, differences

PAIR = ("clinic", "zoho_crm")


def bills(names: rows.Names) -> list[Expected]:
    return rows.bills(names, ("Partly Paid", "Denied", "Paid", "Billed"))


def visits(names: rows.Names) -> list[Expected]:
    """A visit that lasts is a meeting, the others are tasks; a merged patient's visit is the survivor's."""
    patient, clinic = names.to("contact", "patients", "P1"), names.to("account", "clinics", "L1")
    shared = {"Contact Name": patient, "Clinic": clinic}
    meeting = {
        "Title": "Long Consultation", "From": datetime(2026, 2, 10, 13, 15, tzinfo=UTC),
        "To": datetime(2026, 2, 10, 14, 0, tzinfo=UTC), "Location": "Harbour Clinic",
        "Description": "Bring scans CANARYHEALTH.", "Reason": "Knee CANARYHEALTH", "Visit Status": "Completed",
        "Visit Start": datetime(2026, 2, 10, 13, 15, tzinfo=UTC), "Visit Minutes": Decimal(45),
        "Provider": "Dr Iris van Berg", "Diagnosis": "M54-CANARYHEALTH Back CANARYHEALTH",
        "Visit Code": "X1-CANARYHEALTH", "Payer Name": "Harvest Health Fund",
        "Payer Account": names.to("account", "payers", "Y1"), "Visit Cost": Decimal("140.50"),
        "Base Cost": Decimal(120), "Covered Amount": Decimal("100.25"), "Owner": Person("owner1@example.com"),
        "Source Created Time": datetime(2026, 1, 5, 19, 30, 7, tzinfo=UTC), "Source Modified Time": rows.CHANGED,
        **shared,
    }  # fmt: skip
    call = {
        "Subject": "Check-in", "Due Date": date(2026, 2, 11), "Status": "Not Started", "Visit Status": "Booked",
        "Visit Minutes": Decimal(5), "Provider": "Dr Nia Gone", "Owner": Person("admin@example.com"), **shared,
    }  # fmt: skip
    merged = {"Subject": "Recall call", "Status": "Completed", "Cancelled Because": "Unwell", **shared}
    return [
        names.expected("event", CLINIC.former("appointments", "A1"), meeting),
        names.expected("task", CLINIC.former("appointments", "A2", "task"), call),
        names.expected("task", CLINIC.former("appointments", "A3", "task"), merged),
    ]


ROWS: dict[str, Row] = {
    "patient": rows.patients,
    "appointment": visits,
    "payer": rows.payers,
    "billing": bills,
    "treatment_plan": rows.treatment_plans,
    "referrer": rows.referrers,
    "lab_result": rows.results,
    "custom_field": rows.custom_fields,
}
OTHERS = {"provider", "document", "automation", "report"}
PLANTED = {
    "patient": ("patients", "Marital_Status__c", "Marital Status"),
    "appointment": ("events", "Provider__c", "Provider"),
    "payer": ("plans", "Payer__c", "Payer"),
    "billing": ("invoices", "Amount_Outstanding__c", "Amount Outstanding"),
    "treatment_plan": ("treatment_plans", "Sessions_Used__c", "Sessions Used"),
    "referrer": ("practices", "Territory__c", "Referral Territory"),
    "lab_result": ("lab_results", "Reference_Range__c", "Reference Range"),
    "custom_field": ("patients", "Mobility_Aid__c", "Mobility Aid"),
}
"""By row: the load, the rule that is taken out, and the label of the field that then must be missed."""


@pytest.fixture(scope="module")
async def move(database_url: str) -> AsyncIterator[ClinicMove]:
    """The clinic after sample and full run."""
    async with moving_clinic(database_url, PAIR) as made:
        await made.up_to("full")
        await made.account.sign_in()
        yield made


def test_every_row_of_the_table_has_a_test() -> None:
    blueprint = load_blueprint(*PAIR)
    assert {row.key for row in blueprint.rows} == ROWS.keys() | OTHERS
    assert PLANTED.keys() == ROWS.keys()
    assert (len(blueprint.rows), blueprint.one_to_one) == (12, 12)
    assert (grade(blueprint, {}).grade.value, blueprint.timeline.label) == ("B", "48–72 hours")


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: ClinicMove, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row](ZOHO))


async def test_people_who_share_an_address_stay_apart(move: ClinicMove) -> None:
    for expected in rows.sharing(ZOHO):
        assert await differences(move.reader, expected) == [], expected.former
    merged = Expected("Contacts", CLINIC.former("patients", "P4"), {})
    assert await differences(move.reader, merged) == [FAR], "a merged patient is not created"
    assert await checks.held_ids(move) == [("appointments", "A4")], "a visit of nobody waits for a person"


async def test_a_report_in_prose_becomes_a_note(move: ClinicMove) -> None:
    patient = (await move.reader.records("Contacts"))[CLINIC.former("patients", "P1")]
    notes = await move.account.notes("Contacts", patient["id"])
    assert [note["Note_Title"] for note in notes] == ["Diagnostic report"]
    text = notes[0]["Note_Content"]
    assert text.endswith(f"[{CLINIC.former('lab_results', 'LR2', 'note')}]")
    body, facts = parse_text_block(text.rpartition("\n\n")[0], "Diagnostic report")
    assert body == "No growth CANARYHEALTH.\nRepeat if it stays."
    assert facts == {
        "Collected": "2026-02-12T10:00:00+00:00",
        "Reported": "2026-02-13T08:00:00+00:00",
        "Provider": "Dr Iris van Berg",
    }


async def test_papers_arrive_byte_by_byte(move: ClinicMove) -> None:
    patient = (await move.reader.records("Contacts"))[CLINIC.former("patients", "P1")]
    files = await move.account.files("Contacts", patient["id"])
    assert {name: row["bytes"] for name, row in files.items()} == {
        "consent.pdf": CONSENT,
        "P1_2026-02-10_insurance-card.png": CARD,
    }
    clinic = (await move.reader.records("Accounts"))[CLINIC.former("clinics", "L1")]
    assert {name: row["bytes"] for name, row in (await move.account.files("Accounts", clinic["id"])).items()} == {
        "lease.pdf": LEASE
    }
    await checks.loose_papers_are_listed(move)


async def test_what_does_not_move_is_handed_over(move: ClinicMove) -> None:
    await checks.people_are_listed(move)
    await checks.lists_are_handed_over(move)


async def test_the_run_finds_no_discrepancy_and_conserves(move: ClinicMove) -> None:
    await verdicts.conserves(move.road)


@pytest.fixture(scope="module")
async def faulty(database_url: str) -> AsyncIterator[ClinicMove]:
    """The clinic moved by a mapping that lacks one rule of each row."""
    async with moved_without(database_url, PAIR, PLANTED) as made:
        yield made


@pytest.mark.parametrize("row", PLANTED)
async def test_a_planted_fault_is_seen(faulty: ClinicMove, row: str) -> None:
    """What arrives without a rule differs in that field and in nothing else."""
    label = PLANTED[row][2]
    found = [name for one in ROWS[row](ZOHO) for name in await differences(faulty.reader, one)]
    assert set(found) == {label}
