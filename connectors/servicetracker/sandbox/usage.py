"""Counting: calls in a rolling day against the account's limit, and our own statistics by path template."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

_DAY = 86_400
_SLOT = 60


class RollingDay:
    """How often something happened in the last 24 hours, to the minute (source fact sheet section 1.6)."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._slots: deque[list[int]] = deque()
        self._lock = threading.Lock()
        self._total = 0

    @property
    def used(self) -> int:
        with self._lock:
            self._forget(int(self._clock().timestamp()))
            return self._total

    def add(self, amount: int = 1) -> int:
        """Counts and returns the new total."""
        now = int(self._clock().timestamp())
        with self._lock:
            self._forget(now)
            if self._slots and self._slots[-1][0] == now // _SLOT:
                self._slots[-1][1] += amount
            else:
                self._slots.append([now // _SLOT, amount])
            self._total += amount
            return self._total

    def clear(self) -> None:
        with self._lock:
            self._slots.clear()
            self._total = 0

    def _forget(self, now: int) -> None:
        while self._slots and self._slots[0][0] <= (now - _DAY) // _SLOT:
            self._total -= self._slots.popleft()[1]


class Statistics:
    """What the sandbox was asked and what it gave: ours, not the vendor's."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.rows: Counter[str] = Counter()
        self.bytes = 0

    def clear(self) -> None:
        for counter in (self.requests, self.statuses, self.rows):
            counter.clear()
        self.bytes = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": dict(self.requests),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "rows": dict(self.rows),
            "bytes": self.bytes,
        }
