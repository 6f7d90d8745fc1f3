"""Dates and times in Zoho's form: ISO 8601 with an offset and no fraction, shown in the user's time zone."""

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_datetime(text: str) -> datetime:
    """`2017-08-16T14:32:23+05:30` as UTC; ValueError for anything else, fractions included (fact sheet section 1)."""
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def parse_date(text: str) -> date:
    """`yyyy-MM-dd`; ValueError for anything else."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def stored(moment: datetime) -> str:
    """How a date-time is kept: UTC, sortable as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@lru_cache(maxsize=4096)
def shown(text: str, zone: tzinfo) -> str:
    """A kept date-time in the user's time zone."""
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(zone).isoformat()
    except OverflowError:
        return moment.isoformat()


@lru_cache(maxsize=4096)
def shown_seconds(seconds: int, zone: tzinfo) -> str:
    """Seconds since the epoch in the user's time zone."""
    return datetime.fromtimestamp(seconds, zone).isoformat()
