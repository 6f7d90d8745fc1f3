"""The matcher that the API proposes with: several fields into one, one into several, and what stands in their way."""

import pytest

from app.domain.compiling import PageContext, compile_load
from app.domain.lessons import confirmed, corrected
from app.domain.mapping import FieldRule, Load, MappingDocument
from app.domain.matching.columns import schema_of
from app.domain.matching.memory import Lesson, Memory
from app.domain.matching.proposal import answer, propose_tables
from app.domain.matching.within import FieldMatch, Matcher
from app.domain.newcomers import newcomer
from app.domain.schema import Encoding, FieldSpec, FieldType, Inventory, ObjectSpec
from tests.domain.tenants import TAKEN

PEOPLE = ("first_name", "last_name", "Street Line 1", "Street Line 2", "city", "e_mail")
CONTACTS = ("Full_Name", "Street", "City", "Email", "Department")


def side(name: str, *fields: str | FieldSpec) -> Inventory:
    specs = [
        one if isinstance(one, FieldSpec) else FieldSpec(name=one, label=one.replace("_", " "), length=200)
        for one in fields
    ]
    return Inventory(platform="x", taken_at=TAKEN, objects=(ObjectSpec(name=name, label=name, fields=tuple(specs)),))


def matched(source: Inventory, destination: Inventory, *lessons: Lesson) -> dict[str, FieldMatch]:
    (ours,), (theirs,) = source.objects, destination.objects
    return Matcher(source, destination, Memory(lessons=lessons)).match(ours, ours.fields, theirs, theirs.fields)


def proposed(source: Inventory, destination: Inventory) -> Load:
    made = newcomer(source.objects[0], Matcher(source, destination), destination, ())
    assert made is not None
    return made[0]


def rules(load: Load) -> dict[str, FieldRule]:
    assert len({one.target for one in load.fields}) == len(load.fields)
    return {one.target: one for one in load.fields}


def written(load: Load, destination: Inventory, source: Inventory, **record: str) -> dict[str, object]:
    made = compile_load(
        load, source=source.objects[0], target=destination.objects[0], names={}, objects={}, encoding=Encoding(),
        value_maps={}, platform="x", key_field="",
    )  # fmt: skip
    return dict(made.build({"Id": "1", **record}, PageContext()).payload)


def test_two_names_and_two_street_lines_are_one_rule_each() -> None:
    source, destination = side("people", *PEOPLE), side("Contacts", *CONTACTS)
    load = proposed(source, destination)
    made = rules(load)
    name, street = made["Full_Name"], made["Street"]
    assert (name.sources, name.transform) == (("first_name", "last_name"), "join")
    assert (street.sources, street.transform) == (("Street Line 1", "Street Line 2"), "join")
    for one in (name, street):
        assert 0.9 <= one.probability < 1
        assert one.reasons[0].code == "composite"
        assert one.alternatives[0].target == one.target
    given = {
        "first_name": "Ada", "last_name": "Lovelace", "Street Line 1": "12 St James Square", "Street Line 2": "Flat 3",
    }  # fmt: skip
    payload = written(load, destination, source, **given)
    assert payload["Full_Name"] == "Ada Lovelace"
    assert payload["Street"] == "12 St James Square Flat 3"


def test_the_command_line_says_the_same() -> None:
    source, destination = side("people", *PEOPLE), side("Contacts", *CONTACTS)
    told = answer(propose_tables(schema_of(source), schema_of(destination)))["objects"][0]["fields"]
    made = rules(proposed(source, destination))
    joined = {one["target"]: one["transform"]["args"] for one in told if (one["transform"] or {}).get("name") == "join"}
    assert joined == {
        target: {"sources": list(rule.sources), "separator": rule.args["separator"]}
        for target, rule in made.items()
        if rule.transform == "join"
    }
    assert set(joined) == {"Full_Name", "Street"}


def test_lines_of_a_text_area_stay_lines() -> None:
    area = FieldSpec(name="Street", label="Street", type=FieldType.TEXTAREA)
    source, destination = side("people", "last_name", *PEOPLE[2:], "Street Line 3"), side("Contacts", "Last_Name", area)
    rule = rules(proposed(source, destination))["Street"]
    assert rule.sources == ("Street Line 1", "Street Line 2", "Street Line 3")
    assert rule.args["separator"] == "\n"


def test_a_whole_name_is_taken_apart() -> None:
    source, destination = side("people", "full_name", "city"), side("Contacts", "First_Name", "Last_Name", "City")
    load = proposed(source, destination)
    made = rules(load)
    assert {made[one].sources for one in ("First_Name", "Last_Name")} == {("full_name",)}
    payload = written(load, destination, source, full_name="Ada Lovelace")
    assert (payload["First_Name"], payload["Last_Name"]) == ("Ada", "Lovelace")


def test_a_whole_name_that_belongs_elsewhere_is_not() -> None:
    destination = side("Contacts", "First_Name", "Last_Name", "City", "Department")
    learnt = Lesson(
        target_object="Contacts", target="Department", source_object="people", name="full_name", confirmed=1
    )
    match = matched(side("people", "full_name", "city"), destination, learnt)["full_name"]
    assert (match.target, match.parts) == ("Department", ())


def test_a_part_that_is_not_sure_is_a_choice() -> None:
    source = side("kunden", "Vorname", "Nachname", "Strasse", "Hausnummer", "Ort")
    found = matched(source, side("Contacts", *CONTACTS))
    assert (found["Strasse"].target, found["Strasse"].sources, found["Strasse"].sure) == ("Street", (), True)
    doubtful = found["Hausnummer"]
    assert (doubtful.target, doubtful.sure, doubtful.part_of) == ("", False, "")
    assert doubtful.sources == ("Strasse", "Hausnummer")
    assert doubtful.alternatives[0].target == "Street"
    assert doubtful.probability < 0.9


@pytest.mark.parametrize("kind", [FieldType.LOOKUP, FieldType.DATE, FieldType.PICKLIST])
def test_a_field_that_takes_no_text_gets_no_join(kind: FieldType) -> None:
    whole = FieldSpec(name="Full_Name", label="Full Name", type=kind)
    found = matched(side("people", *PEOPLE), side("Contacts", whole, *CONTACTS[1:]))
    assert all(not found[one].sure and not found[one].part_of for one in ("first_name", "last_name"))


def test_a_taken_field_gets_no_join() -> None:
    source, destination = side("people", *PEOPLE), side("Contacts", *CONTACTS)
    (ours,), (theirs,) = source.objects, destination.objects
    free = [one for one in theirs.fields if one.name != "Full_Name"]
    found = Matcher(source, destination).match(ours, ours.fields, theirs, free)
    assert all(not found[one].sure and not found[one].part_of for one in ("first_name", "last_name"))


def test_what_a_person_decided_stands() -> None:
    source, destination = side("people", *PEOPLE), side("Contacts", *CONTACTS)
    load = proposed(source, destination).model_copy(update={"enabled": True})
    before = MappingDocument(source="x", destination="x", loads=(load,))
    assert {(one.name, one.target) for one in confirmed(before, source)} >= {
        ("first_name", "Full_Name"), ("last_name", "Full_Name"), ("Street Line 2", "Street"),
    }  # fmt: skip
    again = matched(source, destination, *confirmed(before, source))
    assert again["first_name"].sources == ("first_name", "last_name")

    without = load.model_copy(update={"fields": tuple(one for one in load.fields if one.target != "Full_Name")})
    lessons = corrected(before, before.model_copy(update={"loads": (without,)}), source)
    found = matched(source, destination, *lessons)
    assert all(not found[one].sure and not found[one].part_of for one in ("first_name", "last_name"))


def test_a_second_line_is_not_a_second_address() -> None:
    places = ("Mailing_Street", "Mailing_City", "Other_Street", "Other_City", "First_Name", "Last_Name")
    found = matched(side("people", *PEOPLE), side("Contacts", *places))
    line = found["Street Line 2"]
    assert line.target == ""
    assert line.alternatives[0].target == "Mailing_Street"
    assert line.probability <= found["Street Line 1"].probability
