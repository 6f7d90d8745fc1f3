"""Rows of a child table gathered by the record they belong to, in some forty bytes a row besides their values."""

from array import array
from bisect import bisect_left
from typing import Any

import orjson


class Gathered:
    """Small lists of values by owner: `add` all, then `of` gives those of one owner in the order they came."""

    def __init__(self) -> None:
        self._owners = array("q")
        self._starts = array("Q")
        self._bytes = bytearray()
        self._order: array[int] | None = None
        self._sorted = array("q")

    def __len__(self) -> int:
        return len(self._owners)

    def add(self, owner: str, values: list[Any]) -> None:
        self._owners.append(hash(owner))
        self._starts.append(len(self._bytes))
        self._bytes += orjson.dumps([owner, *values])
        self._order = None

    def of(self, owner: str) -> list[list[Any]]:
        """The values of an owner, without the owner."""
        if self._order is None:
            self._order = array("I", sorted(range(len(self._owners)), key=self._owners.__getitem__))
            self._sorted = array("q", (self._owners[place] for place in self._order))
        wanted, found = hash(owner), []
        at = bisect_left(self._sorted, wanted)
        while at < len(self._sorted) and self._sorted[at] == wanted:
            place = self._order[at]
            end = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._bytes)
            row: list[Any] = orjson.loads(memoryview(self._bytes)[self._starts[place] : end])
            if row[0] == owner:
                found.append(row[1:])
            at += 1
        return found
