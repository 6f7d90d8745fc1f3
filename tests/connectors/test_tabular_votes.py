"""Nasty values and what becomes of each: how a column votes, what is told or asked of it, what its cells read as."""

from collections import Counter
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from connectors.cell_signs import repaired
from connectors.column_values import (
    boolean_reader,
    date_reader,
    datetime_reader,
    number_reader,
    resolved_mark,
    resolved_order,
    text_reader,
)
from connectors.column_votes import ColumnProfile, ColumnVote, Kind


def voted(name: str, *values: str) -> ColumnProfile:
    vote = ColumnVote(name, name, 0)
    vote.add(list(values))
    return vote.profile()


def read(profile: ColumnProfile, values: tuple[str, ...]) -> list[str] | None:
    """The cells as their column reads them; None while a question is open or where the column stays text."""
    order, mark = resolved_order(profile, ""), resolved_mark(profile, "")
    if profile.kind is Kind.DATE and order:
        return [date_reader(order)(value) for value in values]
    if profile.kind is Kind.DATETIME and order:
        return [datetime_reader(order, UTC)(value) for value in values]
    if profile.kind in (Kind.INTEGER, Kind.DECIMAL) and mark:
        return [number_reader(mark)(value) for value in values]
    if profile.kind is Kind.BOOLEAN:
        return [boolean_reader()(value) for value in values]
    return None


DAYS = ["2024-01-01", "2024-02-03"]
# name: values, kind, what they read as, findings, questions
NASTY: dict[str, tuple[tuple[str, ...], str, list[str] | None, list[str], list[str]]] = {
    "apostrophe-groups": (("1'234.50", "2’000.00"), "decimal", ["1234.50", "2000.00"], [], []),
    "no-break-groups": (("1\u00a0234,50", "3,25"), "decimal", ["1234.50", "3.25"], [], []),
    "narrow-groups": (("1\u202f234\u202f567,5",), "decimal", ["1234567.5"], [], []),
    "lakh-groups": (("12,34,567.00", "1,00,000.50"), "decimal", ["1234567.00", "100000.50"], [], []),
    "brackets": (("(1,234.00)", "5.00"), "decimal", ["-1234.00", "5.00"], [], []),
    "minus-behind": (("5-", "6.50-"), "decimal", ["-5", "-6.50"], [], []),
    "percent": (("12%", "3.5 %"), "decimal", ["12", "3.5"], ["percent-signs"], []),
    "percent-and-none": (("12%", "3"), "text", None, ["percent-signs"], []),
    "euro": (("€ 1.234,50", "2,00 €", "-€3,00"), "decimal", ["1234.50", "2.00", "-3.00"], [], []),
    "two-currencies": (("USD 5.00", "EUR 6.10"), "decimal", ["5.00", "6.10"], ["currencies-mixed"], []),
    "crowns": (("1 234,50 kr", "5,25 kr"), "decimal", ["1234.50", "5.25"], [], []),
    "one-reading-or-two": (("1.234", "5.678"), "text", None, [], ["decimal-mark"]),
    "two-marks": (("1.234,5", "1,234.5"), "text", None, ["decimal-mark-contradictory"], []),
    "plus-sign": (("+4420", "+4930"), "text", None, [], []),
    "leading-zeros": (("02134", "00501"), "text", None, [], []),
    "exponents": (("9.19877E+11", "1.2E+12"), "text", None, ["precision-lost"], []),
    "excel-apostrophes": (("'0123", "'0456"), "text", None, ["leading-apostrophes"], []),
    "german-months": (("31. Dezember 2024", "1. März 2024"), "date", ["2024-12-31", "2024-03-01"], [], []),
    "english-months": (("Dec 31, 2024", "January 1st, 2025"), "date", ["2024-12-31", "2025-01-01"], [], []),
    "spanish-months": (("31 de diciembre de 2024",), "date", ["2024-12-31"], [], []),
    "french-months": (("1er janvier 2024", "14 août 2024"), "date", ["2024-01-01", "2024-08-14"], [], []),
    "polish-months": (("3 maja 2024",), "date", ["2024-05-03"], [], []),
    "oracle-days": (("31-Dec-24", "01-Jan-99"), "date", ["2024-12-31", "1999-01-01"], ["two-digit-years"], []),
    "no-such-month-day": (("31 February 2024",), "text", None, [], []),
    "month-and-hour": (("Mon, 5 Feb 2024 10:30 AM",), "datetime", ["2024-02-05T10:30:00+00:00"], [], []),
    "short-years": (("31/12/24", "30/11/85"), "date", ["2024-12-31", "1985-11-30"], ["two-digit-years"], []),
    "short-years-two-ways": (("03/04/24", "05/06/24"), "text", None, ["two-digit-years"], ["date-order"]),
    "two-ways": (("03/04/2024", "05/06/2024"), "text", None, [], ["date-order"]),
    "one-decides": (("03/04/2024", "13/04/2024"), "date", ["2024-04-03", "2024-04-13"], [], []),
    "both-orders": (("13/04/2024", "04/13/2024"), "text", None, ["date-order-contradictory"], []),
    "midnights": (("2024-01-01 00:00:00", "2024-02-03T00:00"), "date", DAYS, ["midnight-times"], []),
    "midnight-am": (("12/31/2024 12:00:00 AM",), "date", ["2024-12-31"], ["midnight-times"], []),
    "noon": (("12/31/2024 12:00:00 PM",), "datetime", ["2024-12-31T12:00:00+00:00"], [], []),
    "midnight-among-times": (
        ("2024-01-01 00:00:00", "2024-02-03 10:00"),
        "datetime", ["2024-01-01T00:00:00+00:00", "2024-02-03T10:00:00+00:00"], [], [],
    ),
    "midnight-among-days": (("2024-01-01", "2024-02-03T00:00:00"), "date", DAYS, ["midnight-times"], []),
    "sentinels": (("9999-12-31", "2024-01-02"), "date", ["9999-12-31", "2024-01-02"], ["sentinel-dates"], []),
    "first-day": (("0001-01-01", "2024-01-02"), "date", ["0001-01-01", "2024-01-02"], ["sentinel-dates"], []),
    "no-date": (("2024-02-30", "2024-01-01"), "text", None, [], []),
    "zero-date": (("0000-00-00", "2024-01-01"), "date", ["", "2024-01-01"], [], []),
    "garbled": (("SÃ£o Paulo", "cafÃ©"), "text", None, ["mojibake"], ["mojibake"]),
    "garbled-quotes": (("donâ€™t",), "text", None, ["mojibake"], ["mojibake"]),
    "right-letters": (("Größe", "Ärger", "São", "Âge", "Ã"), "text", None, [], []),
    "formula": (("=1+1", "@cmd"), "text", None, [], []),
    "yes-no": (("Yes", "no", ""), "boolean", ["true", "false", ""], [], []),
    "surname-null": (("Null", "Ada"), "text", None, [], []),
    "offsets": (("2024-01-01T10:00:00+05:30",), "datetime", ["2024-01-01T04:30:00+00:00"], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nasty_values(name: str) -> None:
    values, kind, expected, findings, questions = NASTY[name]
    profile = voted("x", *values)
    assert profile.kind == kind
    assert read(profile, values) == expected
    assert [one.code for one in profile.findings] == findings
    assert [one.code for one in profile.questions()] == questions


def test_lost_zeros_show_in_the_lengths_of_codes() -> None:
    codes = [str(number) for number in range(9_000, 20_000, 50)]
    assert [one.code for one in voted("postcode", *codes).findings] == ["leading-zeros-maybe-lost"]
    assert not voted("amount", *codes).findings
    assert not voted("postcode", *(code.zfill(5) for code in codes)).findings
    assert not voted("postcode", *(str(number) for number in range(1, 2_000))).findings  # a counter


@pytest.mark.parametrize(
    ("garbled", "right"),
    [
        ("cafÃ©", "café"), ("donâ€™t", "don’t"), ("GrÃ¶ÃŸe", "Größe"), ("Ã\u0081lvaro", "Álvaro"), ("café", "café"),
        ("Ã© and é", "Ã© and é"), ("ASCII", "ASCII"), ("日本", "日本"),
    ],
)  # fmt: skip
def test_garbled_letters_are_mended_when_a_person_says_so(garbled: str, right: str) -> None:
    assert repaired(garbled) == right
    assert text_reader(False, repair=True)(garbled) == right
    assert text_reader(False)(garbled) == garbled


def test_hours_that_a_clock_skips_or_shows_twice_are_told() -> None:
    noticed: Counter[str] = Counter()
    profile = voted("x", "2024-03-31 02:30", "2024-10-27 02:30", "2024-06-01 12:00")
    order = resolved_order(profile, "")
    assert order is not None
    take = datetime_reader(order, ZoneInfo("Europe/Berlin"), noticed)
    assert [take(one) for one in ("2024-03-31 02:30", "2024-10-27 02:30", "2024-06-01 12:00")] == [
        "2024-03-31T01:30:00+00:00", "2024-10-27T00:30:00+00:00", "2024-06-01T10:00:00+00:00",
    ]  # fmt: skip
    assert noticed == {"dst-gap": 1, "dst-fold": 1}
