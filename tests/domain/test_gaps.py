"""The gap report: what is missing, which plan limits bite, and that it agrees with validation and provisioning."""

import re

from app.domain.editions import EditionFacts, edition_facts, field_usage
from app.domain.gaps import gap_report
from app.domain.proposing import propose, validate
from app.domain.provisioning import derived_name, find_field, find_object, provisioning_plan
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec, PicklistValue, StageSpec, UserSpec
from connectors.freshsales.editions import EDITIONS as FRESHSALES_EDITIONS
from connectors.registry import load_blueprint as registry_blueprint
from connectors.zoho_crm.editions import EDITIONS
from tests.domain.tenants import load_blueprint, source_inventory, zoho_inventory

SOURCE, ZOHO = source_inventory(), zoho_inventory()
DOCUMENT = propose(load_blueprint(), SOURCE, ZOHO)
LADDER = [edition_facts(one.name, one.api_access, one.facts) for one in EDITIONS.values()]
ENTERPRISE = next(one for one in LADDER if one.name == "Enterprise")
PROFESSIONAL = next(one for one in LADDER if one.name == "Professional")
STANDARD = next(one for one in LADDER if one.name == "Standard")


def report(edition=ENTERPRISE, destination=ZOHO, document=DOCUMENT, **more):
    return gap_report(document, destination, edition, ladder=LADDER, **more)


def codes(found):
    return {finding.code for finding in found.findings}


def after_provisioning(destination: Inventory) -> Inventory:
    """The org as it looks when every change of the plan has been made, with the names that Zoho derives."""
    fields: dict[str, list[FieldSpec]] = {one.name: list(one.fields) for one in destination.objects}
    names: dict[str, str] = {}
    stages = list(destination.stages)
    for change in provisioning_plan(DOCUMENT, destination):
        if change.kind == "object":
            names[change.object] = derived_name(change.label)
            fields[names[change.object]] = [FieldSpec(name="Name", required=True), FieldSpec(name="Owner", type="user")]
        elif change.kind == "field":
            options = tuple(PicklistValue(value=one) for one in change.attributes.get("picklist", ()))
            fields[names.get(change.object, change.object)].append(
                FieldSpec(
                    name=derived_name(change.label), label=change.label, custom=True, picklist=options,
                    type=change.attributes["type"], length=change.attributes.get("length"),
                    unique=bool(change.attributes.get("unique")),
                )
            )  # fmt: skip
        elif change.kind == "picklist_values":
            mine = fields[names.get(change.object, change.object)]
            at = next(number for number, one in enumerate(mine) if one.name == change.name)
            added = tuple(PicklistValue(value=one) for one in change.attributes["picklist"])
            mine[at] = mine[at].model_copy(update={"picklist": (*mine[at].picklist, *added)})
        elif change.kind == "stages":
            stages += [
                StageSpec(name=one["name"], pipeline="Standard (Standard)") for one in change.attributes["stages"]
            ]
    labels = {one.name: one.label for one in destination.objects}
    return destination.model_copy(update={
        "objects": tuple(
            ObjectSpec(name=name, label=labels.get(name, name.replace("_", " ")), custom=name not in labels,
                       fields=tuple(mine))
            for name, mine in fields.items()
        ),
        "stages": tuple(stages),
    })  # fmt: skip


def test_enterprise_has_room_for_everything():
    found = report()
    assert not found.blocked
    assert codes(found) == {"object_missing", "fields_missing", "picklist_values_missing", "stages_missing"}
    kinds = [change.kind.value for change in found.changes]
    assert kinds == sorted(kinds, key=["object", "field", "picklist_values", "stages", "layout"].index)
    assert kinds.count("object") == 3
    stages = next(change for change in found.changes if change.kind == "stages")
    assert stages.attributes["stages"][-1] == {"name": "Invoiced", "probability": 100, "forecast": "Closed Won"}


def test_fields_of_an_object_stand_together():
    objects = [change.object for change in report().changes if change.kind == "field"]
    assert objects == [name for name in dict.fromkeys(objects) for _ in range(objects.count(name))]


def test_nothing_is_left_to_do_after_provisioning():
    ready = after_provisioning(ZOHO)
    found = report(destination=ready)
    assert found.changes == ()
    assert found.findings == ()
    assert [one for one in validate(DOCUMENT, SOURCE, ready) if one.blocking] == []


def test_logical_keys_find_derived_names():
    ready = after_provisioning(ZOHO)
    spec = find_object(DOCUMENT, ready, "Contracts_C")
    assert spec is not None
    assert spec.name == "Contracts"
    assert find_field(DOCUMENT, spec, "Contracts_C", "Monthly_Value__c").name == "Monthly_Value"
    assert find_object(DOCUMENT, ZOHO, "Contracts_C") is None


def test_a_lower_edition_is_blocked_and_the_upgrade_named():
    found = report(PROFESSIONAL)
    assert found.blocked
    blocker = next(one for one in found.findings if one.code == "custom_objects_cap")
    assert "Enterprise" in blocker.remedy
    assert set(blocker.items) == {"Contracts_C", "Assets_C", "Work_Order_Parts"}


def test_without_loads_into_custom_modules_professional_is_enough():
    loads = tuple(
        one.model_copy(update={"enabled": False})
        if one.target_object.endswith("_C") or one.key in {"parts_used", "deal_links"}
        else one
        for one in DOCUMENT.loads
    )
    document = DOCUMENT.model_copy(update={"loads": loads})
    assert not report(PROFESSIONAL, document=document).blocked
    assert "load_switched_off" in {one.reason for one in report(document=document).not_moving}


def test_too_many_fields_propose_a_consolidation_of_the_emptiest():
    fill = {"WorkOrder": {"Subject": 90, "Access_Code__c": 1, "Street": 50, "City": 50, "State": 50, "Country": 50}}
    found = report(STANDARD, source=SOURCE.model_copy(update={"fill": fill}))
    over = {one.object: one for one in found.findings if one.code == "custom_fields_cap"}
    usage = {one.object: one for one in found.usage}
    assert usage["Accounts"].over == 1
    assert len(over["Accounts"].items) == 2
    assert "Source_System_ID__c" not in over["Accounts"].items
    assert "fold" in over["Accounts"].remedy
    narrow = EditionFacts(name="Narrow", custom_fields=26)
    deals = next(one for one in report(narrow, source=SOURCE.model_copy(update={"fill": fill})).findings
                 if one.code == "custom_fields_cap" and one.object == "Deals")  # fmt: skip
    assert len(deals.items) == 2
    assert "Work_Order_Subject__c" not in deals.items


def test_no_api_access_stops_everything():
    assert report(EditionFacts(name="Tiny", api_access=False)).blocked


def test_unique_slots_are_counted_with_what_the_org_has():
    taken = tuple(FieldSpec(name=f"Key{number}", label=f"Key{number}", custom=True, unique=True) for number in (1, 2))
    objects = tuple(
        one.model_copy(update={"fields": (*one.fields, *taken)}) if one.name == "Accounts" else one
        for one in ZOHO.objects
    )
    full = ZOHO.model_copy(update={"objects": objects})
    assert "unique_slots" in codes(report(destination=full))
    assert not report(destination=full).blocked


def test_what_the_org_says_of_its_slots_wins():
    told = ZOHO.model_copy(update={"facts": {"slots": {"Accounts": {"unique": 0, "custom": 3}}}})
    usage = {one.object: one for one in field_usage(DOCUMENT, told, ENTERPRISE)}
    assert usage["Accounts"].unique_short
    assert usage["Accounts"].over == 8
    assert not usage["Contacts"].over


def test_a_field_of_another_type_under_a_planned_label_blocks():
    clash = FieldSpec(name="Labor_Hours", label="Labor Hours", custom=True, type=FieldType.TEXT)
    objects = tuple(
        one.model_copy(update={"fields": (*one.fields, clash)}) if one.name == "Deals" else one for one in ZOHO.objects
    )
    found = report(destination=ZOHO.model_copy(update={"objects": objects}))
    assert next(one for one in found.findings if one.code == "field_type_differs").items == ("Labor_Hours__c",)
    assert found.blocked


def test_a_module_out_of_sight_blocks():
    hidden = ZOHO.model_copy(update={"objects": tuple(one for one in ZOHO.objects if one.name != "Products")})
    finding = next(one for one in report(destination=hidden).findings if one.code == "object_unknown")
    assert finding.object == "Products"


def test_what_stays_behind_has_its_count_and_file():
    counted = SOURCE.model_copy(update={"counts": {"Invoice__c": 41}})
    found = {one.source_object: one for one in report(source=counted).not_moving if not one.field}
    assert (found["Invoice__c"].records, found["Invoice__c"].export) == (41, "invoices")
    assert found["Site__c"].reason == "absorbed_into"


FRESH = [edition_facts(one.name, one.api_access, one.facts) for one in FRESHSALES_EDITIONS.values()]


def fresh_report(edition: EditionFacts, *, users: int = 1, **more):
    """The ServiceTracker → Freshsales proposal against an account without any custom field."""
    names = ("sales_accounts", "contacts", "deals", "products")
    specs = tuple(ObjectSpec(name=name, fields=(FieldSpec(name="name"),)) for name in names)
    people = tuple(UserSpec(id=str(number), name="x", active=True) for number in range(users))
    account = Inventory(platform="freshsales", taken_at=ZOHO.taken_at, objects=specs, users=people)
    document = propose(registry_blueprint("servicetracker", "freshsales"), SOURCE, account)
    return gap_report(document, account, edition, ladder=FRESH, **more)


def test_kinds_of_fields_that_a_plan_lacks_are_named_with_the_plan_that_has_them():
    growth, enterprise = FRESH[0], FRESH[-1]
    found = [one for one in fresh_report(growth).findings if one.code == "custom_fields_by_type"]
    lookups = next(one for one in found if one.object == "deals" and "kind lookup" in one.text)
    assert lookups.severity == "blocker"
    assert lookups.remedy.startswith("Upgrade to Enterprise")
    assert set(lookups.items) == {"cf_technician", "cf_contract", "cf_asset", "cf_parent_deal"}
    assert "custom_fields_by_type" not in codes(fresh_report(enterprise))


def test_files_are_weighed_against_the_space_of_plan_and_users():
    gigabyte = 1 << 30
    growth = FRESH[0]
    fits = next(
        one for one in fresh_report(growth, users=2, file_bytes=4 * gigabyte).findings if one.code == "file_storage"
    )
    assert (fits.severity, fits.remedy) == ("info", "")
    tight = next(
        one for one in fresh_report(growth, users=2, file_bytes=9 * gigabyte).findings if one.code == "file_storage"
    )
    assert tight.severity == "blocker"
    assert tight.remedy.startswith("Upgrade to Pro,")
    beyond = next(one for one in fresh_report(growth, file_bytes=999 * gigabyte).findings if one.code == "file_storage")
    assert beyond.remedy.startswith("Add users,")
    assert "file_storage" not in codes(fresh_report(growth))


def test_what_the_vendor_cannot_keep_from_happening_is_said():
    assert {"workflows_off", "rollback_leftovers"} <= codes(fresh_report(FRESH[-1], quiet=False, restores=False))
    assert not {"workflows_off", "rollback_leftovers"} & codes(fresh_report(FRESH[-1]))


def test_findings_are_sentences_that_can_count():
    """Every edition's findings: whole sentences, and one of a thing is one thing."""
    for edition in (*LADDER, *FRESH, EditionFacts(name="Tiny", custom_objects=1, custom_fields=1)):
        for found in report(edition).findings:
            assert found.text.endswith("."), found.text
            assert not found.remedy or found.remedy.endswith("."), found.remedy
            assert not re.search(r"\b1 (?:[a-z]+ )?[a-z]+s (?:are|out|left|of)\b", f"{found.text} {found.remedy}"), (
                found
            )
