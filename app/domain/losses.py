"""What a mapping would lose, counted over every record before anything is written: values cut off, rounded, merged
into one option, or without a counterpart.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.domain.choices import folded
from app.domain.mapping import FieldRule, Load, LoadMode, MappingDocument, Unmapped, ValueMap
from app.domain.provisioning import enabled_loads
from app.domain.schema import FieldSpec, FieldType, Frozen, Inventory, Record
from app.domain.transforms import blank
from app.domain.validating import target_after_provisioning

EXAMPLES = 3
LONGEST = 80
OPTIONS = 500
_TEXTS = frozenset({FieldType.TEXT, FieldType.TEXTAREA, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})


class FieldLoss(Frozen):
    """What one rule loses. `kind`: truncated | rounded | collapsed | unmapped; `count` of `of` filled values.

    `examples` are source values, the first 80 characters of each; none for fields flagged as health data or otherwise
    sensitive. They are personal: the report that holds them is sealed.
    """

    load: str
    source_object: str
    source: str
    target_object: str
    target: str
    kind: str
    count: int
    of: int
    examples: tuple[str, ...] = ()


@dataclass(slots=True)
class _Watch:
    """One rule and what was seen of its values."""

    load: Load
    rule: FieldRule
    hidden: bool
    length: int | None = None
    scale: int | None = None
    table: ValueMap | None = None
    filled: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict[str, None]] = field(default_factory=dict)
    options: Counter[str] = field(default_factory=Counter)

    def see(self, value: Any) -> None:
        self.filled += 1
        text = value if isinstance(value, str) else ""
        if self.length is not None and len(text) > self.length:
            self.note("truncated", text)
        if self.scale is not None and _places(text) > self.scale:
            self.note("rounded", text)
        for one in (value if isinstance(value, list) else [value]) if self.table else ():
            option = str(one)
            if option in self.options or len(self.options) < OPTIONS:
                self.options[option] += 1

    def note(self, kind: str, value: str, count: int = 1) -> None:
        self.counts[kind] += count
        kept = self.examples.setdefault(kind, {})
        if not self.hidden and len(kept) < EXAMPLES:
            kept[value[:LONGEST]] = None

    def settle(self) -> None:
        """Weighs the options once all have been seen."""
        if self.table is None:
            return
        entries = {folded(before): after for before, after in self.table.entries.items()}
        groups: dict[str, list[str]] = {}
        for option in self.options:
            after = entries.get(folded(option))
            if after is not None:
                groups.setdefault(after, []).append(option)
            elif self.table.unmapped is not Unmapped.KEEP:
                self.note("unmapped", option, self.options[option])
        for together in groups.values():
            for option in together if len({folded(one) for one in together}) > 1 else ():
                self.note("collapsed", option, self.options[option])


class LossScan:
    """Feed it every record once, in any order, then `finish`. Memory is bounded by the number of rules."""

    def __init__(self, document: MappingDocument, source: Inventory, destination: Inventory) -> None:
        self._watches: dict[str, list[_Watch]] = {}
        for load in enabled_loads(document):
            if load.mode is LoadMode.CREATE:
                found = list(_watches(document, load, source, destination))
                self._watches.setdefault(load.source_object, []).extend(found)

    def add(self, object_name: str, _: str, record: Record) -> None:
        """Takes one canonical record; deleted ones lose nothing more."""
        if record.get("IsDeleted") is True:
            return
        for watch in self._watches.get(object_name, ()):
            value = record.get(watch.rule.sources[0])
            if not blank(value):
                watch.see(value)

    def finish(self) -> tuple[FieldLoss, ...]:
        """Every loss, the largest first."""
        made = []
        for watch in (one for found in self._watches.values() for one in found):
            watch.settle()
            made += [
                FieldLoss(
                    load=watch.load.key, source_object=watch.load.source_object, source=watch.rule.sources[0],
                    target_object=watch.load.target_object, target=watch.rule.target, kind=kind, count=count,
                    of=watch.filled, examples=tuple(watch.examples[kind]),
                )
                for kind, count in watch.counts.items()
            ]  # fmt: skip
        return tuple(sorted(made, key=lambda one: (-one.count, one.load, one.target, one.kind)))


def _watches(document: MappingDocument, load: Load, source: Inventory, destination: Inventory) -> Iterator[_Watch]:
    """Rules that carry one field of the record itself and can lose something on the way."""
    found = target_after_provisioning(document, destination, load.target_object)
    spec = source.object(load.source_object)
    if found is None or spec is None:
        return
    target, names = found
    for rule in load.fields:
        if len(rule.sources) != 1 or "." in rule.sources[0] or rule.lookup is not None or rule.owner:
            continue
        ours, theirs = spec.field(rule.sources[0]), target.field(names.get(rule.target, rule.target))
        made = _Watch(load, rule, hidden=rule.sensitive or bool(ours and ours.sensitive))
        made.table = document.value_maps.get(rule.value_map or "")
        if theirs is not None:
            made.length, made.scale = _limits(theirs)
        if made.table is not None or made.length is not None or made.scale is not None:
            yield made


def _limits(target: FieldSpec) -> tuple[int | None, int | None]:
    """(characters, decimal places) that fit; None where there is no such limit."""
    if target.type is FieldType.INTEGER:
        return None, 0
    return (target.length if target.type in _TEXTS else None), (target.scale if target.type in _NUMBERS else None)


def _places(text: str) -> int:
    """Decimal places that say something: "12.50" has one."""
    whole, point, rest = text.partition(".")
    return len(rest.rstrip("0")) if point and whole.lstrip("-").isdigit() and rest.isdigit() else 0
