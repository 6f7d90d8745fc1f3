"""Which records look like one, who of them lives on, and who is kept apart: decided without I/O (rulings 21 and 27)."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.domain.choices import folded
from app.domain.mapping import Dedupe, Survivor
from app.domain.schema import Record
from app.domain.texts import cut, text_of


class Likeness(NamedTuple):
    """What is remembered of a record: hashes of its filled key groups and of what sets it apart, and its weight."""

    source_id: str
    keys: tuple[int, ...]
    apart: int
    weight: tuple[Any, ...]


@dataclass(slots=True)
class Doubles:
    """Groups of records that look like one. `add` all records, then ask; what is kept of each is a few numbers."""

    spec: Dedupe
    _seen: list[Likeness] = field(default_factory=list)

    def add(self, source_id: str, record: Record, *, created: str = "") -> None:
        """Takes note of a record; `created` orders the oldest and the newest, ids where it is blank."""
        keys = []
        for number, group in enumerate(self.spec.keys):
            values = [_plain(record.get(name)) for name in group]
            if group and all(values):
                keys.append(hash((number, *values)))
        if keys:
            apart = hash(tuple(_plain(record.get(name)) for name in self.spec.apart))
            self._seen.append(Likeness(source_id, tuple(keys), apart, self._weight(source_id, record, created)))

    def _weight(self, source_id: str, record: Record, created: str) -> tuple[Any, ...]:
        """Sorts the survivor to the front."""
        if self.spec.survivor is Survivor.FULLEST:
            return (-sum(1 for value in record.values() if value not in (None, "", [])), created, source_id)
        return (created, source_id)

    def groups(self) -> list[tuple[str, ...]]:
        """Ids that belong together, the survivor first, by the survivor's id. Likeness is passed on: a record equal to
        two others by different keys joins them.
        """
        leader: dict[tuple[int, int], int] = {}
        parent = list(range(len(self._seen)))
        for number, one in enumerate(self._seen):
            for key in one.keys:
                first = leader.setdefault((key, one.apart), number)
                parent[_root(parent, number)] = _root(parent, first)
        found: dict[int, list[Likeness]] = {}
        for number, one in enumerate(self._seen):
            found.setdefault(_root(parent, number), []).append(one)
        newest = self.spec.survivor is Survivor.NEWEST
        ordered = (sorted(group, key=lambda one: one.weight, reverse=newest) for group in found.values())
        return sorted(tuple(one.source_id for one in group) for group in ordered if len(group) > 1)

    def redirects(self) -> dict[str, str]:
        """Id → survivor's id of all that are merged away."""
        return {other: group[0] for group in self.groups() for other in group[1:]}


def _root(parent: list[int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


def _plain(value: Any) -> str:
    return folded(text_of(value)) if value not in (None, "", []) else ""


def repeated(hashes: Iterable[int]) -> frozenset[int]:
    """Values of 64 bits that occur more than once; eight bytes are needed for each, whatever they stand for."""
    ordered = array("Q", hashes)
    ordered = array("Q", sorted(ordered))
    return frozenset(one for number, one in enumerate(ordered) if number and ordered[number - 1] == one)


def marked(value: str, mark: str, length: int | None) -> str:
    """`value` with the mark in brackets behind it, cut in front of the mark where the field is too short."""
    end = f" ({mark})"
    return f"{value if length is None else cut(value, max(0, length - len(end)))}{end}"
