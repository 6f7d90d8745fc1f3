"""Canonical values: what is equal, what differs, and that nothing is lost on the way."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.json_texts import json_text
from app.domain.schema import FieldSpec, FieldType
from app.domain.values import canonical, canonical_record, exact_json

K = FieldType
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("id"), inner, max_size=3),
    max_leaves=5,
)


def of(kind: FieldType, value: Any) -> Any:
    return canonical(value, FieldSpec(name="f", type=kind))


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (K.CURRENCY, "12.50", 12.5),
        (K.CURRENCY, "12.50", msgspec.Raw("12.500")),
        (K.CURRENCY, Decimal("1E+2"), 100),
        (K.CURRENCY, "-0.00", 0),
        (K.DATETIME, "2024-01-01T10:00:00+05:30", "2024-01-01T04:30:00Z"),
        (K.DATETIME, "2024-01-01T04:30:00.000+0000", "2024-01-01T04:30:00"),
        (K.TEXT, "e\u0301", "é"),
        (K.TEXT, "", None),
        (K.TEXT, 7, "7"),
        (K.MULTIPICKLIST, ["a", "b"], "b;a"),
        (K.MULTIPICKLIST, [], None),
        (K.LOOKUP, {"id": "7", "name": "x"}, "7"),
        (K.LOOKUP, 7, "7"),
        (K.LOOKUP, {"id": None}, None),
        (K.USER, {"id": "7", "email": "x"}, {"id": "7"}),
        (K.BOOLEAN, "true", True),
        (K.TIME, "09:00", "09:00:00.000"),
    ],
)
def test_equal(kind: FieldType, left: Any, right: Any) -> None:
    assert of(kind, left) == of(kind, right)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (K.TEXT, "a", "a "),
        (K.TEXT, "a", "A"),
        (K.TEXT, " ", ""),
        (K.CURRENCY, "1234567890123456.12", "1234567890123456.13"),
        (K.CURRENCY, "0", None),
        (K.CURRENCY, "NaN", "0"),
        (K.DATETIME, "2024-01-01T00:00:00.001Z", "2024-01-01T00:00:00Z"),
        (K.DATE, "2024-01-01", "2024-01-02"),
        (K.BOOLEAN, False, None),
        (K.MULTIPICKLIST, ["a"], ["a", "b"]),
        (K.LOOKUP, {"id": "7"}, {"id": "8"}),
        (K.TEXTAREA, "a\r\nb", "a\nb"),
    ],
)
def test_different(kind: FieldType, left: Any, right: Any) -> None:
    assert of(kind, left) != of(kind, right)


@given(st.sampled_from(list(K)), JSON)
def test_idempotent(kind: FieldType, value: Any) -> None:
    once = of(kind, value)
    assert of(kind, once) == once
    assert type(of(kind, once)) is type(once)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**16), max_value=10**16))
def test_decimals_are_exact(number: Decimal) -> None:
    payload = json_text({"x": msgspec.Raw(format(number, "f"))})
    assert of(K.CURRENCY, exact_json(payload)["x"]) == number
    assert of(K.CURRENCY, format(number, "f")) == number


@given(
    st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2200-01-01")),
    st.integers(-14 * 4, 14 * 4),
)
def test_an_instant_is_the_same_in_every_zone(moment: datetime, quarters: int) -> None:
    aware = moment.replace(tzinfo=UTC)
    moved = aware.astimezone(timezone(timedelta(minutes=15 * quarters)))
    assert of(K.DATETIME, moved.isoformat()) == aware


@given(st.text(min_size=1))
def test_text_is_only_normalised(text: str) -> None:
    assert of(K.TEXT, text) == unicodedata.normalize("NFC", text)


def test_hostile_numbers() -> None:
    huge = "9" * 1_000_000
    assert of(K.CURRENCY, huge) == huge
    assert of(K.CURRENCY, float("nan")) == "nan"
    assert of(K.CURRENCY, True) == "true"
    assert of(K.INTEGER, exact_json(b"[" + b"9" * 5000 + b"]")[0]) is not None


def test_a_record_keeps_filled_fields_only() -> None:
    fields = {"b": FieldSpec(name="b"), "a": FieldSpec(name="a", type=K.BOOLEAN)}
    assert canonical_record({"a": False, "b": "", "c": 1}, fields) == {"a": False}
