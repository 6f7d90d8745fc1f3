"""Excel workbooks into tables, a sheet each, streamed; cells become the texts that a person sees in them.

What a workbook says of its sheets and formats is read by openpyxl, cells and texts by `sheet_rows` in flat memory.

Serial dates follow ISO/IEC 29500-1, 18.17.4.1: the 1900 system with its 29 February 1900 (day 60), the 1904 system.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO

from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader
from openpyxl.styles.numbers import (
    BUILTIN_FORMATS,
    BUILTIN_FORMATS_MAX_SIZE,
    is_date_format,
    is_datetime,
    is_timedelta_format,
)
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import MAC_EPOCH, from_ISO8601
from openpyxl.utils.exceptions import InvalidFileException

from connectors.shared_texts import SharedTexts
from connectors.sheet_rows import Row, SheetCell, shared_texts, sheet_rows
from connectors.sheet_scans import SheetScan, scan_parts
from connectors.table_rows import TableDraft
from connectors.table_shape import Finding, Unreadable, clean_heading, heading_row
from connectors.unpacking import MAX_NAME, Drafts, OpenPart, UnpackedTable

_HEAD_ROWS = 60
_LAST_DAY = 2_958_465  # 9999-12-31
_EXACT = 10**15  # a workbook keeps fifteen digits
_DAY_1904 = date(1904, 1, 1)
_BROKEN = (KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError, EOFError, InvalidFileException)

Read = Callable[[Any], str]


def read_workbook(file: BinaryIO, stem: str, open_part: OpenPart) -> tuple[list[UnpackedTable], list[Finding]]:
    """Every sheet that has a heading row as a table, hidden ones too; what else was seen comes as findings.

    `stem` is what the table of a workbook with one sheet is called. The caller has checked the archive itself
    (`archives.check_members`). Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            scans = scan_parts(archive)
        file.seek(0)
        book = _Book(file, read_only=True, data_only=True, keep_links=False)
        try:
            book.load()
            with book.texts() as texts:
                return _read_sheets(book, texts, scans, stem, open_part)
        finally:
            book.archive.close()
    except _BROKEN:  # what openpyxl makes of XML that is no workbook; its texts may quote cells
        raise Unreadable("workbook-broken", "the workbook cannot be read; open it in Excel and save it again") from None


class _Book(ExcelReader):  # type: ignore[misc]
    """What a workbook says of its sheets and formats."""

    def load(self) -> None:
        self.read_manifest()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)

    def sheets(self) -> list[tuple[str, str, str]]:
        """Title, part and state of every sheet that has cells."""
        return [
            (str(sheet.name), str(rel.target), str(sheet.state))
            for sheet, rel in self.parser.find_sheets()
            if rel.target in self.valid_files and "chartsheet" not in rel.Type
        ]

    def texts(self) -> SharedTexts:
        named = self.package.find(SHARED_STRINGS)
        if named is None:
            return SharedTexts(())
        with self.archive.open(named.PartName[1:]) as part:
            return SharedTexts(shared_texts(part))

    def starts_1904(self) -> bool:
        return bool(self.wb.epoch == MAC_EPOCH)

    def number_format(self, style: int) -> str:
        number = self.wb._cell_styles[style].numFmtId
        if number < BUILTIN_FORMATS_MAX_SIZE:
            return str(BUILTIN_FORMATS.get(number, "General"))
        return str(self.wb._number_formats[number - BUILTIN_FORMATS_MAX_SIZE])


def _read_sheets(
    book: _Book, texts: SharedTexts, scans: dict[str, SheetScan], stem: str, open_part: OpenPart
) -> tuple[list[UnpackedTable], list[Finding]]:
    drafts, filled = Drafts(open_part), 0
    findings: list[Finding] = []
    for title, path, state in book.sheets():
        scan = scans.get(path.lstrip("/"), SheetScan())
        name = clean_heading(title)[:MAX_NAME] or f"Sheet {len(findings) + 1}"
        with book.archive.open(path) as part:
            rows = _Rows(sheet_rows(part, texts), book)
            has_rows = _read_sheet(rows, scan, drafts, name)
        if not has_rows:
            findings.append(Finding(code="sheet-empty", count=1, column=name))
            continue
        filled += 1
        if state != "visible":
            findings.append(Finding(code="sheet-hidden", count=1, column=name))
    if not filled:
        raise Unreadable("empty", "no sheet of the workbook has a heading row")
    tables = drafts.close("xlsx")
    if len(tables) == 1:
        one = tables[0]
        tables = [UnpackedTable(one.name, stem, one.part, one.dialect)]
    return tables, findings


def _read_sheet(rows: "_Rows", scan: SheetScan, drafts: Drafts, name: str) -> bool:
    """Whether the sheet has anything in it."""
    head: list[tuple[int, list[str]]] = []
    for row in rows:
        head.append(row)
        if len(head) >= _HEAD_ROWS:
            break
    filled = [row for row in head if any(row[1])]
    if not filled:
        return False
    at = heading_row(filled)
    labels, after = _labels(filled, at, scan)
    draft = drafts.open(name, stem=name)
    draft.head(labels)
    draft.noticed["lines-before-headings"] += at
    last = filled[after - 1][0]
    _fill(draft, chain((row for row in head if row[0] > last), rows), len(labels))
    draft.noticed.update(rows.noticed)
    draft.noticed.update({code: count for code, count in scan.findings(last).items() if count})
    draft.noticed += type(draft.noticed)()  # nothing that was counted zero times
    return True


def _labels(rows: list[tuple[int, list[str]]], at: int, scan: SheetScan) -> tuple[list[str], int]:
    """The headings, and the place of the first row below them. A merged heading stands over all its columns.

    Where one stands over several columns that the next row names, both rows make the heading: "Contact Phone".
    """
    line, cells = rows[at]
    labels = list(cells)
    while (
        labels
        and not clean_heading(labels[-1])
        and not any(first <= len(labels) <= last for first, last in scan.merged(line))
    ):
        labels.pop()
    spans = [(first, last) for first, last in scan.merged(line) if first <= len(cells) and labels[first - 1 : first]]
    if not spans:
        return labels, at + 1
    below = rows[at + 1] if len(rows) > at + 1 else (0, [])
    second = below[1] + [""] * (max(last for _, last in spans) - len(below[1]))
    two = below[0] == line + 1 and all(all(second[first - 1 : last]) for first, last in spans)
    labels += [""] * (max([len(labels), *(last for _, last in spans)]) - len(labels))
    for first, last in spans:
        for place in range(first - 1, last):
            labels[place] = f"{cells[first - 1]} {second[place]}" if two else cells[first - 1]
    if two:
        labels = [label or (second[place] if place < len(second) else "") for place, label in enumerate(labels)]
    return labels, at + (2 if two else 1)


def _fill(draft: TableDraft, rows: Iterable[tuple[int, list[str]]], width: int) -> None:
    for line, cells in rows:
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) > width:
            draft.reject(line, len(cells), "too-many-cells", "\t".join(cells))
        elif any(cells):
            draft.row(line, cells)
        else:
            draft.noticed["blank-lines"] += 1


class _Rows:
    """A sheet's rows as texts with their numbers; what is odd in their cells is counted in `noticed`."""

    def __init__(self, rows: Iterator[Row], book: _Book) -> None:
        self._rows = rows
        self._book = book
        self._starts_1904 = book.starts_1904()
        self._formats: dict[int, str] = {}
        self.noticed: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        line, cells = next(self._rows)
        return line, [self._text(cell) if cell is not None else "" for cell in cells]

    def _text(self, cell: SheetCell) -> str:
        value, kind, style = cell
        if kind in ("s", "str", "inlineStr"):
            return value
        if kind == "e":
            self._notice("error-cells")
            return value
        if kind == "b":
            return "true" if int(value) else "false"
        if kind == "d":
            return _iso(from_ISO8601(value))
        shown = self._formats.get(style)
        if shown is None:
            shown = self._formats[style] = _shown(self._book.number_format(style))
        number = float(value) if "." in value or "E" in value or "e" in value else int(value)
        return self._moment(number, shown) if shown else self._number(number)

    def _number(self, value: float) -> str:
        if abs(value) >= _EXACT:
            self._notice("precision-lost")
        return number_text(value)

    def _moment(self, value: float, shown: str) -> str:
        text = serial_text(value, shown, starts_1904=self._starts_1904)
        if text is None:
            self._notice("dates-out-of-range")
            return number_text(value)
        if text.startswith("1900-02-29"):
            self._notice("excel-day-60")
        return text

    def _notice(self, code: str) -> None:
        self.noticed[code] = self.noticed.get(code, 0) + 1


def _shown(number_format: str | None) -> str:
    """date | time | datetime | elapsed, or "" for a number."""
    if not number_format or number_format == "General" or not is_date_format(number_format):
        return ""
    return "elapsed" if is_timedelta_format(number_format) else str(is_datetime(number_format))


def number_text(value: float) -> str:
    """A number's digits without an exponent, fifteen significant ones at most, as many as a workbook keeps."""
    if value.__class__ is int:
        return str(value) if abs(value) < _EXACT else format(Decimal(value), "f")
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - a NaN
        return str(value)
    text = format(Decimal(format(value, ".15g")), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def serial_text(value: float, shown: str, *, starts_1904: bool) -> str | None:
    """A serial date as ISO text, without an offset; None when no day has it.

    `shown`: date | time | datetime | elapsed. Day 60 of the 1900 system comes as the 1900-02-29 that the sheet shows.
    """
    if shown in ("elapsed", "time") and 0 <= value < (10_000 if shown == "elapsed" else 1):
        return _clock(round(value * 86_400_000))
    days, rest = divmod(round(value * 86_400_000), 86_400_000)
    days = int(days)
    if starts_1904:
        if not 0 <= days <= _LAST_DAY - 1_462:
            return None
        day = (_DAY_1904 + timedelta(days=days)).isoformat()
    elif not 1 <= days <= _LAST_DAY:
        return None
    elif days == 60:
        day = "1900-02-29"
    else:
        day = (date(1899, 12, 31 if days < 60 else 30) + timedelta(days=days)).isoformat()
    return day if shown == "date" and not rest else f"{day}T{_clock(int(rest))}"


def _clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(int(milliseconds), 1000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{thousandths:03d}" if thousandths else text


def _iso(value: Any) -> str:
    """Dates of the strict form of the format, which are written in ISO."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _clock(round(value.total_seconds() * 1000))
    return str(value)
