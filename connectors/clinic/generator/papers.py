"""Scanned papers of patients: a list with paths, files in a folder per patient, loose ones, and some without a home."""

import zlib
from collections.abc import Iterator
from pathlib import Path

from connectors.clinic.generator import words
from connectors.clinic.generator.cast import MOST_DOCUMENTS, Cast, day
from connectors.clinic.generator.people import Row


def documents(cast: Cast, folder: Path) -> Iterator[Row]:
    """Writes the files below `folder` and yields the rows of the list; some files have no row and some rows no file."""
    for number, place in enumerate(range(0, cast.scale, 5)):
        if number >= MOST_DOCUMENTS:
            return
        rng = cast.random("document", place)
        category = words.CATEGORIES[rng.randrange(len(words.CATEGORIES))]
        written = cast.moment(rng)
        patient = cast.patient(place)
        title = category.lower().replace(" ", "-")
        path = f"documents/{patient}/{title}-{number + 1}.pdf"
        listed = number % 10 not in (3, 6)
        if number % 10 == 6:
            path = f"documents/{patient}_{written:%Y-%m-%d}_{title}.pdf"
        if number % 40 != 21:
            write_file(folder / path, f"{category} {number}", 400 + rng.randrange(4_000))
        if listed:
            yield {
                "Document ID": f"D{number + 1:07d}",
                "Patient ID": patient,
                "File Name": path.rsplit("/", 1)[-1],
                "Category": category,
                "Document Date": day(written),
                "Mime Type": "application/pdf",
                "Path": path,
            }
    write_file(folder / "documents/unsorted/scan0001.pdf", "unknown", 700)


def write_file(path: Path, title: str, size: int) -> None:
    """A small file that looks like a PDF; its bytes follow from the title and the size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grain = zlib.crc32(title.encode()).to_bytes(4, "big")
    path.write_bytes(b"%PDF-1.4\n% " + title.encode() + b"\n" + (grain * (size // 4 + 1))[:size] + b"\n%%EOF\n")
