"""Every row of the pair's table: what a person made in ServiceTracker stands in Zoho CRM, field by field.

Both sides are reached through the vendors' public APIs only; see `company` for what is made and `rows` for what the
table promises of it.
"""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from connectors.registry import load_blueprint
from tests.pairs import rows, verdicts
from tests.pairs.company import LARGE, PHOTO, REPORT, SIGNATURE, STATUSES, Company
from tests.pairs.comparing import differences
from tests.pairs.conftest import Move, moving
from tests.pairs.planting import lacking, switched_off

ROWS: dict[str, rows.Row] = {
    "client": rows.clients,
    "contact": rows.contacts,
    "work_order": rows.work_orders,
    "work_order_status": rows.statuses,
    "technician": rows.technicians,
    "contract": rows.contracts,
    "asset": rows.assets,
    "part": rows.parts,
    "service_history": rows.history,
}
OTHERS = {"attachment", "portal_user"}
PLANTED = {
    "client": ("accounts", "Customer_Since__c", "Customer Since"),
    "contact": ("contacts", "Mobile", "Mobile"),
    "work_order": ("deals", "Labor_Hours__c", "Labor Hours"),
    "work_order_status": ("deals", "Source_Status__c", "Source Status"),
    "technician": ("technicians", "Territory__c", "Territory"),
    "contract": ("contracts", "Contract_Account__c", "Account"),
    "asset": ("assets", "Location_City__c", "Location City"),
    "part": ("parts_used", "Part_Product__c", "Product"),
    "service_history": ("tasks", "Who_Id", "Contact Name"),
}
"""By row: the load, the rule that is taken out, and the label of the field that then must be missed."""


def test_every_row_of_the_table_has_a_test() -> None:
    keys = {row.key for row in load_blueprint("servicetracker", "zoho_crm").rows}
    assert keys == ROWS.keys() | OTHERS
    assert PLANTED.keys() == ROWS.keys()


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: Move, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row](move.company))


async def test_only_technicians_carry_the_mark(move: Move) -> None:
    people = await move.zoho.records("Contacts")
    marked = {former for former, row in people.items() if row["Technician Flag"] is True}
    assert marked == {move.company.former(word, "technician") for word in ("technician", "lone technician")}


async def test_nothing_arrives_twice(move: Move) -> None:
    for module in ("Accounts", "Contacts", "Deals", "Contracts", "Assets", "Products", "Work Order Parts", "Tasks"):
        ids = [row["id"] for row in (await move.zoho.records(module)).values()]
        found = await move.road.fetch(
            "SELECT count(*) AS n FROM ledger WHERE record_id = ANY($1::text[]) AND part NOT IN ('links', 'primary')",
            ids,
        )
        assert found[0]["n"] == len(ids), module


async def test_every_stage_has_its_probability_and_forecast(move: Move) -> None:
    """Probabilities are those of the blueprint's stages; a won stage closes the deal."""
    fields = await move.zoho.get("/crm/v8/settings/fields", module="Deals")
    stage = next(one for one in fields["fields"] if one["api_name"] == "Stage")
    shown = {one["display_value"]: (one["probability"], one["forecast_type"]) for one in stage["pick_list_values"]}
    assert {name: shown[name] for name in STATUSES} == {
        "Open": (10, "Open"),
        "On Hold": (25, "Open"),
        "In Progress": (50, "Open"),
        "Completed": (90, "Open"),
        "Invoiced": (100, "Closed Won"),
    }


async def test_attachments_and_signature_arrive_byte_by_byte(move: Move) -> None:
    deal = (await move.zoho.records("Deals"))[move.company.former("order Completed")]
    files = await move.zoho.files("Deals", deal["id"])
    assert files["before.png"]["bytes"] == PHOTO
    assert files["report.pdf"]["bytes"] == REPORT
    signature = [one["bytes"] for name, one in files.items() if "signature" in name.lower()]
    assert signature == [SIGNATURE]
    assert len(files) == 4


async def test_a_file_over_the_limit_becomes_a_signed_link_of_ours(move: Move) -> None:
    deal = (await move.zoho.records("Deals"))[move.company.former("order Completed")]
    link = (await move.zoho.files("Deals", deal["id"]))["scan.bin"]
    assert link["bytes"] is None
    base = move.road.runtime.settings.public_base_url
    assert link["$link_url"].startswith(f"{base}/v1/downloads/")
    assert "signature=" in link["$link_url"]
    assert "expires=" in link["$link_url"]
    kept = await move.road.fetch("SELECT run_id, size FROM artifacts WHERE name = 'scan.bin'")
    assert [row["size"] for row in kept] == [len(LARGE)]
    assert await move.road.file(kept[0]["run_id"], "scan.bin") == LARGE


async def test_portal_users_are_listed_without_passwords(move: Move) -> None:
    body = await move.road.file(move.road.runs["full"], "portal_users.csv")
    table = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(table) == 1
    assert table[0] == {
        "User name": "marta@portal.example.org",
        "Email": "marta.quill@alder-soehne.example.com",
        "First name": "Marta",
        "Last name": "'=Quill",
        "Profile": "Customer Portal",
        "Permissions": "View Work Orders; Request Service",
        "Active": "yes",
        "Contact id": move.company.id("contact"),
        "Last login": "",
    }
    assert not [heading for heading in table[0] if "password" in heading.lower() or "token" in heading.lower()]
    steps = (await move.road.file(move.road.runs["full"], "portal_users-checklist.md")).decode()
    assert steps.startswith("1. Switch the customer portal on")
    assert "choose a new password" in steps
    assert await differences(move.zoho, rows.contacts(move.company)[0]) == []


async def test_a_note_keeps_its_words_time_and_author(move: Move) -> None:
    deal = (await move.zoho.records("Deals"))[move.company.former("order Completed")]
    notes = await move.zoho.notes("Deals", deal["id"])
    assert [note["Note_Title"] for note in notes] == ["Access"]
    text = notes[0]["Note_Content"]
    assert text.startswith("Use the side door.")
    assert "2026-03-05 19:30 UTC by " in text
    assert text.endswith(f"[{move.company.former('note')}]")


async def test_the_run_finds_no_discrepancy_and_conserves(move: Move) -> None:
    await verdicts.conserves(move.road, held=0)


# ── planted faults: the same comparison must miss what a rule no longer carries ──────────────────────────────────────


@pytest.fixture(scope="module")
async def faulty(database_url: str, source: tuple[str, Company]) -> AsyncIterator[Move]:
    """The same company, with one rule taken out of the mapping for each row."""
    async with moving(database_url, *source) as made:
        await made.road.up_to("provision")
        document = await made.road.document()
        document = lacking(document, PLANTED)
        await made.road.confirm(switched_off(document, "files"))
        await made.road.run("full")
        await made.zoho.sign_in()
        yield made


@pytest.mark.parametrize("row", ROWS)
async def test_a_missing_rule_turns_its_row_red(faulty: Move, row: str) -> None:
    await verdicts.is_missed(faulty.reader, ROWS[row](faulty.company), PLANTED[row][2], PLANTED)


async def test_missing_files_are_missed(faulty: Move) -> None:
    deal = (await faulty.zoho.records("Deals"))[faulty.company.former("order Completed")]
    assert await faulty.zoho.files("Deals", deal["id"]) == {}
