"""Roots of a reconciliation: they follow from the leaves, and one altered hash shows in exactly one range."""

import pytest

from app.domain.reconciling import (
    ObjectRoots,
    Pairing,
    RangeRoots,
    Reconciliation,
    faults_of,
    object_roots,
    unequal_ranges,
    whole_roots,
)


def paired(count: int, *, altered: int | None = None, gone: int | None = None, size: int = 10) -> Pairing:
    pairing = Pairing(size)
    for number in range(count):
        meant = number.to_bytes(16, "big")
        found = None if number == gone else b"\xff" * 16 if number == altered else meant
        pairing.add(f"{number:06}", meant, found)
    return pairing


def document(*pairings: Pairing) -> Reconciliation:
    objects = []
    for number, pairing in enumerate(pairings):
        ranges = pairing.finish()
        meant, found = object_roots(ranges)
        objects.append(
            ObjectRoots(
                load=f"load{number}",
                source_object="Account",
                target_object="Accounts",
                records=pairing.records,
                fields=0,
                different_records=pairing.different,
                missing_records=pairing.missing,
                meant=meant,
                found=found,
                ranges=ranges,
            )
        )
    meant, found = whole_roots(objects)
    return Reconciliation(
        engagement="eng_1",
        run="run_1",
        source="servicetracker",
        destination="zoho_crm",
        mapping_version=1,
        checked_at="2026-03-05T19:30:07+00:00",
        read_again=0,
        objects=tuple(objects),
        meant=meant,
        found=found,
    )


def test_equal_sides_have_one_root() -> None:
    made = document(paired(1_234), paired(0), paired(10))
    assert made.meant == made.found
    assert faults_of(made) == []
    assert unequal_ranges(made) == []
    assert [len(one.ranges) for one in made.objects] == [124, 0, 1]


@pytest.mark.parametrize("number", [0, 9, 10, 617, 1_233])
def test_one_altered_record_shows_in_its_range_alone(number: int) -> None:
    made = document(paired(1_234, altered=number), paired(50))
    assert made.meant != made.found
    assert faults_of(made) == []
    [(load, one)] = unequal_ranges(made)
    assert load == "load0"
    assert one.first <= f"{number:06}" <= one.last


def test_a_record_that_is_gone_shows_too() -> None:
    made = document(paired(100, gone=55))
    [(_, one)] = unequal_ranges(made)
    assert one.first <= "000055" <= one.last
    assert made.objects[0].missing_records == 1


def test_what_is_meant_does_not_depend_on_what_is_found() -> None:
    assert document(paired(100, altered=3)).meant == document(paired(100)).meant


def test_a_forged_range_is_found() -> None:
    made = document(paired(100, altered=3))
    first = made.objects[0].ranges[0]
    forged = first.model_copy(update={"found": first.meant})
    ranges = (forged, *made.objects[0].ranges[1:])
    altered = made.model_copy(update={"objects": (made.objects[0].model_copy(update={"ranges": ranges}),)})
    assert any("root" in fault for fault in faults_of(altered))


def test_sums_are_checked() -> None:
    made = document(paired(100))
    fewer = made.objects[0].model_copy(update={"records": 99})
    assert any("99 records" in fault for fault in faults_of(made.model_copy(update={"objects": (fewer,)})))
    hidden = made.objects[0].model_copy(update={"different_records": 1})
    assert any("disagree" in fault for fault in faults_of(made.model_copy(update={"objects": (hidden,)})))


def test_ranges_may_not_overlap() -> None:
    made = document(paired(20))
    one = made.objects[0].ranges[0]
    twice = (one, RangeRoots(**{**one.model_dump(), "last": "000019"}))
    altered = made.model_copy(update={"objects": (made.objects[0].model_copy(update={"ranges": twice}),)})
    assert any("overlap" in fault for fault in faults_of(altered))


def test_records_come_in_the_order_of_their_ids() -> None:
    pairing = Pairing()
    pairing.add("b", bytes(16), bytes(16))
    with pytest.raises(ValueError, match="ascend"):
        pairing.add("a", bytes(16), bytes(16))
