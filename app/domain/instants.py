"""Instants as callers write them: RFC 3339 text with its offset, never a number that could be taken for one."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _read(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise PydanticCustomError("datetime_parsing", "Write an instant with its offset, as in 2026-11-20T09:30:00Z")


def _in_utc(value: datetime) -> datetime:
    """The same instant in UTC, which has no year before 1 and none after 9999."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return LAST if value.year > 1 else FIRST


Moment = Annotated[AwareDatetime, BeforeValidator(_read), AfterValidator(_in_utc)]


def later(moment: datetime, span: timedelta) -> datetime:
    """The instant a span later, at the end of time at the latest."""
    try:
        return moment + span
    except OverflowError:
        return LAST
