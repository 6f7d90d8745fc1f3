"""Merkle reconciliation: both sides' records as hashes, summed up in ranges, objects and one root that can be signed.

A leaf is a source id with the keyed hash of the record's canonical values; the same ids on both sides, so that two
ranges cut at the same places compare root by root. Whoever holds the document can check all sums without a key.
"""

from collections.abc import Iterable, Sequence

from app.domain.digest import Leaf, merkle_root
from app.domain.schema import Frozen

RANGE = 500
"""Leaves in a range: small enough to look through, large enough for a short document."""


class RangeRoots(Frozen):
    """A stretch of source ids, both ends included, with the root of what was meant and of what was found there."""

    first: str
    last: str
    count: int
    meant: str
    found: str


class ObjectRoots(Frozen):
    """One load: its ranges in the order of their ids, and the roots over these."""

    load: str
    source_object: str
    target_object: str
    records: int
    fields: int
    different_records: int
    missing_records: int
    meant: str
    found: str
    ranges: tuple[RangeRoots, ...]


class Reconciliation(Frozen):
    """What a reconciliation found, without a single value. `checked_at` is ISO 8601 in UTC."""

    kind: str = "tranship.reconciliation.v1"
    engagement: str
    run: str
    source: str
    destination: str
    mapping_version: int | None
    checked_at: str
    read_again: int
    objects: tuple[ObjectRoots, ...]
    meant: str
    found: str


class Pairing:
    """Collects pairs of leaves that ascend by id and rolls them up range by range: flat memory at any size."""

    def __init__(self, size: int = RANGE) -> None:
        self._size = size
        self._meant: list[Leaf] = []
        self._found: list[Leaf] = []
        self.ranges: list[RangeRoots] = []
        self.records = 0
        self.different = 0
        self.missing = 0

    def add(self, source_id: str, meant: bytes, found: bytes | None) -> None:
        """One record; `found` is None where the destination has it no more. Raises ValueError for ids out of order."""
        if self._meant and source_id <= self._meant[-1].key:
            raise ValueError("records must ascend by id")
        if len(self._meant) == self._size:
            self._roll()
        self.records += 1
        self.missing += found is None
        self.different += found is not None and found != meant
        self._meant.append(Leaf(source_id, meant))
        if found is not None:
            self._found.append(Leaf(source_id, found))

    def finish(self) -> tuple[RangeRoots, ...]:
        """All ranges, the last one closed."""
        if self._meant:
            self._roll()
        return tuple(self.ranges)

    def _roll(self) -> None:
        self.ranges.append(
            RangeRoots(
                first=self._meant[0].key,
                last=self._meant[-1].key,
                count=len(self._meant),
                meant=merkle_root(self._meant).hex(),
                found=merkle_root(self._found).hex(),
            )
        )
        self._meant, self._found = [], []


def object_roots(ranges: Sequence[RangeRoots]) -> tuple[str, str]:
    """The roots over a load's ranges: (meant, found)."""
    return _over([(one.last, one.meant) for one in ranges]), _over([(one.last, one.found) for one in ranges])


def whole_roots(objects: Sequence[ObjectRoots]) -> tuple[str, str]:
    """The roots over all loads by name: (meant, found)."""
    ordered = sorted(objects, key=lambda one: one.load)
    return _over([(one.load, one.meant) for one in ordered]), _over([(one.load, one.found) for one in ordered])


def _over(named: Iterable[tuple[str, str]]) -> str:
    return merkle_root(Leaf(name, bytes.fromhex(root)) for name, root in named).hex()


def faults_of(document: Reconciliation) -> list[str]:
    """What in a document does not follow from its own ranges; empty when every root and sum is right."""
    faults = []
    for one in document.objects:
        if object_roots(one.ranges) != (one.meant, one.found):
            faults.append(f"{one.load}: its root does not follow from its ranges")
        if sum(part.count for part in one.ranges) != one.records:
            faults.append(f"{one.load}: its ranges do not hold {one.records} records")
        if any(left.last >= right.first for left, right in zip(one.ranges, one.ranges[1:], strict=False)):
            faults.append(f"{one.load}: its ranges overlap")
        equal = all(part.meant == part.found for part in one.ranges)
        if equal != (one.different_records == 0 and one.missing_records == 0):
            faults.append(f"{one.load}: its ranges and its number of differing records disagree")
    if whole_roots(document.objects) != (document.meant, document.found):
        faults.append("the roots of the whole do not follow from the objects")
    return faults


def unequal_ranges(document: Reconciliation) -> list[tuple[str, RangeRoots]]:
    """Where both sides differ: load and range."""
    return [(one.load, part) for one in document.objects for part in one.ranges if part.meant != part.found]
