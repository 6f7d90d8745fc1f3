"""The proposal: blueprint rules where the tenant has the fields, a home for everything else, and its validation."""

import pytest

from app.domain.mapping import FieldRule, LoadMode, Origin, ValueMap
from app.domain.proposing import propose, validate
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec, PicklistValue, StageSpec
from tests.domain.tenants import build_document, build_load, load_blueprint, source_inventory, zoho_inventory

BLUEPRINT, SOURCE, ZOHO = load_blueprint(), source_inventory(), zoho_inventory()
PLAIN = propose(BLUEPRINT, SOURCE, ZOHO)


def codes(document, source=SOURCE, destination=ZOHO, *, blocking=True):
    return [one.code for one in validate(document, source, destination) if one.blocking is blocking]


def edited(key, *, rules=None, **update):
    """The plain proposal with one load changed; `rules` replaces rules by target."""
    before = PLAIN.load(key)
    fields = tuple((rules or {}).get(rule.target, rule) for rule in before.fields)
    after = before.model_copy(update={"fields": tuple(one for one in fields if one is not None), **update})
    return PLAIN.model_copy(update={"loads": tuple(after if one is before else one for one in PLAIN.loads)})


def without_fields(inventory, object_name, *names):
    objects = [
        one.model_copy(update={"fields": tuple(f for f in one.fields if f.name not in names)})
        if one.name == object_name
        else one
        for one in inventory.objects
    ]
    return inventory.model_copy(update={"objects": tuple(objects)})


def rule_of(document, key, target):
    return next(rule for rule in document.load(key).fields if rule.target == target)


def test_the_plain_proposal_is_valid_and_covers_every_source_field():
    assert codes(PLAIN) == []
    for spec in SOURCE.objects:
        loads = [load for load in PLAIN.loads if load.source_object == spec.name]
        used = {path.partition(".")[0] for load in loads for rule in load.fields for path in rule.sources}
        used |= {one for load in loads for one in (load.file_field, load.file_name)}
        listed = {one.field for one in PLAIN.exclusions if one.source_object == spec.name}
        if "" not in listed:
            assert {field.name for field in spec.fields} <= used | listed, spec.name
        else:
            assert not loads, spec.name


def test_equal_inputs_give_an_equal_document():
    again = propose(load_blueprint(), source_inventory(), zoho_inventory())
    assert again.model_dump_json() == PLAIN.model_dump_json()


def test_missing_source_fields_are_dropped_and_named():
    source = without_fields(SOURCE, "WorkOrder", "Labor_Hours__c", "AssetId")
    document = propose(BLUEPRINT, source, ZOHO)
    assert all(rule.target != "Labor_Hours__c" for rule in document.load("deals").fields)
    gone = {(one.source_object, one.field) for one in document.exclusions if one.reason == "not_in_source"}
    assert gone == {("WorkOrder", "Labor_Hours__c"), ("WorkOrder", "AssetId")}
    assert codes(document, source) == []


def test_a_required_rule_without_its_field_writes_the_default():
    source = without_fields(SOURCE, "Contact", "LastName")
    rule = rule_of(propose(BLUEPRINT, source, ZOHO), "contacts", "Last_Name")
    assert (rule.transform, rule.args, rule.sources) == ("const", {"value": "Unknown"}, ())


def test_an_object_the_tenant_lacks_switches_its_loads_off():
    source = SOURCE.model_copy(update={"objects": tuple(one for one in SOURCE.objects if one.name != "Asset")})
    document = propose(BLUEPRINT, source, ZOHO)
    assert not document.load("assets").enabled
    assert not document.load("asset_links").enabled
    assert codes(document, source) == []


def test_a_condition_nobody_can_meet_switches_the_load_off():
    source = without_fields(SOURCE, "Event", "Is_Recurring__c")
    document = propose(BLUEPRINT, source, ZOHO)
    assert not document.load("visit_tasks").enabled
    assert document.load("events").enabled
    assert document.load("events").when == ()


def test_a_matching_custom_field_goes_to_the_destinations_field():
    source = source_inventory(Account=[FieldSpec(name="Annual_Revenue__c", label="Annual Revenue", custom=True,
                                                 type=FieldType.CURRENCY)])  # fmt: skip
    rule = rule_of(propose(BLUEPRINT, source, ZOHO), "accounts", "Annual_Revenue")
    assert rule.origin is Origin.MATCHED
    assert rule.sources == ("Annual_Revenue__c",)
    assert 0.9 <= rule.probability < 1
    assert {"meaning", "runner_up"} <= {reason.code for reason in rule.reasons}
    assert len(rule.reasons) >= 4


@pytest.mark.parametrize(
    ("spec", "kind", "source_path"),
    [
        (FieldSpec(name="Boiler_Age__c", type=FieldType.INTEGER, length=4), FieldType.INTEGER, "Boiler_Age__c"),
        (FieldSpec(name="Story__c", type=FieldType.TEXTAREA, length=9000), FieldType.TEXTAREA, "Story__c"),
        (FieldSpec(name="Long__c", type=FieldType.TEXT, length=400), FieldType.TEXTAREA, "Long__c"),
        (FieldSpec(name="Margin__c", type=FieldType.PERCENT, scale=3), FieldType.DECIMAL, "Margin__c"),
        (FieldSpec(name="Approver__c", type=FieldType.USER, references=("User",)), FieldType.TEXT, "Approver__c.Name"),
        (FieldSpec(name="Rule__c", type=FieldType.LOOKUP, references=("Renewal_Rule__c",)), FieldType.TEXT,
         "Rule__c.Name"),
        (FieldSpec(name="Keeper__c", type=FieldType.LOOKUP, references=("Contract_X",)), FieldType.TEXT, "Keeper__c"),
        (FieldSpec(name="Payer__c", type=FieldType.LOOKUP, references=("Account",)), FieldType.LOOKUP, "Payer__c"),
        (FieldSpec(name="Colour__c", type=FieldType.PICKLIST, picklist=(PicklistValue(value="Red"),)),
         FieldType.PICKLIST, "Colour__c"),
        (FieldSpec(name="Ünïcode §__c", label="プロジェクト", type=FieldType.TEXT), FieldType.TEXT, "Ünïcode §__c"),
    ],
    ids=lambda value: value.name if isinstance(value, FieldSpec) else "",
)  # fmt: skip
def test_an_unknown_field_keeps_a_field_of_its_own(spec, kind, source_path):
    source = source_inventory(WorkOrder=[spec])
    document = propose(BLUEPRINT, source, ZOHO)
    rule = next(rule for rule in document.load("deals").fields if source_path in rule.sources)
    planned = next(one for one in document.plan.fields if (one.object, one.key) == ("Deals", rule.target))
    assert planned.type is kind
    assert planned.label.replace(" ", "").isalnum()
    assert planned.label.isascii()
    assert len(planned.label) <= 25
    assert rule.reasons
    assert codes(document, source) == []


def test_a_label_that_is_taken_gets_a_number():
    source = source_inventory(WorkOrder=[FieldSpec(name="Stage__c", label="Stage", custom=True),
                                         FieldSpec(name="X1__c", label="Labor-Hours"),
                                         FieldSpec(name="X2__c", label="Labor Hours")])  # fmt: skip
    document = propose(BLUEPRINT, source, ZOHO)
    labels = [one.label for one in document.plan.fields if one.object == "Deals"]
    assert len({label.casefold() for label in labels}) == len(labels)
    assert "Labor Hours 2" in labels
    assert "Stage" not in labels


def test_source_options_reach_the_plan():
    colours = tuple(PicklistValue(value=value) for value in ("Platinum", "Gold"))
    source = without_fields(SOURCE, "Account", "Service_Tier__c")
    extra = FieldSpec(name="Service_Tier__c", type=FieldType.PICKLIST, picklist=colours)
    objects = tuple(
        one.model_copy(update={"fields": (*one.fields, extra)}) if one.name == "Account" else one
        for one in source.objects
    )
    document = propose(BLUEPRINT, source.model_copy(update={"objects": objects}), ZOHO)
    planned = next(one for one in document.plan.fields if one.key == "Service_Tier__c")
    assert planned.picklist == ("Bronze", "Silver", "Gold", "Platinum")
    assert "Manufacturing" not in document.plan.picklist_values["Accounts.Industry"]
    assert "Healthcare" in document.plan.picklist_values["Accounts.Industry"]


def test_required_destination_fields_get_a_default():
    wanted = FieldSpec(name="Region", type=FieldType.PICKLIST, required=True, picklist=(PicklistValue(value="North"),))
    objects = tuple(
        one.model_copy(update={"fields": (*one.fields, wanted)}) if one.name == "Accounts" else one
        for one in ZOHO.objects
    )
    destination = ZOHO.model_copy(update={"objects": objects})
    rule = rule_of(propose(BLUEPRINT, SOURCE, destination), "accounts", "Region")
    assert rule.args == {"value": "North"}
    assert codes(PLAIN, destination=destination) == ["required_without_rule"]


def test_the_tenants_pipeline_is_used():
    destination = zoho_inventory(stages=(StageSpec(name="Open", pipeline="Service"),))
    document = propose(BLUEPRINT, SOURCE, destination)
    assert rule_of(document, "deals", "Pipeline").args["value"] == "Service"
    assert document.constants["pipeline"] == "Service"
    assert [one["name"] for one in document.constants["stages"]] == [
        "Open", "On Hold", "In Progress", "Completed", "Invoiced",
    ]  # fmt: skip


def test_objects_nobody_knows_are_listed():
    odd = ObjectSpec(name="Fleet__c", fields=(FieldSpec(name="Id", type=FieldType.ID),))
    source = SOURCE.model_copy(update={"objects": (*SOURCE.objects, odd)})
    assert ("Fleet__c", "no_counterpart") in {
        (one.source_object, one.reason) for one in propose(BLUEPRINT, source, ZOHO).exclusions
    }


def test_an_unknown_object_with_a_likely_place_gets_a_load_switched_off():
    names = ("Lead_Id", "First Name", "Last Name", "Company", "E-Mail", "Shoe Size")
    odd = ObjectSpec(name="Prospects", label="Prospects", fields=tuple(FieldSpec(name=name) for name in names))
    source = SOURCE.model_copy(update={"objects": (*SOURCE.objects, odd)})
    document = propose(BLUEPRINT, source, ZOHO)
    load = document.load("proposed_prospects")
    assert (load.enabled, load.target_object) == (False, "Leads")
    assert {rule.sources[0]: rule.target for rule in load.fields if rule.sources} == {
        "First Name": "First_Name", "Last Name": "Last_Name", "Company": "Company", "E-Mail": "Email",
    }  # fmt: skip
    left = {one.field: one.note for one in document.exclusions if one.source_object == "Prospects"}
    assert "proposed_prospects" in left[""]
    assert "Shoe Size" in left
    assert codes(document, source) == []
    on = tuple(one.model_copy(update={"enabled": True}) if one is load else one for one in document.loads)
    assert codes(document.model_copy(update={"loads": on}), source) == []


FAULTS = {
    "unknown_field": {"rules": {"Phone": FieldRule(target="Phone", sources=("Nowhere",))}},
    "unknown_target": {"rules": {"Phone": FieldRule(target="Nowhere", sources=("Phone",))}},
    "unknown_transform": {"rules": {"Phone": FieldRule(target="Phone", sources=("Phone",), transform="magic")}},
    "bad_args": {"rules": {"Phone": FieldRule(target="Phone", sources=("Phone",), args={"depth": 3})}},
    "type_mismatch": {"rules": {"On_Stop__c": FieldRule(target="On_Stop__c", sources=("Name",), transform="copy")}},
    "unknown_value_map": {"rules": {"Industry": FieldRule(target="Industry", sources=("Industry",), value_map="none")}},
    "not_writable": {"rules": {"Phone": FieldRule(target="Created_Time", sources=("CreatedDate",))}},
    "unknown_source_object": {"source_object": "Nothing"},
    "unknown_target_object": {"target_object": "Nothing"},
    "duplicate_target": {"rules": {"Fax": FieldRule(target="Phone", sources=("Fax",), transform="phone")}},
    "required_without_rule": {"rules": {"Account_Name": None}},
    "unknown_load": {
        "rules": {"Phone": FieldRule(target="Parent_Account", sources=("ParentId",), lookup={"loads": ("none",)})}
    },
    "lookup_target_mismatch": {
        "rules": {"Phone": FieldRule(target="Parent_Account", sources=("ParentId",), lookup={"loads": ("contacts",)})}
    },
}


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_named_where_it_is(code):
    found = [one for one in validate(edited("accounts", **FAULTS[code]), SOURCE, ZOHO) if one.code == code]
    assert found, code
    assert all(one.blocking and one.message for one in found)
    assert found[0].pointer.startswith("/loads/0/")


def test_a_deleted_stage_is_a_fault():
    plan = PLAIN.plan.model_copy(update={"picklist_values": {}})
    document = PLAIN.model_copy(update={"plan": plan})
    missing = [one.message for one in validate(document, SOURCE, ZOHO) if one.code == "missing_stage"]
    assert len(missing) == 5
    assert "'Invoiced'" in missing[-1]


def test_bad_value_maps_are_faults():
    tables = {
        **PLAIN.value_maps,
        "account_type": ValueMap(entries={"Customer": "Customer", " customer": "Partner"}, unmapped="keep"),
        "task_priority": ValueMap(entries={"Low": "Urgent"}, unmapped="default"),
    }
    document = PLAIN.model_copy(update={"value_maps": tables})
    assert sorted(set(codes(document))) == ["bad_value_map", "missing_picklist_value"]


def test_options_that_a_value_map_stops_at_are_told_without_blocking():
    tables = {**PLAIN.value_maps, "work_order_status": ValueMap(entries={"Open": "Open"})}
    document = PLAIN.model_copy(update={"value_maps": tables})
    told = [one for one in validate(document, SOURCE, ZOHO) if one.code == "unmapped_value"]
    assert len(told) == 4
    assert not any(one.blocking for one in told)


def test_a_cycle_of_required_lookups_names_the_edge():
    one = build_load("one", "two", required=True)
    two = build_load("two", "one", required=True)
    empty = Inventory(platform="x", taken_at=SOURCE.taken_at)
    found = [problem for problem in validate(build_document(one, two), empty, empty) if problem.code == "lookup_cycle"]
    assert len(found) == 1
    assert "two.To_one requires one" in found[0].message


def test_two_loads_of_one_ledger_key_are_a_fault():
    double = PLAIN.load("accounts").model_copy(update={"key": "accounts_again"})
    assert "duplicate_part" in codes(PLAIN.model_copy(update={"loads": (*PLAIN.loads, double)}))
    assert "duplicate_load" in codes(PLAIN.model_copy(update={"loads": (*PLAIN.loads, PLAIN.loads[0])}))


def test_disabled_loads_are_not_checked():
    assert codes(edited("accounts", source_object="Nothing", enabled=False)) == []


def test_notes_and_files_keep_their_mode():
    assert PLAIN.load("notes").mode is LoadMode.NOTE
    assert PLAIN.load("files").mode is LoadMode.FILE
