"""Single values of an RSoft export: money in lakh and crore, phones of India, kinds, names, lengths, tags."""

import pytest

from app.domain.issues import IssueCode, Noted
from app.domain.numerals import read_number
from app.domain.phones import several_phones
from app.domain.texts import phone
from connectors.column_values import number_reader, resolved_mark
from connectors.column_votes import ColumnVote, Kind
from connectors.rsoft.source import spread_phones
from connectors.rsoft.tagging import TagBook
from connectors.rsoft.values import activity_kind, later, minutes, object_behind, person_parts


def voted(*cells: str) -> tuple[Kind, list[str]]:
    """What a column of these cells is taken as, and its cells read as numbers where they can be."""
    vote = ColumnVote("Amount", "Amount", 0)
    vote.add(list(cells))
    profile = vote.profile()
    mark = resolved_mark(profile, "")
    read = number_reader(mark) if mark and Kind.DECIMAL in profile.fits else None
    return profile.kind, [read(cell) for cell in cells] if read else []


@pytest.mark.parametrize(
    ("cells", "kind", "numbers"),
    [
        (("₹1,25,000.00", "1.5 L", "2 Cr"), Kind.DECIMAL, ["125000.00", "150000", "20000000"]),
        (("Rs. 75,000", "₹ 3,000/-", "INR 12,34,567.89"), Kind.DECIMAL, ["75000", "3000", "1234567.89"]),
        (("0.75 Crore", "5 lakh", "12 Lacs", "3 Cr."), Kind.DECIMAL, ["7500000", "500000", "1200000", "30000000"]),
        (("-Rs. 500", "(₹2,000)", "1.5L"), Kind.DECIMAL, ["-500", "-2000", "150000"]),
        # A bare L could be litres: such a column is read as numbers only where somebody says that it is money.
        (("5 L", "10 L"), Kind.TEXT, ["500000", "1000000"]),
        (("5 L", "approx 10 L"), Kind.TEXT, []),
        (("L", "Rs"), Kind.TEXT, []),
    ],
)
def test_columns_of_indian_money(cells: tuple[str, ...], kind: Kind, numbers: list[str]) -> None:
    assert voted(*cells) == (kind, numbers)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("₹1,25,000.00", "125000.00"),
        ("1.5 L", "150000"),
        ("Rs. 2 Cr", "20000000"),
        ("INR 1,44,75,000", "14475000"),
        ("75000", "75000"),
    ],
)
def test_an_indian_locale_reads_single_texts(text: str, number: str) -> None:
    assert read_number(text, "en_IN", True) == number
    assert read_number("about 5 L", "en_IN", True) == Noted(None, (IssueCode.NOT_A_NUMBER,))


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("98765 43210 / 044-2345678", ["98765 43210", "044-2345678"]),
        ("9876543210, 9123456789;9876543210", ["9876543210", "9123456789"]),
        ("9876543210\n9123456789", ["9876543210", "9123456789"]),
        ("9876543210 or 044 2345678", ["9876543210", "044 2345678"]),
        ("9876543210/11", ["9876543210/11"]),
        ("call reception, 9876543210", ["call reception, 9876543210"]),
        ("+91-9876543210", ["+91-9876543210"]),
        ("  ", []),
        ("9" * 300, ["9" * 300]),
    ],
)
def test_several_phones_in_a_cell(cell: str, numbers: list[str]) -> None:
    assert several_phones(cell) == numbers


@pytest.mark.parametrize(
    "text", ["9876543210", "09876543210", "919876543210", "+91 98765 43210", "98765-43210", "+91-9876543210"]
)
def test_mobiles_of_india_have_one_form(text: str) -> None:
    made = phone(text, "IN", "e164")
    assert (made.value if isinstance(made, Noted) else made) == "+919876543210"


def test_cells_are_spread_over_fields_and_kept() -> None:
    record = {"mobile": "1111111111 / 2222222222 / 3333333333"}
    spread_phones(record, ("mobile", "alternate_mobile"))
    assert record == {
        "mobile": "1111111111",
        "alternate_mobile": "2222222222",
        "more_phones": "3333333333",
        "phones_as_written": "1111111111 / 2222222222 / 3333333333",
    }
    both = {"mobile": "1111111111 / 2222222222", "alternate_mobile": "2222222222"}
    spread_phones(both, ("mobile", "alternate_mobile"))
    assert (both["alternate_mobile"], both["more_phones"]) == ("2222222222", "2222222222")
    plain = {"mobile": "1111111111"}
    spread_phones(plain, ("mobile", "alternate_mobile"))
    assert plain == {"mobile": "1111111111"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Call", "call"), (" phone  CALL ", "call"), ("E-mail", "email"), ("Follow Up", "task"), ("WhatsApp", "other")],
)
def test_kinds_of_activity(text: str, kind: str) -> None:
    assert activity_kind(text) == kind


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("Meera", "Iyer", ""), ("Meera", "Iyer")),
        (("Lakshmi", "", ""), ("", "Lakshmi")),
        (("", "", "Farah Khan"), ("Farah", "Khan")),
        (("", "", "सुनीता"), ("", "सुनीता")),
        (("", "", "கவிதா முருகன்"), ("கவிதா", "முருகன்")),
        (("", "", " "), ("", "")),
    ],
)
def test_names_of_one_word_are_last_names(parts: tuple[str, str, str], name: tuple[str, str]) -> None:
    assert person_parts(*parts) == name


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("12", "12"),
        ("5 min", "5"),
        ("90 sec", "1.5"),
        ("00:04:30", "4.5"),
        ("04:30", "4.5"),
        ("1.5 hours", "90"),
        ("long", ""),
    ],
)
def test_lengths_of_calls_are_minutes(text: str, length: str) -> None:
    assert minutes(text) == length


def test_a_call_ends_when_it_has_lasted() -> None:
    assert later("2024-11-20T23:58:00+00:00", "4.5") == "2024-11-21T00:02:30+00:00"
    assert later("no time", "4") == "no time"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Contact", "contacts"),
        ("DEALS", "deals"),
        ("Companies", "companies"),
        ("Account", "companies"),
        ("Invoice", ""),
    ],
)
def test_objects_by_the_words_for_them(word: str, name: str) -> None:
    assert object_behind(word) == name


def test_tags_have_one_spelling_and_stand_once() -> None:
    book = TagBook()
    book.hear(["VIP", "VIP", "vip", "Expo", "expo"])
    for kind, record, tag in (
        ("contacts", "1", "vip"),
        ("contacts", "1", "Dealer"),
        ("contacts", "1", "dealer"),
        ("leads", "1", "x"),
    ):
        book.hear((tag,))
        book.add(kind, record, tag)
    book.close()
    assert book.of("contacts", "1", ["Vip", "expo"]) == ["VIP", "Expo", "Dealer"]
    assert book.of("contacts", "2", []) == []
    assert book.of("leads", "1", []) == ["x"]
    assert book.known(2) == ["Dealer", "Expo"]
