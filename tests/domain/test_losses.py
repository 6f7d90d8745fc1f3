"""Losses are stated before they happen: counted over all records, with examples, and none of health data."""

from datetime import UTC, datetime
from typing import Any

from app.domain.losses import FieldLoss, LossScan
from app.domain.mapping import FieldRule, Load, MappingDocument, Unmapped, ValueMap
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec

AT = datetime(2026, 11, 21, tzinfo=UTC)


def inventory(name: str, *fields: FieldSpec) -> Inventory:
    return Inventory(platform="x", taken_at=AT, objects=(ObjectSpec(name=name, fields=fields),))


SOURCE = inventory(
    "patients", FieldSpec(name="id", primary_key=True), FieldSpec(name="note"), FieldSpec(name="sum"),
    FieldSpec(name="state"), FieldSpec(name="allergy", sensitive=True),
)  # fmt: skip
TARGET = inventory(
    "Contacts", FieldSpec(name="Note", length=5), FieldSpec(name="Sum", type=FieldType.CURRENCY, scale=2),
    FieldSpec(name="State", type=FieldType.PICKLIST), FieldSpec(name="Allergy", length=3), FieldSpec(name="Name"),
)  # fmt: skip


def found(records: list[dict[str, Any]], unmapped: Unmapped = Unmapped.HOLD) -> dict[tuple[str, str], FieldLoss]:
    rules = (
        FieldRule(target="Note", sources=("note",)), FieldRule(target="Sum", sources=("sum",)),
        FieldRule(target="State", sources=("state",), value_map="states"),
        FieldRule(target="Allergy", sources=("allergy",)), FieldRule(target="Name", sources=("note", "sum")),
    )  # fmt: skip
    load = Load(key="patients", source_object="patients", target_object="Contacts", phase="contacts", fields=rules)
    table = ValueMap(entries={"New": "Open", "Fresh": "Open", "Done": "Closed"}, unmapped=unmapped)
    document = MappingDocument(source="x", destination="y", loads=(load,), value_maps={"states": table})
    scan = LossScan(document, SOURCE, TARGET)
    for place, record in enumerate(records):
        scan.add("patients", str(place), {"id": str(place), **record})
    return {(one.target, one.kind): one for one in scan.finish()}


def test_texts_that_do_not_fit_and_decimals_that_are_rounded() -> None:
    made = found([{"note": "short"}, {"note": "much too long"}, {"sum": "12.500"}, {"sum": "0.125"}, {"sum": "-7"}])
    assert made.keys() == {("Note", "truncated"), ("Sum", "rounded")}
    assert (made["Note", "truncated"].count, made["Note", "truncated"].of) == (1, 2)
    assert made["Note", "truncated"].examples == ("much too long",)
    assert (made["Sum", "rounded"].count, made["Sum", "rounded"].of) == (1, 3)
    assert made["Sum", "rounded"].examples == ("0.125",)


def test_options_that_become_one_or_nothing() -> None:
    records = [{"state": one} for one in ("New", "new", "Fresh", "Done", "Odd", "Odd")]
    made = found(records)
    assert (made["State", "collapsed"].count, made["State", "unmapped"].count) == (3, 2)
    assert made["State", "unmapped"].examples == ("Odd",)
    assert ("State", "unmapped") not in found(records, Unmapped.KEEP)
    assert found([{"state": "New"}, {"state": "new"}]) == {}


def test_health_data_is_counted_and_never_shown() -> None:
    loss = found([{"allergy": "penicillin"}, {"allergy": "nuts"}])["Allergy", "truncated"]
    assert (loss.count, loss.of, loss.examples) == (2, 2, ())


def test_deleted_records_lose_nothing_and_examples_stay_few() -> None:
    assert found([{"note": "much too long", "IsDeleted": True}]) == {}
    loss = found([{"note": f"{place} {'x' * 200}"} for place in range(9)])["Note", "truncated"]
    assert (loss.count, len(loss.examples)) == (9, 3)
    assert all(len(one) == 80 for one in loss.examples)
