"""The shape of delimited text: delimiter, lines before the headings, and the headings made usable. Pure."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.schema import Frozen

HEAD = 256 * 1024
MAX_COLUMNS = 2_000
_DELIMITERS = (",", ";", "\t", "|")
_RECORDS = 2_000
_PREAMBLE = 50
_LINES = 200
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD))
_DATA = re.compile(r"[+-]?\d[\d.,/:-]*", re.ASCII)
# Beginnings of files that are no text, or text of another kind, with the word people know them by.
_OTHERS = (
    (b"PK\x03\x04", "format-not-supported", "an Excel workbook or a ZIP archive"),
    (b"PK\x05\x06", "format-not-supported", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "format-not-supported", "an old Excel workbook"),
    (b"\x1f\x8b", "format-not-supported", "a gzip archive"),
    (b"%PDF", "format-not-supported", "a PDF document"),
    (b"\x89PNG", "format-not-supported", "an image"),
    (b"\xff\xd8\xff", "format-not-supported", "an image"),
    (b"SQLite format 3", "format-not-supported", "a database"),
    (b"7z\xbc\xaf", "format-not-supported", "a 7-Zip archive"),
    (b"Rar!", "format-not-supported", "a RAR archive"),
)
_CONTROLS = bytes(code for code in range(1, 32) if code not in (9, 10, 12, 13, 27))


class Unreadable(Exception):
    """A file that cannot be read as a table; `detail` says why and what helps, without any of its content."""

    def __init__(self, code: str, detail: str, *, line: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.line = line


class Finding(Frozen):
    """Something a person should know: a code, how often, and in which column if it is one's."""

    code: str
    count: int
    column: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the records begin and what their cells are called."""

    delimiter: str
    data_line: int
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    after: int
    cells: list[str]

    @property
    def filled(self) -> int:
        return sum(1 for cell in self.cells if cell.strip())


def recognise(head: bytes) -> None:
    """Raises Unreadable for a file that is empty, binary, or of a kind that has no reader yet."""
    if not head.strip(b"\0 \t\r\n"):
        raise Unreadable("empty", "the file is empty")
    for start, code, kind in _OTHERS:
        if head.startswith(start):
            raise Unreadable(code, f"this is {kind}; export the table as CSV")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if text.startswith((b"[{", b'{"', b"[\n", b"{\n", b"[]", b"{}")):
        raise Unreadable("format-not-supported", "this is JSON; export the table as CSV")
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise Unreadable("format-not-supported", "this is a web page or XML, not a table; export it as CSV")
    sample = head[:4096]
    if len(sample.translate(None, _CONTROLS)) < 0.95 * len(sample):
        raise Unreadable("binary", "the file is not text")


def find_layout(text: str, *, complete: bool) -> Layout:
    """The layout seen in the beginning of a file (`complete`: in all of it). Raises Unreadable without headings."""
    text = text.removeprefix("\ufeff")
    start = 0
    declared = _SEP.match(text)
    if declared:
        start, text = 1, text[declared.end() :]
    lines = io.StringIO(text, newline="").readlines()
    if not complete:
        if len(lines) < 2:
            raise Unreadable("line-too-long", f"the first {HEAD // 1024} KiB of the file have no line end", line=1)
        lines.pop()
    found: list[Finding] = [Finding(code="separator-declared", count=1)] if declared else []
    delimiter, width = _choose(lines, (declared.group(1),) if declared else _DELIMITERS, complete)
    records = _records(lines, delimiter, _PREAMBLE + 2, drop_last=False)
    header = _find_header(records, width)
    preamble = sum(1 for record in records if record.line < header.line and record.filled)
    if preamble:
        found.append(Finding(code="lines-before-headings", count=preamble))
    labels = header.cells
    while len(labels) > width and not clean_heading(labels[-1]):
        labels = labels[:-1]  # a delimiter at the end of the heading line alone
    columns, headings = name_columns(labels)
    return Layout(delimiter, start + header.after, columns, tuple(labels), (*found, *headings))


def _choose(lines: list[str], delimiters: tuple[str, ...], complete: bool) -> tuple[str, int]:
    """The delimiter under which most records have the same width, wider ones first; and that width."""
    best, chosen, width = 0.0, delimiters[0], 1
    for delimiter in delimiters:
        records = [one for one in _records(lines, delimiter, _RECORDS, drop_last=not complete) if one.filled]
        widths = Counter(len(one.cells) for one in records if len(one.cells) > 1)
        if not widths:
            continue
        usual, times = max(widths.items(), key=lambda item: (item[1], item[0]))
        share = times / len(records)
        if share < (0.25 if usual > 2 else 0.5):
            continue
        score = share * (1 - 1 / usual)
        if score > best:
            best, chosen, width = score, delimiter, usual
    return chosen, width


def _records(lines: list[str], delimiter: str, limit: int, *, drop_last: bool) -> list[_Record]:
    """The first records read leniently, each with its first line and the line after it, both from 1."""
    found: list[_Record] = []
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if reader.line_num - line < _LINES:  # longer ones come of a quote that is never closed
                found.append(_Record(line, reader.line_num + 1, cells))
            line = reader.line_num + 1
            if len(found) >= limit:
                return found
    except csv.Error:
        return found
    return found[:-1] if drop_last and len(found) > 1 else found


def _find_header(records: list[_Record], width: int) -> _Record:
    """The first record that is no title: titles fill a cell or two of a wide table."""
    for record in records[:_PREAMBLE]:
        filled, cells = record.filled, len(record.cells)
        if not filled:
            continue
        title = filled <= max(1, width // 2) if cells < width else filled == 1 and width >= 4
        if not title:
            return record
    raise Unreadable("no-headings", f"no line of headings was found among the first {_PREAMBLE} lines")


def heading_row(rows: Sequence[tuple[int, list[str]]]) -> int:
    """The place of the heading row among the first rows of a sheet, each with its number. Raises Unreadable."""
    records = [_Record(line, line + 1, cells) for line, cells in rows]
    widths = Counter(one.filled for one in records)
    usual = max(widths.items(), key=lambda item: (item[1], item[0]))[0]
    header = _find_header(records, max(usual, 1))
    return next(place for place, one in enumerate(records) if one is header)


def name_columns(labels: list[str]) -> tuple[tuple[str, ...], list[Finding]]:
    """Headings as unique names: invisible characters out, white space collapsed, blanks numbered, doubles suffixed."""
    if len(labels) > MAX_COLUMNS:
        raise Unreadable("too-many-columns", f"the table has {len(labels)} columns, {MAX_COLUMNS} can be read")
    counts: Counter[str] = Counter()
    names: list[str] = []
    taken: set[str] = set()
    for number, label in enumerate(labels, start=1):
        name = clean_heading(label)
        if name != label:
            counts["headings-cleaned"] += 1
        if not name:
            counts["headings-blank"] += 1
            name = f"column_{number}"
        elif _DATA.fullmatch(name):
            counts["headings-look-like-data"] += 1
        names.append(_unused(name, taken, counts))
    return tuple(names), [Finding(code=code, count=count) for code, count in sorted(counts.items())]


def clean_heading(label: str) -> str:
    """One heading in NFC without invisible characters, white space (also non-breaking) collapsed."""
    return " ".join(unicodedata.normalize("NFC", label).translate(_INVISIBLE).split())


def _unused(name: str, taken: set[str], counts: Counter[str]) -> str:
    given, number = name, 1
    while given.casefold() in taken:
        number += 1
        given = f"{name}_{number}"
    if given != name:
        counts["headings-doubled"] += 1
    taken.add(given.casefold())
    return given
