"""Every row of the pair's table: what stands in an RSoft export arrives at Freshsales, field by field.

`rsoft_company` holds the export, `rsoft_rows` what the table promises of it; the destination is read through its
public API only.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from app.domain.grading import grade
from app.domain.texts import parse_text_block
from connectors.registry import load_blueprint
from tests.pairs import verdicts
from tests.pairs.company import Company
from tests.pairs.conftest import Move, moving, provision, up_to
from tests.pairs.planting import lacking, switched_off, switched_on
from tests.pairs.rsoft_company import FILES, former
from tests.pairs.rsoft_rows import ROWS
from tests.pairs.uploading import send_files
from tests.runs.road import Road

PAIR = ("rsoft", "freshsales")
NEW = {"name": "New", "probability": 20, "forecast": "Open"}
"""The stage of deals that name none."""
PLANTED = {
    "contact": ("contacts", "work_number", "work_number"),
    "lead": ("leads", "cf_lead_score", "Lead Score"),
    "company": ("accounts", "cf_gst_number", "GST Number"),
    "deal": ("deals", "expected_close", "expected_close"),
    "pipeline_stage": ("deals", "cf_source_pipeline", "Source Pipeline"),
    "ticket": ("ticket_messages", "cf_author", "Author"),
    "tag": ("contacts", "tags", "tags"),
    "owner": ("deals", "cf_owner_at_source", "Owner At Source"),
    "custom_field": ("contacts", "Budget__c", "Budget"),
}
"""By row: the load, the rule that is taken out, and the field that then must be missed."""


async def administrate(way: Road) -> None:
    """What the checklist asks for: sources of leads, and the account's own pipelines with their stages."""
    await way.destination.post("admin", {"action": "create_row", "selector": "lead_sources", "name": "IndiaMART"})
    lines: Any = (await way.document()).constants["pipelines"]
    for name, stages in lines.items():
        made = [[one["name"], one["probability"], one["forecast"]] for one in [*stages, NEW]]
        await way.destination.post("admin", {"action": "create_pipeline", "name": name, "stages": made})


@pytest.fixture(scope="module")
async def move(database_url: str) -> AsyncIterator[Move]:
    """The export after the whole road: sample, then full run."""
    async with moving(database_url, "", Company(), pair=PAIR) as made:
        await send_files(made.road, FILES, plan="Standard")
        await up_to(made.road, "full", admin=administrate)
        await made.account.sign_in()
        yield made


def test_every_row_of_the_table_has_a_test() -> None:
    blueprint = load_blueprint(*PAIR)
    assert {row.key for row in blueprint.rows} == ROWS.keys() | {"activity"}
    assert PLANTED.keys() == ROWS.keys()
    assert (len(blueprint.rows), blueprint.one_to_one, blueprint.mapped_of_eight) == (10, 8, 4)
    made = grade(blueprint, {})
    assert (made.grade.value, made.label, blueprint.timeline.label) == ("C", "Moderate", "2–4 weeks")


def test_every_warning_is_seen_to() -> None:
    checks = {one.check for one in load_blueprint(*PAIR).gotchas}
    here = {"unresolved", "shared_values", "extraction", "field_cap", "data_gaps", "add_ons", "edition_custom_objects"}
    rows = {"indian_values", "source_times"}  # amounts, phones and times of every row
    checklist = {"admin_only"}  # the provisioning of every test here waits for `administrate`
    account = {"workflows_off", "hourly_budget", "file_storage"}  # the destination's own, tested with its connector
    people = {"assistant_plan", "bot_sessions", "phone_credits", "currency"}  # a person's matter: on the pair page
    assert checks == here | rows | checklist | account | people


@pytest.mark.parametrize("row", ROWS)
async def test_row_arrives_field_by_field(move: Move, row: str) -> None:
    await verdicts.arrives(move.reader, ROWS[row])


async def test_stages_are_made_in_the_accounts_own_order_with_their_probabilities(move: Move) -> None:
    stages = (await move.road.document()).constants["stages"]
    assert isinstance(stages, list)
    own = [one for one in stages if isinstance(one, dict) and one["name"] != "New"]
    assert [(one["name"], one["probability"], one["forecast"]) for one in own] == [
        ("Site Survey", 5, "Open"),
        ("Enquiry Received", 10, "Open"),
        ("Order Won", 100, "Closed Won"),
        ("Order Lost", 0, "Closed Lost"),
        ("Due for Renewal", 30, "Open"),
    ]


# ── activities ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def _notes(move: Move, module: str, one: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Notes of a record by the former id of each, as free text and facts."""
    record = (await move.freshsales.records(module))[one]
    texts = await move.freshsales.notes(module, record["id"])
    return {text.rsplit("[", 1)[1].rstrip("]"): parse_text_block(text) for text in texts}


async def test_calls_keep_words_length_and_result(move: Move) -> None:
    on_contact = await _notes(move, "contacts", former("contacts", "CON-1"))
    body, facts = on_contact[former("activities", "ACT-1", "call")]
    assert body == "Asked for 5% off"
    assert facts == {
        "Subject": "Price talk",
        "Direction": "Inbound",
        "Minutes": "4",
        "Outcome": "Answered",
        "Held": "2024-11-20T05:30:00+00:00",
        "Owner": "Dana Field",
        "Status": "Completed",
        "Recorded": "Yes",
        "Entered": "2024-11-19T04:00:00+00:00",
    }
    # A call about a ticket hangs on the ticket's contact, one with a converted lead on the contact it became.
    assert on_contact[former("activities", "ACT-10", "call")][0] == "Called back"
    converted = await _notes(move, "contacts", former("contacts", "CON-8"))
    assert converted[former("activities", "ACT-7", "call")][1]["Minutes"] == "4.5"


async def test_mails_messages_and_remarks_are_notes_with_their_headers(move: Move) -> None:
    on_deal = await _notes(move, "deals", former("deals", "DEA-2"))
    body, facts = on_deal[former("activities", "ACT-2", "note")]
    assert body == "Please find attached.\nRegards"
    assert {name: facts[name] for name in ("Type", "From", "To", "Cc", "Sent", "Owner")} == {
        "Type": "Email",
        "From": "omar@example.com",
        "To": "lakshmi@konark.example.org",
        "Cc": "boss@example.com",
        "Sent": "2024-11-21T03:35:00+00:00",
        "Owner": "Omar Sales",
    }
    on_lead = await _notes(move, "contacts", former("leads", "LEA-1", "lead"))
    assert on_lead[former("activities", "ACT-3", "note")][1]["Type"] == "SMS"
    by_name = await _notes(move, "contacts", former("contacts", "CON-4"))
    assert by_name[former("activities", "ACT-5", "note")][1]["Owner as written"] == "Old Partner"
    unknown_kind = await _notes(move, "contacts", former("contacts", "CON-1"))
    assert unknown_kind[former("activities", "ACT-9", "note")] == (
        "Sent the list",
        {"Type": "WhatsApp", "Sent": "2024-11-27T14:45:00+00:00"},
    )


async def test_meetings_and_tasks_keep_their_hours(move: Move) -> None:
    account = (await move.freshsales.records("sales_accounts"))[former("companies", "COM-1")]
    (visit,) = await move.freshsales.activities("appointments", "sales_accounts", account["id"])
    assert (visit["title"], visit["location"]) == ("Factory visit", "Coonoor")
    assert _utc(visit["from_date"]) == "2024-11-25T08:30:00+00:00"
    assert _utc(visit["end_date"]) == "2024-11-25T10:00:00+00:00"
    assert parse_text_block(visit["description"])[1]["Minutes"] == "90"
    deal = (await move.freshsales.records("deals"))[former("deals", "DEA-1")]
    (task,) = await move.freshsales.activities("tasks", "deals", deal["id"])
    assert (task["title"], task["status"]) == ("Send samples", 0)
    assert _utc(task["due_date"]) == "2025-01-13T12:30:00+00:00"
    assert move.freshsales.person(task["owner_id"]) == "owner1@example.com"
    assert parse_text_block(task["description"])[1]["Priority"] == "High"


def _utc(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone(UTC).isoformat()


# ── what the page warns of ───────────────────────────────────────────────────────────────────────────────────────────


async def test_names_that_two_records_bear_or_none_are_never_guessed(move: Move) -> None:
    """Check `unresolved`: by id, then by exact name; the rest is held and counted."""
    held = {(row["source_object"], row["source_id"]) for row in await move.road.ledger("outcome = 'held'")}
    assert held == {
        ("contacts", "CON-5"),
        ("leads", "LEA-3"),
        ("deals", "DEA-3"),
        ("deals", "DEA-4"),
        ("activities", "ACT-8"),
        ("tickets", "TKT-2"),
    }
    facts = (await move.road.inventory("source")).facts["unresolved"]
    assert isinstance(facts, dict)
    assert (facts["deals.contact"], facts["deals.company"]) == ({"ambiguous": 1}, {"unknown": 1})
    assert facts["activities.related_to"] == {"unknown": 1}


async def test_doubles_are_merged_and_families_are_not(move: Move) -> None:
    """Check `shared_values`: the same name and address is one person; a shared address alone is not."""
    people = await move.freshsales.records("contacts")
    assert former("contacts", "CON-2") not in people
    merged = await move.road.ledger("reason = 'merged_into'")
    assert {row["source_id"] for row in merged} == {"CON-2", "COM-2"}
    karthik = people[former("contacts", "CON-3")]
    assert (karthik["email"], karthik["Shared Email"]) == (None, "meera@nilgiri.example.com")
    accounts = await move.freshsales.records("sales_accounts")
    names = [accounts[former("companies", f"COM-{number}")]["name"] for number in (3, 4)]
    assert names == ["Sagar Motors", "SAGAR MOTORS (COM-4)"]


async def test_what_came_is_set_beside_what_was_expected(move: Move) -> None:
    """Check `extraction`: a file that is one row short of its manifest differs."""
    rows = {row["Object"]: row for row in await verdicts.csv_of(move.road, "extraction_manifest.csv")}
    assert (rows["companies"]["State"], rows["contacts"]["State"]) == ("complete", "differs")
    assert (rows["contacts"]["Rows expected"], rows["contacts"]["Rows came"]) == ("10", "9")
    order = sorted(rows, key=lambda name: int(rows[name]["Order"]))
    assert order[:8] == ["users", "stages", "companies", "contacts", "leads", "deals", "activities", "tickets"]


async def test_the_preflight_names_what_a_person_should_look_at(move: Move) -> None:
    """Checks `extraction`, `field_cap`, `data_gaps`, `unresolved` and owners: counts in the report, no values."""
    reports = await move.road.reports(move.road.runs["preflight"])
    body = next(body for kind, _, body in reports if kind == "preflight")
    found = {(one["code"], one["object"], one["field"]): one["count"] for one in body["findings"]}
    assert found["extraction_differs", "contacts", ""] == 1
    assert found["field_orphaned", "contacts", "Contacts: Old Dealer Code"] == 1
    assert found["reference_ambiguous", "deals", "contact"] == 1
    assert found["reference_unknown", "deals", "company"] == 1
    assert found["owner_missing", "deals", "owner"] == 2
    assert sum(code == "data_gap" for code, _, _ in found) == 4
    assert "bad_phone" not in {code for code, _, _ in found}


async def test_fields_beyond_the_plan_and_dead_ones_are_named(move: Move) -> None:
    """Check `field_cap`: six fields of contacts under a plan of five, one of them switched off."""
    rows = {row["Field"]: row["Verdict"] for row in await verdicts.csv_of(move.road, "custom_field_audit.csv")}
    assert rows["Contacts: Old Dealer Code"] == "orphaned: switched off, its values are still exported"
    assert {name for name, verdict in rows.items() if verdict == "within the plan"} == {
        f"Contacts: {name}" for name in ("Budget", "Loan Required", "Showroom Guide", "Date of Visit", "Referred By")
    }


async def test_the_register_names_what_no_export_holds(move: Move) -> None:
    """Checks `data_gaps` and `add_ons`."""
    rows = {
        row["Gap"]: row["What the export shows"] for row in await verdicts.csv_of(move.road, "data_gap_register.csv")
    }
    assert rows["IVR call recordings"] == "1 calls are marked as recorded"
    assert rows["WhatsApp conversations"].startswith("1 contacts have a WhatsApp number")
    assert set(rows) >= {"IVR and autodialer logs", "Workflow definitions"}


async def test_workflows_are_listed_with_an_equivalent(move: Move) -> None:
    body = await move.road.file(move.road.runs["full"], "automation_inventory.json")
    found = {one["id"]: one["recommended_equivalent"] for one in orjson.loads(body)["items"]}
    assert "SMS provider" in found["WF-1"]
    assert "WhatsApp" in found["WF-2"]


async def test_the_run_finds_no_discrepancy_and_conserves(move: Move) -> None:
    await verdicts.conserves(move.road, held=6)


# ── planted faults, and tickets without custom modules ───────────────────────────────────────────────────────────────


async def test_a_plan_with_one_pipeline_lets_both_share_it(database_url: str) -> None:
    """Check `admin_only`: on Growth the stages of all go into the one that is there."""
    async with moving(database_url, "", Company(), pair=PAIR, edition="growth") as made:
        await send_files(made.road, FILES)
        await made.road.run("discovery")
        document = await made.road.propose()
        assert "pipelines" not in document.constants
        assert document.constants["pipeline"] == "Default Pipeline"
        (rule,) = [one for one in document.load("deals").fields if one.target == "deal_pipeline_id"]
        assert (rule.transform, rule.args["value"]) == ("const", "Default Pipeline")


@pytest.fixture(scope="module")
async def faulty(database_url: str) -> AsyncIterator[Move]:
    """The same export with one rule taken out for each row."""
    async with moving(database_url, "", Company(), pair=PAIR) as made:
        await send_files(made.road, FILES)
        await _confirmed(made, _planted)
        yield made


def _planted(document: Any) -> Any:
    return lacking(document, PLANTED)


async def _confirmed(made: Move, change: Any) -> None:
    """Takes the road with a document that a person has changed."""
    for kind in ("discovery", "preflight"):
        await made.road.run(kind)
    await made.road.confirm(change(await made.road.propose()))
    await made.road.decide_owners()
    await provision(made.road, administrate)
    await made.road.run("full")
    await made.account.sign_in()


@pytest.mark.parametrize("row", ROWS)
async def test_a_missing_rule_turns_its_row_red(faulty: Move, row: str) -> None:
    await verdicts.is_missed(faulty.reader, ROWS[row], PLANTED[row][2], PLANTED)


async def test_without_modules_a_ticket_is_a_task_with_notes(database_url: str) -> None:
    """Check `edition_custom_objects`: the report names what Pro does not have; the other way writes task and notes."""
    async with moving(database_url, "", Company(), pair=PAIR, edition="pro") as made:
        await send_files(made.road, FILES)

        def smaller(document: Any) -> Any:
            document = switched_off(switched_off(document, "tickets"), "ticket_messages")
            return switched_on(document, "ticket_tasks", "ticket_notes")

        await _confirmed(made, smaller)
        gaps = next(body for kind, _, body in await made.road.reports(made.road.runs["preflight"]) if kind == "gap")
        cap = next(one for one in gaps["findings"] if one["code"] == "custom_objects_cap")
        assert set(cap["items"]) == {"cm_ticket", "cm_ticket_message"}
        person = (await made.freshsales.records("contacts"))[former("contacts", "CON-1")]
        (task,) = await made.freshsales.activities("tasks", "contacts", person["id"])
        assert (task["title"], task["status"]) == ("TKT-1 - Wrong GSTIN", 1)
        facts = parse_text_block(task["description"])[1]
        assert (facts["Ticket"], facts["Status"], facts["Assignee"]) == ("TKT-1", "Resolved", "Dana Field")
        notes = await _notes(made, "contacts", former("contacts", "CON-1"))
        assert [notes[former("ticket_messages", f"MSG-{number}", "ticket")][0] for number in (1, 2)] == [
            "The number is wrong.",
            "We check it.\nOne moment.",
        ]
