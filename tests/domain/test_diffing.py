"""Differences are found, named by kind, and a rollback knows whose value a field holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diffing import DiffKind, FieldDiff, Restore, Verdict, diff_record, edited
from app.domain.schema import FieldSpec, FieldType

K = FieldType
D = DiffKind


def spec(kind: FieldType) -> dict[str, FieldSpec]:
    return {"f": FieldSpec(name="f", type=kind)}


@pytest.mark.parametrize(
    ("kind", "sent", "got", "expected"),
    [
        (K.TEXT, "abcdef", "abc", D.TRUNCATED),
        (K.TEXT, "abc ", "abc", D.WHITESPACE),
        (K.TEXT, "abc", "ABC", D.CASE),
        (K.TEXT, "abc", "xyz", D.TEXT),
        (K.TEXTAREA, "a\r\nb", "a\nb", D.LINE_BREAKS),
        (K.CURRENCY, "1.005", 1.01, D.ROUNDED),
        (K.CURRENCY, "1.00", 1.01, D.NUMBER),
        (K.CURRENCY, "10", "1000", D.NUMBER),
        (K.CURRENCY, "10", "ten", D.TYPE),
        (K.DATETIME, "2024-01-01T00:00:00Z", "2024-01-01T05:30:00Z", D.TIME_SHIFT),
        (K.DATETIME, "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00Z", D.FRACTION),
        (K.DATETIME, "2024-01-01T00:00:00Z", "2024-01-03T00:01:00Z", D.TIME),
        (K.DATE, "2024-03-31", "2024-03-30", D.DATE_SHIFT),
        (K.DATE, "2024-03-31", "2023-03-31", D.TIME),
        (K.PICKLIST, "Open", "Closed", D.PICKLIST),
        (K.MULTIPICKLIST, ["a", "b"], ["a"], D.PICKLIST),
        (K.LOOKUP, {"id": "1"}, {"id": "2", "name": "x"}, D.REFERENCE),
        (K.BOOLEAN, True, False, D.BOOLEAN),
    ],
)
def test_kinds(kind: FieldType, sent: Any, got: Any, expected: DiffKind) -> None:
    assert diff_record({"f": sent}, {"f": got}, spec(kind)) == [FieldDiff("f", Verdict.DIFFERENT, expected)]


def test_blanks_on_one_side() -> None:
    assert diff_record({"f": "x"}, {"f": None}, spec(K.TEXT)) == [FieldDiff("f", Verdict.MISSING, D.BLANK)]
    assert diff_record({}, {"f": "x"}, spec(K.TEXT)) == [FieldDiff("f", Verdict.UNEXPECTED, D.BLANK)]
    assert diff_record({"f": ""}, {}, spec(K.TEXT)) == [FieldDiff("f", Verdict.EQUAL, D.NONE)]


def test_an_untouched_checkbox_reads_false() -> None:
    assert diff_record({}, {"f": False}, spec(K.BOOLEAN))[0].verdict is Verdict.EQUAL
    assert diff_record({}, {"f": True}, spec(K.BOOLEAN))[0].verdict is Verdict.UNEXPECTED
    assert diff_record({"f": False}, {}, spec(K.BOOLEAN))[0].verdict is Verdict.MISSING


def test_fields_without_a_spec_compare_as_text() -> None:
    assert [item.verdict for item in diff_record({"g": "x"}, {"g": "x ", "own": 1}, {})] == [Verdict.DIFFERENT]


@given(st.dictionaries(st.sampled_from("abc"), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_a_record_equals_itself(record: dict[str, Any]) -> None:
    for kind in K:
        fields = {name: FieldSpec(name=name, type=kind) for name in "abc"}
        assert {item.verdict for item in diff_record(record, record, fields)} == {Verdict.EQUAL}


@pytest.mark.parametrize(
    ("before", "ours", "now", "expected"),
    [
        ("old", "new", "new", Restore.RESTORE),
        ("old", "new", "old", Restore.SAME),
        ("old", "new", "edited", Restore.KEEP),
        ("old", "old", "old", Restore.SAME),
        ("old", "old", "edited", Restore.KEEP),
        (None, "new", "new", Restore.RESTORE),
        ("old", None, "", Restore.RESTORE),
        (None, "new", None, Restore.SAME),
    ],
)
def test_edited_since(before: Any, ours: Any, now: Any, expected: Restore) -> None:
    assert edited({"f": before}, {"f": ours}, {"f": now}, spec(K.TEXT)) == {"f": expected}


def test_edited_knows_further_values_of_ours() -> None:
    before, ours, now = {"a": "old", "b": "old", "c": "old"}, {"a": "new"}, {"a": "newer", "b": None, "c": "edited"}
    fields = {name: FieldSpec(name=name) for name in "abc"}
    further = {"a": ["newest", "newer"], "b": [None], "c": []}
    verdicts = {"a": Restore.RESTORE, "b": Restore.RESTORE, "c": Restore.KEEP}
    assert edited(before, ours, now, fields, further) == verdicts
    assert edited(before, ours, before, fields, further) == dict.fromkeys("abc", Restore.SAME)


def test_edited_compares_by_meaning() -> None:
    fields = spec(K.DATETIME)
    result = edited({}, {"f": "2024-01-01T00:00:00+00:00"}, {"f": "2024-01-01T05:30:00+05:30"}, fields)
    assert result == {"f": Restore.RESTORE}
