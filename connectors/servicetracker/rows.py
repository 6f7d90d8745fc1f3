"""Turns the vendor's rows, from JSON or CSV, into records with canonical values as `app.domain.schema` defines them.

A row reader is compiled once per object and field list: per value there is one dictionary access and one call.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.schema import Record
from connectors.errors import ContractBroken

Convert = Callable[[Any], Any]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LONGEST_NUMBER = 400
_LONGEST_CELL = 16 * 1024 * 1024

csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # the default is below the vendor's longest text


def canonical_text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("not a text")
    return value


def canonical_number(value: Any) -> str:
    """The exact decimal in its shortest plain form, so that JSON and CSV agree; no float on the way."""
    if type(value) is int:
        return str(value)
    if type(value) is not str or len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        raise ValueError("not a number")
    if "e" in value or "E" in value:
        value = format(Decimal(value), "f")
    if "." in value:
        value = value.rstrip("0").rstrip(".")
    return "0" if value == "-0" else str(value)


def canonical_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError("not a boolean")


def canonical_date(value: Any) -> str:
    if type(value) is not str or not _DATE.fullmatch(value):
        raise ValueError("not a date")
    return value


def canonical_datetime(value: Any) -> str:
    """UTC with offset +00:00; `.000+0000` and `.000Z` are the vendor's usual endings (source fact sheet 1.3)."""
    if type(value) is not str:
        raise ValueError("not a date-time")
    if value.endswith((".000+0000", ".000Z")) and len(value) - value.rindex(".") in (5, 9) and len(value) in (24, 28):
        return value[:19] + "+00:00"
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a date-time without a zone")
    return moment.astimezone(UTC).isoformat()


def canonical_multi(value: Any) -> list[str]:
    if type(value) is not str:
        raise ValueError("not a text")
    return [part for part in value.split(";") if part]


_CONVERT: Mapping[str, Convert] = {
    "int": canonical_number, "long": canonical_number, "double": canonical_number, "currency": canonical_number,
    "percent": canonical_number, "boolean": canonical_boolean, "date": canonical_date,
    "datetime": canonical_datetime, "multipicklist": canonical_multi,
}  # fmt: skip


class RowReader:
    """Reads rows of one object. `fields` are the field names asked for, `types` the vendor's types by name."""

    def __init__(self, object_name: str, fields: Sequence[str], types: Mapping[str, str]) -> None:
        self._object = object_name
        self._plan: list[tuple[str, Convert]] = [(name, _CONVERT.get(types[name], canonical_text)) for name in fields]

    def record(self, row: Mapping[str, Any]) -> Record:
        """One record; blanks are absent. Raises ContractBroken naming the field, never the value."""
        record: Record = {}
        name = ""
        get = row.get
        try:
            for name, convert in self._plan:
                value = get(name)
                if value is not None and value != "":
                    record[name] = convert(value)
        except (ValueError, OverflowError, ArithmeticError) as error:
            raise ContractBroken(
                f"{self._object}.{name} does not hold what describe announced: {_kind(error)}"
            ) from None
        return record


def _kind(error: Exception) -> str:
    text = str(error)
    return text if text.startswith(("not a", "a date-time")) else "unreadable value"


def read_csv(body: bytes, object_name: str) -> Iterator[dict[str, str]]:
    """Rows of a Bulk result; NUL bytes are part of the text. Raises ContractBroken for a torn table."""
    try:
        rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        header = next(rows, None)
        if header is None:
            return
        width = len(header)
        for row in rows:
            if len(row) != width:
                raise ContractBroken(f"a row of {object_name} has {len(row)} cells instead of {width}")
            yield dict(zip(header, row, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ContractBroken(f"the CSV of {object_name} cannot be read: {type(error).__name__}") from None
