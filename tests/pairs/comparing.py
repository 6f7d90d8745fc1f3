"""Compares what a record should show at a destination with what it shows, value by value, lookups by former id.

A destination is anything with `records`, `reference` and `person`; see `vendors.Zoho` and `freshsales_account`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

FAR = "(no such record)"


class Account(Protocol):
    """A destination read through its public API."""

    async def records(self, label: str, /) -> dict[str, dict[str, Any]]:
        """Live records of a module by former id, each as {field label: value} plus `id`."""

    def reference(self, value: Any) -> str | None:
        """The id in a lookup's value."""

    def person(self, value: Any) -> str | None:
        """The e-mail address in an owner's value."""


@dataclass(frozen=True, slots=True)
class To:
    """A lookup to the record of `module` that came from the source record `former`."""

    module: str
    former: str


@dataclass(frozen=True, slots=True)
class Person:
    """An owner, by e-mail address."""

    email: str


@dataclass(frozen=True, slots=True)
class Expected:
    """One record of the destination: the module, the former id, and values by field label."""

    module: str
    former: str
    values: Mapping[str, Any]


async def differences(account: Account, expected: Expected) -> list[str]:
    """Labels of fields that do not show what is expected; `FAR` when the record is not there at all."""
    found = (await account.records(expected.module)).get(expected.former)
    if found is None:
        return [FAR]
    return [label for label, value in expected.values.items() if not await _same(account, value, found.get(label))]


async def _same(account: Account, wanted: Any, got: Any) -> bool:
    if isinstance(wanted, To):
        there = (await account.records(wanted.module)).get(wanted.former)
        return there is not None and account.reference(got) == there["id"]
    if isinstance(wanted, Person):
        return account.person(got) == wanted.email
    if isinstance(wanted, datetime):
        return isinstance(got, str) and datetime.fromisoformat(got).astimezone(UTC) == wanted
    if isinstance(wanted, date):
        return bool(got == wanted.isoformat())
    if isinstance(wanted, Decimal):
        return got is not None and not isinstance(got, bool) and Decimal(str(got)) == wanted
    if isinstance(wanted, frozenset):
        listed = got.split(";") if isinstance(got, str) else got
        return isinstance(listed, list) and frozenset(listed) == wanted
    if wanted is None:
        return got in (None, "", [])
    return bool(got == wanted) and type(got) is type(wanted)
