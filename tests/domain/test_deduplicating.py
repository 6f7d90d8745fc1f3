"""Who looks like whom: keys, families, the survivor, likeness that is passed on, and values that are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deduplicating import Doubles, marked, repeated
from app.domain.mapping import Dedupe, DedupeMode, Survivor
from app.domain.schema import Record

PEOPLE: dict[str, Record] = {
    "1": {"First": "Ann", "Last": "Lee", "Email": "lee@example.org", "Phone": "1"},
    "2": {"First": "Bob", "Last": "Lee", "Email": "LEE@example.org "},
    "3": {"First": "ann ", "Last": "Lee", "Email": "lee@example.org", "City": "Bath", "Phone": "2"},
    "4": {"First": "Ann", "Last": "Lee", "Phone": "2"},
    "5": {"First": "Ann"},
    "6": {"First": "Ann", "Email": ""},
}
CREATED = {"1": "2020", "2": "2019", "3": "2021", "4": "2018", "5": "", "6": ""}


def groups(**more: object) -> list[tuple[str, ...]]:
    base = {"mode": DedupeMode.MERGE, "keys": [["Email"], ["Last", "Phone"]], "apart": ["First"]}
    doubles = Doubles(Dedupe.model_validate({**base, **more}))
    for source_id, record in PEOPLE.items():
        doubles.add(source_id, record, created=CREATED[source_id])
    return doubles.groups()


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, [("4", "1", "3")]),
        ({"survivor": Survivor.NEWEST}, [("3", "1", "4")]),
        ({"survivor": Survivor.FULLEST}, [("3", "1", "4")]),
        ({"apart": []}, [("4", "2", "1", "3")]),
        ({"keys": [["Email"]]}, [("1", "3")]),
        ({"keys": []}, []),
    ],
)
def test_groups(more: dict[str, object], found: list[tuple[str, ...]]) -> None:
    assert groups(**more) == found


def test_members_of_a_family_stay_apart() -> None:
    """Bob shares the address with Ann, but not the first name."""
    assert all("2" not in group for group in groups())


def test_redirects_lead_to_the_survivor() -> None:
    doubles = Doubles(Dedupe(keys=(("Email",),)))
    for source_id in ("a", "b", "c"):
        doubles.add(source_id, {"Email": "x@example.org"})
    assert doubles.redirects() == {"b": "a", "c": "a"}


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_repeated_values(values: list[int]) -> None:
    twice = [*values, *values[:2]]
    assert repeated(twice) == {one for one in twice if twice.count(one) > 1}


def test_a_mark_fits_the_field() -> None:
    assert marked("Acme", "C-7", None) == "Acme (C-7)"
    assert marked("A" * 300, "C-7", 255) == "A" * 249 + " (C-7)"
