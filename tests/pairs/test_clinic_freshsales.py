"""Every row of the table Clinic → Freshsales: what a clinic exported stands in Freshsales, field by field."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from app.domain.grading import grade
from app.domain.texts import parse_text_block
from connectors.registry import load_blueprint
from tests.pairs import clinic_checks as checks
from tests.pairs import clinic_rows as rows
from tests.pairs import verdicts
from tests.pairs.clinic_company import CARD, CLINIC, CONSENT, LEASE
from tests.pairs.clinic_move import ClinicMove, moved_without, moving_clinic
from tests.pairs.clinic_rows import FRESHSALES, Row
from tests.pairs.comparing import FAR, Expected, differences

PAIR = ("clinic", "freshsales")
BLOCK = "Original visit"


def bills(names: rows.Names) -> list[Expected]:
    return rows.bills(names, ("Negotiation", "Lost", "Won", "New"))


ROWS: dict[str, Row] = {
    "patient": rows.patients,
    "payer": rows.payers,
    "billing": bills,
    "treatment_plan": rows.treatment_plans,
    "referrer": rows.referrers,
    "lab_result": rows.results,
    "custom_field": rows.custom_fields,
}
OTHERS = {"appointment", "provider", "document", "automation", "report"}
PLANTED = {
    "patient": ("patients", "cf_marital_status", "Marital Status"),
    "payer": ("plans", "cf_payer", "Payer"),
    "billing": ("invoices", "cf_amount_outstanding", "Amount Outstanding"),
    "treatment_plan": ("treatment_plans", "cf_sessions_used", "Sessions Used"),
    "referrer": ("practices", "cf_territory", "Referral Territory"),
    "lab_result": ("lab_results", "cf_reference_range", "Reference Range"),
    "custom_field": ("patients", "Mobility_Aid__c", "Mobility Aid"),
}
"""By row: the load, the rule that is taken out, and the field that then must be missed."""


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
    assert (len(blueprint.rows), blueprint.one_to_one, blueprint.mapped_of_eight) == (12, 12, 2)
    assert (grade(blueprint, {}).grade.value, blueprint.timeline.label) == ("B", "48–72 hours")


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: ClinicMove, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row](FRESHSALES))


async def test_a_patient_is_a_customer(move: ClinicMove) -> None:
    patient = (await move.reader.records("contacts"))[CLINIC.former("patients", "P1")]
    assert patient["lifecycle_stage_id"] == "Customer"


async def test_people_who_share_an_address_stay_apart(move: ClinicMove) -> None:
    for expected in rows.sharing(FRESHSALES):
        assert await differences(move.reader, expected) == [], expected.former
    merged = Expected("contacts", CLINIC.former("patients", "P4"), {})
    assert await differences(move.reader, merged) == [FAR], "a merged patient is not created"
    assert await checks.held_ids(move) == [("appointments", "A4")], "a visit of nobody waits for a person"


async def test_a_visit_that_lasts_is_an_appointment(move: ClinicMove) -> None:
    """Row appointment: times, place and the first values in a block that reads back."""
    patient = (await move.reader.records("contacts"))[CLINIC.former("patients", "P1")]
    (visit,) = await move.account.activities("appointments", "contacts", patient["id"])
    assert (visit["title"], visit["location"]) == ("Long Consultation", "Harbour Clinic")
    moments = [datetime.fromisoformat(visit[name]).astimezone(UTC) for name in ("from_date", "end_date")]
    assert moments == [datetime(2026, 2, 10, 13, 15, tzinfo=UTC), datetime(2026, 2, 10, 14, 0, tzinfo=UTC)]
    text, _, marker = visit["description"].rpartition("\n\n")
    assert marker == f"[{CLINIC.former('appointments', 'A1')}]"
    assert parse_text_block(text, BLOCK) == (
        "Bring scans CANARYHEALTH.",
        {
            "Reason": "Knee CANARYHEALTH",
            "Status": "Completed",
            "Originally at": "2026-02-10T13:15:00+00:00",
            "Minutes": "45",
            "Provider": "Dr Iris van Berg",
            "Diagnosis code": "M54-CANARYHEALTH",
            "Diagnosis": "Back CANARYHEALTH",
            "Code": "X1-CANARYHEALTH",
            "Payer": "Harvest Health Fund",
            "Cost": "140.5",
            "Base cost": "120",
            "Covered": "100.25",
            "Created": "2026-01-05T19:30:07+00:00",
            "Modified": "2026-03-05T19:30:07+00:00",
        },
    )


async def test_a_short_visit_is_a_task(move: ClinicMove) -> None:
    """Row appointment: check-ins and calls, open or done, owned by the provider; a merged patient's too."""
    patient = (await move.reader.records("contacts"))[CLINIC.former("patients", "P1")]
    tasks = {one["title"]: one for one in await move.account.activities("tasks", "contacts", patient["id"])}
    assert {title: one["status"] for title, one in tasks.items()} == {"Check-in": 0, "Recall call": 1}
    call = tasks["Check-in"]
    assert datetime.fromisoformat(call["due_date"]).astimezone(UTC) == datetime(2026, 2, 11, 9, 0, tzinfo=UTC)
    assert move.reader.person(call["owner_id"]) == "admin@example.com", "the provider has left: the fallback owner"
    assert move.reader.person(tasks["Recall call"]["owner_id"]) == "owner1@example.com"
    facts = parse_text_block(call["description"].rpartition("\n\n")[0], BLOCK)[1]
    assert (facts["Status"], facts["Provider"], facts["Minutes"]) == ("Booked", "Dr Nia Gone", "5")
    cancelled = parse_text_block(tasks["Recall call"]["description"].rpartition("\n\n")[0], BLOCK)[1]
    assert cancelled["Cancelled because"] == "Unwell"


async def test_a_report_in_prose_becomes_a_note(move: ClinicMove) -> None:
    patient = (await move.reader.records("contacts"))[CLINIC.former("patients", "P1")]
    (text,) = await move.account.notes("contacts", patient["id"])
    assert text.endswith(f"[{CLINIC.former('lab_results', 'LR2', 'note')}]")
    body, facts = parse_text_block(text.rpartition("\n\n")[0], "Diagnostic report")
    assert body == "No growth CANARYHEALTH.\nRepeat if it stays."
    assert facts["Reported"] == "2026-02-13T08:00:00+00:00"


async def test_papers_hang_on_the_patient_or_the_clinic(move: ClinicMove) -> None:
    """Row document: a download does not exist there, so names and sizes are compared (ruling 25)."""
    patient = (await move.reader.records("contacts"))[CLINIC.former("patients", "P1")]
    clinic = (await move.reader.records("sales_accounts"))[CLINIC.former("clinics", "L1")]
    sizes = {
        (module, name): row["content_file_size"]
        for module, record in (("contacts", patient), ("sales_accounts", clinic))
        for name, row in (await move.account.files(module, record["id"])).items()
    }
    assert sizes == {
        ("contacts", "consent.pdf"): len(CONSENT),
        ("contacts", "P1_2026-02-10_insurance-card.png"): len(CARD),
        ("sales_accounts", "lease.pdf"): len(LEASE),
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
    found = [name for one in ROWS[row](FRESHSALES) for name in await differences(faulty.reader, one)]
    assert set(found) == {label}
