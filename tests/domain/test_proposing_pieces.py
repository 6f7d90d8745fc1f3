"""The proposal where one source record becomes several, and for fields that are no data."""

from app.domain.mapping import FieldRule, Origin
from app.domain.proposing import propose, validate
from app.domain.schema import FieldSpec, FieldType
from tests.domain.tenants import load_blueprint, source_inventory, zoho_inventory

OWN = FieldSpec(name="Gate_Code__c", label="Gate Code", type=FieldType.TEXT, custom=True)
SIGNATURE = FieldSpec(name="Consent__c", label="Consent", type=FieldType.FILE, custom=True)
ZOHO = zoho_inventory()


def targets(document, key):
    return {rule.sources[0] for rule in document.load(key).fields if rule.origin is Origin.MATCHED and rule.sources}


def test_one_of_several_pieces_takes_the_fields_that_nobody_knows():
    source = source_inventory(Event=[OWN])
    plain = load_blueprint()
    both = propose(plain, source, ZOHO)
    assert "Gate_Code__c" in targets(both, "events") & targets(both, "visit_tasks")
    loads = tuple(one.model_copy(update={"unknown_fields": one.key != "visit_tasks"}) for one in plain.loads)
    one = propose(plain.model_copy(update={"loads": loads}), source, ZOHO)
    assert "Gate_Code__c" in targets(one, "events")
    assert "Gate_Code__c" not in targets(one, "visit_tasks")
    assert [item for item in validate(one, source, ZOHO) if item.blocking] == []
    assert not [item for item in one.exclusions if item.field == "Gate_Code__c"]


def test_a_signature_field_is_named_as_what_cannot_move():
    document = propose(load_blueprint(), source_inventory(Account=[SIGNATURE]), ZOHO)
    (left,) = [one for one in document.exclusions if one.field == "Consent__c"]
    assert (left.source_object, left.reason) == ("Account", "not_supported")
    assert "Capture it again" in left.note


def test_a_join_stands_beside_the_blueprints_rules_and_never_on_one():
    halves = [FieldSpec(name="first_name", label="First name"), FieldSpec(name="last_name", label="Last name")]
    source = source_inventory(Contact=halves)
    whole = FieldSpec(name="Full_Name__c", label="Full Name", type=FieldType.TEXT, length=120, custom=True)
    objects = tuple(
        one.model_copy(update={"fields": (*one.fields, whole)}) if one.name == "Contacts" else one
        for one in ZOHO.objects
    )
    destination = ZOHO.model_copy(update={"objects": objects})
    plain = load_blueprint()
    document = propose(plain, source, destination)
    reading = [rule for rule in document.load("contacts").fields if {"first_name", "last_name"} & set(rule.sources)]
    assert [(rule.target, rule.sources) for rule in reading] == [("Full_Name__c", ("first_name", "last_name"))]
    assert [item for item in validate(document, source, destination) if item.blocking] == []
    assert not [item for item in document.exclusions if item.field in {"first_name", "last_name"}]

    taken = FieldRule(target="Full_Name__c", sources=("Title",), args={"truncate": True})
    loads = tuple(
        one.model_copy(update={"fields": (*one.fields, taken)}) if one.key == "contacts" else one for one in plain.loads
    )
    again = propose(plain.model_copy(update={"loads": loads}), source, destination).load("contacts")
    assert [rule.sources for rule in again.fields if rule.target == "Full_Name__c"] == [("Title",)]
    kept = [rule.sources for rule in again.fields if {"first_name", "last_name"} & set(rule.sources)]
    assert kept == [("first_name",), ("last_name",)]
