"""The figures of the whole road: known sources, labels in other languages, pick lists, objects; rapidfuzz beside."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz import fuzz, process

from app.domain.matching.columns import Column, Schema, Table
from app.domain.matching.names import split
from app.domain.matching.objects import guess_kind, match_objects
from app.domain.matching.options import map_options
from app.domain.matching.proposal import propose_tables
from app.domain.matching.sides import Reading, reading_of
from app.domain.matching.systems import find_system
from tests.bench.matching.anchors import rapidfuzz_scores
from tests.bench.matching.tasks import DESTINATIONS, SHARED, Task, own_tasks, shared_tasks

HERE = Path(__file__).parent
ENOUGH = 60
"""Likeness out of 100 from which the bare rapidfuzz matcher takes two pick-list values for one."""


@dataclass
class Share:
    """How many of how many were right, by the product and by rapidfuzz, and what was wrong."""

    right: int = 0
    anchor: int = 0
    total: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, good: bool, anchor: bool, what: str) -> None:
        self.total += 1
        self.right += good
        self.anchor += anchor
        if not good:
            self.wrong.append(what)

    @property
    def ours(self) -> float:
        return self.right / max(self.total, 1)

    @property
    def theirs(self) -> float:
        return self.anchor / max(self.total, 1)


def known_sources() -> Share:
    """First places of the whole road on described systems' standard fields, the annotated ones.

    A primary key is right at the id and at the external id, where the rule sends it.
    """
    made = Share()
    for task in shared_tasks():
        pairs = propose_tables(Schema(task.system, (task.source,)), Schema(task.destination, (task.target,)))[0].pairs
        system = find_system(task.system)
        known = system.object(task.source.name) if system else None
        assert known is not None
        anchor = rapidfuzz_scores(task)
        for row, good in task.truth.items():
            column = task.source.columns[row]
            described = known.fields.get(column.name)
            if described is None or not described.concepts:
                continue
            keys = {place for place, one in enumerate(task.target.columns) if one.name in {"id", "external_id"}}
            right = good | keys if "id" in described.concepts else good
            what = f"{task.name} {column.name}"
            made.add(bool(pairs) and pairs[row].target in right, int(anchor[row].argmax()) in right, what)
    return made


def localised_tasks() -> Iterator[Task]:
    """Tables with labels in other languages and no API names, annotated for Zoho CRM."""
    system = find_system("zoho_crm")
    assert system is not None
    for code, tables in json.loads((HERE / "localised.json").read_text(encoding="utf-8")).items():
        for name, fields in tables.items():
            source = Table(name, name, tuple(Column(label) for label in fields))
            target = next(one for one in system.schema().tables if one.name == name)
            places = {one.name: place for place, one in enumerate(target.columns)}
            truth = {row: frozenset({places[wanted]}) for row, wanted in enumerate(fields.values())}
            yield Task(code, "zoho_crm", "", source, target, truth, "localised")


def localised() -> Share:
    made = Share()
    for task in localised_tasks():
        pairs = propose_tables(Schema("", (task.source,)), Schema("zoho_crm", (task.target,)))[0].pairs
        anchor = rapidfuzz_scores(task)
        for row, good in task.truth.items():
            what = f"{task.system} {task.source.columns[row].name}"
            made.add(bool(pairs) and pairs[row].target in good, int(anchor[row].argmax()) in good, what)
    return made


def options() -> Share:
    """Pick-list values that get an acceptable counterpart, none included."""
    path = SHARED / "picklists" / "value_maps.json"
    made = Share()
    for one in json.loads(path.read_text()) if path.exists() else ():
        for match in map_options(one["source"], one["target"]):
            good = one["map"].get(match.source)
            best, likeness, _ = process.extractOne(match.source, one["target"], scorer=fuzz.token_sort_ratio)
            anchor = best if likeness >= ENOUGH else None
            made.add(
                match.target in good if good else match.target is None,
                anchor in good if good else anchor is None,
                f"{one['system']} {one['field']}: {match.source} -> {match.target} instead of {good}",
            )
    return made


def objects() -> Share:
    """Source objects that find their place, the source treated as unknown."""
    made = Share()
    for destination in DESTINATIONS:
        system = find_system(destination)
        assert system is not None
        targets = [(table, guess_kind(table, system, Reading())) for table in system.schema().tables]
        names = {table.name: " ".join(split(table.name)) for table, _ in targets}
        for task in (one for one in (*shared_tasks(), *own_tasks()) if one.destination == destination):
            guess = guess_kind(task.source, None, reading_of([task.source]))
            found = match_objects([(task.source, guess)], targets)[0].target
            anchor = process.extractOne(" ".join(split(task.source.name)), names, scorer=fuzz.token_set_ratio)[2]
            what = f"{task.system}.{task.source.name} ({guess}) -> {found} instead of {task.target.name}"
            made.add(found == task.target.name, anchor == task.target.name, what)
    return made
