"""What the clinic pairs warn of, as far as the service itself sees to it; and that health data stays out of sight."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from app.engagements.upload_kinds import FileUnreadable
from app.models.engagement import Question
from connectors.registry import load_blueprint
from tests.pairs import clinic_checks as checks
from tests.pairs.clinic_company import CANARY, CLINIC, TABLES
from tests.pairs.clinic_move import ClinicMove, moving_clinic
from tests.pairs.uploading import send_files

ROWS = "tests/pairs/test_clinic_freshsales.py and test_clinic_zoho_crm.py"
ELSEWHERE = {
    "billing_totals": f"the row billing, {ROWS}",
    "custom_fields": f"the row custom_field, {ROWS}, and tests/connectors/test_source_clinic.py",
    "unmatched_documents": f"the row document, {ROWS}",
    "schedule_templates": f"the files handed over, {ROWS}",
    "shared_email": f"test_people_who_share_an_address_stay_apart, {ROWS}",
    "source_times": f"the rows, {ROWS}",
    "owners": f"the rows patient and provider, {ROWS}",
    "edition_api_access": "the vendor's rule, not the pair's: tests/pairs/test_gotchas.py",
    "assistant_plan": "nothing here writes a score",
    "bot_sessions": "no call uses one",
    "phone_credits": "nothing here dials",
    "workflows_off": "an administrator's task: it stands on the pair page",
    "file_storage": "the gap report, and the bytes of papers among the facts of discovery",
}
CHECKED = {"source_files", "edition_custom_objects", "health_values"}
BOTH = [("clinic", "freshsales"), ("clinic", "zoho_crm")]


def test_every_warning_is_seen_to() -> None:
    found = {one.check for pair in BOTH for one in load_blueprint(*pair).gotchas}
    assert found == ELSEWHERE.keys() | CHECKED


async def test_dates_that_could_be_read_in_two_ways_are_asked_and_not_guessed(database_url: str) -> None:
    """Nothing is discovered before the answer; with it the days are those that were meant."""
    patients = "Patient ID,Surname,Date of Birth\nP1,Ost,03/04/1980\nP2,Berg,05/06/1981\n"
    clinic = replace(CLINIC, tables={"Patients.csv": patients}, papers={})
    async with moving_clinic(database_url, ("clinic", "zoho_crm"), clinic=clinic) as move:
        await move.road.run("discovery", expect="failed")
        problem = (await move.road.row(move.road.runs["discovery"])).problem
        assert "answer the question about the order of day and month" in problem["detail"]
        await _answer(move, "day-first")
        for step in ("discovery", "preflight"):
            await move.road.run(step)
        spec = (await move.road.inventory("source")).object("patients")
        assert spec is not None
        birth = spec.field("birth_date")
        assert birth is not None
        assert (birth.type, birth.sensitive) == ("date", True)


async def _answer(move: ClinicMove, choice: str) -> None:
    async with move.road.runtime.db.transaction(move.road.tenant_id) as session:
        found = await session.exec(select(Question).where(Question.engagement_id == move.road.engagement_id))
        for one in found.all():
            assert one.code == "date-order"
            one.answer, one.answered_at = {"choice": choice}, move.road.runtime.now()
            session.add(one)


@pytest.mark.parametrize(
    ("pair", "edition", "modules"),
    [
        (BOTH[0], "pro", {"cm_treatment_plan", "cm_lab_result", "cm_insurance_plan"}),
        (BOTH[1], "professional", {"Treatment_Plans_C", "Lab_Results_C", "Insurance_Plans_C"}),
    ],
)
async def test_a_plan_without_own_modules_is_a_blocker(
    database_url: str, pair: tuple[str, str], edition: str, modules: set[str]
) -> None:
    """The gap report names the modules and the upgrade before anything is written."""
    async with moving_clinic(database_url, pair, edition=edition) as move:
        before = await move.road.destination.dump()
        for step in ("discovery", "preflight"):
            await move.road.run(step)
        reports = await move.road.reports(move.road.runs["preflight"])
        gaps = next(body for kind, _, body in reports if kind == "gap")
        cap = next(one for one in gaps["findings"] if one["code"] == "custom_objects_cap")
        assert cap["severity"] == "blocker"
        assert "Enterprise" in cap["remedy"]
        assert modules <= set(cap["items"])
        assert await move.road.destination.dump() == before


async def test_no_guarded_value_is_seen_outside_the_destination(
    database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Logs, events for webhooks, problems, ledger and all other clear columns after the whole road and its rollback.

    The same run takes a second export as a delta, and gives everything back at the end.
    """
    async with moving_clinic(database_url, ("clinic", "zoho_crm")) as move:
        way = move.road
        before = await way.destination.dump()
        await move.up_to("full")
        with pytest.raises(FileUnreadable) as caught:
            await send_files(way, {"Broken.csv": f"Id,Last\n1,{CANARY}".encode() + b"\x81\x8d\n"})
        assert CANARY not in f"{caught.value} {caught.value.__dict__}"
        await _change(move)
        await way.delta()
        assert await checks.in_the_clear(move) == []
        await way.run("rollback")
        assert await checks.in_the_clear(move) == []
        assert _living(await way.destination.dump()) == _living(before)
    written = "".join(capfd.readouterr())
    assert "run_put_down" in written, "the logs were seen"
    assert CANARY not in written


async def _change(move: ClinicMove) -> None:
    """The next export: a patient has moved, another is gone; absence means that, because the export is whole."""
    text = TABLES["Patients.csv"].replace("3 Acacia Street", "9 Banksia Road")
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith("P5,")]
    second = replace(CLINIC, tables={**TABLES, "Patients.csv": "".join(kept)})
    await send_files(move.road, {"export.zip": second.bundle()}, complete=True)


async def test_a_second_export_brings_what_changed(database_url: str) -> None:
    """Only what changed is written again; who is absent from a whole export is reported as gone (ruling 28)."""
    async with moving_clinic(database_url, ("clinic", "zoho_crm")) as move:
        await move.up_to("full")
        await _change(move)
        delta = await move.road.delta()
        counts = (await move.road.row(delta)).counts
        assert (counts["created"], counts["updated"]) == (0, 1)
        await move.account.sign_in()
        people = await move.reader.records("Contacts")
        assert people[CLINIC.former("patients", "P1")]["Mailing Street"] == "9 Banksia Road\nUnit 4"
        reports = [body for kind, _, body in await move.road.reports(delta) if kind == "deletions"]
        gone = {row["source_id"]: row["kind"] for body in reports for row in body["rows"]}
        assert gone["P5"] == "deleted"
        assert gone.get("P1") is None


async def test_what_hangs_on_a_patient_who_is_gone_keeps_the_name(database_url: str) -> None:
    """An invoice did not change because its patient is absent from the next export: it stays, with the reason named.
    One that changed itself is written, and the name that it took from the patient stays as well.
    """
    async with moving_clinic(database_url, ("clinic", "zoho_crm")) as move:
        await move.up_to("full")
        await move.account.sign_in()
        before = await move.reader.records("Deals")
        lines = TABLES["Patients.csv"].splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("P2,", "P3,"))]
        assert len(kept) == len(lines) - 2
        invoices = TABLES["Invoices.csv"].replace("CLM-8,", "CLM-88,")
        tables = {**TABLES, "Patients.csv": "".join(kept), "Invoices.csv": invoices}
        await send_files(move.road, {"export.zip": replace(CLINIC, tables=tables).bundle()}, complete=True)
        delta = await move.road.delta()
        await move.account.sign_in()
        after = await move.reader.records("Deals")
        assert {key: row["Deal Name"] for key, row in after.items()} == {
            key: row["Deal Name"] for key, row in before.items()
        }
        ends = {
            row["source_id"]: (row["outcome"], row["reason"])
            for row in await move.road.ledger("source_object = 'invoices' AND target_object = 'Deals'")
            if row["run_id"] == delta
        }
        assert ends == {"I2": ("updated", ""), "I3": ("unchanged", "source_gone:patient_id")}
        await move.road.run("reconcile")
        assert (await move.road.row(move.road.runs["reconcile"])).counts["readback"]["discrepancies"] == 0


def _living(rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Records, links and files without what the vendor keeps of a migration: schema and the bin."""
    return [row for row in rows if not row.get("deleted")]
