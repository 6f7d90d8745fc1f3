"""Texts gathered from child records: order, first and rest, blanks, limits, and the record's own field instead."""

import pytest

from app.domain.collecting import add_collected, collected_needs, gather_text, with_collected
from app.domain.mapping import Collect, Load, Take
from app.domain.schema import FieldType, ObjectSpec, Record

SITES: list[tuple[str, Record]] = [
    ("3", {"Name": "Depot", "City": "Bath", "Parent": "1"}),
    ("2", {"Name": "Yard", "Parent": "1"}),
    ("1", {"Name": "Head office", "Street": "Low Road\n1", "City": "Bath"}),
]


def collect(**more: object) -> Collect:
    base = {"field": "Sites", "object": "Site", "via": "Client", "order": "Parent"}
    return Collect.model_validate({**base, "template": "{Name}, {Street}, {City}", **more})


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "Head office, Low Road 1, Bath; Yard; Depot, Bath"),
        ({"take": Take.FIRST}, "Head office, Low Road 1, Bath"),
        ({"take": Take.REST}, "Yard; Depot, Bath"),
        ({"take": Take.REST, "template": "{Street}"}, None),
        ({"template": "{Street}, {City}"}, "Low Road 1, Bath; Bath"),
        ({"most": 1, "separator": "\n"}, "Head office, Low Road 1, Bath\n… and 2 more"),
    ],
)
def test_text_of_the_children(more: dict[str, object], text: str | None) -> None:
    assert gather_text(collect(**more), SITES) == text
    assert gather_text(collect(**more), list(reversed(SITES))) == text


def test_a_record_without_children_falls_back_on_its_own_field() -> None:
    street = collect(field="Street", template="{Street}", take=Take.FIRST, otherwise="Billing")
    load = Load(key="a", source_object="Account", target_object="accounts", collect=(street,))
    record = {"Id": "9", "Billing": "High Street"}
    assert add_collected(record, load, {}) == {**record, "Street": "High Street"}
    # A location that stands there without a street is the address all the same: nothing is mixed.
    assert add_collected(record, load, {("Site", "Client"): SITES[1:2]}) == record
    assert add_collected({"Id": "9"}, load, {}) == {"Id": "9"}


def test_gathered_fields_are_source_fields() -> None:
    load = Load(key="a", source_object="Account", target_object="accounts", collect=(collect(), collect(field="B")))
    spec = with_collected(ObjectSpec(name="Account"), load)
    assert [(one.name, one.type) for one in spec.fields] == [
        ("Sites", FieldType.TEXTAREA), ("B", FieldType.TEXTAREA)
    ]  # fmt: skip
    assert collected_needs(load) == (("Site", "Client"),)
