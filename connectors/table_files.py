"""Uploaded tables as a connector sees them: a profile each, bytes on demand, and rows in the order of a key."""

import asyncio
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Protocol

import orjson

from app.domain.schema import Frozen
from connectors.column_votes import ColumnProfile, ColumnQuestion, ColumnVote, vote_columns
from connectors.errors import ContractBroken
from connectors.table_rows import open_reader
from connectors.tabular import Dialect, Finding, Reject, Row, Unreadable

_SLICE_BYTES = 24 * 1024 * 1024
_SAMPLE = 4_096
_MOST_KEYS = 4_000_000
_ASIDE = 128 * 1024
MARKERS_QUESTION = "blank-markers"


class TableProfile(Frozen):
    """All that one pass over a file tells: its dialect, its columns' votes, and what was left out.

    A table out of a workbook, JSON or an archive also says what it is called (`stem`), the table (by its whole name)
    and the list it is nested in (`parent`, `path`), and the file it came in (`bundle`).
    """

    dialect: Dialect
    rows: int
    columns: tuple[ColumnProfile, ...]
    rejected: dict[str, int] = {}
    rejects: tuple[Reject, ...] = ()
    findings: tuple[Finding, ...] = ()
    stem: str = ""
    parent: str = ""
    path: str = ""
    bundle: str = ""

    def questions(self) -> list[ColumnQuestion]:
        """What people have to say before the values can be read: per column, and once for blank markers."""
        found = [question for column in self.columns for question in column.questions()]
        marked = [column.name for column in self.columns if column.kind == "text" and column.markers]
        if marked:
            text = (
                f"Texts such as NULL, N/A or - stand in {', '.join(marked[:10])}. Do they mean that there is no value?"
            )
            found.append(ColumnQuestion(code=MARKERS_QUESTION, column="", text=text, choices=("blank", "text")))
        return found


class TableSurvey:
    """Makes a profile: `feed` the bytes of a file in the dialect that a probe found, then `finish`.

    `year` is that in which the file was exported (0: this year), for years of two digits.
    """

    def __init__(self, dialect: Dialect, year: int = 0) -> None:
        self._dialect = dialect
        self._reader = open_reader(dialect)
        names = zip(dialect.columns, dialect.labels, strict=False)
        self._votes = [ColumnVote(name, label, index, year) for index, (name, label) in enumerate(names)]
        self._rows = 0

    def feed(self, chunk: bytes) -> None:
        """Raises Unreadable."""
        self._add(self._reader.feed(chunk))

    def finish(self) -> TableProfile:
        self._add(self._reader.finish())
        columns = tuple(vote.profile() for vote in self._votes)
        return TableProfile(
            dialect=self._dialect,
            rows=self._rows,
            columns=columns,
            rejected=dict(self._reader.rejected),
            rejects=tuple(self._reader.rejects),
            findings=(
                *self._dialect.findings,
                *self._reader.findings(),
                *(finding for column in columns for finding in column.findings),
            ),
        )

    def _add(self, rows: list[Row]) -> None:
        self._rows += len(rows)
        if rows:
            vote_columns(self._votes, [row.cells for row in rows])


@dataclass(frozen=True, slots=True)
class StoredTable:
    """An uploaded table. `answers` are those to its questions, by column ("" for the file) and code."""

    name: str
    size: int
    uploaded_at: datetime
    profile: TableProfile
    answers: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """What the table is called: the file's name without its ending, the sheet, or the list in JSON."""
        return self.profile.stem or self.name.rpartition(".")[0] or self.name

    @property
    def parent(self) -> str:
        """The `name` of the table in whose records this one is nested; "" for one of its own."""
        return self.profile.parent

    @property
    def path(self) -> str:
        """The nested list's path in the parent's records."""
        return self.profile.path

    @property
    def bundle(self) -> str:
        """The uploaded file that it came in; "" for one uploaded by itself."""
        return self.profile.bundle

    def answer(self, column: str, code: str) -> str:
        return self.answers.get((column, code), "")


Key = Callable[[list[str]], str]
"""From a row's cells to its key, "" for a row without one."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A file out of an archive: its path there (with /, in NFC), bytes, SHA-256 in hex, and the archive's name."""

    path: str
    size: int
    checksum: str
    bundle: str


class TableShelf(Protocol):
    """Where a connector finds uploaded tables; the application keeps them, sealed."""

    async def tables(self) -> Sequence[StoredTable]:
        """All of them, by name."""

    def read(self, table: StoredTable) -> AsyncIterator[bytes]:
        """The stored bytes of one, for `rows_of`."""

    async def documents(self) -> Sequence[StoredDocument]:
        """Files that came beside tables in archives, by bundle and path."""

    def read_document(self, document: StoredDocument) -> AsyncIterator[bytes]:
        """The clear bytes of one."""

    async def needed(self) -> Sequence[str]:
        """Paths that this road reads: "Object", and "Object.Reference.Field" for what stands behind a reference."""

    def known_ids(self, object_name: str) -> AsyncIterator[Sequence[str]]:
        """Ids that earlier reads have delivered and that live on, ascending by code point, in blocks."""


async def rows_of(shelf: TableShelf, table: StoredTable) -> AsyncIterator[list[Row]]:
    """The rows of a file in its own order. Raises ContractBroken when the bytes are no longer what they were."""
    reader = open_reader(table.profile.dialect)
    try:
        async for chunk in shelf.read(table):
            rows = await asyncio.to_thread(reader.feed, chunk) if len(chunk) > _ASIDE else reader.feed(chunk)
            if rows:
                yield rows
        yield reader.finish()
    except Unreadable as problem:
        raise ContractBroken(f"{table.name} cannot be read: {problem.detail}", code=problem.code) from None


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """How the keys of a file lie. `duplicates` are rows that repeat a key (None: too many rows to tell)."""

    rows: int
    gone: int
    without_key: int
    ascending: bool
    duplicates: int | None
    pivots: tuple[str, ...]


class KeyedTable:
    """A file read in the order of its key column, in flat memory.

    A file in order is streamed. Another is read in slices of keys, as many passes as it has 24 MiB. Of rows with
    the same key the first in the file counts; rows without one are left out; both are told in the layout.
    """

    def __init__(
        self,
        shelf: TableShelf,
        table: StoredTable,
        key: int | Key,
        gone: int | None,
        rows: Callable[[], AsyncIterator[list[Row]]] | None = None,
    ) -> None:
        """`key` and `gone` are the places of the key and of the column that marks deleted rows.

        `key` may also be a function of a row's cells, and `rows` stands in for the rows of the file as they are.
        """
        self._size = table.size
        self._key: Key = itemgetter(key) if isinstance(key, int) else key
        self._gone = gone
        self._rows = rows or partial(rows_of, shelf, table)
        self._layout: KeyLayout | None = None
        self._turn = asyncio.Lock()

    async def layout(self) -> KeyLayout:
        """One pass over the file, once."""
        async with self._turn:
            if self._layout is None:
                self._layout = await self._survey()
            return self._layout

    async def pages(self, after: str, size: int) -> AsyncIterator[list[list[str]]]:
        """Rows with keys above `after`, ascending and each key once, up to `size` at a time."""
        layout = await self.layout()
        walk = self._in_order(after) if layout.ascending else self._sliced(after, layout.pivots)
        page: list[list[str]] = []
        async for cells in walk:
            page.append(cells)
            if len(page) >= size:
                yield page
                page = []
        if page:
            yield page

    async def _in_order(self, after: str) -> AsyncIterator[list[str]]:
        key, last = self._key, after
        async for rows in self._rows():
            for row in rows:
                value = key(row.cells)
                if value > last:
                    last = value
                    yield row.cells

    async def _sliced(self, after: str, pivots: tuple[str, ...]) -> AsyncIterator[list[str]]:
        key, low = self._key, after
        for high in (*pivots[bisect_right(pivots, after) :], None):
            held: list[list[str]] = []
            async for rows in self._rows():
                held += [row.cells for row in rows if low < (at := key(row.cells)) and (high is None or at <= high)]
            held.sort(key=key)
            for cells in held:
                if (at := key(cells)) != low:
                    low = at
                    yield cells
            low = max(low, high or "")

    async def _survey(self) -> KeyLayout:
        key, gone_at = self._key, self._gone
        rows = gone = without = 0
        ascending, last = True, ""
        sample, stride, turn = [], 1, 0
        hashes = array("q")
        async for block in self._rows():
            for _, cells in block:
                value = key(cells)
                if not value:
                    without += 1
                    continue
                rows += 1
                if gone_at is not None and cells[gone_at] and cells[gone_at].lower() in ("true", "1"):
                    gone += 1
                ascending = ascending and value >= last
                last = value
                turn += 1
                if turn >= stride:
                    turn = 0
                    sample.append(value)
                if rows <= _MOST_KEYS:
                    hashes.append(hash(value))
            if len(sample) >= 2 * _SAMPLE:
                sample, stride = sample[::2], stride * 2
        slices = -(-self._size // _SLICE_BYTES)
        duplicates = _doubles(hashes) if rows <= _MOST_KEYS else None
        pivots = () if ascending else _pivots(sample, slices)
        return KeyLayout(rows, gone, without, ascending, duplicates, pivots)


def _pivots(sample: list[str], slices: int) -> tuple[str, ...]:
    ordered = sorted(sample)
    return tuple(dict.fromkeys(ordered[number * len(ordered) // slices] for number in range(1, slices)))


def _doubles(hashes: "array[int]") -> int:
    """How many values occur again, counted in sixteen parts so that no set holds them all."""
    doubled = 0
    for part in range(16):
        chosen = [value for value in hashes if value & 15 == part]
        doubled += len(chosen) - len(set(chosen))
    return doubled


def find_document(documents: Sequence[StoredDocument], path: str) -> StoredDocument | None:
    """The document that a table's cell names: by its path, by the end of it or by its base name, if just one fits.

    Case, backslashes and a leading "./" make no difference where the exact path is not there.
    """
    exact = [one for one in documents if one.path == path]
    wanted = unicodedata.normalize("NFC", path.strip().replace("\\", "/")).casefold().removeprefix("./").strip("/")
    if exact or not wanted:
        return exact[0] if len(exact) == 1 else None
    for trial in (wanted, wanted.rpartition("/")[2]):
        same = [one for one in documents if one.path.casefold() == trial]
        ends = same or [one for one in documents if one.path.casefold().endswith(f"/{trial}")]
        if ends:
            return ends[0] if len(ends) == 1 else None
    return None


def cell_values(cell: str, separator: str) -> list[str]:
    """The values of a cell that holds several: a JSON list, as those of JSON files are, or parts between separators."""
    if cell.startswith("[") and cell.endswith("]"):
        try:
            values = orjson.loads(cell)
        except orjson.JSONDecodeError:
            values = None
        if isinstance(values, list):
            return [
                one if isinstance(one, str) else orjson.dumps(one).decode() for one in values if one not in ("", None)
            ]
    parts = cell.split(separator) if separator else [cell]
    return [part.strip() for part in parts if part.strip()]
