"""An RSoft export on disk: CSV in the order of dependency, with an extraction manifest and dirt on purpose.

Equal scale and seed give equal bytes; every file is written row by row.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.rsoft.generator import desk, people, sales, settings
from connectors.rsoft.generator.plan import Plan

__all__ = ["write_export"]

Rows = Iterable[list[str]]


def write_export(folder: Path, scale: int, seed: int) -> dict[str, int]:
    """Writes about `scale` records into CSV files below `folder`; returns the rows per file.

    The extraction manifest counts what the export meant to hold, so a row that is lost later on shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(scale, seed)
    written = {name: _write(folder / name, headings, rows) for name, headings, rows in _files(plan)}
    listed = [[str(number), name.removesuffix(".csv"), name, str(rows)] for number, (name, rows) in _numbered(written)]
    _write(folder / "extraction_manifest.csv", ["Order", "Object", "File", "Rows"], listed)
    return written


def _files(plan: Plan) -> Iterator[tuple[str, list[str], Rows]]:
    yield "users.csv", settings.USER_HEADINGS, settings.users()
    yield "pipeline_stages.csv", settings.STAGE_HEADINGS, settings.stages()
    yield "companies.csv", people.COMPANY_HEADINGS, people.companies(plan)
    yield "contacts.csv", people.CONTACT_HEADINGS, people.contacts(plan)
    yield "leads.csv", people.LEAD_HEADINGS, people.leads(plan)
    yield "deals.csv", sales.DEAL_HEADINGS, sales.deals(plan)
    yield "activities.csv", sales.ACTIVITY_HEADINGS, sales.activities(plan)
    yield "tickets.csv", desk.TICKET_HEADINGS, desk.tickets(plan)
    yield "ticket_conversations.csv", desk.MESSAGE_HEADINGS, desk.messages(plan)
    yield "tags.csv", desk.TAG_HEADINGS, desk.tags(plan)
    yield "custom_fields.csv", settings.FIELD_HEADINGS, settings.custom_fields()
    yield "workflows.csv", settings.WORKFLOW_HEADINGS, settings.workflows()


def _numbered(written: dict[str, int]) -> Iterator[tuple[int, tuple[str, int]]]:
    return enumerate(written.items(), start=1)


def _write(path: Path, headings: list[str], rows: Rows) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(headings)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count
