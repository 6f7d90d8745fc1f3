"""What the matcher is trained and measured on: pairs of objects with the true counterpart of every field.

Own tasks come from the knowledge files: two fields mean the same when they have the same concept (and address block).
Shared tasks are an annotated set that may lie beside the repository (`TRANSHIP_MATCHING_DATA`); it is read, not kept.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.domain.matching.columns import Column, Table, read_type
from app.domain.matching.sides import Item, Reading, Side, block_plan, prepare, reading_of
from app.domain.matching.systems import KnownObject, System, find_system, systems

SHARED = Path(os.environ.get("TRANSHIP_MATCHING_DATA") or Path(__file__).parents[4] / "shared" / "matching")
DESTINATIONS = ("zoho_crm", "freshsales")
SHARED_NAMES = {"zoho": "zoho_crm"}


@dataclass
class Task:
    """One object pair: `truth` is source place → acceptable destination places."""

    system: str
    destination: str
    kind: str
    source: Table
    target: Table
    truth: dict[int, frozenset[int]]
    origin: str
    reading: Reading = field(default_factory=Reading)
    known_target: KnownObject | None = None
    aims_at: str = ""

    @property
    def name(self) -> str:
        return f"{self.system}.{self.source.name}->{self.destination}.{self.target.name}"

    def sides(self) -> tuple[Side, Side]:
        """Both sides ready; the source is treated as a system never seen."""
        target = prepare(self.target, self.aims_at, Reading(), self.known_target)
        return prepare(self.source, self.kind, self.reading, None, target.vocabulary), target


def _shared_tables(name: str) -> dict[str, Table]:
    given = json.loads((SHARED / "schemas" / f"{name}.json").read_text())
    return {
        one["name"]: Table(
            one["name"], one["label"],
            tuple(
                Column(f["name"], f["label"], read_type(f.get("type") or ""), tuple(f.get("picklist") or ()))
                for f in one["fields"]
            ),
        )
        for one in given["objects"]
    }  # fmt: skip


def shared_tasks() -> list[Task]:
    """The annotated pairs, empty where they are not at hand."""
    out = []
    for path in sorted((SHARED / "pairs").glob("*.json")) if SHARED.exists() else ():
        given = json.loads(path.read_text())
        here, there = _shared_tables(given["source"]), _shared_tables(given["target"])
        system = find_system(given["target"])
        for pair in given["objects"]:
            source, target = here[pair["source"]], there[pair["target"]]
            ours = {one.name: place for place, one in enumerate(source.columns)}
            theirs = {one.name: place for place, one in enumerate(target.columns)}
            truth = {ours[a]: frozenset(theirs[b] for b in bs) for a, bs in pair["fields"].items()}
            known = system.object(target.name) if system else None
            out.append(Task(
                SHARED_NAMES.get(given["source"], given["source"]), SHARED_NAMES.get(given["target"], given["target"]),
                pair["kind"], source, target, truth, "shared", known_target=known,
                aims_at=known.kind if known else pair["kind"],
            ))  # fmt: skip
    return out


def own_tasks() -> list[Task]:
    """Every described system against both destinations."""
    return [
        task for system in systems() for name in DESTINATIONS if system.name != name for task in _pairs(system, name)
    ]


def _pairs(system: System, destination: str) -> Iterator[Task]:
    there = find_system(destination)
    assert there is not None
    by_kind = {one.kind: one for one in there.objects.values()}
    for known in {id(one): one for one in system.objects.values()}.values():
        target = by_kind.get(known.kind) or (by_kind.get("contact") if known.kind == "lead" else None)
        if target is None:
            continue
        source = Table(known.name, known.label, tuple(one.column for one in known.fields.values()))
        aim = Table(target.name, target.label, tuple(one.column for one in target.fields.values()))
        yield Task(system.name, destination, known.kind, source, aim, _truth(known, target), "own",
                   known_target=target, aims_at=target.kind)  # fmt: skip


def _truth(source: KnownObject, target: KnownObject) -> dict[int, frozenset[int]]:
    ours = [Item(one.column, (), (), dict.fromkeys(one.concepts[:1], 1.0), one.block) for one in source.fields.values()]
    theirs = [
        Item(one.column, (), (), dict.fromkeys(one.concepts[:1], 1.0), one.block) for one in target.fields.values()
    ]
    left = Side(Table(source.name), source.kind, ours, frozenset(), source.main_block, _blocks(ours))
    right = Side(Table(target.name), target.kind, theirs, frozenset(), target.main_block, _blocks(theirs))
    plan = block_plan(left, right)
    truth = {}
    for place, one in enumerate(source.fields.values()):
        found = frozenset(
            at for at, other in enumerate(target.fields.values())
            if set(one.concepts) & set(other.concepts) and (not other.block or plan.get(one.block) == other.block)
        )  # fmt: skip
        if found:
            truth[place] = found
    return truth


def _blocks(items: list[Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.block for item in items if item.block))


def localised(task: Task, labels: dict[str, str]) -> Task:
    """The task with labels in another language and no API names to help."""
    columns = tuple(
        replace(one, label=labels.get(one.shown, one.shown), name=labels.get(one.shown, one.shown))
        for one in task.source.columns
    )
    source = Table(task.source.name, task.source.label, columns)
    return replace(task, source=source, reading=reading_of([source]))
