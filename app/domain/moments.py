"""Conversions of dates, date-times and durations. Zones are IANA names; canonical date-times are in UTC."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.issues import IssueCode, Noted, note
from app.domain.numerals import decimal_of, divided, scaled

_SHAPE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LONGEST = 40


def zone_of(name: str) -> tzinfo:
    """The zone named `name`; "" is UTC. Raises ValueError for a name that is none."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone") from error


def instant_of(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """The aware UTC datetime of an ISO 8601 text (Z, +00:00 and +0000 alike); without offset it is in `zone`.

    None for anything else, also for a moment before year 1 or past 9999 once moved to UTC. Digits past the
    microsecond are cut.
    """
    if value.__class__ is not str or len(value) > _LONGEST or not _SHAPE.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value.replace(",", "."))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def date_of(value: Any) -> date | None:
    """The date of a "YYYY-MM-DD" text, or None."""
    if value.__class__ is not str or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def datetime_encoder(offset: bool, milliseconds: bool) -> Callable[[Any], Any]:
    """A function from canonical date-time to the platform's text: +00:00 or Z, with or without milliseconds.

    A fraction the form has no place for is cut and reported as ROUNDED.
    """
    spec = "milliseconds" if milliseconds else "seconds"
    unit = 1000 if milliseconds else 1_000_000

    quick = offset and not milliseconds
    parse = datetime.fromisoformat

    def encode(value: Any) -> Any:
        if quick and value.__class__ is str and len(value) == 25 and value[19:] == "+00:00" and value[10] == "T":
            try:
                parse(value)
            except ValueError:
                return Noted(None, (IssueCode.NOT_A_DATE,))
            return value
        moment = instant_of(value)
        if moment is None:
            return Noted(None, (IssueCode.NOT_A_DATE,))
        text = moment.isoformat(timespec=spec)
        text = text if offset else f"{text[:-6]}Z"
        return note(text, IssueCode.ROUNDED) if moment.microsecond % unit else text

    return encode


def encode_date(value: Any) -> Any:
    """A "YYYY-MM-DD" text as it is; anything else is a blank, reported."""
    return value if date_of(value) is not None else Noted(None, (IssueCode.NOT_A_DATE,))


_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?", re.ASCII)


def encode_time(value: Any) -> Any:
    """A time of day "HH:MM[:SS[.ffffff]]" as it is; anything else is a blank, reported."""
    is_time = value.__class__ is str and _TIME.fullmatch(value)
    return value if is_time else Noted(None, (IssueCode.NOT_A_DATE,))


def date_transform(zone: tzinfo, formats: tuple[str, ...], sentinels: tuple[str, ...]) -> Callable[[Any], Any]:
    """To a date: the day a date-time falls on in `zone`, or text in one of `formats` (strptime).

    Dates in `sentinels` ("1900-01-01") stand for a blank. A time of day other than midnight is dropped and reported.
    """

    def convert(value: Any) -> Any:
        day = date_of(value)
        codes: tuple[IssueCode, ...] = ()
        if day is None and (moment := instant_of(value, zone)) is not None:
            local = moment.astimezone(zone)
            day = local.date()
            codes = () if local.time() == time() else (IssueCode.TIME_DROPPED,)
        if day is None:
            day = _parsed(value, formats)
        if day is None:
            return Noted(None, (IssueCode.NOT_A_DATE,))
        text = day.isoformat()
        return Noted(None, (IssueCode.SENTINEL_BLANKED,)) if text in sentinels else note(text, *codes)

    return convert


def _parsed(value: Any, formats: tuple[str, ...]) -> date | None:
    if value.__class__ is not str or len(value) > _LONGEST:
        return None
    for form in formats:
        try:
            return datetime.strptime(value.strip(), form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None


def datetime_transform(zone: tzinfo, at: time, sentinels: tuple[str, ...]) -> Callable[[Any], Any]:
    """To a canonical date-time. A date becomes `at` on that day in `zone`, reported as TIME_ASSUMED.

    A local time that a clock change skips moves forward by the gap; one that occurs twice means the first.
    """

    def convert(value: Any) -> Any:
        codes: tuple[IssueCode, ...] = ()
        day = date_of(value)
        moment = instant_of(value, zone)
        if day is not None:
            codes = (IssueCode.TIME_ASSUMED,)
            moment = instant_of(datetime.combine(day, at).isoformat(), zone)
        if moment is None:
            return Noted(None, (IssueCode.NOT_A_DATE,))
        if moment.astimezone(zone).date().isoformat() in sentinels:
            return Noted(None, (IssueCode.SENTINEL_BLANKED,))
        return note(moment.isoformat(), *codes)

    return convert


_SECONDS = {"seconds": Decimal(1), "minutes": Decimal(60), "hours": Decimal(3600), "days": Decimal(86_400)}


def duration_transform(unit: str, to: str, places: int) -> Callable[[Any], Any]:
    """A number of `unit` as a number of another unit, as "HH:MM" (`to` = "clock") or as "1 h 30 min" ("text").

    Results have at most `places` decimals; clock and text are whole minutes. What does not fit reports ROUNDED.
    """

    def convert(value: Any) -> Any:
        seconds = scaled(value, _SECONDS[unit])
        if isinstance(seconds, Noted):
            return seconds
        if to in _SECONDS:
            return divided(seconds, _SECONDS[to], places)
        minutes = divided(seconds, Decimal(60), 0)
        rounded = minutes.codes if isinstance(minutes, Noted) else ()
        number = decimal_of(minutes.value if isinstance(minutes, Noted) else minutes)
        if number is None or number < 0:
            return Noted(None, (IssueCode.OUT_OF_RANGE,))
        hours, rest = divmod(int(number), 60)
        text = f"{hours:02d}:{rest:02d}" if to == "clock" else " ".join(_spoken(hours, rest))
        return note(text, *rounded)

    return convert


def _spoken(hours: int, minutes: int) -> list[str]:
    parts = [f"{hours} h"] if hours else []
    return [*parts, f"{minutes} min"] if minutes or not hours else parts
