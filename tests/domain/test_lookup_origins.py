"""Ids of different objects may be equal: a reference is looked for only where it can point to."""

import orjson
import pytest

from app.domain.compiling import CompiledLoad, PageContext, compile_load
from app.domain.json_texts import json_text
from app.domain.mapping import FieldRule, Load, LookupEmit, LookupRule
from app.domain.schema import Encoding, FieldSpec, FieldType, ObjectSpec

ORIGINS = {"contacts": "people", "deals": "sales", "accounts": "firms"}
IDS = {"contacts": {"17": "c17"}, "deals": {"17": "d17"}, "accounts": {"17": "a17"}}
TARGET = ObjectSpec(
    name="notes", fields=(FieldSpec(name="parent", type=FieldType.LOOKUP), FieldSpec(name="kind", length=20))
)


def call(*references: str) -> ObjectSpec:
    """A source object whose fields `one` and `two` point to what is named."""
    fields = [FieldSpec(name="Id", type=FieldType.ID, primary_key=True)]
    for name, target in zip(("one", "two"), references, strict=True):
        known = (target,) if target else ()
        fields.append(FieldSpec(name=name, type=FieldType.LOOKUP, references=known))
    return ObjectSpec(name="calls", fields=tuple(fields))


def compiled(source: ObjectSpec, emit: LookupEmit = LookupEmit.REFERENCE) -> CompiledLoad:
    target = "parent" if emit is LookupEmit.REFERENCE else "kind"
    lookup = LookupRule(loads=("contacts", "deals", "accounts"), emit=emit)
    rule = FieldRule(target=target, sources=("one", "two"), lookup=lookup)
    return compile_load(
        Load(key="notes", source_object="calls", target_object="notes", fields=(rule,)),
        source=source,
        target=TARGET,
        names={},
        objects=dict.fromkeys(ORIGINS, "x") | {"deals": "deals", "contacts": "contacts"},
        encoding=Encoding(reference="string"),
        value_maps={},
        platform="test",
        key_field="",
        origins=ORIGINS,
    )


@pytest.mark.parametrize(
    ("references", "record", "found"),
    [
        (("sales", "people"), {"one": "17"}, "d17"),
        (("sales", "people"), {"two": "17"}, "c17"),
        (("firms", "sales"), {"one": "18", "two": "17"}, "d17"),
        (("firms", "people"), {"one": "18"}, None),
        (("", ""), {"one": "17"}, "c17"),
        (("elsewhere", ""), {"one": "17"}, "c17"),
    ],
)
def test_only_loads_of_what_the_field_points_to_are_asked(
    references: tuple[str, str], record: dict[str, str], found: str | None
) -> None:
    built = compiled(call(*references)).build({"Id": "1", **record}, PageContext(ids=IDS))
    assert orjson.loads(json_text(built.payload)).get("parent") == found


def test_the_object_of_the_load_that_knew_it_is_emitted() -> None:
    made = compiled(call("sales", "people"), LookupEmit.OBJECT)
    assert made.build({"Id": "1", "one": "17"}, PageContext(ids=IDS)).payload == {"kind": "deals"}
    assert made.build({"Id": "1", "two": "17"}, PageContext(ids=IDS)).payload == {"kind": "contacts"}


def test_other_loads_are_not_even_asked_for() -> None:
    assert compiled(call("sales", "people")).reference_needs == (("one", ("deals",)), ("two", ("contacts",)))
