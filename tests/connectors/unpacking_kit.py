"""Files taken apart in memory: parts, and what each table of a file holds."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import xlsxwriter

from connectors.file_formats import HEAD, check_head, unpack
from connectors.table_files import TableProfile, TableSurvey
from connectors.table_rows import open_reader
from connectors.unpacking import Unpacked, UnpackedTable


class MemoryPart:
    """Implements `connectors.unpacking.Part`."""

    def __init__(self) -> None:
        self.held = io.BytesIO()
        self.closed = self.discarded = False

    def write(self, chunk: bytes) -> None:
        assert not self.closed
        self.held.write(chunk)

    def close(self) -> None:
        self.closed = True

    def reopen(self) -> BinaryIO:
        return io.BytesIO(self.held.getvalue())

    def discard(self) -> None:
        self.discarded = True


def taken_apart(kind: str, body: bytes, stem: str = "file") -> Unpacked:
    return unpack(check_head(kind, body[:HEAD]), io.BytesIO(body), stem, MemoryPart)


def bytes_of(table: UnpackedTable) -> bytes:
    assert isinstance(table.part, MemoryPart)
    assert table.part.closed
    return table.part.held.getvalue()


def rows_of_table(table: UnpackedTable) -> tuple[list[tuple[int, dict[str, str]]], list[tuple[int, str, str]]]:
    """Line and cells by column of every row; line, code and text of every reject."""
    reader = open_reader(table.dialect)
    rows = reader.feed(bytes_of(table)) + reader.finish()
    columns = table.dialect.columns
    read = [(line, dict(zip(columns, cells, strict=True))) for line, cells in rows]
    return read, [(one.line, one.code, one.text) for one in reader.rejects]


def tables_of(kind: str, body: bytes, stem: str = "file") -> dict[str, list[dict[str, str]]]:
    """The rows of every table by its name."""
    found = taken_apart(kind, body, stem)
    return {one.name: [row for _, row in rows_of_table(one)[0]] for one in found.tables}


def profile_of(table: UnpackedTable) -> TableProfile:
    survey = TableSurvey(table.dialect)
    survey.feed(bytes_of(table))
    return survey.finish()


def sheet(rows: Sequence[Sequence[Any]], **options: Any) -> bytes:
    """A workbook with one sheet; cells as xlsxwriter takes them, pairs of value and number format too."""
    return workbook({"Sheet1": rows}, **options)


def workbook(
    sheets: dict[str, Sequence[Sequence[Any]]], *, hidden: str = "", merges: Sequence[Any] = (), **options: Any
) -> bytes:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_numbers": False, **options})
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for merge in merges:
            page.merge_range(*merge)
        for line, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, tuple):
                    page.write_number(line, place, cell[0], book.add_format({"num_format": cell[1]}))
                elif cell is not None:
                    page.write(line, place, cell)
        if name == hidden:
            page.hide()
    book.close()
    return held.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as packed:
        for name, body in members.items():
            packed.writestr(name, body)
    return held.getvalue()
