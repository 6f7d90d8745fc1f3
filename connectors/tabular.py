"""Tables out of files: bytes in, rows of text out, streamed in flat memory; nothing is shifted, shortened or guessed.

A file is looked at whole by a `Probe`, which finds its dialect, and then read by a `TableReader`, as often as needed.
The rules are those of the source fact sheet, section 6.2. This is delimited text; workbooks, JSON and archives are
taken apart when they arrive (`workbooks`, `json_tables`, `archives`) into tables that `table_rows` reads likewise.
"""

import codecs
import csv
import io
from collections import Counter
from typing import NamedTuple

from app.domain.schema import Frozen
from connectors.table_shape import HEAD, Finding, Layout, Unreadable, find_layout, recognise

__all__ = [
    "HEAD", "MAX_CELL", "Dialect", "Finding", "Probe", "Reject", "Row", "TableReader", "Unreadable",
]  # fmt: skip

MAX_CELL = 1024 * 1024
MAX_RECORD = 8 * 1024 * 1024
KEPT_REJECTS = 1_000
_KEPT_TEXT = 4 * 1024 * 1024
_REWOUND = 64 * 1024 * 1024
_SMALL = 64 * 1024
# cp1252 leaves these bytes open, so a text that holds one is in some other encoding
_NOT_CP1252 = tuple(bytes([code]) for code in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_RECORD))  # our own cap comes first and says more


class Row(NamedTuple):
    """One record as text; `line` is the physical line it begins on, from 1."""

    line: int
    cells: list[str]


class Reject(Frozen):
    """A record that is left out: its first line, how many cells it has (0: uncountable), why, and itself.

    `code`: too-few-cells | too-many-cells | malformed-quotes, of JSON not-json | not-an-object | too-deep | not-utf-8.
    `cut` says that `text` is not all of it.
    """

    line: int
    cells: int
    code: str
    text: str
    cut: bool = False


class Dialect(Frozen):
    """How a file is written. `data_line` is the physical line on which the records begin.

    `columns` are names made unique and clean, `labels` the headings as they stand in the file. `source` is the format
    the table came in (text | xlsx | json | ndjson | zip), `stored` the form it is kept in (text | rows).
    """

    encoding: str
    delimiter: str
    data_line: int
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    source: str = "text"
    stored: str = "text"


class Probe:
    """Sees every byte once and finds the dialect. `feed` any sizes, then `finish`."""

    def __init__(self) -> None:
        self.size = 0
        self._head = bytearray()
        self._utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        self._is_utf8 = True
        self._not_cp1252 = False
        self._recognised = False

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes. Raises Unreadable as soon as the file is seen to be no delimited text."""
        self.size += len(chunk)
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]
        if not self._recognised and len(self._head) >= 512:
            self._recognise()
        if self._is_utf8:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._is_utf8 = False
        self._not_cp1252 = self._not_cp1252 or any(code in chunk for code in _NOT_CP1252)

    def finish(self) -> Dialect:
        """The dialect. Raises Unreadable for an empty, cut, binary or otherwise hostile file."""
        self._recognise()
        encoding, findings = self._encoding()
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        text = decoder.decode(bytes(self._head), final=self.size <= HEAD).replace("\0", "")
        layout: Layout = find_layout(text, complete=self.size <= HEAD)
        return Dialect(
            encoding=encoding,
            delimiter=layout.delimiter,
            data_line=layout.data_line,
            columns=layout.columns,
            labels=layout.labels,
            findings=(*findings, *layout.findings),
        )

    def _recognise(self) -> None:
        self._recognised = True
        recognise(bytes(self._head))

    def _encoding(self) -> tuple[str, list[Finding]]:
        """Byte order mark, then strict UTF-8, then cp1252; anything further would be a guess."""
        head = bytes(self._head)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name, []
        if self._is_utf8:
            try:
                self._utf8.decode(b"", final=True)
            except UnicodeDecodeError:
                raise Unreadable("truncated", "the file ends in the middle of a character: it is not whole") from None
            wide = _unmarked_utf16(head)
            return (wide, [Finding(code="utf16-without-mark", count=1)]) if wide else ("utf-8", [])
        if wide := _unmarked_utf16(head):
            return wide, [Finding(code="utf16-without-mark", count=1)]
        if self._not_cp1252:
            raise Unreadable(
                "encoding-unknown", "the file is neither UTF-8, UTF-16 with a mark nor Windows-1252; save it as UTF-8"
            )
        return "cp1252", [Finding(code="encoding-assumed-cp1252", count=1)]


def _unmarked_utf16(head: bytes) -> str:
    """Texts of Latin letters have a zero in every other byte."""
    sample = head[:4096]
    if len(sample) < 4:
        return ""
    half = len(sample) // 2
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[start::2].count(0) > 0.6 * half and sample[1 - start :: 2].count(0) < 0.1 * half:
            return name
    return ""


class _More(Exception):
    """The lines at hand end in the middle of a record."""


class _Lines:
    """Hands lines to the csv reader; `at` can be set back."""

    __slots__ = ("at", "ended", "lines")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.at = 0
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.at < len(self.lines):
            self.at += 1
            return self.lines[self.at - 1]
        if self.ended:
            raise StopIteration
        raise _More


class TableReader:
    """Reads the records of one file. `feed` its bytes in order, then `finish`; both return the rows found so far.

    What is left out is counted in `rejected` by code, the first of them kept in `rejects`.
    """

    def __init__(self, dialect: Dialect, keep: int = KEPT_REJECTS) -> None:
        self._width = len(dialect.columns)
        self._decoder = codecs.getincrementaldecoder(dialect.encoding)("strict")
        self._lines = _Lines()
        self._csv = csv.reader(self._lines, delimiter=dialect.delimiter, strict=True)
        self._skip = dialect.data_line - 1
        self._before = 0  # physical lines that are done with
        self._held: list[bytes] = []
        self._held_size = 0
        self._carry = ""
        self._wanted = 0
        self._rewound = 0
        self._kept_text = 0
        self._keep = keep
        self.rejects: list[Reject] = []
        self.rejected: Counter[str] = Counter()
        self.noticed: Counter[str] = Counter()

    def feed(self, chunk: bytes) -> list[Row]:
        """Raises Unreadable for bytes of another encoding, a cell above the cap, or quotes that never end."""
        self._held.append(chunk)
        self._held_size += len(chunk)
        if self._held_size < _SMALL:
            return []
        return self._take(final=False)

    def finish(self) -> list[Row]:
        """The rest."""
        return self._take(final=True)

    def findings(self) -> list[Finding]:
        """What was noticed on the way, rejects included."""
        return [Finding(code=code, count=count) for code, count in sorted((self.noticed + self.rejected).items())]

    def take_rejects(self) -> list[Reject]:
        """Those kept since the last time; makes room for more."""
        taken, self.rejects, self._kept_text = self.rejects, [], 0
        return taken

    def _take(self, *, final: bool) -> list[Row]:
        chunk, self._held, self._held_size = b"".join(self._held), [], 0
        self._split(self._decode(chunk, final), final)
        lines = self._lines
        lines.ended = final
        rows: list[Row] = []
        waiting = sum(map(len, lines.lines)) if self._wanted else 0
        if final or waiting >= self._wanted:
            self._read(rows)
            self._before += lines.at
            del lines.lines[: lines.at]
            lines.at = 0
            pending = sum(map(len, lines.lines))
            # A record longer than what is here is tried again only when there is twice as much of it.
            self._wanted = 2 * pending if lines.lines else 0
            if pending + len(self._carry) > MAX_RECORD:
                raise self._too_long(self._before + 1)
        return rows

    def _decode(self, chunk: bytes, final: bool) -> str:
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            if final and ("truncated" in error.reason or "unexpected end" in error.reason):
                raise Unreadable("truncated", "the file ends in the middle of a character: it is not whole") from None
            raise Unreadable(
                "encoding-unknown", f"a character cannot be read as {error.encoding}; save it as UTF-8"
            ) from None
        if "\0" in text:
            self.noticed["nul-removed"] += text.count("\0")
            text = text.replace("\0", "")
        if "\ufffd" in text:
            self.noticed["replacement-characters"] += text.count("\ufffd")
        return text

    def _split(self, text: str, final: bool) -> None:
        """Whole lines with their ends, whichever of the three they use; the rest waits."""
        text = self._carry + text
        self._carry = ""
        lines = io.StringIO(text, newline="").readlines()
        # a CR at the end may be half of a CRLF
        if lines and not final and not lines[-1].endswith("\n"):
            self._carry = lines.pop()
            if len(self._carry) > MAX_RECORD:
                raise self._too_long(self._before + len(self._lines.lines) + len(lines) + 1)
        if self._skip and lines:
            skipped = min(self._skip, len(lines))
            del lines[:skipped]
            self._skip -= skipped
            self._before += skipped
        self._lines.lines += lines

    def _read(self, rows: list[Row]) -> None:
        lines, width, read = self._lines, self._width, self._csv
        while True:
            start = lines.at
            try:
                cells = next(read)
            except _More:
                lines.at = start
                return
            except StopIteration:
                return
            except csv.Error:
                self._malformed(start)
                continue
            line = self._before + start + 1
            if lines.at - start > 1 or len(lines.lines[start]) > MAX_CELL:
                self._check_cells(cells, line)
            if not any(cells):
                self.noticed["blank-lines"] += 1
            elif len(cells) == width or self._fits(cells):
                rows.append(Row(line, cells))
            else:
                code = "too-few-cells" if len(cells) < width else "too-many-cells"
                self._reject(line, len(cells), code, "".join(lines.lines[start : lines.at]))

    def _fits(self, cells: list[str]) -> bool:
        """Rows may end in empty cells that no heading stands over; nothing is lost with those."""
        if len(cells) < self._width or any(cells[self._width :]):
            return False
        del cells[self._width :]
        self.noticed["trailing-delimiters"] += 1
        return True

    def _check_cells(self, cells: list[str], line: int) -> None:
        if max(map(len, cells), default=0) > MAX_CELL:
            raise self._too_long(line)

    def _malformed(self, start: int) -> None:
        """A quote in the wrong place costs the line it stands on; what it swallowed is read again."""
        lines = self._lines
        self._rewound += sum(map(len, lines.lines[start + 1 : lines.at]))
        line = self._before + start + 1
        if self._rewound > _REWOUND:
            raise Unreadable("quotes-unbalanced", f"from line {line} on quotes open that do not close", line=line)
        lines.at = start + 1
        self._reject(line, 0, "malformed-quotes", lines.lines[start])

    def _reject(self, line: int, cells: int, code: str, text: str) -> None:
        self.rejected[code] += 1
        if len(self.rejects) < self._keep:
            room = max(0, min(_SMALL, _KEPT_TEXT - self._kept_text))
            self._kept_text += min(len(text), room)
            self.rejects.append(Reject(line=line, cells=cells, code=code, text=text[:room], cut=len(text) > room))

    def _too_long(self, line: int) -> Unreadable:
        return Unreadable(
            "cell-too-long",
            f"the record on line {line} has a cell above {MAX_CELL // 1024} KiB, or a quote that is never closed",
            line=line,
        )
