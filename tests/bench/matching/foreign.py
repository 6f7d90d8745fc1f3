"""Systems and tables nobody has described to the proposer, annotated by hand before the first run.

`held_out/open` may be looked at when the knowledge or the model is improved, `held_out/sealed` and `held_out/blind` are
only ever counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from app.domain.matching.columns import Column, Schema, Table, read_type
from app.domain.matching.memory import Memory
from app.domain.matching.objects import ObjectMatch
from app.domain.matching.proposal import ObjectProposal, match_tables, propose_tables
from app.domain.matching.sides import prepare, reading_of
from app.domain.matching.systems import find_system
from tests.bench.matching.metrics import calibration_error
from tests.bench.matching.tasks import Task

FOLDER = Path(__file__).parent / "held_out"


@dataclass(frozen=True)
class ForeignTable:
    """One source object: the destination objects a person would accept, and per field the acceptable targets.

    Fields are annotated for the first object of `to`; an empty set means that the field has no counterpart.
    """

    table: Table
    to: tuple[str, ...]
    truth: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class ForeignSystem:
    """One unknown source with the destination it is annotated for."""

    name: str
    destination: str
    tables: tuple[ForeignTable, ...]

    @property
    def schema(self) -> Schema:
        return Schema(self.name, tuple(one.table for one in self.tables))


@dataclass
class Tally:
    """What was counted. `places` are (rank of the first acceptable target, 0 for none) of fields that have one."""

    places: list[int] = field(default_factory=list)
    proposed: list[tuple[float, bool]] = field(default_factory=list)
    judged: list[tuple[float, bool]] = field(default_factory=list)
    objects: list[bool] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for mine, theirs in (
            (self.places, other.places), (self.proposed, other.proposed), (self.judged, other.judged),
            (self.objects, other.objects), (self.wrong, other.wrong),
        ):  # fmt: skip
            mine.extend(theirs)  # type: ignore[attr-defined]

    def figures(self) -> dict[str, float]:
        """r1, r3, f1, precision and recall at p >= 0.9, calibration error, objects, and how many fields (n, mapped)."""
        right = sum(good for _, good in self.proposed)
        sure = [good for p, good in self.proposed if p >= 0.9]
        mapped = max(1, len(self.places))
        p, y = np.array([one for one, _ in self.judged]), np.array([float(good) for _, good in self.judged])
        return {
            "r1": sum(place == 1 for place in self.places) / mapped,
            "r3": sum(1 <= place <= 3 for place in self.places) / mapped,
            "f1": 2 * right / max(1, len(self.proposed) + len(self.places)),
            "precision90": sum(sure) / max(1, len(sure)),
            "recall90": sum(sure) / mapped,
            "ece": calibration_error(p, y),
            "objects": sum(self.objects) / max(1, len(self.objects)),
            "n": len(self.judged),
            "mapped": len(self.places),
        }


@cache
def foreign_systems(part: str) -> tuple[ForeignSystem, ...]:
    """The annotated systems of a part, "open" or "sealed"."""
    return tuple(
        _system(one)
        for path in sorted((FOLDER / part).glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text("utf-8"))
    )


def _system(given: dict) -> ForeignSystem:
    tables = tuple(_table(str(name), one) for name, one in given["objects"].items())
    return ForeignSystem(given["system"], given["destination"], tables)


def _table(name: str, given: dict) -> ForeignTable:
    """A line is `Name[|type][ # Label] = target[, target]`, `-` for none."""
    columns, truth = [], []
    for line in given["fields"].splitlines():
        left, _, right = line.rpartition(" = ")
        named, _, label = left.partition(" # ")
        heading, _, kind = named.strip().partition("|")
        columns.append(Column(heading, label.strip(), type=read_type(kind) if kind else None))
        truth.append(frozenset(one.strip() for one in right.split(",") if one.strip() != "-"))
    wanted = given["to"] if isinstance(given["to"], list) else [given["to"]]
    return ForeignTable(Table(name, "", tuple(columns)), tuple(wanted), tuple(truth))


def measured(part: str) -> Iterator[tuple[str, Tally]]:
    """A tally per system of a part."""
    for one in foreign_systems(part):
        yield one.name, tally(one)


def tally(one: ForeignSystem) -> Tally:
    """Objects against the whole destination; fields with the object given, rules and assignment included."""
    system = find_system(one.destination)
    assert system is not None
    whole = system.schema()
    made = Tally()
    for foreign, proposal in zip(one.tables, propose_tables(one.schema, whole), strict=True):
        made.objects.append(proposal.match.target in foreign.to)
        if proposal.match.target not in foreign.to:
            made.wrong.append(f"{one.name}.{foreign.table.name} -> {proposal.match.target}, not {foreign.to[0]}")
        found = proposal if proposal.match.target == foreign.to[0] else _placed(one.schema, foreign, whole)
        _count_fields(made, one.name, foreign, found)
    return made


def _placed(source: Schema, foreign: ForeignTable, whole: Schema) -> ObjectProposal:
    """The fields once a person has said where the object belongs."""
    system, target = find_system(whole.platform), whole.table(foreign.to[0])
    assert system is not None
    assert target is not None, foreign.to[0]
    known = system.object(target.name)
    assert known is not None
    side = prepare(target, known.kind, reading_of(whole.tables), known)
    pairs = match_tables(foreign.table, known.kind, side, Memory(), reading_of(source.tables))
    return ObjectProposal(foreign.table, ObjectMatch(target.name, 1.0, "a person"), target, known.kind, pairs)


def _count_fields(made: Tally, system: str, foreign: ForeignTable, proposal: ObjectProposal) -> None:
    assert proposal.target is not None
    columns = proposal.target.columns
    names = {one.name for one in columns}
    for pair, good in zip(proposal.pairs, foreign.truth, strict=True):
        assert good <= names, (system, foreign.table.name, good - names)
        chosen = columns[pair.target].name if pair.target is not None else None
        shown = [chosen] if chosen else []
        shown += [columns[place].name for place, _ in pair.alternatives if columns[place].name != chosen]
        hit = bool(shown) and shown[0] in good
        if good:
            made.places.append(next((rank for rank, name in enumerate(shown, 1) if name in good), 0))
        made.judged.append((pair.probability, hit))
        if chosen:
            made.proposed.append((pair.probability, chosen in good))
        if (good and not hit) or (chosen and chosen not in good):
            wanted = " or ".join(sorted(good)) or "none"
            made.wrong.append(
                f"{system}.{foreign.table.name}.{proposal.source.columns[pair.row].name} -> {chosen or '-'}"
                f" {pair.probability:.2f} (first: {shown[0] if shown else '-'}), not {wanted}"
            )


def pooled(parts: Sequence[tuple[str, Tally]]) -> Tally:
    """Everything counted together."""
    made = Tally()
    for _, one in parts:
        made.add(one)
    return made


def foreign_tasks(part: str) -> Iterator[Task]:
    """The tables of a part as pairs to learn from, each with the destination object a person would choose."""
    for one in foreign_systems(part):
        system = find_system(one.destination)
        assert system is not None
        reading = reading_of(one.schema.tables, one.name)
        for foreign in one.tables:
            known = system.object(foreign.to[0])
            assert known is not None
            columns = tuple(field.column for field in known.fields.values())
            places = {column.name: place for place, column in enumerate(columns)}
            truth = {row: frozenset(places[name] for name in good) for row, good in enumerate(foreign.truth) if good}
            yield Task(
                one.name, one.destination, known.kind, foreign.table, Table(known.name, known.label, columns), truth,
                part, reading, known, known.kind,
            )  # fmt: skip
