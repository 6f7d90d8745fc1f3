"""What fields have been called before: by described systems, and by maps the tenant has confirmed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from app.domain.matching.names import spell_out, split
from app.domain.matching.sides import Item, Side
from app.domain.matching.systems import Alias, aliases

Matrix = npt.NDArray[np.float32]
HIT = 0.95


@dataclass(frozen=True, slots=True)
class Lesson:
    """One choice a person made: this source field went (or must not go: `rejected`) to that destination field.

    Names only, never values. `target` is "" where the person said that the field has no counterpart.
    """

    target_object: str
    target: str
    source_object: str
    name: str
    label: str = ""
    confirmed: int = 0
    rejected: int = 0
    platform: str = ""


@lru_cache(maxsize=20_000)
def _words_of(text: str) -> str:
    return " ".join(spell_out(split(text)))


class Memory:
    """Aliases of described systems except those in `without`, and the tenant's own lessons."""

    def __init__(self, without: Iterable[str] = (), lessons: Iterable[Lesson] = ()) -> None:
        self._without = frozenset(without)
        self._by_kind: dict[str, list[Alias]] = defaultdict(list)
        for one in aliases(self._without):
            self._by_kind[one.kind].append(one)
        self._support = _supports(self._without)
        self._lessons: dict[str, list[Lesson]] = defaultdict(list)
        for lesson in lessons:
            self._lessons[lesson.target_object].append(lesson)

    def support(self, kind: str, concept: str) -> float:
        """The share of described systems whose objects of this kind have a field of this meaning."""
        return self._support.get((kind, concept), 0.0)

    def lessons(self, target_object: str) -> list[Lesson]:
        return self._lessons.get(target_object, [])

    def features(self, source: Side, target: Side) -> dict[str, npt.NDArray[Any]]:
        """Likeness of each source field to what others called each destination field: the best, whether it is exact,
        and the share of systems that agree."""
        size = (len(source.items), len(target.items))
        best, votes = np.zeros(size, np.float32), np.zeros(size, np.float32)
        known = self._aliases_for(target)
        if known and source.items:
            names = [_words_of(one.name) for _, one in known]
            labels = [_words_of(one.label) for _, one in known]
            labels_here = [" ".join(one.label) for one in source.items]
            names_here = [" ".join(one.name) for one in source.items]
            by_label = process.cdist(labels_here, labels, scorer=fuzz.token_sort_ratio, dtype=np.float32)
            by_name = process.cdist(names_here, names, scorer=fuzz.token_sort_ratio, dtype=np.float32)
            like = np.maximum(by_label, by_name) / 100
            places: dict[int, list[int]] = defaultdict(list)
            for at, (place, _) in enumerate(known):
                places[place].append(at)
            for place, at_all in places.items():
                found = like[:, at_all]
                best[:, place] = found.max(axis=1)
                votes[:, place] = (found > HIT).sum(axis=1) / max(3, len({known[at][1].system for at in at_all}))
        return {"alias": best, "alias_exact": best > HIT, "alias_votes": votes}

    def _aliases_for(self, target: Side) -> list[tuple[int, Alias]]:
        here: dict[str, list[tuple[int, Item]]] = defaultdict(list)
        for place, item in enumerate(target.items):
            if item.top:
                here[item.top].append((place, item))
        kinds = {target.kind, "contact", "lead"} if target.kind in {"contact", "lead"} else {target.kind}
        out = []
        for kind in sorted(kinds):
            for one in self._by_kind.get(kind, ()):
                for place, item in here.get(one.concept, ()):
                    if one.block == item.block or {one.block, item.block} <= {"", "main", "mailing", "billing"}:
                        out.append((place, one))
        return out


@lru_cache(maxsize=64)
def _supports(without: frozenset[str]) -> dict[tuple[str, str], float]:
    seen = {(one.kind, one.concept, one.system) for one in aliases(without)}
    totals = Counter(kind for kind, _ in {(one.kind, one.system) for one in aliases(without)})
    counts = Counter((kind, concept) for kind, concept, _ in seen)
    return {key: number / totals[key[0]] for key, number in counts.items()}
