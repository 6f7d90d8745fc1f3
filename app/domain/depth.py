"""Depth of records that refer to others of their own kind: parents come before their children, rings have no first."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

RING = "reference_ring"
"""Why a record is held whose references lead round to itself and may not stay blank."""


class Depths(NamedTuple):
    """`levels` of records that have a parent among those given (all others are at level 0); `rings` are records that
    lie on a ring; `last` is the level of these and of what hangs below them, None where there is no ring.
    """

    levels: Mapping[str, int]
    rings: frozenset[str]
    last: int | None


def depths(parents: Mapping[str, Collection[str]]) -> Depths:
    """The depths of records by the records that they refer to; references to records not among the keys are ignored.

    With several references a record lies below the deepest of them. A record between two rings counts as on one.
    """
    above = {one: {up for up in ups if up in parents} for one, ups in parents.items()}
    below: dict[str, list[str]] = {}
    for one, ups in above.items():
        for up in ups:
            below.setdefault(up, []).append(one)
    levels: dict[str, int] = {}
    open_ups = {one: len(ups) for one, ups in above.items()}
    front = [one for one, number in open_ups.items() if number == 0]
    level = 0
    while front:
        levels.update(dict.fromkeys(front, level))
        following = []
        for one in front:
            for child in below.get(one, ()):
                open_ups[child] -= 1
                if open_ups[child] == 0:
                    following.append(child)
        front, level = following, level + 1
    left = above.keys() - levels.keys()
    last = level if left else None
    levels.update(dict.fromkeys(left, level))
    return Depths({one: found for one, found in levels.items() if found}, _rings(left, below), last)


def _rings(left: Collection[str], below: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Those of `left` that are not merely below a ring: what nobody on a ring refers to falls away from the ends."""
    ringed = set(left)
    open_downs = {one: sum(child in ringed for child in below.get(one, ())) for one in ringed}
    above: dict[str, list[str]] = {}
    for one in ringed:
        for child in below.get(one, ()):
            above.setdefault(child, []).append(one)
    ends = [one for one, number in open_downs.items() if number == 0]
    while ends:
        one = ends.pop()
        ringed.discard(one)
        for up in above.get(one, ()):
            open_downs[up] -= 1
            if open_downs[up] == 0:
                ends.append(up)
    return frozenset(ringed)
