"""Rows of tables that were no delimited text: one JSON array a line, written when a file is taken apart, read like CSV.

Sheets, JSON lists and nested lists are kept in this form: readers, votes and keyed reads know one kind of table.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

import orjson

from connectors.table_shape import MAX_COLUMNS, Finding, Unreadable, name_columns
from connectors.tabular import KEPT_REJECTS, MAX_CELL, MAX_RECORD, Dialect, Reject, Row, TableReader

ROWS = "rows"
_MOST_KEPT = 64 * 1024
_KEPT_TEXT = 4 * 1024 * 1024


class Reader(Protocol):
    """What `TableReader` and `RowsReader` have in common."""

    rejects: list[Reject]
    rejected: Counter[str]

    def feed(self, chunk: bytes) -> list[Row]: ...

    def finish(self) -> list[Row]: ...

    def findings(self) -> list[Finding]: ...

    def take_rejects(self) -> list[Reject]: ...


def open_reader(dialect: Dialect, keep: int = KEPT_REJECTS) -> Reader:
    """The reader for how a table is stored; `keep` is how many rejects it holds at a time."""
    return RowsReader(dialect, keep) if dialect.stored == ROWS else TableReader(dialect, keep)


class TableDraft:
    """A table being written; `write` takes its bytes. Columns may appear in any row."""

    def __init__(
        self, name: str, write: Callable[[bytes], None], *, stem: str, parent: str = "", path: str = ""
    ) -> None:
        self.name, self.stem, self.parent, self.path = name, stem, parent, path
        self.rows = 0
        self.noticed: Counter[str] = Counter()
        self.labels: list[str] = []
        self._places: dict[str, int] = {}
        self._write = write

    def head(self, labels: list[str]) -> None:
        """Fixes the columns of a table whose rows come as lists."""
        self.labels = labels

    def mapping(self, line: int, cells: Mapping[str, str]) -> None:
        """A row by names; a new name is a new column. Raises Unreadable for too many of them."""
        places = self._places
        row = [""] * len(places)
        for name, cell in cells.items():
            at = places.get(name)
            if at is None:
                at = places[name] = len(places)
                self.labels.append(name)
                row.append(cell)
                if at >= MAX_COLUMNS:
                    raise Unreadable("too-many-columns", f"{self.name} has more than {MAX_COLUMNS} columns", line=line)
            else:
                row[at] = cell
        self.row(line, row)

    def row(self, line: int, cells: list[str]) -> None:
        """A row by places, at most as wide as the columns known so far. Raises Unreadable for a cell above the cap."""
        self.rows += 1
        clean = [self._clean(cell, line) if cell else "" for cell in cells]
        self._write(orjson.dumps([line, clean]) + b"\n")

    def reject(self, line: int, cells: int, code: str, text: str) -> None:
        """A record that is left out."""
        body = text[:_MOST_KEPT].replace("\0", "").encode("utf-8", "replace").decode()
        told = {"line": line, "cells": cells, "code": code, "text": body, "cut": len(text) > _MOST_KEPT}
        self._write(orjson.dumps(told) + b"\n")

    def dialect(self, source: str, findings: tuple[Finding, ...] = ()) -> Dialect:
        """How the table is stored; `source` is the format it came in."""
        columns, headings = name_columns(self.labels)
        noticed = tuple(Finding(code=code, count=count) for code, count in sorted(self.noticed.items()))
        return Dialect(
            encoding="utf-8",
            delimiter="",
            data_line=1,
            columns=columns,
            labels=tuple(self.labels),
            findings=(*findings, *headings, *noticed),
            source=source,
            stored=ROWS,
        )

    def _clean(self, cell: str, line: int) -> str:
        if len(cell) > MAX_CELL:
            raise Unreadable(
                "cell-too-long", f"{self.name}: a cell on line {line} is above {MAX_CELL // 1024} KiB", line=line
            )
        if cell.isascii():
            if "\0" not in cell:
                return cell
            self.noticed["nul-removed"] += cell.count("\0")
            return cell.replace("\0", "")
        if "\0" in cell:
            self.noticed["nul-removed"] += cell.count("\0")
            cell = cell.replace("\0", "")
        try:
            cell.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which neither the store nor a vendor's API takes
            self.noticed["replacement-characters"] += 1
            cell = cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return cell


class RowsReader:
    """Reads what a `TableDraft` wrote. Use as `TableReader`."""

    def __init__(self, dialect: Dialect, keep: int = KEPT_REJECTS) -> None:
        self._width = len(dialect.columns)
        self._keep = keep
        self._held: list[bytes] = []
        self._held_size = 0
        self._kept_text = 0
        self.rejects: list[Reject] = []
        self.rejected: Counter[str] = Counter()
        self.noticed: Counter[str] = Counter()

    def feed(self, chunk: bytes) -> list[Row]:
        """Raises Unreadable when the bytes are not what was written."""
        whole, mark, rest = chunk.rpartition(b"\n")
        if not mark:
            self._hold(chunk)
            return []
        body = b"".join((*self._held, whole))
        self._held, self._held_size = [], 0
        self._hold(rest)
        return self._rows(body)

    def finish(self) -> list[Row]:
        if self._held_size:
            raise Unreadable("truncated", "the stored rows end in the middle of one")
        return []

    def findings(self) -> list[Finding]:
        return [Finding(code=code, count=count) for code, count in sorted((self.noticed + self.rejected).items())]

    def take_rejects(self) -> list[Reject]:
        taken, self.rejects, self._kept_text = self.rejects, [], 0
        return taken

    def _hold(self, chunk: bytes) -> None:
        self._held.append(chunk)
        self._held_size += len(chunk)
        if self._held_size > 16 * MAX_RECORD:
            raise Unreadable("cell-too-long", "a stored row is longer than any can be")

    def _rows(self, body: bytes) -> list[Row]:
        rows: list[Row] = []
        width = self._width
        for text in body.split(b"\n"):
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise Unreadable("truncated", "the stored rows are not what was written") from None
            if isinstance(value, dict):
                self._reject(Reject.model_validate(value))
                continue
            line, cells = value
            if not any(cells):
                self.noticed["blank-lines"] += 1
                continue
            if len(cells) < width:
                cells += [""] * (width - len(cells))
            rows.append(Row(line, cells))
        return rows

    def _reject(self, reject: Reject) -> None:
        self.rejected[reject.code] += 1
        room = _KEPT_TEXT - self._kept_text
        if len(self.rejects) < self._keep:
            self._kept_text += len(reject.text)
            fits = len(reject.text) <= room
            self.rejects.append(reject if fits else reject.model_copy(update={"text": "", "cut": True}))
