"""Stages that the source's own pipelines have: each gets a stage of its name unless the blueprint says otherwise."""

from pydantic import JsonValue

from app.domain.choices import folded
from app.domain.mapping import ValueMap
from app.domain.schema import Inventory


def tenant_stages(source: Inventory) -> list[JsonValue]:
    """The tenant's stages in the order of its pipelines, each name once, as a blueprint declares them."""
    found: dict[str, JsonValue] = {}
    for stage in source.stages:
        told: dict[str, JsonValue] = {"name": stage.name}
        if stage.probability is not None:
            told["probability"] = stage.probability
        if stage.forecast:
            told["forecast"] = stage.forecast
        found.setdefault(folded(stage.name), told)
    return list(found.values())


def with_tenant_stages(table: ValueMap, source: Inventory) -> ValueMap:
    """The table of stages, with an entry for every stage of the tenant that it does not know."""
    known = {folded(key) for key in table.entries}
    added = {str(one["name"]): str(one["name"]) for one in tenant_stages(source) if isinstance(one, dict)}
    new = {key: value for key, value in added.items() if folded(key) not in known}
    return table.model_copy(update={"entries": {**table.entries, **new}}) if new else table
