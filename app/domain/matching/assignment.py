"""One-to-one assignment with a private "no counterpart" for every source field, exact by shortest augmenting paths."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

LARGEST = 400
"""Rivals that are assigned exactly together; beyond, best pairs go first (a schema of thousands of alike fields)."""


def assign(worth: npt.NDArray[np.floating], floor: float) -> dict[int, int]:
    """Row → column so that the sum of `worth` is greatest; a row whose best is worth less than `floor` stays alone."""
    rows, columns = np.nonzero(worth > floor)
    chosen: dict[int, int] = {}
    for members in _components(rows.tolist(), columns.tolist()):
        mine = sorted({row for row, _ in members})
        theirs = sorted({column for _, column in members})
        if len(mine) == 1:
            chosen[mine[0]] = max(theirs, key=lambda place: (worth[mine[0], place], -place))
        elif min(len(mine), len(theirs)) > LARGEST:
            chosen.update(_greedy(worth, members))
        else:
            block = np.maximum(worth[np.ix_(mine, theirs)].astype(np.float64) - floor, 0.0)
            chosen.update({mine[row]: theirs[place] for row, place in _best(block)})
    return chosen


def _best(block: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs of greatest sum; the shorter side is the one that is gone through."""
    if block.shape[0] > block.shape[1]:
        return [(row, place) for place, row in _best(block.T)]
    count, width = block.shape
    found = enumerate(_solve(-np.hstack([block, np.zeros((count, count))])))
    return [(row, place) for row, place in found if place < width and block[row, place] > 0]


def _components(rows: list[int], columns: list[int]) -> list[list[tuple[int, int]]]:
    """Pairs grouped so that no row or column is in two groups."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(one: tuple[str, int]) -> tuple[str, int]:
        parent.setdefault(one, one)
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for row, column in zip(rows, columns, strict=True):
        parent[root(("r", row))] = root(("c", column))
    groups: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for row, column in zip(rows, columns, strict=True):
        groups[root(("r", row))].append((row, column))
    return list(groups.values())


def _greedy(worth: npt.NDArray[np.floating], pairs: list[tuple[int, int]]) -> dict[int, int]:
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in sorted(pairs, key=lambda one: (-worth[one], one)):
        if row not in chosen and column not in taken:
            chosen[row] = column
            taken.add(column)
    return chosen


def _solve(cost: npt.NDArray[np.float64]) -> list[int]:
    """The cheapest column for each row (at least as many columns as rows): Kuhn and Munkres with potentials."""
    count, width = cost.shape
    row_price, column_price = np.zeros(count + 1), np.zeros(width + 1)
    owner = np.zeros(width + 1, dtype=np.int64)
    before = np.zeros(width + 1, dtype=np.int64)
    for row in range(1, count + 1):
        owner[0] = row
        at = 0
        least = np.full(width + 1, np.inf)
        used = np.zeros(width + 1, dtype=bool)
        while True:
            used[at] = True
            mine = owner[at]
            slack = cost[mine - 1] - row_price[mine] - column_price[1:]
            free = ~used[1:]
            better = free & (slack < least[1:])
            least[1:][better] = slack[better]
            before[1:][better] = at
            following = int(np.where(free, least[1:], np.inf).argmin()) + 1
            delta = least[following]
            row_price[owner[used]] += delta
            column_price[used] -= delta
            least[~used] -= delta
            at = following
            if owner[at] == 0:
                break
        while at:
            owner[at] = owner[before[at]]
            at = int(before[at])
    made = [-1] * count
    for place in range(1, width + 1):
        if owner[place]:
            made[owner[place] - 1] = place - 1
    return made
