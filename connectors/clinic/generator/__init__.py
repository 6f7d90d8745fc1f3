"""Writes an export as a clinic's administrator would hand it over: tables as CSV and a folder of scanned papers."""

import csv
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from connectors.clinic.generator import papers, people, work
from connectors.clinic.generator.cast import Cast
from connectors.clinic.generator.people import Row

__all__ = ["pack", "write_export"]

_TABLES: Mapping[str, Callable[[Cast], Iterator[Row]]] = {
    "Locations": people.locations,
    "Providers": people.staff,
    "Payers": people.payers,
    "Referring Physicians": people.referrers,
    "Patients": people.patients,
    "Patient Custom Fields": people.custom_values,
    "Insurance Policies": people.policies,
    "Appointments": work.appointments,
    "Invoices": work.invoices,
    "Payments": work.payments,
    "Treatment Plans": work.treatment_plans,
    "Lab Results": work.results,
    "Workflow Rules": work.workflow_rules,
    "Report Definitions": work.report_definitions,
    "Schedule Templates": work.schedule_templates,
}


def write_export(folder: Path, scale: int, seed: int) -> dict[str, int]:
    """Writes the export of a group of clinics with `scale` patients and returns the rows per file.

    Equal arguments give equal bytes; rows are written as they are made. Raises ValueError for a scale out of range.
    """
    cast = Cast(scale, seed)
    folder.mkdir(parents=True, exist_ok=True)
    counts = {f"{name}.csv": _write(folder / f"{name}.csv", made(cast)) for name, made in _TABLES.items()}
    counts["Documents.csv"] = _write(folder / "Documents.csv", papers.documents(cast, folder))
    return counts


def pack(folder: Path, archive: Path) -> None:
    """Puts everything below `folder` into one ZIP, in the order of the names and without the times of the files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(one for one in folder.rglob("*") if one.is_file() and one != archive):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (2026, 6, 30, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, bundle.open(entry, "w") as target:
                while chunk := source.read(1024 * 1024):
                    target.write(chunk)


def _write(path: Path, rows: Iterable[Row]) -> int:
    """A byte order mark and CRLF, as spreadsheets write them."""
    made = iter(rows)
    first = next(made)
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, list(first))
        writer.writeheader()
        for row in chain((first,), made):
            writer.writerow(row)
            count += 1
    return count
