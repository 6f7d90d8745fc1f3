"""Every row of the pair's table: what a person made in ServiceTracker stands in Freshsales, field by field.

Both sides are reached through the vendors' public APIs only; see `freshsales_company` for what is made beside the
company and `freshsales_rows` for what the table promises of it.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.domain.grading import grade
from app.domain.texts import parse_text_block
from connectors.registry import load_blueprint
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs import freshsales_rows as rows
from tests.pairs import verdicts
from tests.pairs.company import LARGE, PHOTO, REPORT, WRITTEN, Company, make_company
from tests.pairs.comparing import Expected, differences
from tests.pairs.conftest import Move, moving, provision
from tests.pairs.freshsales_company import add_more
from tests.pairs.planting import lacking, switched_off, switched_on
from tests.pairs.vendors import Tracker
from tests.runs.road import sandbox

PAIR = ("servicetracker", "freshsales")
ROWS: dict[str, rows.Row] = {
    "client": rows.clients,
    "service_location": rows.locations,
    "work_order": rows.work_orders,
    "contract": rows.contracts,
    "technician": rows.technicians,
    "part": rows.parts,
    "lead": rows.leads,
}
OTHERS = {"portal_access", "service_history", "dispatch", "invoice"}
PLANTED = {
    "client": ("accounts", "cf_customer_since", "Customer Since"),
    "service_location": ("accounts", "cf_other_locations", "Other Locations"),
    "work_order": ("work_orders", "cf_labor_hours", "Labor Hours"),
    "contract": ("contracts", "cf_renewal_date", "Renewal Date"),
    "technician": ("technicians", "cf_skills", "Skills"),
    "part": ("parts_used", "cf_quantity", "Quantity"),
    "lead": ("leads", "cf_lead_score", "Lead Score"),
}
"""By row: the load, the rule that is taken out, and the field that then must be missed."""


@pytest.fixture(scope="module")
async def source() -> AsyncIterator[tuple[str, Company]]:
    """The company, and what only this pair has a place for."""
    with sandbox("servicetracker", SandboxConfig(clock=lambda: WRITTEN)) as url:
        async with Tracker(url) as tracker:
            company = await make_company(tracker)
            await add_more(tracker, company)
            yield url, company


def test_every_row_of_the_table_has_a_test() -> None:
    blueprint = load_blueprint(*PAIR)
    assert {row.key for row in blueprint.rows} == ROWS.keys() | OTHERS
    assert PLANTED.keys() == ROWS.keys()
    assert (len(blueprint.rows), blueprint.one_to_one, blueprint.mapped_of_eight) == (11, 11, 2)
    assert (grade(blueprint, {}).grade.value, blueprint.timeline.label) == ("B", "48–72 hours")


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: Move, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row](move.company))


async def test_service_history_is_readable_and_reads_back(move: Move) -> None:
    """Row service_history: a note keeps words, times, technician and work order; a visit is an appointment."""
    account = (await move.freshsales.records("sales_accounts"))[move.company.former("client")]
    notes = {
        one.rsplit("[", 1)[1].rstrip("]"): one for one in await move.freshsales.notes("sales_accounts", account["id"])
    }
    text = notes[move.company.former("plain task")]
    body, facts = parse_text_block(text)
    assert body == "Two screws replaced."
    assert facts == {
        "Subject": "Looked at the door",
        "Status": "Completed",
        "Priority": "Normal",
        "Date": "2026-03-01",
        "Completed": "2026-03-01T09:20:00+00:00",
        "Action taken": "Tightened",
        "Technician": "Iris van Berg",
        "Contact": "Marta Quill-Ørsted",
        "Work order": move.company.numbers["plain order"],
        "Archived": "false",
        "Last changed": "2026-03-05T19:30:07+00:00",
    }
    assert "2026-03-05 19:30 UTC by " in text
    assert parse_text_block(notes[move.company.former("asset task")])[1]["Record"] == "Fan coil 1-07"
    assert move.company.former("client task") in notes
    deal = (await move.freshsales.records("deals"))[move.company.former("order Completed")]
    written = await move.freshsales.notes("deals", deal["id"])
    on_deal = {one.rsplit("[", 1)[1].rstrip("]"): one for one in written}  # several calls at once: in any order
    assert sorted(on_deal) == sorted([move.company.former("task"), move.company.former("note")])
    assert len(written) == 2
    assert on_deal[move.company.former("note")].startswith("Use the side door.")
    visits = await move.freshsales.activities("appointments", "deals", deal["id"])
    visits = sorted(visits, key=lambda one: str(one["from_date"]))
    assert [one["title"] for one in visits] == ["Inspection visit"] * 4
    assert visits[0]["location"] == "Decatur Plant, gate 2"
    assert parse_text_block(visits[1]["description"])[1] | {"Last changed": ""} == {
        "Technician": "Iris van Berg",
        "Contact": "Marta Quill-Ørsted",
        "Work order": move.company.numbers["order Completed"],
        "Recurring": "true",
        "Series": "R-7",
        "Former owner": "Owen One",
        "Last changed": "",
    }


async def test_files_hang_on_the_deal_or_the_account(move: Move) -> None:
    deal = (await move.freshsales.records("deals"))[move.company.former("order Completed")]
    files = await move.freshsales.files("deals", deal["id"])
    sizes = {name: row.get("content_file_size") for name, row in files.items()}
    assert (sizes["before.png"], sizes["report.pdf"], sizes["scan.bin"]) == (len(PHOTO), len(REPORT), len(LARGE))
    assert len(files) == 4


async def test_invoices_routes_and_portal_users_are_handed_over(move: Move) -> None:
    """Rows invoice, dispatch and portal_access: files, with the steps that go with them."""
    invoices = await verdicts.csv_of(move.road, "invoices.csv")
    assert [(row["Number"], row["Total"], row["Payment status"]) for row in invoices] == [
        (move.company.numbers["invoice"], "125.19", "Partial")
    ]
    slots = await verdicts.csv_of(move.road, "dispatch_schedule.csv")
    assert [(row["Work order id"], row["Stop"], row["Territory"]) for row in slots] == [
        (move.company.id("plain order"), "3", "North")
    ]
    assert [(row["Work order"], row["Technician"]) for row in slots] == [
        (move.company.numbers["plain order"], "Iris van Berg")
    ]
    assert [(row["Client"], row["Work order"]) for row in invoices] == [
        ("Alder & Söhne Facility “Süd”", move.company.numbers["plain order"])
    ]
    people = await verdicts.csv_of(move.road, "portal_users.csv")
    assert [(row["User name"], row["Last name"]) for row in people] == [("marta@portal.example.org", "'=Quill")]
    assert not any("assword" in heading for heading in people[0])
    steps = await move.road.file(move.road.runs["full"], "portal_users-checklist.md")
    assert steps.startswith(b"1. ")


async def test_two_of_one_name_or_address_stay_two(move: Move) -> None:
    """Freshsales takes a name and an address once: the first keeps it, the other carries it beside (ruling 21)."""
    accounts = await move.freshsales.records("sales_accounts")
    assert accounts[move.company.former("parent client")]["name"] == "Alder Holdings"
    second = accounts[move.company.former("double")]
    assert (second["name"], second["Name At Source"]) == ("ALDER HOLDINGS (C-000999)", "ALDER HOLDINGS")
    assert second["phone"] == second["Phone At Source"] == "n/a"
    people = await move.freshsales.records("contacts")
    one, two = people[move.company.former("child one")], people[move.company.former("child two")]
    assert (one["email"], one["Shared Email"]) == ("kin@example.org", None)
    assert (two["email"], two["Shared Email"]) == (None, "kin@example.org")
    told = await move.road.ledger("issues LIKE '%shared_value%'")
    assert {row["source_id"] for row in told} == {move.company.id("double"), move.company.id("child two")}


async def test_private_notes_stay_out(move: Move) -> None:
    assert "SECRET-LATE-PAYER" not in str(await move.road.destination.dump())
    assert [row["Text"] for row in await verdicts.csv_of(move.road, "private_notes.csv")] == ["SECRET-LATE-PAYER"]


async def test_the_run_finds_no_discrepancy_and_conserves(move: Move) -> None:
    await verdicts.conserves(move.road, held=0)


# ── planted faults, and what a person may switch ─────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def faulty(database_url: str, source: tuple[str, Company]) -> AsyncIterator[Move]:
    """The same company with one rule taken out for each row, and with the optional loads in place of the usual ones."""
    async with moving(database_url, *source, pair=PAIR) as made:
        for kind in ("discovery", "preflight"):
            await made.road.run(kind)
        document = switched_on(await made.road.propose(), "history_records", "history_summaries", "invoices")
        document = switched_off(switched_off(document, "history"), "files")
        await made.road.confirm(lacking(document, PLANTED))
        await made.road.decide_owners()
        await provision(made.road)
        await made.road.run("full")
        await made.account.sign_in()
        yield made


@pytest.mark.parametrize("row", ROWS)
async def test_a_missing_rule_turns_its_row_red(faulty: Move, row: str) -> None:
    await verdicts.is_missed(faulty.reader, ROWS[row](faulty.company), PLANTED[row][2], PLANTED)


async def test_history_as_records_or_as_one_summary_and_invoices_as_a_module(faulty: Move) -> None:
    """The options of the mapping: a module for history and for invoices, one note that sums an order up."""
    company = faulty.company
    order = rows.To("cm_work_order", company.former("plain order"))
    history: dict[str, Any] = {
        "name": "Looked at the door",
        "Work Order": order,
        "Account": rows.To("sales_accounts", company.former("client")),
        "Technician": rows.To("contacts", company.former("technician", "technician")),
        "Action Taken": "Tightened",
        "Description": "Two screws replaced.",
    }
    invoice = {
        "name": company.numbers["invoice"],
        "Work Order": order,
        "Payment Status": "Partial",
        "Paid": rows.Decimal("25.19"),
    }
    for expected in (
        Expected("cm_service_history", company.former("plain task"), history),
        Expected("cm_invoice", company.former("invoice"), invoice),
    ):
        assert await differences(faulty.reader, expected) == [], expected.former
    account = (await faulty.freshsales.records("sales_accounts"))[company.former("client")]
    notes = await faulty.freshsales.notes("sales_accounts", account["id"])
    assert [parse_text_block(one)[0] for one in notes] == ["2026-03-01, Looked at the door, Completed, Tightened"]


async def test_missing_files_are_missed(faulty: Move) -> None:
    deal = (await faulty.freshsales.records("deals"))[faulty.company.former("order Completed")]
    assert await faulty.freshsales.files("deals", deal["id"]) == {}
