"""Pipelines and stages of the source: each stage gets one of its name unless the blueprint says otherwise, and of
several pipelines each gets one of its own where the destination can have several.
"""

from pydantic import JsonValue

from app.domain.choices import folded
from app.domain.mapping import FieldRule, Unmapped, ValueMap
from app.domain.schema import Inventory, StageSpec


def tenant_stages(source: Inventory) -> list[JsonValue]:
    """The tenant's stages in the order of its pipelines, each name once, as a blueprint declares them."""
    found: dict[str, JsonValue] = {}
    for stage in source.stages:
        found.setdefault(folded(stage.name), _declared(stage))
    return list(found.values())


def _declared(stage: StageSpec) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {"name": stage.name}
    if stage.probability is not None:
        told["probability"] = stage.probability
    if stage.forecast:
        told["forecast"] = stage.forecast
    return told


def tenant_pipelines(source: Inventory, destination: Inventory) -> dict[str, JsonValue]:
    """The tenant's pipelines with their stages, where there are several and the destination can keep them apart: its
    pipelines are switched on, and nothing says that its plan allows one only.
    """
    found: dict[str, list[JsonValue]] = {}
    for stage in source.stages:
        if stage.pipeline:
            found.setdefault(stage.pipeline, []).append(_declared(stage))
    has_pipelines = any(stage.pipeline for stage in destination.stages)
    several = has_pipelines and destination.facts.get("multiple_pipelines") is not False
    return dict(found) if several and len(found) > 1 else {}


def pipelines_apart(rule: FieldRule, pipelines: dict[str, JsonValue]) -> tuple[FieldRule, ValueMap]:
    """The rule of the pipeline field and its table: a pipeline of each name; a record that names none goes to the
    first, one that names another waits for a person."""
    names = list(pipelines)
    return rule.model_copy(update={"default": names[0]}), ValueMap(
        entries={name: name for name in names}, unmapped=Unmapped.HOLD
    )


def pipeline_shared(rule: FieldRule, name: JsonValue) -> FieldRule:
    """The rule of the pipeline field where all records share one."""
    update = {"sources": (), "transform": "const", "args": {"value": name}, "value_map": None, "default": None}
    return rule.model_copy(update=update)


def with_tenant_stages(table: ValueMap, source: Inventory) -> ValueMap:
    """The table of stages, with an entry for every stage of the tenant that it does not know."""
    known = {folded(key) for key in table.entries}
    added = {str(one["name"]): str(one["name"]) for one in tenant_stages(source) if isinstance(one, dict)}
    new = {key: value for key, value in added.items() if folded(key) not in known}
    return table.model_copy(update={"entries": {**table.entries, **new}}) if new else table
