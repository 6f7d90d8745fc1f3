"""Texts of the queries that extraction needs. Field and object names come from describe, literals are quoted here."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

LONGEST_FIELD_LIST = 6_000
"""Characters of a field list in one URL: URIs end near 16 kB (source fact sheet section 1.4, unverified figure)."""


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def among(values: Iterable[str]) -> str:
    """The right side of IN."""
    return "(" + ",".join(quoted(value) for value in values) + ")"


def moment(value: datetime) -> str:
    """A date-time literal in UTC with milliseconds, the vendor's resolution."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def select(
    fields: Iterable[str], object_name: str, where: str = "", order: str = "Id", limit: int | None = None
) -> str:
    """SELECT with optional parts."""
    text = f"SELECT {', '.join(fields)} FROM {object_name}"  # noqa: S608 - names are the tenant's own describe
    if where:
        text += f" WHERE {where}"
    if order:
        text += f" ORDER BY {order}"
    return text if limit is None else f"{text} LIMIT {limit}"


def split_fields(fields: Sequence[str]) -> list[list[str]]:
    """Field lists that each fit into a URL; every list begins with Id."""
    lists: list[list[str]] = [["Id"]]
    size = 0
    for name in fields:
        if name == "Id":
            continue
        if size + len(name) + 2 > LONGEST_FIELD_LIST:
            lists.append(["Id"])
            size = 0
        lists[-1].append(name)
        size += len(name) + 2
    return lists
