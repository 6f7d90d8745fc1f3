"""What both clinic pairs have to show beside their rows: files handed over, who is held, what stays out of sight."""

import hashlib
import json
from typing import Any

import asyncpg

from app.db import plain_url
from tests.pairs.clinic_company import CANARY
from tests.pairs.clinic_move import ClinicMove
from tests.pairs.verdicts import csv_of


async def json_of(move: ClinicMove, name: str) -> Any:
    return json.loads(await move.road.file(move.road.runs["full"], name))


async def people_are_listed(move: ClinicMove) -> None:
    """Row provider, and the people who share an address: files for somebody to work through."""
    staff = await csv_of(move.road, "staff_without_user.csv")
    assert [(row["Staff id"], row["Name"], row["Active"]) for row in staff] == [("D2", "Dr Lee Ost", "yes")]
    steps = (await move.road.file(move.road.runs["full"], "staff_without_user-checklist.md")).decode()
    assert steps.startswith("1. Invite everybody in the file")
    shared = await csv_of(move.road, "shared_emails.csv")
    assert [(row["Patient id"], row["Shared address"]) for row in shared] == [("P2", "home@example.com")]


async def lists_are_handed_over(move: ClinicMove) -> None:
    """Rows automation and report, lines of money, templates, territories."""
    rules = await json_of(move, "automation_inventory.json")
    named = {row["name"]: row for row in rules["items"]}
    assert named.keys() == {"Reminder two days before", "Chase"}
    assert named["Chase"]["condition"] == "Unpaid after 30 days"
    assert "workflow" in named["Reminder two days before"]["recommended_equivalent"]
    reports = await csv_of(move.road, "report_inventory.csv")
    assert [(row["Name"], row["Made of"]) for row in reports] == [("No-show rate", "appointments")]
    payments = await csv_of(move.road, "payments.csv")
    told = [(row["Payment id"], row["Invoice id"], row["Invoice as written"], row["Amount"]) for row in payments]
    assert told[1] == ("PM2", "I1", "", "-20.25"), "a refund counts in the sum of whoever keeps the books"
    assert told[3] == ("PM4", "I9", "I9", "7")
    slots = await csv_of(move.road, "schedule_templates.csv")
    assert [(row["Staff id"], row["Weekday"], row["Slot minutes"]) for row in slots] == [("D1", "Monday", "15")]
    assert slots[0]["Staff"].endswith("Iris van Berg"), "a name stands beside the id"
    territories = await csv_of(move.road, "referral_territories.csv")
    assert [(row["Practice"], row["Territory"], row["Postal code"]) for row in territories] == [
        ("Oak Medical", "North", "7004")
    ]


async def loose_papers_are_listed(move: ClinicMove) -> None:
    rows = {row["File"]: row for row in await csv_of(move.road, "unmatched_documents.csv")}
    assert {name: row["What is wrong"] for name, row in rows.items()} == {
        "lost.pdf": "file-missing",
        "Zoe Quill.pdf": "nobody-named",
    }
    body = move.clinic.papers["documents/unsorted/Zoe Quill.pdf"]
    assert rows["Zoe Quill.pdf"]["SHA-256"] == hashlib.sha256(body).hexdigest()
    assert rows["Zoe Quill.pdf"]["Bytes"] == str(len(body))


async def held_ids(move: ClinicMove) -> list[tuple[str, str]]:
    """What waits for a person: object and id."""
    rows = await move.road.ledger("outcome = 'held'")
    return [(row["source_object"], row["source_id"]) for row in rows]


async def in_the_clear(move: ClinicMove) -> list[str]:
    """Tables of the database that show a guarded value to whoever reads them without the engagement's key."""
    owner = await asyncpg.connect(plain_url(move.road.database_url))
    try:
        names = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        found = []
        for name in (str(row["tablename"]) for row in names):
            wanted = (f"%{CANARY}%", f"%{CANARY.encode().hex()}%")
            sql = f'SELECT count(*) FROM "{name}" t WHERE t::text LIKE $1 OR t::text LIKE $2'
            if await owner.fetchval(sql, *wanted):
                found.append(name)
        return found
    finally:
        await owner.close()
