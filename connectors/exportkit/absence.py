"""Deletions by absence: what earlier reads delivered and a complete export no longer holds (ruling 28)."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from connectors.base import Deletion


class Missing:
    """Walks along the ids that were known before and tells which of them are gone."""

    def __init__(self, known: AsyncIterator[Sequence[str]], after: str) -> None:
        """`known` comes ascending by code point; ids up to `after` were looked at earlier."""
        self._known = known
        self._after = after
        self._block: deque[str] = deque()

    async def upto(self, last: str | None, present: Sequence[str], at: datetime) -> list[Deletion]:
        """Known ids up to `last` (None: all that are left) that are not among `present`."""
        there = set(present)
        gone: list[Deletion] = []
        while await self._fill() and (last is None or self._block[0] <= last):
            one = self._block.popleft()
            if one not in there:
                gone.append(Deletion(one, at))
        return gone

    async def _fill(self) -> bool:
        while not self._block:
            block = await anext(self._known, None)
            if block is None:
                return False
            self._block.extend(one for one in block if one > self._after)
        return True
