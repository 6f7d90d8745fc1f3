"""Compares what a record should show at Zoho with what it shows, value by value, lookups followed by former id."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.vendors import Zoho

FAR = "(no such record)"


@dataclass(frozen=True, slots=True)
class To:
    """A lookup to the record of `module` (plural label) that came from the source record `former`."""

    module: str
    former: str


@dataclass(frozen=True, slots=True)
class Person:
    """An owner, by e-mail address."""

    email: str


@dataclass(frozen=True, slots=True)
class Expected:
    """One record of the destination: the module's plural label, the former id, and values by field label."""

    module: str
    former: str
    values: Mapping[str, Any]


async def differences(zoho: Zoho, expected: Expected) -> list[str]:
    """Labels of fields that do not show what is expected; `FAR` when the record is not there at all."""
    found = (await zoho.records(expected.module)).get(expected.former)
    if found is None:
        return [FAR]
    return [label for label, value in expected.values.items() if not await _same(zoho, value, found.get(label))]


async def _same(zoho: Zoho, wanted: Any, got: Any) -> bool:
    if isinstance(wanted, To):
        there = (await zoho.records(wanted.module)).get(wanted.former)
        return there is not None and isinstance(got, dict) and str(got.get("id")) == there["id"]
    if isinstance(wanted, Person):
        return isinstance(got, dict) and got.get("email") == wanted.email
    if isinstance(wanted, datetime):
        return isinstance(got, str) and datetime.fromisoformat(got).astimezone(UTC) == wanted
    if isinstance(wanted, date):
        return bool(got == wanted.isoformat())
    if isinstance(wanted, Decimal):
        return got is not None and not isinstance(got, bool) and Decimal(str(got)) == wanted
    if isinstance(wanted, frozenset):
        return isinstance(got, list) and frozenset(got) == wanted
    if wanted is None:
        return got in (None, "", [])
    return bool(got == wanted) and type(got) is type(wanted)
