"""Compiles a load of the mapping into one function from source record to destination payload, checked beforehand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.domain.choices import folded
from app.domain.generation import Writer, follow
from app.domain.issues import SEVERITY, Issue, IssueCode, Verdict
from app.domain.mapping import Condition, Load, ValueMap
from app.domain.resolving import FieldPlan, Kind, Problem, Read, Resolver
from app.domain.schema import Encoding, FieldType, ObjectSpec, Record
from app.domain.transforms import blank

Related = Mapping[str, Mapping[str, Record]]
_NOTHING: Mapping[str, Any] = {}


class MappingInvalid(Exception):
    """A load cannot be compiled. `problems` name every place, `load` the load's key."""

    def __init__(self, load: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"load {load!r}: " + "; ".join(f"{item.pointer}: {item.message}" for item in problems))
        self.load = load
        self.problems = tuple(problems)


@dataclass(slots=True)
class PageContext:
    """What a page of records needs to be built, gathered once for the page.

    `ids`: load key → source id → destination id. `related`: source object → id → record. `users`: source user id →
    destination user id. `emails`: lower-case e-mail → destination user id.
    """

    ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    related: Related = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    emails: Mapping[str, str] = field(default_factory=dict)
    fallback_owner: str | None = None


class Built(NamedTuple):
    """A record for the destination. `payload` goes to orjson as it is; it is empty when `verdict` stops the record.

    `verdict` is None (write) or held / quarantined, `reason` then is `<issue code>:<logical field key>`. `issues` may
    be a shared empty tuple.
    """

    payload: dict[str, Any]
    verdict: Verdict | None
    reason: str
    issues: Sequence[Issue]


@dataclass(frozen=True, slots=True)
class CompiledLoad:
    """One load, ready to run. Both build functions are pure and keep small bounded caches: use one per process.

    `reference_needs`: (source path, load keys to try) for `PageContext.ids`; `related_needs`: (reference field,
    source object) for `PageContext.related`; `user_fields` and `email_fields`: source paths that owner rules read.
    `build` leaves blanks out, `build_update` writes None for them so that a delta clears the value. `fields` maps
    logical keys to the API names the payload uses.
    """

    key: str
    reference_needs: tuple[tuple[str, tuple[str, ...]], ...]
    related_needs: tuple[tuple[str, str], ...]
    user_fields: tuple[str, ...]
    email_fields: tuple[str, ...]
    source_fields: tuple[str, ...]
    fields: Mapping[str, str]
    takes: Callable[..., bool]
    build: Callable[[Record, PageContext], Built]
    build_update: Callable[[Record, PageContext], Built]
    reads: Mapping[str, Read]

    def value(self, record: Record, path: str, related: Related = _NOTHING) -> Any:
        """The value at a path of `reference_needs`, `user_fields` or `email_fields`; None for blank and orphan."""
        return _reader(self.reads[path])(record, related)


def compile_load(
    load: Load,
    *,
    source: ObjectSpec,
    target: ObjectSpec,
    names: Mapping[str, str],
    objects: Mapping[str, str],
    encoding: Encoding,
    value_maps: Mapping[str, ValueMap],
    platform: str,
    key_field: str,
    related: Mapping[str, ObjectSpec] | None = None,
    origins: Mapping[str, str] | None = None,
) -> CompiledLoad:
    """The compiled form of `load`.

    `names`: logical field key → API name at the destination (a key not listed is taken as API name). `objects`: load
    key → destination object, for rules that emit it. `platform`: the source's slug. `key_field`: API name of our
    external-id field, "" when there is none. `related`: source objects by name, so that dotted paths are checked too;
    those not given are taken on trust. `origins`: load key → source object, so that a reference is looked for only
    among the loads of objects it can point to. Raises MappingInvalid with every problem found.
    """
    resolver = Resolver(
        load, source, target, names, objects, encoding, value_maps, platform, related or {}, origins or {}
    )
    plans = resolver.plans(key_field)
    conditions = [_condition(resolver, item, index) for index, item in enumerate(load.when)]
    if resolver.problems:
        raise MappingInvalid(load.key, resolver.problems)
    primary = next((spec.name for spec in source.fields if spec.primary_key), "Id")
    part = f":{load.part}" if load.part else ""
    prefix = f"{platform}:{load.source_object}:"
    writer = Writer(Built, key_field, prefix, part, primary, lambda: _without_key(primary))
    reads = {read.path: read for plan in plans for read in plan.reads}
    reads |= {read.path: read for read, _ in conditions if read is not None}
    owners = [read for plan in plans if plan.kind is Kind.OWNER for read in plan.reads]
    return CompiledLoad(
        key=load.key,
        reference_needs=_reference_needs(plans),
        related_needs=tuple(dict.fromkeys((read.head, name) for read in reads.values() for name in read.objects)),
        user_fields=tuple(dict.fromkeys(read.path for read in owners if read.type is not FieldType.EMAIL)),
        email_fields=tuple(dict.fromkeys(read.path for read in owners if read.type is FieldType.EMAIL)),
        source_fields=tuple(dict.fromkeys((primary, *(read.head for read in reads.values())))),
        fields={plan.key: plan.name for plan in plans},
        takes=_takes([test for _, test in conditions]),
        build=writer.function(plans, clearing=False),
        build_update=writer.function(plans, clearing=True),
        reads=reads,
    )


def _without_key(primary: str) -> Built:
    code = IssueCode.MISSING_REQUIRED
    return Built({}, Verdict.QUARANTINED, f"{code}:{primary}", (Issue(primary, code, SEVERITY[code]),))


def _reference_needs(plans: Sequence[FieldPlan]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    needs: dict[str, dict[str, None]] = {}
    for plan in plans:
        if plan.kind is Kind.LOOKUP:
            for read in plan.reads:
                needs.setdefault(read.path, {}).update(dict.fromkeys(read.tries(plan.loads, plan.origins)))
    return tuple((path, tuple(loads)) for path, loads in needs.items())


def _reader(read: Read) -> Callable[[Record, Related], Any]:
    head = read.head
    if not read.objects:
        return lambda record, _related: record.get(head)
    behind = follow(read)

    def value(record: Record, related: Related) -> Any:
        found = behind(record.get(head), related)
        return found if isinstance(found, str | bool | list) else None

    return value


Test = Callable[[Record, Related], bool]


def _condition(resolver: Resolver, condition: Condition, index: int) -> tuple[Read | None, Test]:
    read = resolver.read(condition.field, f"/when/{index}/field")
    if read is None:
        return None, lambda _record, _related: False
    value = _reader(read)
    wanted = {_comparable(item) for item in condition.any_of}
    unwanted = {_comparable(item) for item in condition.none_of}

    def test(record: Record, related: Related) -> bool:
        found = value(record, related)
        keys = {_comparable(item) for item in found} if isinstance(found, list) and found else {_comparable(found)}
        return not keys & unwanted and (not wanted or not keys.isdisjoint(wanted))

    return read, test


def _comparable(value: Any) -> str | bool | None:
    """What conditions compare: choices trimmed and case-folded like value maps, blanks as None."""
    if isinstance(value, bool):
        return value
    return None if blank(value) else folded(str(value))


def _takes(tests: Sequence[Test]) -> Callable[..., bool]:
    if not tests:
        return lambda _record, _related=_NOTHING: True
    return lambda record, related=_NOTHING: all(test(record, related) for test in tests)
