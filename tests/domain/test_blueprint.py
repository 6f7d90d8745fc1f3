"""The blueprint file: complete, consistent, within the vendor's rules, and in our own words."""

import os
import re
from pathlib import Path

import pytest

from app.domain.mapping import LoadMode
from app.domain.planning import PlanFacts, RunKind, plan_run
from app.domain.proposing import propose
from app.domain.schema import FieldType
from tests.domain.tenants import BLUEPRINT_FILE, ROOT, load_blueprint, source_inventory, zoho_inventory

BLUEPRINT = load_blueprint()
ROWS = {
    "Client": ("Account", "1:1"),
    "Contact": ("Contact", "1:1"),
    "Work Order": ("Deal", "1:1"),
    "Work Order Status": ("Deal Stage", "1:1"),
    "Technician": ("Contact + Zoho User", "many:1"),
    "Contract": ("Custom Module (Contracts_C)", "1:1"),
    "Asset": ("Custom Module (Assets_C)", "1:1"),
    "Parts / Inventory Item": ("Product", "1:1"),
    "Work Order Attachment / Signature": ("Zoho Files", "1:1"),
    "Service History / Activity Log": ("Task / Event", "1:1"),
    "Customer Portal User": ("No Equivalent", "1:1"),
}
LOADS = {load.key: load for load in BLUEPRINT.loads}
PHASES = ["accounts", "contacts", "deals", "custom_modules", "products", "activities", "notes", "files", "links"]


def test_rows_are_those_of_the_product_page() -> None:
    assert {row.source_object: (row.destination_object, row.cardinality) for row in BLUEPRINT.rows} == ROWS
    assert (BLUEPRINT.one_to_one, BLUEPRINT.mapped_of_eight, BLUEPRINT.timeline.label) == (10, 1, "2–4 weeks")
    assert len(BLUEPRINT.steps) == 5


def test_gotchas_of_both_sides_and_the_pair() -> None:
    sides = [gotcha.side for gotcha in BLUEPRINT.gotchas]
    assert (sides.count("servicetracker"), sides.count("zoho_crm")) == (3, 5)
    assert sides.count("pair") >= 3


def test_every_row_is_carried_out_by_loads_or_exports_that_exist() -> None:
    exports = {export.key for export in BLUEPRINT.exports}
    for row in BLUEPRINT.rows:
        assert row.loads or row.exports, row.key
        assert set(row.loads) <= LOADS.keys(), row.key
        assert set(row.exports) <= exports, row.key
    named = {key for row in BLUEPRINT.rows for key in row.loads}
    assert named == LOADS.keys()


def test_loads_follow_the_promised_sequence() -> None:
    phases = list(dict.fromkeys(load.phase for load in BLUEPRINT.loads))
    assert phases == PHASES
    ordered = plan_run(RunKind.FULL, propose(BLUEPRINT, source_inventory(), zoho_inventory()), PlanFacts())
    assert [phase for phase in ordered.phases if phase in PHASES] == PHASES
    assert ordered.deferred == ()


def test_lookups_and_value_maps_name_what_exists() -> None:
    for load in BLUEPRINT.loads:
        assert load.base in LOADS or load.mode is not LoadMode.LINK, load.key
        for rule in load.fields:
            assert set(rule.lookup.loads if rule.lookup else ()) <= LOADS.keys(), (load.key, rule.target)
            assert rule.value_map is None or rule.value_map in BLUEPRINT.value_maps, (load.key, rule.target)
    ledger_keys = [(load.source_object, load.target_object, load.part) for load in BLUEPRINT.loads]
    assert len(set(ledger_keys)) == len(ledger_keys)


def test_every_target_is_a_standard_zoho_field_or_planned() -> None:
    zoho = zoho_inventory()
    planned = {(field.object, field.key) for field in BLUEPRINT.plan.fields}
    custom = {one.key for one in BLUEPRINT.plan.objects}
    for load in BLUEPRINT.loads:
        if load.mode is LoadMode.FILE:
            continue
        spec = zoho.object(load.target_object)
        assert spec is not None or load.target_object in custom, load.target_object
        standard = {field.name for field in spec.fields if field.writable} if spec else {"Name", "Owner"}
        for rule in load.fields:
            known = rule.target in standard or (load.target_object, rule.target) in planned
            assert known or rule.target.startswith("$"), (load.key, rule.target)


def test_planned_fields_are_used_and_obey_zohos_rules() -> None:
    used = {(load.target_object, rule.target) for load in BLUEPRINT.loads for rule in load.fields}
    zoho = zoho_inventory()
    labels: set[tuple[str, str]] = set()
    for field in BLUEPRINT.plan.fields:
        where = f"{field.object}.{field.key}"
        assert (field.object, field.key) in used or field.key == BLUEPRINT.external_id, where
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9 ]{0,24}", field.label), where
        assert (field.object, field.label.casefold()) not in labels, where
        labels.add((field.object, field.label.casefold()))
        spec = zoho.object(field.object)
        assert field.label.casefold() not in {one.label.casefold() for one in spec.fields} if spec else True, where
        assert 1 <= (field.length or 1) <= {FieldType.TEXTAREA: 50_000, FieldType.CURRENCY: 16, FieldType.DECIMAL: 18,
                                            FieldType.INTEGER: 9}.get(field.type, 255), where  # fmt: skip
        assert bool(field.picklist) == (field.type in {FieldType.PICKLIST, FieldType.MULTIPICKLIST}), where
        assert bool(field.references) == (field.type is FieldType.LOOKUP), where
    for one in BLUEPRINT.plan.objects:
        assert re.fullmatch(r"[A-Za-z0-9 ]{1,25}", one.singular)
        assert re.fullmatch(r"[A-Za-z0-9 ]{1,25}", one.plural)


def test_each_keyed_object_has_one_unique_external_id() -> None:
    keyed = {load.target_object for load in BLUEPRINT.loads if load.mode is LoadMode.CREATE}
    unique = [field.object for field in BLUEPRINT.plan.fields if field.unique or field.external]
    assert sorted(unique) == sorted(keyed)
    for name in keyed:
        times = {field.key for field in BLUEPRINT.plan.fields if field.object == name}
        assert {"Source_Created_Time__c", "Source_Modified_Time__c"} <= times, name


def test_statuses_lead_to_stages_with_probability() -> None:
    table = BLUEPRINT.value_maps["work_order_status"]
    assert set(table.entries) == {"Open", "In Progress", "On Hold", "Completed", "Invoiced"}
    assert table.unmapped == "hold"
    stage = next(rule for rule in LOADS["deals"].fields if rule.target == "Stage")
    stages = {one["name"]: one for one in stage.args["stages"]}  # type: ignore[index,union-attr]
    assert stages.keys() == set(table.entries.values())
    assert all(0 <= one["probability"] <= 100 for one in stages.values())  # type: ignore[operator]


@pytest.mark.parametrize("export", BLUEPRINT.exports, ids=lambda export: export.key)
def test_exports_hold_no_secret_and_have_a_heading_per_column(export) -> None:
    assert not set(export.fields) & set(export.never)
    assert len(export.headings) == (0 if export.format == "json" else len(export.fields))
    assert export.checklist
    source = source_inventory().object(export.source_object)
    assert source is not None
    assert set(export.fields) <= {field.name for field in source.fields}
    assert not any("password" in name.lower() for name in export.fields)


def test_every_export_of_an_exclusion_exists() -> None:
    exports = {export.key for export in BLUEPRINT.exports}
    assert {one.export for one in BLUEPRINT.exclusions if one.export} <= exports


def test_the_wording_is_our_own() -> None:
    """At most twelve consecutive words may agree with the page that was the starting point."""
    shared = Path(os.environ.get("TRANSHIP_SHARED", ROOT.parent / "shared"))
    seeds = sorted((shared / "seeds").glob("001_*.txt")) if shared.is_dir() else []
    if not seeds:
        pytest.skip("the source pages are not at hand")

    def runs(text: str, length: int) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}

    ours = BLUEPRINT_FILE.read_text(encoding="utf-8")
    theirs = "\n".join(seed.read_text(encoding="utf-8") for seed in seeds)
    assert not runs(ours, 13) & runs(theirs, 13)
