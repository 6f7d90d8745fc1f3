"""Instants are read as RFC 3339 has them, and no date that fits into four digits makes anything overflow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.domain.instants import FIRST, LAST, Moment, later
from app.domain.lifecycle import Calendar

NONE = (
    *("0.5", "5", "-1", 1763631000, 1.5, True, "", "x", None),
    *("2026-11-20", "2026-11-20T09:30", "2026-11-20T09:30:00", "2026-11-20_09:30:00Z", "2026-13-20T09:30:00Z"),
    *("2026-11-20T09:30:00+0100", "2026-11-20T09:30:00Z\n"),
)
READER: TypeAdapter[datetime] = TypeAdapter(Moment)


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T09:30:00Z", "2026-11-20T10:30:00+01:00", "2026-11-20t04:30:00.000-05:00", "2026-11-20 09:30:00z"],
)
def test_forms(text: str) -> None:
    assert READER.validate_python(text) == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", NONE)
def test_what_is_none(value: Any) -> None:
    with pytest.raises(ValidationError):
        READER.validate_python(value)


@pytest.mark.parametrize(
    ("text", "is_read_as"), [("9999-12-31T23:59:59-12:00", LAST), ("0001-01-01T00:00:00+12:00", FIRST)]
)
def test_the_ends_of_time_are_ends(text: str, is_read_as: datetime) -> None:
    assert READER.validate_python(text) == is_read_as


@given(st.datetimes(timezones=st.just(UTC)), st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)))
def test_later_is_never_earlier(moment: datetime, span: timedelta) -> None:
    assert later(moment, span) >= moment


def test_a_calendar_at_the_end_of_time_can_be_read() -> None:
    dates = {"window_opens_at": "9999-12-31T00:00:00Z", "go_live_at": "9999-12-31T00:00:00Z"}
    calendar = Calendar.model_validate(dates)
    assert (calendar.window_closes_at, calendar.hypercare_ends_at) == (LAST, LAST)
