"""Chooses the records of the sample run: few, closed under references, covering every load and kind of value.

Feed all records as light tuples; only a handful per feature is kept. What the chosen ones refer to is asked for by
`missing` and given by `supply`, since the caller fetches it from the database.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

KEPT_PER_FEATURE = 4
FILLERS_PER_OBJECT = 64

Ref = tuple[str, str]


class Candidate(NamedTuple):
    """One record: its object and id, the (object, id) it refers to, and what it shows ("Status=Open", "Email=null")."""

    object: str
    id: str
    refs: tuple[Ref, ...] = ()
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sample:
    """The chosen records by object, and which features they show; `orphans` are references that lead nowhere."""

    records: dict[str, tuple[str, ...]]
    covered: frozenset[Ref]
    uncovered: frozenset[Ref]
    orphans: frozenset[Ref]

    @property
    def size(self) -> int:
        return sum(len(ids) for ids in self.records.values())


def _rank(candidate: Candidate) -> tuple[int, bytes]:
    """Records that show much come first; ties are broken by a hash, so that neighbours in the source mix."""
    mark = blake2b(f"{candidate.object}:{candidate.id}".encode("utf-8", "replace"), digest_size=8).digest()
    return -len(candidate.features), mark


@dataclass(slots=True)
class _Kept:
    """The best few of a stream, whatever its order."""

    limit: int
    heap: list[tuple[int, int, Candidate]] = field(default_factory=list)

    def offer(self, candidate: Candidate) -> None:
        features, mark = _rank(candidate)
        entry = (-features, -int.from_bytes(mark, "big"), candidate)
        if len(self.heap) < self.limit:
            heapq.heappush(self.heap, entry)
        elif entry > self.heap[0]:
            heapq.heapreplace(self.heap, entry)

    def best(self) -> list[Candidate]:
        return [entry[2] for entry in sorted(self.heap, reverse=True)]


class SampleChooser:
    """Streams candidates, then closes the choice under references.

    `objects` must all be represented where they have records. Call `offer` for every record, then repeat `missing` /
    `supply` until nothing is missing, then `result`. The order of offering does not matter.
    """

    def __init__(self, objects: Iterable[str], *, minimum: int = 100, maximum: int = 500) -> None:
        if not 0 < minimum <= maximum:
            raise ValueError("minimum must be positive and not above maximum")
        self._objects = tuple(dict.fromkeys(objects))
        self._minimum, self._maximum = minimum, maximum
        self._kept: dict[Ref, _Kept] = {}
        self._fillers: dict[str, _Kept] = {}
        self._known: dict[Ref, Candidate] = {}
        self._orphans: set[Ref] = set()
        self._asked: frozenset[Ref] = frozenset()
        self._candidates: list[Candidate] | None = None

    def offer(self, candidate: Candidate) -> None:
        """Takes one record of the stream into account."""
        for feature in ("*", *candidate.features):
            self._kept.setdefault((candidate.object, feature), _Kept(KEPT_PER_FEATURE)).offer(candidate)
        self._fillers.setdefault(candidate.object, _Kept(FILLERS_PER_OBJECT)).offer(candidate)

    def missing(self) -> frozenset[Ref]:
        """References of records in question that are not known yet; empty when the choice can be made."""
        if self._candidates is None:
            self._candidates = self._retained()
            self._known.update({(one.object, one.id): one for one in self._candidates})
        wanted: set[Ref] = set()
        for candidate in self._known.values():
            wanted.update(candidate.refs)
        self._asked = frozenset(wanted - self._known.keys() - self._orphans)
        return self._asked

    def supply(self, candidates: Iterable[Candidate]) -> None:
        """Gives what `missing` asked for; what is not given counts as an orphan."""
        self._known.update({(one.object, one.id): one for one in candidates})
        self._orphans |= self._asked - self._known.keys()

    def result(self) -> Sample:
        """The sample. Raises ValueError while references are missing."""
        if self.missing():
            raise ValueError("references are missing: call missing() and supply() until none is left")
        chosen: set[Ref] = set()
        uncovered = set(self._kept)
        for candidate in self._greedy():
            added = self._closure(candidate) - chosen
            if len(chosen) + len(added) <= self._maximum:
                chosen |= added
        self._fill(chosen)
        for ref in chosen:
            one = self._known[ref]
            uncovered -= {(one.object, feature) for feature in ("*", *one.features)}
        records: dict[str, list[str]] = {}
        for name, record_id in sorted(chosen):
            records.setdefault(name, []).append(record_id)
        orphans = frozenset(target for ref in chosen for target in self._known[ref].refs if target in self._orphans)
        return Sample(
            {name: tuple(ids) for name, ids in records.items()},
            frozenset(set(self._kept) - uncovered), frozenset(uncovered), orphans,
        )  # fmt: skip

    def _retained(self) -> list[Candidate]:
        found = {(one.object, one.id): one for kept in self._kept.values() for one in kept.best()}
        for name in self._fillers:
            found.update({(one.object, one.id): one for one in self._fillers[name].best()})
        return [found[ref] for ref in sorted(found)]

    def _shows(self, candidate: Candidate) -> set[Ref]:
        return {(candidate.object, feature) for feature in ("*", *candidate.features)}

    def _greedy(self) -> list[Candidate]:
        """Candidates in the order in which each adds the most that nothing before it shows.

        Objects come first: whatever the maximum cuts off, every load keeps a record.
        """
        candidates = self._candidates or []
        order = {name: number for number, name in enumerate(self._objects)}
        open_features = {feature for feature in self._kept if feature[0] in order or not order}
        chosen: list[Candidate] = []
        for name in self._objects:
            first = self._fillers[name].best()[:1] if name in self._fillers else []
            chosen += first
            for one in first:
                open_features -= self._shows(one)
        # Lazy greedy: a gain can only shrink, so the top of the heap is right once it has been counted anew.
        heap = [(-len(self._shows(one)), one.object, one.id) for one in candidates]
        heapq.heapify(heap)
        known = self._known
        while heap and open_features:
            gain, name, record_id = heapq.heappop(heap)
            candidate = known[name, record_id]
            fresh = len(self._shows(candidate) & open_features)
            if fresh == 0:
                continue
            if -gain > fresh:
                heapq.heappush(heap, (-fresh, name, record_id))
                continue
            chosen.append(candidate)
            open_features -= self._shows(candidate)
        return chosen

    def _closure(self, candidate: Candidate) -> set[Ref]:
        """The record with everything it leads to, as far as that exists."""
        found: set[Ref] = set()
        pending: list[Ref] = [(candidate.object, candidate.id)]
        while pending:
            ref = pending.pop()
            if ref in found or ref not in self._known:
                continue
            found.add(ref)
            pending.extend(self._known[ref].refs)
        return found

    def _fill(self, chosen: set[Ref]) -> None:
        """Adds ordinary records, one object after the other, until the minimum is reached."""
        queues = [self._fillers[name].best() for name in self._objects if name in self._fillers]
        for place in range(FILLERS_PER_OBJECT):
            for queue in queues:
                if len(chosen) >= self._minimum:
                    return
                if place < len(queue):
                    added = self._closure(queue[place]) - chosen
                    if len(chosen) + len(added) <= self._maximum:
                        chosen |= added


def choose_sample(
    candidates: Iterable[Candidate], objects: Iterable[str], *, minimum: int = 100, maximum: int = 500
) -> Sample:
    """The sample of a stream that fits into memory; see `SampleChooser` for one that does not."""
    chooser = SampleChooser(objects, minimum=minimum, maximum=maximum)
    everything: dict[Ref, Candidate] = {}
    for candidate in candidates:
        everything[candidate.object, candidate.id] = candidate
        chooser.offer(candidate)
    while wanted := chooser.missing():
        chooser.supply([everything[ref] for ref in sorted(wanted) if ref in everything])
    return chooser.result()
