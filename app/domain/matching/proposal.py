"""The proposal for two schemas: objects first, then fields inside them, then transforms, then values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.matching.columns import Schema, Table
from app.domain.matching.composites import separator_for
from app.domain.matching.converting import convert
from app.domain.matching.curated import NOTHING, Curated
from app.domain.matching.memory import Memory
from app.domain.matching.objects import ObjectGuess, ObjectMatch, guess_kind, match_objects
from app.domain.matching.pairing import pair_fields
from app.domain.matching.pairs import FieldPair
from app.domain.matching.sides import Reading, Side, prepare, reading_of
from app.domain.matching.systems import System, recognise, singular

Votes = Mapping[tuple[int, int], float]
Adviser = Callable[[Side, Side, Sequence[FieldPair]], Votes]
"""Asked once per object pair about the middle band; answers log-odds by (source place, destination place)."""


@dataclass(slots=True)
class ObjectProposal:
    """A source object, its place at the destination and its fields."""

    source: Table
    match: ObjectMatch
    target: Table | None = None
    kind: str = ""
    pairs: list[FieldPair] = field(default_factory=list)


def propose_tables(
    source: Schema,
    destination: Schema,
    memory: Memory | None = None,
    adviser: Adviser | None = None,
    curated: Curated = NOTHING,
) -> list[ObjectProposal]:
    """A proposal for every object of the source, each with every field; the order is the source's.

    `curated` is what the blueprint of the pair says, where there is one.
    """
    memory = memory or Memory()
    here, there = recognise(source), recognise(destination)
    reading, other = reading_of(source.tables, source.platform), reading_of(destination.tables)
    guesses = [(table, guess_kind(table, here, reading)) for table in source.tables]
    targets = [(table, guess_kind(table, there, other)) for table in destination.tables]
    matches = [
        _settled(table, match, curated, destination)
        for table, match in zip(source.tables, match_objects(guesses, targets), strict=True)
    ]
    by_name = {table.name: (table, guess) for table, guess in reversed(targets)}
    sides: dict[str, Side] = {}
    out = []
    for (table, guess), match in zip(guesses, matches, strict=True):
        made = ObjectProposal(table, match, kind=guess.kind)
        if match.target is not None:
            made.target, aim = by_name[match.target]
            if match.target not in sides:
                sides[match.target] = _target_side(made.target, aim, other, there)
            made.pairs = match_tables(
                table, guess.kind or aim.kind, sides[match.target], memory, reading, here, adviser,
                curated.of(table.name, match.target),
            )  # fmt: skip
        out.append(made)
    return out


def _settled(table: Table, match: ObjectMatch, curated: Curated, destination: Schema) -> ObjectMatch:
    """The blueprint's word, where it speaks of the object and the destination has what it names."""
    named = curated.objects.get(table.name, "")
    there = (one.name for one in destination.tables if singular(one.name) == singular(named))
    wanted = named if destination.table(named) else next(there, None)
    if not named or wanted is None:
        return match
    shown = [(match.target, match.probability)] if match.target not in {None, wanted} else []
    others = [*shown, *(one for one in match.alternatives if one[0] != wanted)]
    alternatives = tuple((str(name), value) for name, value in others)[:3]
    return ObjectMatch(wanted, 0.99, "the blueprint of this pair says so", alternatives)


def _target_side(table: Table, guess: ObjectGuess, reading: Reading, system: System | None) -> Side:
    return prepare(table, guess.kind, reading, system.object(table.name) if system else None)


def match_tables(
    table: Table,
    kind: str,
    target: Side,
    memory: Memory,
    reading: Reading,
    system: System | None = None,
    adviser: Adviser | None = None,
    curated: Mapping[str, Sequence[str]] | None = None,
) -> list[FieldPair]:
    """The fields of one source object into a prepared destination object."""
    known = system.object(table.name) if system else None
    side = prepare(table, kind, reading, known, target.vocabulary)
    pairs = pair_fields(side, target, memory, curated=curated)
    votes = adviser(side, target, pairs) if adviser else {}
    return pair_fields(side, target, memory, votes, curated=curated) if votes else pairs


def answer(proposals: Sequence[ObjectProposal]) -> dict[str, Any]:
    """The proposal as JSON, every source object and field in it."""
    return {"objects": [_object_answer(one) for one in proposals]}


def _object_answer(one: ObjectProposal) -> dict[str, Any]:
    fields = (
        [_field_answer(one, pair) for pair in one.pairs]
        if one.target
        else [_silent(column.name) for column in one.source.columns]
    )
    return {
        "source_object": one.source.name,
        "target_object": one.match.target,
        "probability": round(one.match.probability, 4),
        "fields": fields,
    }


def _silent(name: str) -> dict[str, Any]:
    text = "The destination has no object of this kind: leave it out, export it to a file, or create an object."
    return {"source_field": name, "target": None, "probability": 0.0, "band": "none", "transform": None,
            "value_map": None, "reasons": [text], "alternatives": []}  # fmt: skip


def _field_answer(one: ObjectProposal, pair: FieldPair) -> dict[str, Any]:
    assert one.target is not None
    source, columns = one.source.columns[pair.row], one.target.columns
    transform, table = transform_of(one, pair)
    return {
        "source_field": source.name,
        "target": columns[pair.target].name if pair.target is not None else None,
        "probability": round(pair.probability, 4),
        "band": pair.band,
        "transform": transform,
        "value_map": table,
        "reasons": [text for _, text, _ in pair.grounds],
        "alternatives": [
            {"target": columns[place].name, "probability": round(value, 4)} for place, value in pair.alternatives
        ],
    }


def transform_of(one: ObjectProposal, pair: FieldPair) -> tuple[dict[str, Any] | None, dict[str, str | None] | None]:
    """What happens to the values of a pair on their way, and the value map if both sides have a list."""
    if pair.target is None or one.target is None:
        return None, None
    target = one.target.columns[pair.target]
    if pair.how == "external_id":
        return {"name": "external_id", "args": {}, "loss": []}, None
    if pair.how == "split":
        return {"name": "split_name", "args": {"targets": list(pair.partners)}, "loss": []}, None
    if pair.how == "join":
        return {
            "name": "join",
            "args": {"sources": list(pair.partners), "separator": separator_for(target)},
            "loss": [],
        }, None
    transform, table = convert(one.source.columns[pair.row], target)
    if pair.how == "alternate":
        transform["args"] = {**transform["args"], "covered_by": pair.partners[0]}
    if target.read_only:
        transform["args"] = {**transform["args"], "set_by_destination": True}
    return transform, table
