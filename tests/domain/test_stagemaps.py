"""The tenant's own stages join the blueprint's: in the table, in the list to be made, each name once."""

from datetime import UTC, datetime

import pytest

from app.domain.blueprint import Blueprint
from app.domain.mapping import Unmapped, ValueMap
from app.domain.proposing import propose, validate
from app.domain.provisioning import missing_stages, provisioning_plan, wanted_pipelines, wanted_stages
from app.domain.quality import QualityScan
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec, PicklistValue, StageSpec
from app.domain.stagemaps import tenant_stages, with_tenant_stages

AT = datetime(2026, 1, 1, tzinfo=UTC)
OWN = (
    StageSpec(name="Survey", pipeline="One", probability=5, forecast="Open"),
    StageSpec(name="Won", pipeline="One", probability=100, forecast="Closed Won"),
    StageSpec(name="won", pipeline="Two", probability=90),
    StageSpec(name="Later", pipeline="Two"),
)
SOURCE = Inventory(
    platform="rsoft",
    taken_at=AT,
    objects=(
        ObjectSpec(
            name="deals",
            fields=(
                FieldSpec(name="id", type=FieldType.ID, primary_key=True),
                FieldSpec(name="stage", type=FieldType.PICKLIST),
                FieldSpec(name="phone", type=FieldType.PHONE),
            ),
        ),
    ),
    stages=OWN,
)
DESTINATION = Inventory(
    platform="zoho_crm",
    taken_at=AT,
    objects=(
        ObjectSpec(
            name="Deals",
            fields=(
                FieldSpec(name="Stage", type=FieldType.PICKLIST, required=True),
                FieldSpec(
                    name="Pipeline", type=FieldType.PICKLIST, picklist=(PicklistValue(value="Main"),), restricted=True
                ),
                FieldSpec(name="Phone", length=30),
            ),
        ),
    ),
    stages=(StageSpec(name="New", pipeline="Main", probability=10), StageSpec(name="Won", pipeline="Main")),
)


def pair(region: str = "IN") -> Blueprint:
    return Blueprint.model_validate(
        {
            "version": "1",
            "source": "rsoft",
            "destination": "zoho_crm",
            "overview": "x",
            "one_to_one": 0,
            "mapped_of_eight": 0,
            "timeline": {"label": "x", "min_hours": 1, "max_hours": 1},
            "rows": [],
            "loads": [
                {
                    "key": "deals",
                    "source_object": "deals",
                    "target_object": "Deals",
                    "fields": [
                        {
                            "target": "Stage",
                            "sources": ["stage"],
                            "transform": "picklist",
                            "value_map": "stages",
                            "args": {"stages": [{"name": "New", "probability": 20}]},
                        },
                        {"target": "Pipeline", "transform": "const", "args": {"value": "Main"}},
                        {"target": "Phone", "sources": ["phone"], "transform": "phone", "args": {"region": region}},
                    ],
                }
            ],
            "value_maps": {"stages": {"entries": {"Fresh": "New", "WON": "Won"}, "unmapped": "hold"}, "other": {}},
        }
    )


def test_stages_of_a_tenant_each_name_once_with_what_is_known() -> None:
    assert tenant_stages(SOURCE) == [
        {"name": "Survey", "probability": 5, "forecast": "Open"},
        {"name": "Won", "probability": 100, "forecast": "Closed Won"},
        {"name": "Later"},
    ]
    assert tenant_stages(DESTINATION.model_copy(update={"stages": ()})) == []


def test_a_table_keeps_its_own_entries() -> None:
    table = ValueMap(entries={"won": "Closed", "x": "y"}, unmapped=Unmapped.HOLD)
    assert with_tenant_stages(table, SOURCE).entries == {
        "won": "Closed",
        "x": "y",
        "Survey": "Survey",
        "Later": "Later",
    }
    assert with_tenant_stages(table, DESTINATION.model_copy(update={"stages": ()})) is table


def test_the_proposal_makes_the_tenants_stages() -> None:
    document = propose(pair(), SOURCE, DESTINATION)
    assert document.value_maps["stages"].entries == {"Fresh": "New", "WON": "Won", "Survey": "Survey", "Later": "Later"}
    assert document.value_maps["other"].entries == {}
    assert [stage["name"] for stage in wanted_stages(document)] == ["New", "Survey", "Won", "Later"]
    assert [stage["name"] for stage in missing_stages(document, DESTINATION)] == ["Survey", "Later"]
    assert document.plan.picklist_values["Deals.Stage"] == ("Survey", "Won", "Later")


def apart() -> Blueprint:
    """A blueprint whose pipeline is the record's own."""
    given = pair().model_dump(mode="json")
    rule = {"target": "Pipeline", "sources": ["line"], "transform": "picklist", "value_map": "lines", "default": "Main"}
    fields = given["loads"][0]["fields"]
    given["loads"][0]["fields"] = [rule if one["target"] == "Pipeline" else one for one in fields]
    given["loads"][0]["fields"][0]["default"] = "New"
    given["value_maps"]["lines"] = {"entries": {}, "unmapped": "default", "default": "Main"}
    return Blueprint.model_validate(given)


def with_lines() -> Inventory:
    (deals,) = SOURCE.objects
    deals = deals.model_copy(update={"fields": (*deals.fields, FieldSpec(name="line", type=FieldType.TEXT))})
    return SOURCE.model_copy(update={"objects": (deals,)})


def test_several_pipelines_stay_apart_each_with_its_own_stages() -> None:
    document = propose(apart(), with_lines(), DESTINATION)
    (rule,) = [one for one in document.load("deals").fields if one.target == "Pipeline"]
    assert (rule.sources, rule.default) == (("line",), "One")
    table = document.value_maps["lines"]
    assert (table.entries, table.unmapped) == ({"One": "One", "Two": "Two"}, Unmapped.HOLD)
    wanted = {name: [one["name"] for one in stages] for name, stages in wanted_pipelines(document).items()}
    # "won" of the second one is the stage Won by the blueprint's table; a deal without a stage is new in either
    assert wanted == {"One": ["New", "Survey", "Won"], "Two": ["New", "Won", "Later"]}
    changes = [one for one in provisioning_plan(document, DESTINATION) if one.kind == "stages"]
    assert [(one.name, one.attributes["pipeline"], one.attributes["new"]) for one in changes] == [
        ("Stage:One", "One", True), ("Stage:Two", "Two", True),
    ]  # fmt: skip
    assert [one.code for one in validate(document, with_lines(), DESTINATION) if one.blocking] == []


def test_a_pipeline_that_is_there_gets_what_it_lacks() -> None:
    there = DESTINATION.model_copy(
        update={"stages": (*DESTINATION.stages, *(StageSpec(name=n, pipeline="One") for n in ("New", "Survey")))}
    )
    document = propose(apart(), with_lines(), there)
    one, two = (one for one in provisioning_plan(document, there) if one.kind == "stages")
    assert ([stage["name"] for stage in one.attributes["stages"]], "new" in one.attributes) == (["Won"], False)  # type: ignore[index,union-attr,call-overload]
    assert two.attributes["new"] is True


@pytest.mark.parametrize(
    "destination",
    [
        DESTINATION.model_copy(update={"facts": {"multiple_pipelines": False}}),
        DESTINATION.model_copy(update={"stages": (StageSpec(name="New"), StageSpec(name="Won"))}),
    ],
)
def test_where_there_can_be_one_pipeline_all_share_it(destination: Inventory) -> None:
    document = propose(apart(), with_lines(), destination)
    (rule,) = [one for one in document.load("deals").fields if one.target == "Pipeline"]
    assert (rule.transform, rule.args, rule.sources) == ("const", {"value": "Main"}, ())
    assert "pipelines" not in document.constants


def test_without_stages_of_its_own_the_blueprint_stands() -> None:
    document = propose(pair(), SOURCE.model_copy(update={"stages": ()}), DESTINATION)
    assert document.value_maps == pair().value_maps
    assert document.constants["stages"] == [{"name": "New", "probability": 20}]


def test_phones_are_judged_by_the_country_that_the_mapping_assumes() -> None:
    found = {}
    for region in ("IN", "US"):
        document = propose(pair(region), SOURCE, DESTINATION)
        scan = QualityScan(document, SOURCE, DESTINATION, key=b"k", region="US")
        scan.add("deals", {"id": "1", "phone": "044-24567890"})
        found[region] = [one.code for one in scan.finish().findings]
    assert found == {"IN": [], "US": ["bad_phone"]}
