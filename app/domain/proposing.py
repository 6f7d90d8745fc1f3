"""Proposes the mapping document of an engagement: the blueprint's rules as far as the tenant has their fields, and a
home for every field the blueprint does not know. `validate` says what is wrong with an edited document.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from app.domain.blanks import with_defaults
from app.domain.blueprint import Blueprint
from app.domain.choices import folded
from app.domain.collecting import with_collected
from app.domain.keeping import NewNames, keep
from app.domain.mapping import (
    Condition,
    Exclusion,
    FieldRule,
    Load,
    LoadMode,
    MappingDocument,
    NewField,
    SchemaPlan,
    Unmapped,
    ValueMap,
)
from app.domain.matching.memory import Lesson, Memory
from app.domain.matching.proposal import Adviser
from app.domain.matching.within import NEVER, Matcher
from app.domain.newcomers import newcomers, suggestion
from app.domain.placing import matched_rules, with_choices
from app.domain.provisioning import find_object
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec
from app.domain.stagemaps import (
    pipeline_shared,
    pipelines_apart,
    tenant_pipelines,
    tenant_stages,
    with_tenant_stages,
)
from app.domain.suiting import suited
from app.domain.validating import Problem, validate

__all__ = ["Problem", "propose", "validate"]


@dataclass
class _Draft:
    """What grows while the proposal is made."""

    blueprint: Blueprint
    source: Inventory
    destination: Inventory
    matcher: Matcher
    exclusions: list[Exclusion] = field(default_factory=list)
    fields: list[NewField] = field(default_factory=list)
    options: dict[str, dict[str, None]] = field(default_factory=dict)
    constants: dict[str, JsonValue] = field(default_factory=dict)
    stage_maps: set[str] = field(default_factory=set)
    matched_maps: dict[str, ValueMap] = field(default_factory=dict)
    own_maps: dict[str, ValueMap] = field(default_factory=dict)

    def value_maps(self) -> dict[str, ValueMap]:
        """The blueprint's tables, those of stages with the tenant's own stages, and tables of matched picklists."""
        tables = {
            name: with_tenant_stages(table, self.source) if name in self.stage_maps else table
            for name, table in self.blueprint.value_maps.items()
        }
        return {**self.matched_maps, **tables, **self.own_maps}


def propose(
    blueprint: Blueprint,
    source: Inventory,
    destination: Inventory,
    *,
    lessons: Iterable[Lesson] = (),
    adviser: Adviser | None = None,
) -> MappingDocument:
    """The mapping document for two discovered sides; equal inputs give an equal document.

    `lessons` are what this tenant confirmed and rejected before, `adviser` a second opinion on doubtful fields.

    Rules whose source fields the tenant lacks are dropped and listed among the exclusions (`not_in_source`). Fields
    the blueprint does not know go to the destination field that matches, or to a new one in the plan. Required
    destination fields get a default for blanks.
    """
    blueprint = suited(blueprint, destination)
    matcher = Matcher(source, destination, Memory(lessons=lessons), adviser)
    draft = _Draft(blueprint, source, destination, matcher, fields=list(blueprint.plan.fields))
    draft.options = {path: dict.fromkeys(values) for path, values in blueprint.plan.picklist_values.items()}
    loads = [_fit_load(load, draft) for load in blueprint.loads]
    loads = [_with_unknown_fields(load, loads, draft) for load in loads]
    loads += _newcomers(loads, draft)
    loads = [with_defaults(load, _target_object(load, draft)) for load in loads]
    _collect_options(loads, draft)
    return MappingDocument(
        source=blueprint.source,
        destination=blueprint.destination,
        blueprint_version=blueprint.version,
        external_id=blueprint.external_id,
        loads=tuple(loads),
        value_maps=draft.value_maps(),
        exclusions=tuple(dict.fromkeys((*_spread_exclusions(loads, draft), *draft.exclusions))),
        plan=SchemaPlan(
            objects=blueprint.plan.objects,
            fields=tuple(draft.fields),
            picklist_values={path: tuple(values) for path, values in draft.options.items() if values},
        ),
        constants=draft.constants,
    )


def _newcomers(loads: list[Load], draft: _Draft) -> list[Load]:
    """Loads, switched off, for objects that neither a load nor an exclusion of the blueprint names."""
    named = {load.source_object for load in loads} | {one.source_object for one in draft.blueprint.exclusions}
    named |= {one.source_object for one in draft.blueprint.exports}
    made = []
    unknown = [spec for spec in draft.source.objects if spec.name not in named]
    for load, tables, left in newcomers(unknown, draft.matcher, draft.destination, loads):
        draft.matched_maps.update(tables)
        draft.exclusions.extend(left)
        made.append(load)
    return made


def _fit_load(load: Load, draft: _Draft) -> Load:
    load = _without_missing_children(load, draft.source)
    found = draft.source.object(load.source_object)
    spec = with_collected(found, load) if found is not None else None
    if spec is None and load.mode is not LoadMode.FILE:
        note = f"The tenant has no object {load.source_object}; the load {load.key} is switched off."
        draft.exclusions.append(Exclusion(source_object=load.source_object, reason="not_in_source", note=note))
        return load.model_copy(update={"enabled": False})
    fields = [rule for given in load.fields if (rule := _fit_rule(given, load, spec, draft)) is not None]
    when, possible = _fit_conditions(load.when, spec, draft.source)
    return load.model_copy(update={"fields": tuple(fields), "when": when, "enabled": load.enabled and possible})


def _without_missing_children(load: Load, source: Inventory) -> Load:
    """Where the tenant lacks the object that a text would be gathered from, the record's own field stands in."""
    missing = {one.field: one.otherwise for one in load.collect if source.object(one.object) is None}
    if not missing:
        return load

    def fit(rule: FieldRule) -> FieldRule:
        paths = (missing.get(path, path) for path in rule.sources)
        return rule.model_copy(update={"sources": tuple(path for path in paths if path)})

    kept = tuple(one for one in load.collect if one.field not in missing)
    fields = tuple(fit(rule) for rule in load.fields)
    fields = tuple(rule for rule, given in zip(fields, load.fields, strict=True) if rule.sources or not given.sources)
    return load.model_copy(update={"collect": kept, "fields": fields})


def _fit_conditions(
    when: tuple[Condition, ...], spec: ObjectSpec | None, source: Inventory
) -> tuple[tuple[Condition, ...], bool]:
    """Conditions on fields that exist; whether any record can meet those that do not (their value is blank)."""
    if spec is None:
        return when, True
    known = tuple(one for one in when if source_field(source, spec, one.field))
    absent = [one for one in when if one not in known]
    possible = all((not one.any_of or None in one.any_of) and None not in one.none_of for one in absent)
    return known, possible


def _fit_rule(rule: FieldRule, load: Load, spec: ObjectSpec | None, draft: _Draft) -> FieldRule | None:
    """The rule as far as the tenant has its sources; None when nothing of it is left."""
    rule = _take_stages(rule, load, draft)
    if spec is None or not rule.sources:
        return rule
    sources = tuple(path for path in rule.sources if source_field(draft.source, spec, path) is not None)
    for path in rule.sources:
        if path not in sources and "." not in path:
            note = f"The tenant has no such field; {load.target_object}.{rule.target} does not get it."
            draft.exclusions.append(
                Exclusion(source_object=load.source_object, field=path, reason="not_in_source", note=note)
            )
    if sources:
        return rule.model_copy(update={"sources": sources, "args": _fit_labels(rule, sources)})
    if rule.default is None:
        return None
    return rule.model_copy(
        update={"sources": (), "transform": "const", "args": {"value": rule.default}, "value_map": None}
    )


def _fit_labels(rule: FieldRule, kept: tuple[str, ...]) -> dict[str, JsonValue]:
    """The labels of a text block belong to its sources one by one: those of missing sources go with them."""
    labels = rule.args.get("labels")
    if not isinstance(labels, list | tuple) or len(labels) != len(rule.sources):
        return rule.args
    named = zip(labels, rule.sources, strict=True)
    return {**rule.args, "labels": [label for label, path in named if path in kept]}


def _take_stages(rule: FieldRule, load: Load, draft: _Draft) -> FieldRule:
    """Stage definitions move from the blueprint's rule to the document's constants; the pipeline is the tenant's."""
    if "stages" in rule.args:
        draft.constants["stage_field"] = f"{load.target_object}.{rule.target}"
        declared = _more_stages(draft.constants.get("stages"), rule.args["stages"])
        own = tenant_stages(draft.source)
        draft.constants["stages"] = _more_stages(declared, own)
        names = [str(one["name"]) for one in own if isinstance(one, dict)]
        draft.options.setdefault(f"{load.target_object}.{rule.target}", {}).update(dict.fromkeys(names))
        draft.stage_maps.add(rule.value_map or "")
        kept = {key: one for key, one in rule.args.items() if key not in {"stages", "pipeline_field"}}
        return rule.model_copy(update={"args": kept})
    pipelines = (one.args.get("pipeline_field", "Pipeline") for one in load.fields if "stages" in one.args)
    if rule.target == next(pipelines, "Pipeline") and (rule.transform == "const" or rule.value_map):
        return _take_pipeline(rule, load, draft)
    return rule


def _take_pipeline(rule: FieldRule, load: Load, draft: _Draft) -> FieldRule:
    """One pipeline for all, or where the rule reads the record's own, one for each of the tenant's."""
    apart = tenant_pipelines(draft.source, draft.destination) if rule.value_map else {}
    if apart:
        rule, table = pipelines_apart(rule, apart)
        draft.own_maps[rule.value_map or ""] = table
        draft.constants["pipelines"] = apart
        draft.constants["pipeline"] = rule.default
        draft.constants["pipeline_field"] = f"{load.target_object}.{rule.target}"
        return rule
    wanted = rule.args.get("value") or rule.default
    present = [stage.pipeline for stage in draft.destination.stages if stage.pipeline]
    chosen = wanted if wanted in present or not present else present[0]
    draft.constants["pipeline"] = chosen
    return pipeline_shared(rule, chosen)


def _more_stages(known: JsonValue, added: JsonValue) -> JsonValue:
    """Stages of several loads into one pipeline, each name once."""
    listed = [*(known if isinstance(known, list) else ()), *(added if isinstance(added, list) else ())]
    by_name = {str(one.get("name")): one for one in reversed(listed) if isinstance(one, dict)}
    return [by_name[name] for name in dict.fromkeys(str(one.get("name")) for one in listed if isinstance(one, dict))]


def source_field(source: Inventory, spec: ObjectSpec, path: str) -> FieldSpec | None:
    """The field a source path ends at; a dotted path is followed one step through any object it may refer to."""
    first, _, rest = path.partition(".")
    found = spec.field(first)
    if found is None or not rest:
        return found
    targets = (source.object(name) for name in found.references)
    return next((one for target in targets if target and (one := target.field(rest))), None)


def _with_unknown_fields(load: Load, loads: Iterable[Load], draft: _Draft) -> Load:
    """Adds a rule for every source field that neither the blueprint nor its exclusions mention."""
    spec = draft.source.object(load.source_object)
    if spec is None or not load.enabled or load.mode is not LoadMode.CREATE or not load.unknown_fields:
        return load
    loads = list(loads)
    handled = _handled(load.source_object, loads, draft)
    unknown = [one for one in spec.fields if one.name not in handled and one.type not in NEVER]
    target = _target_object(load, draft)
    taken = {rule.target for rule in load.fields} | {draft.blueprint.external_id}
    open_fields = [one for one in target.fields if one.name not in taken] if target else []
    matches = draft.matcher.match(spec, unknown, target, open_fields) if target else {}
    names = NewNames(load.target_object, draft.fields, target)
    rules = []
    for one in unknown:
        match = matches.get(one.name)
        placed, tables = matched_rules(load.key, spec, one, target, match) if target and match else ([], {})
        if placed or (match is not None and match.part_of):
            draft.matched_maps.update(tables)
            rules += placed
            continue
        new_field, rule = keep(one, names, loads, draft.source)
        if new_field not in draft.fields:
            draft.fields.append(new_field)
        rules.append(with_choices(rule, match))
    return load.model_copy(update={"fields": (*load.fields, *rules)})


def _target_object(load: Load, draft: _Draft) -> ObjectSpec | None:
    document = MappingDocument(source="", destination="", loads=(), plan=draft.blueprint.plan)
    return find_object(document, draft.destination, load.target_object)


def _handled(source_object: str, loads: Iterable[Load], draft: _Draft) -> set[str]:
    """Source fields of an object that some rule reads, a condition asks for, or an exclusion names."""
    names: set[str] = set()
    for load in loads:
        if load.source_object == source_object:
            names.update(path for rule in load.fields for path in rule.sources if "." not in path)
            names.update(one.field for one in load.when)
            names.update(name for name in (load.file_field, load.file_name) if name)
            names.update(one.otherwise for one in load.collect if one.otherwise)
    names.update(
        one.field for one in draft.blueprint.exclusions if one.field and one.source_object in {source_object, "*"}
    )
    return names


def _collect_options(loads: Iterable[Load], draft: _Draft) -> None:
    """Adds the options that records will hold to the plan: to new fields, and to existing ones that lack them.

    Loads that are off count as well, since a person may switch them on; provisioning asks for enabled ones only.
    """
    for load in loads:
        spec = draft.source.object(load.source_object)
        for rule in load.fields if spec else ():
            if rule.transform in {"picklist", "multipicklist"} and spec is not None:
                _add_options(load, rule, list(_produced(rule, spec, draft)), draft)


def _produced(rule: FieldRule, spec: ObjectSpec, draft: _Draft) -> Iterator[str]:
    """Values that the rule writes, from its value map and the source's active options."""
    table = draft.value_maps().get(rule.value_map or "")
    if table is not None:
        yield from table.entries.values()
    keeps = table is None or table.unmapped is Unmapped.KEEP
    known = {folded(key) for key in table.entries} if table else set()
    for path in rule.sources:
        found = source_field(draft.source, spec, path)
        for option in found.picklist if found and keeps else ():
            if option.active and folded(option.value) not in known:
                yield option.value
    if isinstance(rule.default, str):
        yield rule.default


def _add_options(load: Load, rule: FieldRule, values: list[str], draft: _Draft) -> None:
    path = f"{load.target_object}.{rule.target}"
    if path == draft.constants.get("pipeline_field"):
        return  # pipelines are made with their stages
    for number, planned in enumerate(draft.fields):
        if (planned.object, planned.key) == (load.target_object, rule.target) and planned.picklist:
            known = {folded(one) for one in planned.picklist}
            added = tuple(dict.fromkeys(one for one in values if folded(one) not in known))
            draft.fields[number] = planned.model_copy(update={"picklist": (*planned.picklist, *added)})
            return
    target = _target_object(load, draft)
    existing = target.field(rule.target) if target else None
    if existing is None or existing.type not in {FieldType.PICKLIST, FieldType.MULTIPICKLIST} or not existing.picklist:
        return
    if path != draft.constants.get("stage_field"):
        offered = {folded(one) for option in existing.picklist for one in (option.value, option.label)}
        draft.options.setdefault(path, {}).update(dict.fromkeys(one for one in values if folded(one) not in offered))


def _spread_exclusions(loads: Iterable[Load], draft: _Draft) -> Iterator[Exclusion]:
    """The blueprint's exclusions, those for every object spelt out, and objects that nobody mentions."""
    loads = list(loads)
    used = {(load.source_object, path) for load in loads for rule in load.fields for path in rule.sources}
    moving = {load.source_object for load in loads if load.enabled}
    listed = {one.source_object for one in draft.blueprint.exclusions if not one.field}
    for one in draft.blueprint.exclusions:
        if one.source_object != "*":
            yield one
            continue
        for spec in draft.source.objects:
            if spec.name in moving and spec.field(one.field) and (spec.name, one.field) not in used:
                yield one.model_copy(update={"source_object": spec.name})
    for spec in draft.source.objects:
        if spec.name not in moving | listed:
            note = suggestion(spec, draft.matcher, loads)
            yield Exclusion(source_object=spec.name, reason="no_counterpart", note=note)
        elif spec.name in moving:
            yield from _untouched(spec, loads, used, draft)


def _untouched(spec: ObjectSpec, loads: list[Load], used: set[tuple[str, str]], draft: _Draft) -> Iterator[Exclusion]:
    """Fields that no rule reads: compounds and bytes, and custom fields of objects that become notes or files."""
    handled = _handled(spec.name, loads, draft) | {name for owner, name in used if owner == spec.name}
    for one in spec.fields:
        if one.name in handled:
            continue
        if one.type is FieldType.FILE and one.custom:
            note = "A signature or another picture inside a record: it cannot be moved. Capture it again."
            yield Exclusion(source_object=spec.name, field=one.name, reason="not_supported", note=note)
        elif one.type in NEVER:
            kind = "compound" if one.type is FieldType.COMPOUND else "system_field"
            yield Exclusion(source_object=spec.name, field=one.name, reason=kind, note="Its parts or its file move.")
        else:
            note = "Notes and attachments have no fields of their own at the destination."
            yield Exclusion(source_object=spec.name, field=one.name, reason="not_supported", note=note)
