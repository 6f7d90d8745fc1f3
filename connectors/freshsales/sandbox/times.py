"""Dates and times as Freshsales reads and shows them: ISO 8601 with the account's offset, kept as UTC seconds."""

import re
from datetime import UTC, date, datetime, tzinfo
from email.utils import parsedate_to_datetime

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# "Tue Jun 21 2099 11:00:00 GMT+0530 (IST)": the form of a browser's clock, accepted by the vendor (section 14)
_LONG = re.compile(r"\w{3} (\w{3}) (\d\d?) (\d{4}) (\d\d:\d\d:\d\d) (?:GMT|UTC)?([+-]\d{4})(?: \(.*\))?")


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """Any accepted form as UTC: a date (midnight of the account), ISO 8601, or the long textual form (section 14).

    ValueError for anything else.
    """
    try:
        if _DATE.fullmatch(text):
            moment = datetime.fromisoformat(text).replace(tzinfo=zone)
        elif long := _LONG.fullmatch(text):
            month, day, year, clock, offset = long.groups()
            moment = parsedate_to_datetime(f"{day} {month} {year} {clock} {offset}")
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (OverflowError, TypeError, IndexError) as error:
        raise ValueError(text) from error


def parse_day(text: str, zone: tzinfo) -> str:
    """`YYYY-MM-DD` from a date or a date-time; ValueError for anything else."""
    if _DATE.fullmatch(text):
        return date.fromisoformat(text).isoformat()
    return parse_moment(text, zone).astimezone(zone).date().isoformat()


def kept(moment: datetime) -> str:
    """How a moment is kept: UTC, sortable as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def shown(text: str | None, zone: tzinfo) -> str | None:
    """A kept moment with the account's offset (section 1)."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(zone).isoformat()
    except OverflowError:
        return moment.isoformat()


def shown_seconds(seconds: int, zone: tzinfo) -> str:
    """Seconds since the epoch with the account's offset (section 1)."""
    return datetime.fromtimestamp(seconds, zone).isoformat()
