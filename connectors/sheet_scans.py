"""A first look at the XML of a workbook: merged cells, formulas without a value, and what would hurt a reader."""

import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field

from connectors.table_shape import Unreadable
from connectors.tabular import MAX_CELL

MAX_SHARED_TEXTS = 256 * 1024 * 1024
"""Bytes of a workbook's shared texts, the one part that has to be held whole."""
_MAX_PART = 64 * 1024 * 1024
_LAST_ROW = 1_048_576
_LAST_COLUMN = 16_384
_PIECE = 1024 * 1024
_OVERLAP = 512
_MOST_MERGES = 100_000
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\br="(\d+)"')
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_TEXT = re.compile(rb"[^<]+")


@dataclass(slots=True)
class SheetScan:
    """What one sheet's XML tells beside its cells. `merges` are first row, first column, last row, last column."""

    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    formulas_without_value: int = 0

    def merged(self, line: int) -> list[tuple[int, int]]:
        """First and last column of the merged cells that stand in one row alone."""
        return sorted(
            (left, right) for top, left, bottom, right in self.merges if top == bottom == line and right > left
        )

    def findings(self, heading: int) -> Counter[str]:
        """`cells-merged` are below the headings: their value stands in the first cell alone and is not copied."""
        below = sum(1 for merge in self.merges if merge[2] > heading)
        return Counter(
            {
                "cells-merged": below,
                "headings-merged": len(self.merges) - below,
                "formulas-without-value": self.formulas_without_value,
            }
        )


def scan_parts(archive: zipfile.ZipFile) -> dict[str, SheetScan]:
    """The scans of all sheets by the name of their part. Raises Unreadable for a workbook that is none, or hostile."""
    names = {info.filename: info for info in archive.infolist()}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/workbook") for name in names):
        raise Unreadable("workbook-broken", "the file is a ZIP archive, but no Excel workbook (.xlsx)")
    if "xl/workbook.bin" in names:
        raise Unreadable("format-not-supported", "this is a binary workbook (.xlsb); save it as .xlsx")
    found: dict[str, SheetScan] = {}
    for name, info in names.items():
        if not name.endswith((".xml", ".rels")):
            continue
        sheet = name.startswith("xl/worksheets/")
        most = MAX_SHARED_TEXTS if name.lower() == "xl/sharedstrings.xml" else _MAX_PART
        if not sheet and info.file_size > most and name.startswith("xl/"):
            raise Unreadable(
                "workbook-too-large", f"a part of the workbook is above {most // 1024**2} MiB; save the sheets as CSV"
            )
        if sheet or name.startswith(("xl/", "[", "_rels")):
            found[name] = _scan(archive, info, sheet)
    return found


def _scan(archive: zipfile.ZipFile, info: zipfile.ZipInfo, sheet: bool) -> SheetScan:
    scan, kept, first, run = SheetScan(), b"", True, 0
    with archive.open(info) as part:
        while piece := part.read(_PIECE):
            window = kept + piece
            if first and (b"<!DOCTYPE" in window[:4096] or b"<!ENTITY" in window[:4096]):
                raise Unreadable(
                    "workbook-hostile", "a part of the workbook declares entities, which no workbook needs"
                )
            first = False
            run = _longest(piece, run)
            if sheet:
                _look(window, len(kept), scan)
            kept = window[-_OVERLAP:]
    return scan


def _longest(piece: bytes, run: int) -> int:
    """How many bytes since the last tag; raises where a text is longer than a cell may be."""
    start = 0
    while True:
        at = piece.find(b"<", start)
        if at < 0:
            run += len(piece) - start
            limit = run
        else:
            limit = run + at - start
        if limit > 4 * MAX_CELL:  # up to four bytes, or an entity, a character
            raise Unreadable("cell-too-long", f"a cell of the workbook is above {MAX_CELL // 1024} KiB")
        if at < 0:
            return run
        # the next candidate is a megabyte on: texts shorter than that need no look
        start, run = piece.rfind(b"<", at, at + MAX_CELL) + 1, 0


def _look(window: bytes, old: int, scan: SheetScan) -> None:
    """Counts what ends in the new part of the window."""
    scan.formulas_without_value += sum(1 for one in _NO_VALUE.finditer(window) if one.end() > old)
    for one in _ROW.finditer(window):
        if one.end() > old and int(one[1]) > _LAST_ROW:
            raise Unreadable("workbook-hostile", "a row of the workbook has a number that Excel does not have")
    for one in _MERGE.finditer(window):
        if one.end() > old and len(scan.merges) < _MOST_MERGES:
            left, right = _column(one[1]), _column(one[3])
            if right <= _LAST_COLUMN:
                scan.merges.append((int(one[2]), left, int(one[4]), right))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
