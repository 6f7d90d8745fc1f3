"""What was sent is told by its values where the key is lost: what could be somebody else's is never taken for it."""

from typing import Any

import pytest

from app.domain.recognising import recognise
from app.domain.schema import FieldSpec, FieldType

FIELDS = {
    "name": FieldSpec(name="name"),
    "about": FieldSpec(name="about", type=FieldType.TEXTAREA),
    "due": FieldSpec(name="due", type=FieldType.DATE),
    "state": FieldSpec(name="state", type=FieldType.PICKLIST),
    "paid": FieldSpec(name="paid", type=FieldType.BOOLEAN),
    "parent": FieldSpec(name="parent", type=FieldType.LOOKUP),
}
Records = dict[str, dict[str, Any]]


def visit(name: str = "Boiler", **more: Any) -> dict[str, Any]:
    return {"name": name, "due": "2026-03-01", "state": "Open", "parent": {"id": "7"}, **more}


def told(sent: Records, standing: Records) -> tuple[dict[str, str], set[str]]:
    made = recognise(sent, standing, FIELDS)
    return dict(made.found), set(made.doubtful)


def test_what_holds_every_value_is_ours_whatever_else_it_holds() -> None:
    there = {"r": visit(parent="7", created="today", about=None), "other": visit("Roof", due="2025-01-01", parent="9")}
    assert told({"a": visit(key="a", paid=False), "b": visit("Gate", due="2024-01-01", parent="8")}, there) == (
        {"a": "r"},
        set(),
    )


def test_nothing_there_leaves_everything_to_be_sent() -> None:
    assert told({"a": visit()}, {}) == ({}, set())


@pytest.mark.parametrize("there", [1, 2, 3])
def test_of_several_sent_alike_each_is_found_once(there: int) -> None:
    sent = {name: visit() for name in "abc"}
    found, doubtful = told(sent, {str(number): visit() for number in range(there)})
    assert sorted(found.values()) == [str(number) for number in range(there)]
    assert (len(found), doubtful) == (there, set())


def test_more_than_were_sent_are_a_question() -> None:
    assert told({"a": visit()}, {"1": visit(), "2": visit()}) == ({}, {"a"})


def test_what_says_more_is_not_taken_for_what_says_less() -> None:
    sent = {"short": visit(), "long": visit(about="At the back")}
    assert told(sent, {"1": visit(about="At the back")})[0] == {"long": "1"}
    assert told(sent, {"1": visit()})[0] == {"short": "1"}
    assert told(sent, {"1": visit(about="At the back"), "2": visit()})[0] == {"long": "1", "short": "2"}


def test_what_could_be_either_of_two_is_neither() -> None:
    sent = {"a": visit(about="Back"), "b": visit(paid=True)}
    assert told(sent, {"1": visit(about="Back", paid=True)}) == ({}, {"a", "b"})


def test_what_a_person_changed_since_is_a_question() -> None:
    assert told({"a": visit()}, {"1": visit("Boiler, changed")}) == ({}, {"a"})
    assert told({"a": visit()}, {"1": visit(state="Done")}) == ({}, {"a"})


def test_values_that_many_share_tell_nothing() -> None:
    theirs = {"name": "Call back", "due": "2026-05-05", "state": "Open", "paid": True, "parent": {"id": "9"}}
    assert told({"a": visit(paid=True)}, {"1": theirs}) == ({}, set())


def test_what_has_nothing_to_be_told_by_is_a_question_as_long_as_something_stands_there() -> None:
    assert told({"a": {"key": "a"}}, {"1": visit()}) == ({}, {"a"})
