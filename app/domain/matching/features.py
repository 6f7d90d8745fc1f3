"""The grounds of a match as numbers: one matrix per feature, source fields down, destination fields across."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from app.domain.matching.concepts import ADDRESS_PARTS, concepts
from app.domain.matching.kind_names import kind_of_name
from app.domain.matching.kinds_of_types import fits
from app.domain.matching.memory import Memory
from app.domain.matching.names import words
from app.domain.matching.shapes import shape_fit, value_overlap
from app.domain.matching.sides import Item, Side, block_plan, digits_of

Matrix = npt.NDArray[np.float32]
Raw = npt.NDArray[Any]

BASE = (
    "token_set", "token_sort", "jaro", "name_sort", "characters", "rare_words", "concept", "same_concept",
    "other_concept", "head", "type", "type_clash", "picklist", "has_picklists", "shape", "values", "exact", "digits",
    "qualifiers", "block", "block_clash", "reference", "alias", "alias_exact", "alias_votes", "computed", "support",
    "meaning_elsewhere", "meaning_nowhere", "stray",
)  # fmt: skip
_TELLS_NOTHING = frozenset({"id", "name", "code", "number", "key", "value", "text", "reference", "is", "has"})
_GROUNDS = {
    "concept": 0.3, "token_sort": 0.62, "name_sort": 0.7, "alias": 0.8, "picklist": 0.5, "values": 0.3, "jaro": 0.92,
    "rare_words": 0.3,
}  # fmt: skip
"""From where on a feature is a ground to pair two fields."""
RIVALRY = ("row_gap", "column_gap", "row_rank", "column_rank", "alias_row_gap", "alias_column_gap")


def base_features(source: Side, target: Side, memory: Memory) -> dict[str, Matrix]:
    """Every feature that looks at one pair of fields alone."""
    made = _names(source, target)
    made |= _concepts(source.items, target.items, memory, target.kind)
    made |= _types(source.items, target.items)
    made |= _blocks(source, target)
    made["stray"] = _stray(source, target)
    made |= memory.features(source, target)
    shape = (len(source.items), len(target.items))
    return {name: np.broadcast_to(made[name], shape).astype(np.float32) for name in BASE}


def groundless(base: Mapping[str, Matrix]) -> Matrix:
    """1 where nothing but a fitting type speaks for a pair: to be the least unlikely rival is no ground."""
    grounds = np.logical_or.reduce([base[name] >= floor for name, floor in _GROUNDS.items()])
    made: Matrix = np.asarray(~grounds, np.float32)
    return made


def rivalry_features(logit: Matrix, alias: Matrix) -> dict[str, Matrix]:
    """How a pair stands against its rivals: gaps in log-odds to the best other of its row and column, ranks, gaps of
    alias likeness."""
    return {
        "row_gap": gap(logit, 1),
        "column_gap": gap(logit, 0),
        "row_rank": _rank(logit, 1),
        "column_rank": _rank(logit, 0),
        "alias_row_gap": gap(alias, 1),
        "alias_column_gap": gap(alias, 0),
    }


def gap(matrix: Matrix, axis: int) -> Matrix:
    """Distance to the best rival along an axis: positive for the best, negative or zero for the others; at most ±8."""
    if matrix.shape[axis] < 2:
        return np.clip(matrix, -8, 8) if matrix.size else matrix
    ordered = np.partition(matrix, (-2, -1), axis=axis)
    best = np.take(ordered, [-1], axis=axis)
    second = np.take(ordered, [-2], axis=axis)
    return np.clip(np.where(matrix >= best, matrix - second, matrix - best), -8, 8).astype(np.float32)


def _rank(matrix: Matrix, axis: int) -> Matrix:
    return (1.0 / (1.0 + (-matrix).argsort(axis=axis, kind="stable").argsort(axis=axis))).astype(np.float32)


def _cdist(ours: Sequence[str], theirs: Sequence[str], scorer: Callable[..., Any]) -> Matrix:
    found: Matrix = process.cdist(ours, theirs, scorer=scorer, dtype=np.float32)
    return found


def _names(source: Side, target: Side) -> dict[str, Raw]:
    ours, theirs = [" ".join(one.label) for one in source.items], [" ".join(one.label) for one in target.items]
    our_names, their_names = [" ".join(one.name) for one in source.items], [" ".join(one.name) for one in target.items]
    bare, their_bare = _bare(source), _bare(target)
    exact = _equal(ours, theirs) | _equal(our_names, their_names) | _equal(bare, their_bare)
    return {
        "token_set": np.maximum(
            _cdist(ours, theirs, fuzz.token_set_ratio), _cdist(our_names, their_names, fuzz.token_set_ratio)
        ) / 100,
        "token_sort": np.maximum(
            _cdist(ours, theirs, fuzz.token_sort_ratio), _cdist(bare, their_bare, fuzz.token_sort_ratio)
        ) / 100,
        "jaro": _cdist(_squeezed(bare), _squeezed(their_bare), JaroWinkler.similarity),
        "name_sort": _cdist(our_names, their_names, fuzz.token_sort_ratio) / 100,
        "characters": np.maximum(_characters(ours, theirs), _characters(our_names, their_names)),
        "rare_words": _rare_words(bare, their_bare),
        "head": _equal([one.rpartition(" ")[2] for one in bare], [one.rpartition(" ")[2] for one in their_bare]),
        "exact": exact,
        "digits": _clash([digits_of(one) for one in source.items], [digits_of(one) for one in target.items]) > 0,
        "qualifiers": _qualifiers(source.items, target.items),
    }  # fmt: skip


def _bare(side: Side) -> list[str]:
    return [
        " ".join(word for word in one.label if word not in side.own_words) or " ".join(one.label) for one in side.items
    ]


def _squeezed(texts: Iterable[str]) -> list[str]:
    return [text.replace(" ", "") for text in texts]


def _equal(ours: Sequence[str], theirs: Sequence[str]) -> npt.NDArray[np.bool_]:
    left, right = np.array(ours, dtype=object)[:, None], np.array(theirs, dtype=object)[None, :]
    found: npt.NDArray[np.bool_] = (left == right) & (left != "")
    return found


def _incidence(sets: Sequence[Iterable[str]], vocabulary: dict[str, int]) -> Matrix:
    made = np.zeros((len(sets), len(vocabulary)), np.float32)
    for row, members in enumerate(sets):
        for one in members:
            place = vocabulary.get(one)
            if place is not None:
                made[row, place] += 1.0
    return made


def _rarity(everything: Sequence[Sequence[str]]) -> dict[str, float]:
    counts = Counter(one for members in everything for one in set(members))
    return {one: math.log1p(len(everything) / number) for one, number in counts.items()}


def _characters(ours: Sequence[str], theirs: Sequence[str]) -> Raw:
    """Cosine of 3- and 4-character pieces weighted by rarity; only the pieces of the destination take up room."""
    left, right = [_grams(one) for one in ours], [_grams(one) for one in theirs]
    rare = _rarity([*left, *right])
    vocabulary = {one: place for place, one in enumerate(dict.fromkeys(one for grams in right for one in grams))}
    weight = np.array([rare[one] for one in vocabulary] or [1.0], np.float32)

    def lengths(texts: Sequence[Sequence[str]]) -> Raw:
        squares = [sum((math.log1p(n) * rare[one]) ** 2 for one, n in Counter(grams).items()) for grams in texts]
        made: Raw = np.sqrt(np.maximum(np.array(squares, np.float32), 1e-9))
        return made

    if not vocabulary:
        return np.zeros((len(ours), len(theirs)), np.float32)
    shared = (np.log1p(_incidence(left, vocabulary)) * weight**2) @ np.log1p(_incidence(right, vocabulary)).T
    found: Raw = shared / (lengths(left)[:, None] * lengths(right)[None, :])
    return found


def _grams(text: str) -> list[str]:
    padded = f" {text[:80]} "
    return [padded[at : at + length] for length in (3, 4) for at in range(len(padded) - length + 1)]


def _rare_words(ours: Sequence[str], theirs: Sequence[str]) -> Raw:
    """Shared words over all words, weighted by rarity."""
    left, right = [sorted(set(one.split())) for one in ours], [sorted(set(one.split())) for one in theirs]
    rare = _rarity([*left, *right])
    vocabulary = {one: place for place, one in enumerate(dict.fromkeys(one for members in right for one in members))}
    if not vocabulary:
        return np.zeros((len(ours), len(theirs)), np.float32)
    weight = np.array([rare[one] for one in vocabulary], np.float32)
    shared = (_incidence(left, vocabulary) * weight) @ _incidence(right, vocabulary).T
    sums = [np.array([sum(rare[one] for one in members) for members in side], np.float32) for side in (left, right)]
    made: Raw = shared / np.maximum(sums[0][:, None] + sums[1][None, :] - shared, 1e-6)
    return made


def _stray(source: Side, target: Side) -> Raw:
    """The share of a source field's words that no name for what the destination field means has: "sync" in a sync
    status, "user" and "agent" in the customer's user agent."""
    bare = [frozenset(word for word in one.split() if word not in _TELLS_NOTHING) for one in _bare(source)]
    there = [
        frozenset({*one.label, *one.name}).union(*(_words_for(key) for key, w in one.concepts.items() if w >= 0.8))
        for one in target.items
    ]  # fmt: skip
    vocabulary = {one: place for place, one in enumerate(dict.fromkeys(one for words in bare for one in sorted(words)))}
    if not vocabulary:
        return np.zeros((len(source.items), len(target.items)), np.float32)
    shared = _incidence(bare, vocabulary) @ _incidence(there, vocabulary).T
    counts = np.array([len(one) for one in bare], np.float32)[:, None]
    found: Raw = (counts - shared) / np.maximum(counts, 1.0)
    return found


@cache
def _words_for(concept: str) -> frozenset[str]:
    """Every word in the phrases for a meaning."""
    return concepts().words_for(concept)


def _clash(ours: Sequence[frozenset[str]], theirs: Sequence[frozenset[str]]) -> Raw:
    """How many members are on one side only."""
    vocabulary = {one: place for place, one in enumerate(sorted(frozenset().union(*ours, *theirs)))}
    if not vocabulary:
        return np.zeros((len(ours), len(theirs)), np.float32)
    left, right = _incidence(ours, vocabulary), _incidence(theirs, vocabulary)
    found: Raw = left.sum(1)[:, None] + right.sum(1)[None, :] - 2 * (left @ right.T)
    return found


def qualifiers_of(item: Item) -> frozenset[str]:
    """The groups of telling words (billing, first, modified …) a field's names hold."""
    mine = {*item.label, *item.name}
    return frozenset(str(number) for number, group in enumerate(words().clashes) if group & mine)


def _qualifiers(ours: Sequence[Item], theirs: Sequence[Item]) -> Raw:
    return _clash([qualifiers_of(one) for one in ours], [qualifiers_of(one) for one in theirs]) / 3


def _concepts(ours: Sequence[Item], theirs: Sequence[Item], memory: Memory, kind: str) -> dict[str, Raw]:
    vocabulary = {
        one: place for place, one in enumerate(sorted({key for item in (*ours, *theirs) for key in item.concepts}))
    }
    size = max(1, len(vocabulary))
    left, right = np.zeros((len(ours), size), np.float32), np.zeros((len(theirs), size), np.float32)
    for made, items in ((left, ours), (right, theirs)):
        for row, item in enumerate(items):
            for key, weight in item.concepts.items():
                made[row, vocabulary[key]] = weight
    cosine = (
        left
        @ right.T
        / np.maximum(np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)[None, :], 1e-6)
    )
    strong_left, strong_right = (left >= 0.8).astype(np.float32), (right >= 0.8).astype(np.float32)
    same: Raw = np.greater(strong_left @ strong_right.T, 0)
    other = (strong_left.sum(1)[:, None] > 0) & (strong_right.sum(1)[None, :] > 0) & ~same
    somewhere: Raw = np.asarray(same.any(axis=1, keepdims=True))
    elsewhere = somewhere & ~same
    return {
        "concept": cosine,
        "same_concept": same,
        "other_concept": other,
        "meaning_elsewhere": elsewhere,
        "meaning_nowhere": (strong_left.sum(1) > 0)[:, None] & ~somewhere,
        "support": np.array([memory.support(kind, one.top) for one in theirs], np.float32)[None, :],
        "computed": np.array([one.known is not None and not one.concepts for one in theirs], np.float32)[None, :],
    }


def _types(ours: Sequence[Item], theirs: Sequence[Item]) -> dict[str, Raw]:
    fit = fits([one.column for one in ours], [one.column for one in theirs])
    overlap, both = _picklists(ours, theirs)
    return {
        "type": fit,
        "type_clash": fit < 0.2,
        "picklist": overlap,
        "has_picklists": both,
        "shape": shape_fit(ours, theirs),
        "values": value_overlap(ours, theirs),
        "reference": _references(ours, theirs),
    }


def _picklists(ours: Sequence[Item], theirs: Sequence[Item]) -> tuple[Matrix, Matrix]:
    left = [frozenset(one.casefold().strip() for one in item.column.picklist) for item in ours]
    right = [frozenset(one.casefold().strip() for one in item.column.picklist) for item in theirs]
    overlap = np.zeros((len(ours), len(theirs)), np.float32)
    both = np.zeros_like(overlap)
    columns = [place for place, one in enumerate(right) if one]
    for row, mine in enumerate(left):
        for place in columns if mine else ():
            both[row, place] = 1.0
            overlap[row, place] = len(mine & right[place]) / min(len(mine), len(right[place]))
    return overlap, both


def _references(ours: Sequence[Item], theirs: Sequence[Item]) -> Matrix:
    """1 where both refer to the same kind of object, -1 to different kinds, 0 where either is not known."""
    left = np.array([kind_of_name(one.column.reference) for one in ours], dtype=object)[:, None]
    right = np.array([kind_of_name(one.column.reference) for one in theirs], dtype=object)[None, :]
    known = (left != "") & (right != "")
    return np.where(known, np.where(left == right, 1.0, -1.0), 0.0).astype(np.float32)


def _blocks(source: Side, target: Side) -> dict[str, Raw]:
    plan = block_plan(source, target)
    parts_left = np.array([one.top in ADDRESS_PARTS for one in source.items], bool)[:, None]
    parts_right = np.array([one.top in ADDRESS_PARTS for one in target.items], bool)[None, :]
    goes = np.array([plan.get(one.block, "-") for one in source.items], dtype=object)[:, None]
    stands = np.array([one.block for one in target.items], dtype=object)[None, :]
    same_part = _equal([one.top for one in source.items], [one.top for one in target.items])
    both = parts_left & parts_right & same_part
    return {"block": both & (goes == stands), "block_clash": both & (goes != stands)}
