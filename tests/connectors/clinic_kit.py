"""Clinic exports in memory: a source over tables and papers, and the hand-made patients of its tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.domain.schema import Record
from connectors.base import Source
from connectors.clinic import PLATFORM
from tests.connectors.shelf_kit import Shelf, upload_context, whole

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea-small"
PATIENTS = "Patient ID,First Name,Last Name,DOB,Email\nP1,Ada,Berg,1980-02-13,home@example.com\n"


def clinic(files: Mapping[str, str], papers: Mapping[str, bytes] = {}, **config: Any) -> Source:
    shelf = Shelf({name: text.encode() for name, text in files.items()})
    shelf.papers = dict(papers)
    assert PLATFORM.source is not None
    return PLATFORM.source(upload_context(shelf, **config))


def tables_in(folder: Path) -> Shelf:
    return Shelf({path.name: path.read_bytes() for path in folder.glob("*.csv")})


def papers_in(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in (folder / "documents").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


async def patients_of(text: str, **more: str) -> dict[str, Record]:
    return await whole(clinic({"Patients.csv": text, **more}), "patients")


def names(record: Record) -> tuple[str, str, str]:
    return record.get("given", ""), record.get("middle", ""), record.get("family", "")
