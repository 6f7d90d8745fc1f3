"""Reads the bench's export files into canonical records, as a connector's reader does: trimmed, typed, blanks left out.

What counts as a date, an amount, a phone number or an address in this export is a fact of the export, not of a mapping.
"""

import asyncio
import csv
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from app.domain.schema import FieldType, Inventory, Record
from connectors.base import FileRef, FileStream, Page
from tests.bench.export_schema import SOURCES

PAGE = 2000
_SLICE = 250
_MONTHS = dict(zip(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), range(1, 13), strict=True))
_AMERICAN = re.compile(r"(\d\d)/(\d\d)/(\d{4})", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_NAMED = re.compile(r"(\d\d)-([A-Za-z]{3})-(\d{4})", re.ASCII)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]")
_MARKS = str.maketrans("", "", "$, ")
_PUNCTUATION = str.maketrans("", "", " ()-+.")


class Remembered(dict[str, str | None]):
    """Remembers what it has read: an export has few distinct days and times of day. Starts over when full."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[str], str | None]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> str | None:
        if len(self) >= 1 << 15:
            self.clear()
        found = self[text] = self._read(text)
        return found


def _day(text: str) -> str | None:
    try:
        if match := _AMERICAN.fullmatch(text):
            return date(int(match[3]), int(match[1]), int(match[2])).isoformat()
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        if match := _NAMED.fullmatch(text):
            return date(int(match[3]), _MONTHS[match[2].lower()], int(match[1])).isoformat()
    except (ValueError, KeyError):
        return None
    return None


def _clock(text: str) -> str | None:
    if not _CLOCK.fullmatch(text):
        return None
    return f"T{text}:00+00:00" if len(text) == 5 else f"T{text}+00:00"


_days, _clocks = Remembered(_day).__getitem__, Remembered(_clock).__getitem__


def _moment(text: str) -> str | None:
    day, clock = _days(text[:10]), _clocks(text[11:])
    return None if day is None or clock is None else day + clock


def _amount(text: str) -> str | None:
    if _AMOUNT.fullmatch(text):
        return text
    text = text.translate(_MARKS)
    return text if _AMOUNT.fullmatch(text) else None


def _phone(text: str) -> str | None:
    digits = text.translate(_PUNCTUATION)
    if not (digits.isascii() and digits.isdigit()):
        digits = _NO_DIGIT.sub("", text)
    if len(digits) == 10:
        return f"+1{digits}"
    return f"+{digits}" if len(digits) == 11 and digits[0] == "1" else None


def _email(text: str) -> str | None:
    text = text.lower()
    return text if _ADDRESS.fullmatch(text) else None


_READERS: dict[FieldType, Callable[[str], str | None]] = {
    FieldType.DATE: _days,
    FieldType.DATETIME: _moment,
    FieldType.CURRENCY: _amount,
    FieldType.DECIMAL: _amount,
    FieldType.PHONE: _phone,
    FieldType.EMAIL: _email,
}


def row_reader(name: str, header: Sequence[str]) -> Callable[[list[str]], Record]:
    """A function from a row to its record, for a file with these columns; straight-line code, one step a column."""
    key, columns = SOURCES[name]
    lines = ["def read(row):", "    record = {}"]
    names: dict[str, Any] = {}
    for place, column in enumerate(header):
        convert = None if column == key else _READERS.get(columns[column])
        text = f"row[{place}].strip()"
        if convert is not None:
            names[f"c{place}"] = convert
            text = f"c{place}({text})"
        lines += [f"    v = {text}", f"    if v: record[{column!r}] = v"]
    lines.append("    return record")
    exec("\n".join(lines), names)
    function: Callable[[list[str]], Record] = names["read"]
    return function


class ExportSource:
    """Implements the reading half of `base.Source` over a folder of files; rows lie in key order there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(
        self,
        object_name: str,
        fields: Sequence[str],
        *,
        cursor: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Page]:
        """Pages of records; `cursor` is the number of rows read so far."""
        done = int(cursor or 0)
        with (self._folder / f"{object_name}.csv").open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            read = row_reader(object_name, next(rows))
            for _ in range(done):
                next(rows)
            while True:
                records: list[Record] = []
                while len(records) < PAGE:
                    part = [read(row) for _, row in zip(range(_SLICE), rows, strict=False)]
                    records += part
                    if len(part) < _SLICE:
                        break
                    await asyncio.sleep(0)
                if not records:
                    return
                done += len(records)
                yield Page(records, cursor=str(done))

    async def check(self) -> dict[str, JsonValue]:
        return {}

    async def describe(self) -> Inventory:
        raise NotImplementedError("the bench's job is declared")

    async def count(self, object_name: str) -> int:
        with (self._folder / f"{object_name}.csv").open(newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.reader(file)) - 1

    def open_file(self, ref: FileRef) -> AbstractAsyncContextManager[FileStream]:
        raise NotImplementedError("an export of tables has no files")

    async def close(self) -> None:
        return None
