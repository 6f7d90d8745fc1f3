"""Value maps: which option of a destination list a source option becomes, never forced."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import fuzz

from app.domain.matching.names import spell_out, split
from app.domain.matching.shelf import phrases, read_yaml

ALIKE = 0.84
"""Two options are taken for one from this likeness on; below, a person decides."""
MAX_OPTIONS = 1000


@dataclass(frozen=True, slots=True)
class OptionMatch:
    """What a source option becomes; `target` is None where no option means the same. `how`: exact | synonym | alike."""

    source: str
    target: str | None
    how: str = ""
    score: float = 0.0


class Synonyms:
    """Words to the meanings they may have, and the nearest other meanings of each."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}
        self.near: dict[str, list[str]] = {}
        for block in read_yaml("values.yaml").values():
            for line in block.splitlines():
                head, _, text = line.partition(":")
                key, _, near = head.partition("~")
                self.near[key.strip()] = near.split()
                for phrase in phrases(text):
                    found = self.of.setdefault(_bag(phrase), [])
                    if key.strip() not in found:
                        found.append(key.strip())


@cache
def synonyms() -> Synonyms:
    """The book of synonyms, built on first use."""
    return Synonyms()


@lru_cache(maxsize=20_000)
def _bag(text: str) -> str:
    return " ".join(sorted(set(split(text)) - {"the", "of", "to", "a", "and", "by"})) or text.strip().casefold()


def map_options(sources: Sequence[str], targets: Sequence[str]) -> list[OptionMatch]:
    """A match for every source option: the same text, the same meaning, or nearly the same words; else none."""
    there = list(dict.fromkeys(targets[:MAX_OPTIONS]))
    exact = {one.strip().casefold(): one for one in reversed(there)}
    bags = {_bag(one): one for one in reversed(there)}
    meanings: dict[str, list[str]] = {}
    for one in there:
        for meaning in synonyms().of.get(_bag(one), ()):
            meanings.setdefault(meaning, []).append(one)
    return [_match(one, there, exact, bags, meanings) for one in sources[:MAX_OPTIONS]]


def _match(
    option: str, there: Sequence[str], exact: dict[str, str], bags: dict[str, str], meanings: dict[str, list[str]]
) -> OptionMatch:
    if (same := exact.get(option.strip().casefold())) is not None:
        return OptionMatch(option, same, "exact", 1.0)
    if (same := bags.get(_bag(option))) is not None:
        return OptionMatch(option, same, "exact", 0.99)
    mine = synonyms().of.get(_bag(option), [])
    for depth, keys in enumerate((mine, [near for one in mine for near in synonyms().near.get(one, ())])):
        shared = [other for key in keys for other in meanings.get(key, ())]
        if shared:
            best = max(shared, key=lambda one: (shared.count(one), fuzz.ratio(option, one), -there.index(one)))
            return OptionMatch(option, best, "synonym", 0.95 - 0.15 * depth)
    if "other" in mine:
        return OptionMatch(option, None)
    scored = [(_likeness(option, one), -place, one) for place, one in enumerate(there)]
    best_score, _, found = max(scored, default=(0.0, 0, ""))
    return (
        OptionMatch(option, found, "alike", round(best_score, 3)) if best_score >= ALIKE else OptionMatch(option, None)
    )


@lru_cache(maxsize=50_000)
def _likeness(one: str, other: str) -> float:
    left, right = spell_out(split(one)), spell_out(split(other))
    whole = fuzz.token_sort_ratio(" ".join(left), " ".join(right)) / 100
    part = fuzz.token_set_ratio(" ".join(left), " ".join(right)) / 100
    shared = {word for word in left if len(word) > 3} & {word for word in right if len(word) > 3}
    return max(whole, 0.87 * part if shared and part == 1.0 else 0.0)
