"""Who may call the destination next: so many calls of a run at once, and what the plan puts first goes first."""

import asyncio
import heapq
from itertools import count


class Wire:
    """Places for calls in flight. A freed place goes to the lowest rank that waits, then to whoever waits longest.

    Loads that run side by side share the account's concurrency, and the one that others wait for should be done first.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    async def enter(self, rank: int) -> None:
        """Returns when a call of this rank may start; `leave` gives the place back."""
        if self._free > 0:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the place was given just before: it goes on to the next
                self.leave()
            raise

    def leave(self) -> None:
        while self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
