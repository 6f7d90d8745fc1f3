"""Fields the blueprint does not know, matched with what is left of a destination object: the API's way in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.mapping import Alternative, Reason
from app.domain.matching.columns import Column, Table, column_of, schema_of, table_of
from app.domain.matching.composites import separator_for
from app.domain.matching.converting import convert
from app.domain.matching.memory import Memory
from app.domain.matching.objects import ObjectMatch, guess_kind, match_objects
from app.domain.matching.pairing import pair_fields
from app.domain.matching.pairs import FieldPair, Ground
from app.domain.matching.proposal import Adviser
from app.domain.matching.sides import Reading, Side, prepare, reading_of
from app.domain.matching.systems import System, recognise
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec

NEVER = frozenset({FieldType.ID, FieldType.COMPOUND, FieldType.FILE})
"""Types whose values are not matched: ids mean nothing elsewhere, parts and files move on their own."""


@dataclass(frozen=True, slots=True)
class FieldMatch:
    """A proposal for one source field. `target` is "" where nothing is likely; `value_map` only holds what has a
    counterpart. `sure` tells that it is preselected.

    `sources` are the fields that fill the target together, in order, this one first; where the join is not sure, they
    only say with which field it might. A field that another one's match carries names it in `part_of` and has no
    target. `parts` are the destination fields of first and last name, where the field is a whole name.
    """

    source: str
    target: str
    probability: float
    sure: bool
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    arguments: tuple[tuple[str, object], ...] = ()
    value_map: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()
    part_of: str = ""
    parts: tuple[str, ...] = ()


class Matcher:
    """Both inventories read once; then asked object by object."""

    def __init__(
        self, source: Inventory, destination: Inventory, memory: Memory | None = None, adviser: Adviser | None = None
    ) -> None:
        ours, theirs = schema_of(source), schema_of(destination)
        self.memory = memory or Memory()
        self._adviser = adviser
        self._here, self._there = recognise(ours), recognise(theirs)
        self.reading, self._other = reading_of(ours.tables, ours.platform), reading_of(theirs.tables)
        self._targets = [(one, guess_kind(one, self._there, self._other)) for one in theirs.tables]

    def place(self, source: ObjectSpec) -> ObjectMatch:
        """Where a source object belongs among all objects of the destination."""
        table = table_of(source)
        return match_objects([(table, guess_kind(table, self._here, self.reading))], self._targets)[0]

    def match(
        self, source: ObjectSpec, unknown: Sequence[FieldSpec], target: ObjectSpec, free: Sequence[FieldSpec]
    ) -> dict[str, FieldMatch]:
        """A proposal per unknown source field, by name; only fields that can be written and hold values are used."""
        left = _side(replace(table_of(source), columns=tuple(map(column_of, unknown))), self._here, self.reading)
        columns = tuple(column_of(one) for one in free if one.writable and one.type not in NEVER)
        right = _side(replace(table_of(target), columns=columns), self._there, self._other)
        left = prepare(left.table, left.kind or right.kind, self.reading, None, right.vocabulary)
        if not left.items or not right.items:
            return {}
        pairs = pair_fields(left, right, self.memory)
        if self._adviser is not None and (votes := self._adviser(left, right, pairs)):
            pairs = pair_fields(left, right, self.memory, votes)
        rows = {left.items[pair.row].column.name: pair for pair in reversed(pairs)}
        return {name: _match(left, right, pair, rows) for name, pair in rows.items()}


def _side(table: Table, system: System | None, reading: Reading) -> Side:
    guess = guess_kind(table, system, reading)
    return prepare(table, guess.kind, reading, system.object(table.name) if system else None)


def _match(left: Side, right: Side, pair: FieldPair, rows: Mapping[str, FieldPair]) -> FieldMatch:
    source = left.items[pair.row].column
    members = [rows[name] for name in pair.partners] if pair.settled and pair.how == "join" else [pair]
    carried = pair.settled and pair.how == "join" and pair.partners[0] != source.name
    target = right.items[pair.target].column if pair.target is not None and not carried else None
    placed = target if pair.settled or not pair.how else None
    arguments, table = _written(source, placed, pair) if placed is not None else ({}, None)
    probability = min(one.probability for one in members)
    shown = [(pair.target, probability)] if placed is not None or pair.how == "join" else []
    return FieldMatch(
        source=source.name,
        target=placed.name if placed else "",
        probability=round(probability, 4),
        sure=placed is not None and pair.band == "preselected",
        reasons=tuple(Reason(code=code, text=text, weight=weight) for code, text, weight in _grounds(members)),
        alternatives=tuple(
            Alternative(target=right.items[place].column.name, probability=round(value, 4))
            for place, value in [*shown, *pair.alternatives]
            if place is not None
        )[:3],
        arguments=tuple(arguments.items()),
        value_map=tuple((key, value) for key, value in (table or {}).items() if value is not None and key != value),
        sources=pair.partners if pair.how == "join" and not carried else (),
        part_of=pair.partners[0] if carried else "",
        parts=pair.partners if pair.settled and pair.how == "split" else (),
    )


def _written(source: Column, target: Column, pair: FieldPair) -> tuple[dict[str, object], dict[str, str | None] | None]:
    """The arguments of the transform and the value map."""
    if pair.how == "join":
        return {"separator": separator_for(target)}, None
    transform, table = convert(source, target)
    kept = {key: value for key, value in transform["args"].items() if key in {"formats", "locale", "separator"}}
    return kept, table


def _grounds(members: Sequence[FieldPair]) -> list[Ground]:
    """Why the fields belong together, then why the first of them goes where it goes."""
    if len(members) == 1:
        return members[0].grounds
    together = [one for pair in members[1:] for one in pair.grounds if one[0] == "composite"]
    return [*dict.fromkeys(together), *(one for one in members[0].grounds if one[0] != "composite")]
