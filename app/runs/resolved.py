"""A short memory of destination ids behind source ids, so that a parent of many is not looked up for each page.

It is bounded whatever the size of a run: PostgreSQL answers for everything it does not hold.
"""

from collections.abc import Mapping, Set
from itertools import islice

SIZE = 32_768


class ResolvedIds:
    """Committed ids of this run's loads: per load fewer than twice `size`, the most recent ones."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._ids: dict[str, dict[str, str]] = {}

    def remember(self, load: str, ids: Mapping[str, str]) -> None:
        """Takes in what the ledger holds for sure. When there are too many, the older ones are forgotten."""
        known = self._ids.setdefault(load, {})
        known.update(ids)
        if len(known) >= 2 * self._size:  # a new one, since a page may still be decided by the other
            self._ids[load] = dict(islice(known.items(), len(known) - self._size, None))

    def known(self, load: str, wanted: Set[str]) -> tuple[Mapping[str, str], Set[str]]:
        """All ids of a load that are remembered, and those of `wanted` that are not. The ids may grow, never shrink."""
        known = self._ids.get(load, {})
        return known, {one for one in wanted if one not in known}  # `-` would go through all that are known
