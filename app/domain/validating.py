"""Checks a mapping document against both sides and says, with a pointer, what cannot work and why.

Rules are compiled as a run compiles them, against the destination as it will be after provisioning.
"""

from collections.abc import Iterator, Mapping

from app.domain.choices import folded
from app.domain.collecting import with_collected
from app.domain.compiling import MappingInvalid, compile_load
from app.domain.mapping import FieldRule, Load, LoadMode, MappingDocument, NewObject, Unmapped
from app.domain.ordering import required_cycle
from app.domain.provisioning import (
    enabled_loads,
    find_field,
    find_object,
    is_steering,
    planned_field,
    planned_object,
    stage_values,
    wanted_pipelines,
    wanted_stages,
)
from app.domain.schema import Encoding, FieldSpec, FieldType, Frozen, Inventory, ObjectSpec, PicklistValue

NAME_LENGTH = 120
"""Characters that the name field of a new custom module holds (assumed; read back after creation)."""


MOST = {"loads": 1_000, "rules": 10_000, "references": 10_000, "new fields": 2_000}
"""What one document may hold: more than any pair needs, and few enough to be judged in seconds."""


class Problem(Frozen):
    """One fault. `pointer` is a JSON pointer into the document; only blocking ones forbid confirmation."""

    pointer: str
    code: str
    message: str
    blocking: bool = True


def validate(document: MappingDocument, source: Inventory, destination: Inventory) -> list[Problem]:
    """All problems of the document. Without a blocking one it can be confirmed, provisioned and run."""
    if too_large := _too_large(document):
        return [too_large]
    problems = [*_duplicate_loads(document), *_value_maps(document)]
    loads = {one.key: one for one in document.loads}
    targets = {key: target_after_provisioning(document, destination, key) for key in _targets(document)}
    for number, load in enumerate(document.loads):
        if load.enabled:
            made = targets[load.target_object]
            check = _LoadCheck(document, source, destination, load, f"/loads/{number}", loads, made)
            problems.extend(check.problems())
    problems.extend(_cycles(document))
    problems.extend(_stages(document, destination))
    return problems


def _targets(document: MappingDocument) -> set[str]:
    return {load.target_object for load in document.loads}


def _too_large(document: MappingDocument) -> Problem | None:
    """The first thing there is too much of. Judging takes time with the product of some of these numbers."""
    rules = [rule for load in document.loads for rule in load.fields]
    found = {
        "loads": len(document.loads),
        "rules": len(rules),
        "references": sum(len(rule.lookup.loads) for rule in rules if rule.lookup is not None),
        "new fields": len(document.plan.fields),
    }
    for what, most in MOST.items():
        if found[what] > most:
            pointer = "/plan/fields" if what == "new fields" else "/loads"
            message = f"A mapping has at most {most} {what}, this one {found[what]}."
            return Problem(pointer=pointer, code="too_large", message=message)
    return None


def target_after_provisioning(
    document: MappingDocument, destination: Inventory, object_key: str
) -> tuple[ObjectSpec, dict[str, str]] | None:
    """The destination object with the fields it will have, and logical key → API name for those that differ.

    Planned fields that are missing stand under their logical keys. None when the object neither exists nor is planned.
    """
    existing = find_object(document, destination, object_key)
    planned = planned_object(document, object_key)
    if existing is None and planned is None:
        return None
    base = existing or new_object(planned, object_key)
    names: dict[str, str] = {}
    added: list[FieldSpec] = []
    for field in document.plan.fields:
        if field.object != object_key:
            continue
        found = find_field(document, base, object_key, field.key)
        if found is not None:
            names[field.key] = found.name
            continue
        added.append(
            FieldSpec(
                name=field.key, label=field.label, type=field.type, length=field.length, scale=field.scale, custom=True,
                unique=field.unique, external_id=field.external,
                picklist=tuple(PicklistValue(value=value) for value in field.picklist),
                references=(field.references,) if field.references else (),
            )
        )  # fmt: skip
    offered = tuple(_with_options(document, object_key, field) for field in base.fields)
    return base.model_copy(update={"fields": (*offered, *added)}), names


def _with_options(document: MappingDocument, object_key: str, field: FieldSpec) -> FieldSpec:
    """An existing field with the options that the plan adds to it."""
    path = f"{object_key}.{field.name}"
    coming: tuple[str, ...] = document.plan.picklist_values.get(path, ())
    if path == document.constants.get("pipeline_field"):
        coming = (*coming, *wanted_pipelines(document))  # made with their stages
    known = {option.value for option in field.picklist}
    added = tuple(PicklistValue(value=value) for value in coming if value not in known)
    return field.model_copy(update={"picklist": (*field.picklist, *added)}) if added else field


def new_object(planned: NewObject | None, object_key: str) -> ObjectSpec:
    """A planned object right after its creation."""
    name, owner = (planned.name_field, planned.owner_field) if planned else ("Name", "Owner")
    fields = (FieldSpec(name=name, length=NAME_LENGTH, required=True), FieldSpec(name=owner, type=FieldType.USER))
    return ObjectSpec(name=object_key, label=planned.plural if planned else "", fields=fields)


def _duplicate_loads(document: MappingDocument) -> Iterator[Problem]:
    keys: set[str] = set()
    places: set[tuple[str, str, str]] = set()
    for number, load in enumerate(document.loads):
        if load.key in keys:
            yield Problem(pointer=f"/loads/{number}/key", code="duplicate_load", message=f"{load.key} exists twice.")
        keys.add(load.key)
        place = (load.source_object, load.target_object, load.part)
        if place in places:
            text = f"{load.source_object} → {load.target_object} exists twice with the part {load.part!r}."
            yield Problem(pointer=f"/loads/{number}/part", code="duplicate_part", message=text)
        places.add(place)


def _value_maps(document: MappingDocument) -> Iterator[Problem]:
    for name, table in document.value_maps.items():
        pointer = f"/value_maps/{_escaped(name)}"
        if table.unmapped is Unmapped.DEFAULT and not table.default:
            text = f"{name} sends unlisted values to a default but names none."
            yield Problem(pointer=f"{pointer}/default", code="bad_value_map", message=text)
        seen: dict[str, str] = {}
        for key, value in table.entries.items():
            at = f"{pointer}/entries/{_escaped(key)}"
            if not folded(key):
                yield Problem(pointer=at, code="bad_value_map", message=f"{name} has a blank key.")
            if seen.setdefault(folded(key), value) != value:
                text = f"{name} maps {key!r} twice, to different values."
                yield Problem(pointer=at, code="bad_value_map", message=text)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _cycles(document: MappingDocument) -> Iterator[Problem]:
    found = required_cycle([load for load in enabled_loads(document) if load.mode is LoadMode.CREATE])
    if found is not None:
        edge, cycle = found
        number = next(at for at, load in enumerate(document.loads) if load.key == edge.load)
        way = " → ".join((*cycle, cycle[0]))
        text = f"{edge.load}.{edge.target} requires {edge.needs}, which requires {edge.load} in turn ({way})."
        yield Problem(pointer=f"/loads/{number}", code="lookup_cycle", message=text)


def _stages(document: MappingDocument, destination: Inventory) -> Iterator[Problem]:
    """Stages that neither exist nor are planned: the platform would refuse every deal in them."""
    if document.constants.get("pipelines"):
        return  # every stage is planned in its pipeline
    pipeline = document.constants.get("pipeline")
    known = {folded(one.name) for one in destination.stages if not pipeline or one.pipeline in {"", pipeline}}
    planned = document.plan.picklist_values.get(str(document.constants.get("stage_field")), ())
    known |= {folded(name) for name in planned}
    for name in dict.fromkeys(str(stage["name"]) for stage in wanted_stages(document)):
        if folded(name) not in known:
            text = f"The pipeline {pipeline} has no stage {name!r}, and the plan does not create it."
            yield Problem(pointer="/constants/stages", code="missing_stage", message=text)


class _LoadCheck:
    """The checks of one load; `at` is its pointer, `made` its target as it will be."""

    def __init__(
        self,
        document: MappingDocument,
        source: Inventory,
        destination: Inventory,
        load: Load,
        at: str,
        loads: Mapping[str, Load],
        made: tuple[ObjectSpec, dict[str, str]] | None,
    ) -> None:
        self.document = document
        self.source = source
        self.destination = destination
        self.load = load
        self.at = at
        self.loads = loads
        found = source.object(load.source_object)
        self.spec = with_collected(found, load) if found is not None else None
        self.target: ObjectSpec | None = made[0] if made else None
        self.names: dict[str, str] = made[1] if made else {}

    def problems(self) -> Iterator[Problem]:
        load = self.load
        if self.spec is None and load.mode is not LoadMode.FILE:
            text = f"The source has no object {load.source_object}."
            yield self._problem("/source_object", "unknown_source_object", text)
        # Notes and attachments are written beside their parents; not every platform describes them.
        if self.target is None and load.mode in {LoadMode.CREATE, LoadMode.LINK}:
            text = f"The destination has no object {load.target_object}, and the plan does not create it."
            yield self._problem("/target_object", "unknown_target_object", text)
        if load.mode is LoadMode.LINK and load.base not in self.loads:
            yield self._problem("/base", "unknown_load", f"The base {load.base!r} names no load.")
        yield from self._duplicates()
        yield from self._compiled()
        for number, rule in enumerate(load.fields):
            yield from self._lookup(rule, f"/fields/{number}")
            yield from self._values(rule, f"/fields/{number}")
        yield from self._required()

    def _problem(self, pointer: str, code: str, message: str, *, blocking: bool = True) -> Problem:
        return Problem(pointer=self.at + pointer, code=code, message=message, blocking=blocking)

    def _duplicates(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for number, rule in enumerate(self.load.fields):
            if rule.target in seen:
                text = f"{self.load.target_object}.{rule.target} is filled twice."
                yield self._problem(f"/fields/{number}/target", "duplicate_target", text)
            seen.add(rule.target)

    def _compiled(self) -> Iterator[Problem]:
        if self.spec is None or self.target is None or self.load.mode is LoadMode.FILE:
            return
        try:
            compile_load(
                self.load,
                source=self.spec,
                target=self.target,
                names=self.names,
                objects={key: load.target_object for key, load in self.loads.items()},
                encoding=Encoding(),
                value_maps=self.document.value_maps,
                platform=self.document.source,
                key_field="",
                related={spec.name: spec for spec in self.source.objects},
            )
        except MappingInvalid as refused:
            for fault in refused.problems:
                if fault.code != "duplicate_target":
                    yield self._problem(fault.pointer, fault.code.value, fault.message)

    def _required(self) -> Iterator[Problem]:
        if self.target is None or self.load.mode is not LoadMode.CREATE:
            return
        by_target = {self.names.get(rule.target, rule.target): rule for rule in self.load.fields}
        for spec in self.target.fields:
            if not spec.required or not spec.writable:
                continue
            rule = by_target.get(spec.name)
            if rule is None:
                text = f"{self.load.target_object}.{spec.name} is required, but no rule fills it."
                yield self._problem("/fields", "required_without_rule", text)
            elif rule.default is None and rule.transform != "const":
                text = f"{self.load.target_object}.{spec.name} is required; records with a blank will be quarantined."
                pointer = f"/fields/{self.load.fields.index(rule)}/default"
                yield self._problem(pointer, "required_without_default", text, blocking=False)

    def _target_field(self, target: str) -> FieldSpec | None:
        return self.target.field(self.names.get(target, target)) if self.target and not is_steering(target) else None

    def _lookup(self, rule: FieldRule, at: str) -> Iterator[Problem]:
        field = self._target_field(rule.target)
        for number, key in enumerate(rule.lookup.loads if rule.lookup else ()):
            pointer = f"{at}/lookup/loads/{number}"
            found = self.loads.get(key)
            if found is None:
                yield self._problem(pointer, "unknown_load", f"There is no load {key!r}.")
            elif field is not None and field.references and not self._refers(field, found.target_object):
                names = ", ".join(field.references)
                text = f"{rule.target} refers to {names}, but {key} writes {found.target_object}."
                yield self._problem(pointer, "lookup_target_mismatch", text)

    def _refers(self, field: FieldSpec, object_key: str) -> bool:
        spec = find_object(self.document, self.destination, object_key)
        described = [name for name in field.references if self.destination.object(name) is not None]
        planned = [name for name in field.references if planned_object(self.document, name) is not None]
        # A reference to something that is no object (Zoho's "se_module") takes records of many objects.
        polymorphic = len(described) + len(planned) < len(field.references)
        return polymorphic or bool({object_key, spec.name if spec else object_key} & set(field.references))

    def _values(self, rule: FieldRule, at: str) -> Iterator[Problem]:
        if rule.value_map is None or rule.value_map not in self.document.value_maps:
            return
        yield from self._unlisted(rule, at)
        field = self._target_field(rule.target)
        path = f"{self.load.target_object}.{rule.target}"
        planned_elsewhere = path in (self.document.constants.get(one) for one in ("stage_field", "pipeline_field"))
        if field is None or not field.picklist or planned_elsewhere:
            return
        planned = planned_field(self.document, self.load.target_object, rule.target)
        coming = {*self.document.plan.picklist_values.get(path, ()), *(planned.picklist if planned else ())}
        offered = {folded(one) for option in field.picklist for one in (option.value, option.label)}
        offered |= {folded(one) for one in coming}
        for value in stage_values(self.document, rule):
            if folded(value) not in offered:
                text = f"{rule.target} offers no option {value!r}, and the plan does not add it."
                yield self._problem(f"{at}/value_map", "missing_picklist_value", text)

    def _unlisted(self, rule: FieldRule, at: str) -> Iterator[Problem]:
        """Options of the source that the value map stops at: no fault, but records will be held."""
        table = self.document.value_maps[rule.value_map or ""]
        known = {folded(key) for key in table.entries}
        for path in rule.sources if table.unmapped is Unmapped.HOLD else ():
            found = self.spec.field(path) if self.spec else None
            for option in found.picklist if found else ():
                if option.active and folded(option.value) not in known:
                    text = f"{rule.value_map} does not say what becomes of {option.value!r}; such records are held."
                    yield self._problem(f"{at}/value_map", "unmapped_value", text, blocking=False)
