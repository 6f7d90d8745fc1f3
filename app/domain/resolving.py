"""Checks one load's rules against both schemas and turns them into plans that the generator writes code from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError

from app.domain.choices import map_value
from app.domain.encoders import RENDERED, encoder
from app.domain.issues import IssueCode, Noted, chain
from app.domain.mapping import FieldRule, Load, LookupEmit, Missing, ValueMap
from app.domain.numerals import ready_number
from app.domain.schema import Encoding, FieldSpec, FieldType, ObjectSpec
from app.domain.transforms import NUMBERS, TRANSFORMS, Arity, Fitting, Step, Transform, named, needed


class ProblemCode(StrEnum):
    """Why a mapping cannot be compiled."""

    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_TARGET = "unknown_target"
    UNKNOWN_TRANSFORM = "unknown_transform"
    UNKNOWN_VALUE_MAP = "unknown_value_map"
    UNKNOWN_LOAD = "unknown_load"
    NOT_WRITABLE = "not_writable"
    DUPLICATE_TARGET = "duplicate_target"
    BAD_ARGS = "bad_args"
    BAD_DEFAULT = "bad_default"
    TYPE_MISMATCH = "type_mismatch"
    NO_SOURCE = "no_source"
    TOO_MANY_SOURCES = "too_many_sources"
    NOT_A_REFERENCE = "not_a_reference"
    LOOKUP_NEEDED = "lookup_needed"


class Problem(NamedTuple):
    """One thing wrong; `pointer` is a JSON pointer into the load, `message` says what a person can do."""

    pointer: str
    code: ProblemCode
    message: str


class Kind(StrEnum):
    """What code a field needs."""

    TEXT = "text"
    NUMBER = "number"
    ONE = "one"
    MANY = "many"
    CONST = "const"
    LOOKUP = "lookup"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Read:
    """One source value: a field of the record, or `leaf` of the record that the reference `head` points to.

    `objects` are the source objects the reference can point to, empty for a field of the record itself. `targets` are
    those that the value itself can point to, as far as the source tells.
    """

    path: str
    head: str
    leaf: str = ""
    objects: tuple[str, ...] = ()
    type: FieldType | None = None
    targets: tuple[str, ...] = ()

    def tries(self, loads: tuple[str, ...], origins: Mapping[str, str]) -> tuple[str, ...]:
        """Those of `loads` that can know the value: ids of different objects may be equal.

        `origins` are source objects by load. Where none of the loads comes from an object the field points to, the
        source's word is not taken for it and all are tried.
        """
        fitting = tuple(load for load in loads if origins.get(load, "") in self.targets)
        return fitting or loads


@dataclass(slots=True)
class FieldPlan:
    """Everything the generator needs of one rule. `key` is the logical key, `name` the API name."""

    key: str
    name: str
    kind: Kind
    reads: tuple[Read, ...] = ()
    required: bool = False
    default: Any = None
    length: int | None = None
    ready: Callable[[str], Any] | None = None
    memo: bool = False
    convert: Step = lambda value: value
    loads: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    style: str = "object"
    hold: bool = False


@dataclass(slots=True)
class Resolver:
    """The schemas and settings of one load; collects problems while it resolves."""

    load: Load
    source: ObjectSpec
    target: ObjectSpec
    names: Mapping[str, str]
    objects: Mapping[str, str]
    encoding: Encoding
    value_maps: Mapping[str, ValueMap]
    platform: str
    related: Mapping[str, ObjectSpec]
    origins: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, pointer: str, code: ProblemCode, message: str) -> None:
        self.problems.append(Problem(pointer, code, message))

    def plans(self, key_field: str) -> list[FieldPlan]:
        """A plan per rule; rules with problems are left out and reported."""
        taken = {key_field} if key_field else set()
        made = []
        for index, rule in enumerate(self.load.fields):
            at = f"/fields/{index}"
            spec = self._target(rule, at)
            if spec is None:
                continue
            if spec.name in taken:
                self.problem(f"{at}/target", ProblemCode.DUPLICATE_TARGET, f"{spec.name} is filled by another rule")
            taken.add(spec.name)
            before = len(self.problems)
            plan = self._plan(rule, spec, at)
            if plan is not None and len(self.problems) == before:
                made.append(plan)
        return made

    def read(self, path: str, at: str) -> Read | None:
        """The source value that `path` names, one reference deep at most."""
        head, dot, leaf = path.partition(".")
        spec = self.source.field(head)
        if spec is None:
            self.problem(at, ProblemCode.UNKNOWN_FIELD, f"{self.source.name} has no field {head!r}")
            return None
        if not dot:
            return Read(path, head, type=spec.type, targets=spec.references)
        if not spec.references:
            self.problem(at, ProblemCode.NOT_A_REFERENCE, f"{head!r} points to no object that could be followed")
            return None
        known = [self.related[name] for name in spec.references if name in self.related]
        found = [hit for item in known if (hit := item.field(leaf)) is not None]
        complete = len(known) == len(spec.references)
        if "." in leaf or (complete and not found):
            self.problem(at, ProblemCode.UNKNOWN_FIELD, f"{leaf!r} is no field of {', '.join(spec.references)}")
            return None
        types = {hit.type for hit in found}
        targets = tuple(dict.fromkeys(name for hit in found for name in hit.references)) if complete else ()
        return Read(path, head, leaf, spec.references, types.pop() if complete and len(types) == 1 else None, targets)

    def _target(self, rule: FieldRule, at: str) -> FieldSpec | None:
        name = self.names.get(rule.target, rule.target)
        if name.startswith("$"):  # a steering key of the platform, such as $se_module: no describe lists these
            return FieldSpec(name=name)
        spec = self.target.field(name)
        pointer = f"{at}/target"
        if spec is None:
            self.problem(pointer, ProblemCode.UNKNOWN_TARGET, f"{self.target.name} has no field {name!r}")
        elif not spec.writable:
            self.problem(pointer, ProblemCode.NOT_WRITABLE, f"{self.target.name} does not let clients set {name!r}")
        else:
            return spec
        return None

    def _plan(self, rule: FieldRule, spec: FieldSpec, at: str) -> FieldPlan | None:
        plan = FieldPlan(rule.target, spec.name, Kind.ONE, required=rule.required or spec.required)
        plan.default = self._default(rule, spec, at)
        if rule.owner or rule.lookup is not None:
            return self._reference(plan, rule, spec, at)
        transform = TRANSFORMS.get(rule.transform)
        if transform is None:
            self.problem(f"{at}/transform", ProblemCode.UNKNOWN_TRANSFORM, f"there is no transform {rule.transform!r}")
            return None
        try:
            args = transform.args.model_validate(rule.args)
        except ValidationError as error:
            where = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            self.problem(f"{at}/args", ProblemCode.BAD_ARGS, where)
            return None
        sources = needed(args, rule.sources)
        for path in named(args):
            if path not in sources:
                self.problem(f"{at}/args", ProblemCode.BAD_ARGS, f"{path!r} is not among the rule's sources")
        if not sources:
            return self._constant(plan, transform, args, spec, at)
        reads = [self.read(path, f"{at}/sources/{number}") for number, path in enumerate(sources)]
        plan.reads = tuple(read for read in reads if read is not None)
        if len(plan.reads) != len(sources) or not self._fits(plan, rule, transform, spec, at):
            return None
        return self._converting(plan, rule, transform, args, spec, at)

    def _default(self, rule: FieldRule, spec: FieldSpec, at: str) -> Any:
        if rule.default is None:
            return None
        made = self._encoded(rule.default, spec)
        if made is None:
            self.problem(f"{at}/default", ProblemCode.BAD_DEFAULT, f"the default does not fit {spec.name!r}")
        return made

    def _encoded(self, value: Any, spec: FieldSpec) -> Any:
        """`value` as the field takes it, or None when the field would refuse or change it."""
        if spec.name.startswith("$") or spec.type is FieldType.COMPOUND:
            return value
        made = encoder(spec, self.encoding)(value)
        if isinstance(made, Noted):
            return made.value if made.codes == (IssueCode.VALUE_ADDED,) else None
        return made

    def _constant(self, plan: FieldPlan, transform: Transform, args: Any, spec: FieldSpec, at: str) -> FieldPlan | None:
        plan.kind = Kind.CONST
        if transform.arity is Arity.NONE:
            plan.default = self._encoded(args.value, spec)
            if plan.default is None:
                self.problem(f"{at}/args/value", ProblemCode.BAD_DEFAULT, f"the value does not fit {spec.name!r}")
        elif plan.default is None:
            self.problem(f"{at}/sources", ProblemCode.NO_SOURCE, "name a source field, a constant or a default")
        return plan

    def _fits(self, plan: FieldPlan, rule: FieldRule, transform: Transform, spec: FieldSpec, at: str) -> bool:
        before = len(self.problems)
        if transform.arity is Arity.NONE or (transform.arity is Arity.ONE and len(plan.reads) > 1):
            self.problem(
                f"{at}/sources",
                ProblemCode.TOO_MANY_SOURCES,
                f"{transform.name} does not read {len(plan.reads)} fields",
            )
        if spec.type in RENDERED:
            self.problem(
                f"{at}/lookup", ProblemCode.LOOKUP_NEEDED, f"{spec.name!r} holds ids: use a lookup or an owner rule"
            )
        for number, read in enumerate(plan.reads):
            kind = FieldType.TEXT if rule.value_map is not None else read.type
            if kind is None:
                continue
            if kind not in transform.accepts or spec.type not in transform.targets(kind) | RENDERED:
                text = f"{transform.name} does not turn {kind} into {spec.type}"
                self.problem(f"{at}/sources/{number}", ProblemCode.TYPE_MISMATCH, text)
        return len(self.problems) == before

    def _converting(
        self, plan: FieldPlan, rule: FieldRule, transform: Transform, args: Any, spec: FieldSpec, at: str
    ) -> FieldPlan | None:
        fitting = Fitting(tuple(read.path for read in plan.reads), spec, self.platform, self.source.name)
        try:
            step = transform.prepare(args, fitting)
        except ValueError as error:
            self.problem(f"{at}/args", ProblemCode.BAD_ARGS, str(error))
            return None
        encode = encoder(spec, self.encoding, args.truncate)
        table = None if rule.value_map is None else self.value_maps.get(rule.value_map)
        if table is None and rule.value_map is not None:
            self.problem(f"{at}/value_map", ProblemCode.UNKNOWN_VALUE_MAP, f"there is no value map {rule.value_map!r}")
            return None
        mapped = [] if table is None else [map_value(table)]
        if transform.arity is Arity.MANY:
            plan.kind = Kind.MANY
            plan.convert = _many(mapped, _sequence([step, encode]))
            return plan
        plain = [] if transform.name == "copy" else [step]
        plan.convert = _sequence([*mapped, *plain, encode])
        if not mapped and not plain and spec.type in _SHORT_TEXTS:
            plan.kind, plan.length = Kind.TEXT, spec.length
        if not mapped and not plain and spec.type in NUMBERS and self.encoding.number == "number":
            plan.kind = Kind.NUMBER
            plan.ready = ready_number(spec.length, 0 if spec.type is FieldType.INTEGER else spec.scale)
        plan.memo = _repeats(plan, spec, bool(mapped))
        return plan

    def _reference(self, plan: FieldPlan, rule: FieldRule, spec: FieldSpec, at: str) -> FieldPlan | None:
        reads = [self.read(path, f"{at}/sources/{number}") for number, path in enumerate(rule.sources)]
        plan.reads = tuple(read for read in reads if read is not None)
        if not rule.sources and not rule.owner:
            self.problem(f"{at}/sources", ProblemCode.NO_SOURCE, "a lookup reads a reference field")
        if rule.owner or rule.lookup is None:
            plan.kind = Kind.OWNER
            plan.style = self.encoding.user if spec.type is FieldType.USER else "string"
            allowed = frozenset({FieldType.USER, FieldType.TEXT, FieldType.EMAIL})
        else:
            emits = rule.lookup.emit is LookupEmit.OBJECT
            plan.kind, plan.loads, plan.hold = Kind.LOOKUP, rule.lookup.loads, rule.lookup.on_missing is Missing.HOLD
            plan.origins = self.origins
            plan.style = self.encoding.reference if spec.type in _REFERENCES else "string"
            plan.objects = self._object_names(rule.lookup.loads, at) if emits else ()
            allowed = frozenset({FieldType.TEXT, FieldType.PICKLIST}) if emits else _REFERENCES | {FieldType.TEXT}
        if spec.type not in allowed:
            self.problem(f"{at}/target", ProblemCode.TYPE_MISMATCH, f"{spec.name!r} ({spec.type}) holds no reference")
        return plan

    def _object_names(self, loads: Sequence[str], at: str) -> tuple[str, ...]:
        for load in loads:
            if load not in self.objects:
                self.problem(f"{at}/lookup/loads", ProblemCode.UNKNOWN_LOAD, f"there is no load {load!r}")
        return tuple(self.objects.get(load, "") for load in loads)


_REFERENCES = frozenset({FieldType.LOOKUP, FieldType.COMPOUND, FieldType.USER})
_SHORT_TEXTS = frozenset({FieldType.TEXT, FieldType.TEXTAREA, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})
_REPEATING = frozenset(
    {FieldType.DATE, FieldType.TIME, FieldType.PICKLIST, FieldType.BOOLEAN, FieldType.INTEGER, FieldType.PERCENT}
)


def _repeats(plan: FieldPlan, spec: FieldSpec, mapped: bool) -> bool:
    """Whether converted values are worth remembering: few distinct ones, and nothing mutable comes out."""
    source = plan.reads[0].type
    kept = spec.type is not FieldType.MULTIPICKLIST and spec.type not in RENDERED
    return kept and plan.kind is Kind.ONE and (mapped or spec.type in _REPEATING or source in _REPEATING)


def _sequence(steps: Sequence[Step]) -> Step:
    if len(steps) == 1:
        return steps[0]

    first, *rest = steps

    def run(value: Any) -> Any:
        value = first(value)
        for step in rest:
            if value.__class__ is Noted:
                value = chain(value, step)
            elif value is not None:
                value = step(value)
        return value

    return run


def _many(mapped: Sequence[Callable[[Any], Any]], convert: Step) -> Step:
    """`convert` over a list of source values, each mapped first; what mapping has to report is kept."""
    if not mapped:
        return convert

    def run(values: list[Any]) -> Any:
        made = [chain(value, mapped[0]) for value in values]
        noted = [item for item in made if isinstance(item, Noted)]
        stopped = next((item for item in noted if item.verdict is not None), None)
        if stopped is not None:
            return stopped
        codes = tuple(dict.fromkeys(code for item in noted for code in item.codes))
        plain = [item.value if isinstance(item, Noted) else item for item in made]
        result = convert(plain)
        if isinstance(result, Noted):
            return Noted(result.value, tuple(dict.fromkeys((*codes, *result.codes))), result.verdict)
        return Noted(result, codes) if codes else result

    return run
