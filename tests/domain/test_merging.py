"""The three-way merge of fields: every combination of who changed what."""

import pytest

from app.domain.merging import Side, merge_fields
from app.domain.schema import FieldSpec, FieldType

SPECS = {"F": FieldSpec(name="F")}
CASES = [
    # last written, meant now, there now, proved → where the field goes
    ("a", "a", "a", True, ""),
    ("a", "b", "a", True, "send"),
    ("a", "a", "c", True, "kept"),
    ("a", "b", "c", True, "conflicts"),
    ("a", "b", "b", True, ""),
    ("a", None, "a", True, "send"),
    ("a", "a", None, True, "kept"),
    (None, "b", None, True, "send"),
    ("a", "b", "a", False, "send"),
    ("a", "b", "c", False, "conflicts"),
    ("a", "a", "c", False, "conflicts"),
    ("a", "b", None, False, "send"),
]


@pytest.mark.parametrize(("wrote", "meant", "there", "certain", "expected"), CASES)
def test_a_field_goes_where_its_sides_send_it(
    wrote: str | None, meant: str | None, there: str | None, certain: bool, expected: str
) -> None:
    merged = merge_fields({"F": meant}, {"F": wrote}, {"F": there}, SPECS, certain=certain, chosen={})
    assert {name: getattr(merged, name) for name in ("send", "kept", "conflicts")} == {
        name: ["F"] if name == expected else [] for name in ("send", "kept", "conflicts")
    }


@pytest.mark.parametrize("wrote", ["a", "b"])
def test_a_decision_counts_whether_or_not_the_source_changed_since(wrote: str) -> None:
    for side, expected in ((Side.SOURCE, ["F"]), (Side.DESTINATION, [])):
        merged = merge_fields({"F": "b"}, {"F": wrote}, {"F": "c"}, SPECS, certain=True, chosen={"F": side})
        assert merged.send == expected
        assert merged.conflicts == []


def test_without_any_former_state_only_a_blank_is_filled() -> None:
    for there, expected in ((None, "send"), ("c", "conflicts")):
        merged = merge_fields({"F": "b"}, None, {"F": there}, SPECS, certain=False, chosen={})
        assert getattr(merged, expected) == ["F"]


def test_a_checkbox_nobody_set_is_not_an_edit() -> None:
    specs = {"F": FieldSpec(name="F", type=FieldType.BOOLEAN)}
    merged = merge_fields({"F": True}, {}, {"F": False}, specs, certain=True, chosen={})
    assert merged.send == ["F"]


def test_a_field_that_cannot_be_read_follows_the_source() -> None:
    merged = merge_fields({"F": "b", "G": "x"}, {"F": "a", "G": "x"}, {}, {}, certain=True, chosen={})
    assert merged.send == ["F"]


STAGES = {name: FieldSpec(name=name) for name in ("Pipeline", "Stage")}
WROTE = {"Pipeline": "P", "Stage": "S"}


def test_fields_that_belong_together_are_sent_together() -> None:
    meant = {"Pipeline": "P", "Stage": "T"}
    merged = merge_fields(meant, WROTE, WROTE, STAGES, certain=True, chosen={}, together=[("Pipeline", "Stage")])
    assert sorted(merged.send) == ["Pipeline", "Stage"]


def test_an_edit_in_a_group_makes_what_the_source_changed_there_a_conflict() -> None:
    meant, there = {"Pipeline": "P", "Stage": "T"}, {"Pipeline": "Q", "Stage": "S"}
    group = [("Pipeline", "Stage")]
    merged = merge_fields(meant, WROTE, there, STAGES, certain=True, chosen={}, together=group)
    assert (merged.send, merged.conflicts, merged.kept) == ([], ["Stage"], ["Pipeline"])
    chosen = {"Stage": Side.SOURCE}
    merged = merge_fields(meant, WROTE, there, STAGES, certain=True, chosen=chosen, together=group)
    assert (sorted(merged.send), merged.conflicts, merged.kept) == (["Pipeline", "Stage"], [], [])


def test_what_steers_a_write_goes_along_and_never_alone() -> None:
    meant, wrote = {"What_Id": "2", "$se_module": "Deals"}, {"What_Id": "1", "$se_module": "Deals"}
    specs = {"What_Id": FieldSpec(name="What_Id")}
    merged = merge_fields(meant, wrote, {"What_Id": "1"}, specs, certain=True, chosen={})
    assert merged.send == ["What_Id", "$se_module"]
    assert merge_fields(meant, meant, {"What_Id": "2"}, specs, certain=True, chosen={}).send == []
