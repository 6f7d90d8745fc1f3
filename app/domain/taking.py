"""How many records each load with conditions will take, and on how many parents they hang, counted in one pass over
the source for the forecast.
"""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from math import log
from typing import Any

from app.domain.choices import folded
from app.domain.mapping import Condition, Load, LoadMode, MappingDocument
from app.domain.schema import Record

TAKEN = "records_taken"
"""The fact of a source's inventory that holds these counts, by load key."""
PARENTS = "records_parents"
"""The fact that holds how many different parents the records of a load have, by load key."""
_BITS = 1 << 20


def meets(condition: Condition, value: Any) -> bool:
    """Whether a value satisfies a condition, compared as a compiled load compares it."""
    values = {_comparable(one) for one in value} if isinstance(value, list) and value else {_comparable(value)}
    wanted = {_comparable(one) for one in condition.any_of}
    unwanted = {_comparable(one) for one in condition.none_of}
    return not values & unwanted and (not wanted or not values.isdisjoint(wanted))


def _comparable(value: Any) -> str | bool | None:
    if isinstance(value, bool):
        return value
    return None if value in (None, "", []) else folded(str(value))


class TakeCounter:
    """Counts per conditional load. `add` every record of the source in any order, then read `counts`.

    A condition that asks a referred record is settled at the end: until then only how many records refer to which is
    kept. Loads with several such conditions, or with one on a gathered text, are not counted.
    """

    def __init__(self, document: MappingDocument) -> None:
        self._plain: dict[str, list[tuple[Load, list[Condition]]]] = {}
        self._through: dict[str, list[tuple[Load, list[Condition], Condition]]] = {}
        self._leaves: set[str] = set()
        for load in document.loads:
            gathered = {one.field for one in load.collect}
            dotted = [one for one in load.when if "." in one.field]
            if not load.when or len(dotted) > 1 or any(one.field in gathered for one in load.when):
                continue
            own = [one for one in load.when if one not in dotted]
            if dotted:
                self._through.setdefault(load.source_object, []).append((load, own, dotted[0]))
                self._leaves.add(dotted[0].field.partition(".")[2])
            else:
                self._plain.setdefault(load.source_object, []).append((load, own))
        self._taken: Counter[str] = Counter()
        self._referring: dict[str, Counter[str | None]] = {}
        self._values: dict[tuple[str, str], Any] = {}

    def add(self, object_name: str, source_id: str, record: Record) -> None:
        """Takes note of one record."""
        for load, own in self._plain.get(object_name, ()):
            self._taken[load.key] += all(meets(one, record.get(one.field)) for one in own)
        for load, own, through in self._through.get(object_name, ()):
            if all(meets(one, record.get(one.field)) for one in own):
                head = record.get(through.field.partition(".")[0])
                self._referring.setdefault(load.key, Counter())[head if isinstance(head, str) else None] += 1
        for leaf in self._leaves:
            if leaf in record:
                self._values[source_id, leaf] = record[leaf]

    def counts(self) -> dict[str, int]:
        """Load key → records it takes; loads without conditions are not listed."""
        found = {load.key: self._taken[load.key] for loads in self._plain.values() for load, _ in loads}
        for loads in self._through.values():
            for load, _, through in loads:
                leaf = through.field.partition(".")[2]
                heads = self._referring.get(load.key, Counter())
                found[load.key] = sum(
                    number
                    for head, number in heads.items()
                    if meets(through, None if head is None else self._values.get((head, leaf)))
                )
        return found


class ParentCounter:
    """Counts the different parents of records that are written together with their parent.

    `parents` names the field that holds the parent, by destination object. Memory is 128 KiB a load whatever the
    size: the number is estimated from the share of bits that stay free, to one in a hundred for up to a million.
    """

    def __init__(self, document: MappingDocument, parents: Mapping[str, str]) -> None:
        self._loads: dict[str, list[tuple[Load, str]]] = {}
        self._seen: dict[str, bytearray] = {}
        self._marked: Counter[str] = Counter()
        for load in document.loads:
            wanted = parents.get(load.target_object)
            paths = [rule.sources[0] for rule in load.fields if rule.target == wanted and rule.sources]
            if load.enabled and paths:
                self._loads.setdefault(load.source_object, []).append((load, paths[0].partition(".")[0]))
                self._seen[load.key] = bytearray(_BITS // 8)

    def add(self, object_name: str, _source_id: str, record: Record) -> None:
        """Takes note of one record."""
        for load, name in self._loads.get(object_name, ()):
            parent = record.get(name)
            own = (one for one in load.when if "." not in one.field)
            if not isinstance(parent, str) or not all(meets(one, record.get(one.field)) for one in own):
                continue
            bit = int.from_bytes(blake2b(parent.encode(), digest_size=4).digest()) % _BITS
            place, mask = bit >> 3, 1 << (bit & 7)
            seen = self._seen[load.key]
            if not seen[place] & mask:
                seen[place] |= mask
                self._marked[load.key] += 1

    def counts(self) -> dict[str, int]:
        """Load key → different parents."""
        return {key: _estimate(self._marked[key]) for key in self._seen}


def _estimate(marked: int) -> int:
    """How many different values mark that many bits (linear counting)."""
    return round(-_BITS * log(1 - min(marked, _BITS - 1) / _BITS))


class FileWeight:
    """Adds up what all files weigh that a load would move; `bytes` counts those whose size the source tells."""

    def __init__(self, document: MappingDocument) -> None:
        self._objects = {load.source_object for load in document.loads if load.enabled and load.mode is LoadMode.FILE}
        self.bytes = 0

    def add(self, object_name: str, _source_id: str, record: Record) -> None:
        """Takes note of one record."""
        size = record.get("Size") if object_name in self._objects else None
        if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) <= 15:
            self.bytes += int(size)
