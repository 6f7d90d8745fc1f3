"""A short memory of destination ids behind source ids, so that a parent of many is not looked up for each page.

It is bounded whatever the size of a run: PostgreSQL answers for everything it does not hold.
"""

from collections.abc import Mapping, Set

SIZE = 16_384


class ResolvedIds:
    """Committed ids of this run's loads: per load at most twice `size`, the most recent ones."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._young: dict[str, dict[str, str]] = {}
        self._old: dict[str, Mapping[str, str]] = {}

    def remember(self, load: str, ids: Mapping[str, str]) -> None:
        """Takes in what the ledger holds for sure. A full generation becomes the old one, which is then forgotten."""
        young = self._young.setdefault(load, {})
        young.update(ids)
        if len(young) >= self._size:
            self._old[load], self._young[load] = young, {}

    def known(self, load: str, wanted: Set[str]) -> dict[str, str]:
        """The ids of those that are remembered."""
        young, old = self._young.get(load, {}), self._old.get(load, {})
        found = {one: old[one] for one in old.keys() & wanted}
        found.update({one: young[one] for one in young.keys() & wanted})
        return found
