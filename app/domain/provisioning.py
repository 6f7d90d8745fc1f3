"""What a mapping needs at the destination and does not find there, and the order in which it is created.

Gap report, validation and the provisioning run ask the same predicates, so a report never promises what a run refuses.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from pydantic import JsonValue

from app.domain.mapping import FieldRule, Load, LoadMode, MappingDocument, NewField, NewObject
from app.domain.schema import FieldSpec, Frozen, Inventory, ObjectSpec


def is_steering(target: str) -> bool:
    """Whether a target steers the write and is no field: `$se_module`, and `$id` naming the record a link updates."""
    return target.startswith("$")


class PlannedKind(StrEnum):
    """Kinds of change, by the names that connectors know them under."""

    OBJECT = "object"
    FIELD = "field"
    PICKLIST_VALUES = "picklist_values"
    STAGES = "stages"
    LAYOUT = "layout"


class PlannedChange(Frozen):
    """One thing to create; has the same keys as a connector's schema change. Names are logical keys."""

    kind: PlannedKind
    object: str
    name: str = ""
    label: str = ""
    attributes: dict[str, JsonValue] = {}


def derived_name(label: str) -> str:
    """The API name that Zoho makes of a label: words joined by underscores (Zoho fact sheet section 7)."""
    return re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")


def find_object(document: MappingDocument, destination: Inventory, key: str) -> ObjectSpec | None:
    """The destination object behind a logical key: by its name, or by the labels under which we would create it."""
    found = destination.object(key)
    planned = planned_object(document, key)
    if found is not None or planned is None:
        return found
    names = {planned.plural.casefold(), planned.singular.casefold(), derived_name(planned.plural).casefold()}
    return next(
        (spec for spec in destination.objects if spec.custom and names & {spec.name.casefold(), spec.label.casefold()}),
        None,
    )


def find_field(document: MappingDocument, spec: ObjectSpec, object_key: str, key: str) -> FieldSpec | None:
    """The field of `spec` behind a logical key: by its name, or by the label under which we would create it."""
    found = spec.field(key)
    planned = planned_field(document, object_key, key)
    if found is not None or planned is None:
        return found
    label, derived = planned.label.casefold(), derived_name(planned.label).casefold()
    return next(
        (
            one
            for one in spec.fields
            if one.custom and (one.label.casefold() == label or one.name.casefold() == derived)
        ),
        None,
    )


def planned_object(document: MappingDocument, key: str) -> NewObject | None:
    return next((one for one in document.plan.objects if one.key == key), None)


def planned_field(document: MappingDocument, object_key: str, key: str) -> NewField | None:
    return next((one for one in document.plan.fields if one.object == object_key and one.key == key), None)


def enabled_loads(document: MappingDocument) -> tuple[Load, ...]:
    return tuple(load for load in document.loads if load.enabled)


def keyed_objects(document: MappingDocument) -> tuple[str, ...]:
    """Destination objects whose records carry our external id, in load order."""
    names = [load.target_object for load in enabled_loads(document) if load.mode is LoadMode.CREATE]
    return tuple(dict.fromkeys(names))


def needed_targets(document: MappingDocument) -> dict[str, tuple[str, ...]]:
    """Every destination field that an enabled load writes, by object; the external id included."""
    needed: dict[str, dict[str, None]] = {}
    for load in enabled_loads(document):
        fields = needed.setdefault(load.target_object, {})
        fields.update({rule.target: None for rule in load.fields if not is_steering(rule.target)})
        fields.update({one.into: None for one in load.unique if one.into})
    for name in keyed_objects(document):
        needed[name][document.external_id] = None
    return {name: tuple(fields) for name, fields in needed.items()}


def missing_objects(document: MappingDocument, destination: Inventory) -> tuple[NewObject, ...]:
    """Planned objects that an enabled load needs and the destination lacks."""
    needed = needed_targets(document)
    return tuple(
        one
        for one in document.plan.objects
        if one.key in needed and find_object(document, destination, one.key) is None
    )


def missing_fields(document: MappingDocument, destination: Inventory) -> tuple[NewField, ...]:
    """Planned fields that an enabled load needs and the destination lacks, grouped by object in load order."""
    missing: list[NewField] = []
    for name, keys in needed_targets(document).items():
        spec = find_object(document, destination, name)
        for planned in document.plan.fields:
            if planned.object != name or planned.key not in keys:
                continue
            if spec is None or find_field(document, spec, name, planned.key) is None:
                missing.append(planned)
    return tuple(missing)


def missing_values(document: MappingDocument, destination: Inventory) -> dict[tuple[str, str], tuple[str, ...]]:
    """Options that records will hold and the existing destination field does not offer, by (object, field)."""
    stage_field = document.constants.get("stage_field")
    result: dict[tuple[str, str], tuple[str, ...]] = {}
    for path, values in wanted_values(document):
        name, _, key = path.partition(".")
        spec = find_object(document, destination, name)
        field = find_field(document, spec, name, key) if spec else None
        if path == stage_field or field is None:
            continue
        known = {one.casefold() for option in field.picklist for one in (option.value, option.label) if option.active}
        absent = tuple(value for value in values if value.casefold() not in known)
        if absent:
            result[name, key] = absent
    return result


def wanted_values(document: MappingDocument) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Options per "Object.Field" that the plan names, limited to fields that an enabled load writes."""
    needed = needed_targets(document)
    options: dict[str, dict[str, None]] = {}
    for path, values in document.plan.picklist_values.items():
        options.setdefault(path, {}).update(dict.fromkeys(values))
    for planned in document.plan.fields:
        if planned.picklist:
            options.setdefault(f"{planned.object}.{planned.key}", {}).update(dict.fromkeys(planned.picklist))
    for path, wanted in options.items():
        name, _, key = path.partition(".")
        if key in needed.get(name, ()):
            yield path, tuple(wanted)


def wanted_stages(document: MappingDocument) -> tuple[dict[str, JsonValue], ...]:
    """Stages (name, probability, forecast) that the value map of the stage field leads to, in pipeline order."""
    values = tuple(dict.fromkeys(value for rule in stage_rules(document) for value in stage_values(document, rule)))
    declared = [stage for stage in _stage_list(document) if stage.get("name") in values]
    known = {stage.get("name") for stage in declared}
    undeclared: list[dict[str, JsonValue]] = [{"name": value} for value in values if value not in known]
    return (*declared, *undeclared)


def stage_rules(document: MappingDocument) -> tuple[FieldRule, ...]:
    """The rules that fill the stage of a pipeline, one for each enabled load that writes it."""
    name, _, key = str(document.constants.get("stage_field") or "").partition(".")
    rules = (rule for load in enabled_loads(document) if load.target_object == name for rule in load.fields)
    return tuple(rule for rule in rules if rule.target == key)


def stage_values(document: MappingDocument, rule: FieldRule) -> tuple[str, ...]:
    """Every stage name that the rule can produce from its value map, its constant and its defaults."""
    values: dict[str, None] = {}
    constant = rule.args.get("value") if rule.transform == "const" else None
    if isinstance(constant, str):
        values[constant] = None
    value_map = document.value_maps.get(rule.value_map or "")
    if value_map is not None:
        values.update(dict.fromkeys(value_map.entries.values()))
        if value_map.default:
            values[value_map.default] = None
    if isinstance(rule.default, str):
        values[rule.default] = None
    return tuple(values)


def _stage_list(document: MappingDocument) -> list[dict[str, JsonValue]]:
    given = document.constants.get("stages")
    return [stage for stage in given if isinstance(stage, dict)] if isinstance(given, list) else []


def wanted_pipelines(document: MappingDocument) -> dict[str, tuple[dict[str, JsonValue], ...]]:
    """Stages by the pipeline they are needed in: all in the one that is shared ("" for any), or those of each of the
    source's pipelines, with what records without a stage get.
    """
    shared = wanted_stages(document)
    apart = document.constants.get("pipelines")
    if not isinstance(apart, dict) or not apart:
        return {str(document.constants.get("pipeline") or ""): shared}
    by_name = {str(stage["name"]).casefold(): stage for stage in shared}
    rules = stage_rules(document)
    defaults = (str(rule.default).casefold() for rule in rules)
    fallbacks = [by_name[one] for one in defaults if one in by_name]
    found: dict[str, tuple[dict[str, JsonValue], ...]] = {}
    for name, own in apart.items():
        assert isinstance(own, list)
        stages = [_stage_of(document, rules, stage, by_name) for stage in own if isinstance(stage, dict)]
        unique = {str(stage["name"]).casefold(): stage for stage in reversed([*fallbacks, *stages])}
        found[name] = tuple(reversed(unique.values()))
    return found


def _stage_of(
    document: MappingDocument,
    rules: tuple[FieldRule, ...],
    stage: dict[str, JsonValue],
    by_name: dict[str, dict[str, JsonValue]],
) -> dict[str, JsonValue]:
    """What a stage of the source becomes by the value map; its own figures where it keeps its name."""
    name = str(stage.get("name"))
    tables = (document.value_maps.get(rule.value_map or "") for rule in rules)
    entries = {key.strip().casefold(): value for table in tables if table for key, value in table.entries.items()}
    target = entries.get(name.strip().casefold(), name)
    return stage if target == name else by_name.get(target.casefold(), {"name": target})


def missing_stages(document: MappingDocument, destination: Inventory) -> tuple[dict[str, JsonValue], ...]:
    """Wanted stages that the destination's pipelines do not have, each with its `pipeline`."""
    missing: list[dict[str, JsonValue]] = []
    for pipeline, stages in wanted_pipelines(document).items():
        known = {
            stage.name.casefold()
            for stage in destination.stages
            if not pipeline or not stage.pipeline or stage.pipeline.casefold() == pipeline.casefold()
        }
        missing += ({**stage, "pipeline": pipeline} for stage in stages if str(stage["name"]).casefold() not in known)
    return tuple(missing)


def provisioning_plan(document: MappingDocument, destination: Inventory) -> tuple[PlannedChange, ...]:
    """All changes in the order that avoids conflicts: objects, then fields per object, options and stages, layouts."""
    objects = [
        PlannedChange(
            kind=PlannedKind.OBJECT,
            object=one.key,
            name=one.key,
            label=one.plural,
            attributes={"singular": one.singular, "plural": one.plural},
        )
        for one in missing_objects(document, destination)
    ]
    new_fields = missing_fields(document, destination)
    fields = [_field_change(one) for one in new_fields]
    values = [
        PlannedChange(kind=PlannedKind.PICKLIST_VALUES, object=name, name=key, attributes={"picklist": list(absent)})
        for (name, key), absent in missing_values(document, destination).items()
    ]
    return (*objects, *fields, *values, *_stage_changes(document, destination), *_layout_changes(new_fields))


def is_needed(change: PlannedChange, document: MappingDocument, destination: Inventory) -> bool:
    """Whether records cannot be written as mapped before the change is made: layouts are looks, and options count only
    where the field takes no others.
    """
    if change.kind is PlannedKind.PICKLIST_VALUES:
        spec = find_object(document, destination, change.object)
        field = find_field(document, spec, change.object, change.name) if spec else None
        return field is None or field.restricted
    return change.kind is not PlannedKind.LAYOUT


def _field_change(field: NewField) -> PlannedChange:
    attributes = field.model_dump(mode="json", exclude={"object", "key", "label"}, exclude_defaults=True)
    attributes["type"] = field.type.value
    return PlannedChange(
        kind=PlannedKind.FIELD, object=field.object, name=field.key, label=field.label, attributes=attributes
    )


def _stage_changes(document: MappingDocument, destination: Inventory) -> Iterator[PlannedChange]:
    """One change for each pipeline that lacks some; a pipeline that does not exist is made with them."""
    absent = missing_stages(document, destination)
    name, _, key = str(document.constants.get("stage_field")).partition(".")
    apart = bool(document.constants.get("pipelines"))
    for pipeline in dict.fromkeys(str(stage["pipeline"]) for stage in absent):
        stages: list[JsonValue] = [
            {key: value for key, value in stage.items() if key != "pipeline"}
            for stage in absent
            if stage["pipeline"] == pipeline
        ]
        attributes: dict[str, JsonValue] = {"pipeline": pipeline or None, "stages": stages}
        if apart and pipeline.casefold() not in {one.pipeline.casefold() for one in destination.stages}:
            attributes["new"] = True
        field = f"{key}:{pipeline}" if apart else key
        yield PlannedChange(kind=PlannedKind.STAGES, object=name, name=field, attributes=attributes)


def _layout_changes(new_fields: tuple[NewField, ...]) -> Iterator[PlannedChange]:
    for name in dict.fromkeys(field.object for field in new_fields):
        keys: list[JsonValue] = [field.key for field in new_fields if field.object == name]
        yield PlannedChange(kind=PlannedKind.LAYOUT, object=name, attributes={"fields": keys})
