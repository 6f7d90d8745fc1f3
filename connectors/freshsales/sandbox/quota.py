"""The call budget of the account, all keys together: fixed windows that turn with the clock (fact sheet section 16)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.freshsales.sandbox.answers import Refusal
from connectors.freshsales.sandbox.options import Options
from connectors.freshsales.sandbox.plans import Plan


@dataclass(slots=True)
class Seen:
    """What the quota observed since the last reset."""

    calls: int = 0
    too_many: int = 0
    busiest_window: int = 0


class Window:
    """`limit` calls per `length` seconds; windows are aligned to the clock, so the hour turns at the full hour."""

    def __init__(self, limit: int, length: float) -> None:
        self.limit = limit
        self.length = length
        self._index = -1
        self.used = 0

    def turn(self, now: float) -> None:
        index = math.floor(now / self.length)
        if index != self._index:
            self._index, self.used = index, 0

    def ends_at(self) -> float:
        return (self._index + 1) * self.length


class Quota:
    """Books each call, or refuses it with 429; renders the rate headers."""

    def __init__(self, options: Options, plan: Plan, seconds: Callable[[], float]) -> None:
        self._options = options
        self._seconds = seconds
        self._hour = Window(options.hourly_calls or plan.calls_per_hour, options.quota_window)
        self._minute = Window(options.per_minute, 60.0)
        self.seen = Seen()

    @property
    def limit(self) -> int:
        return self._hour.limit

    def remaining(self) -> int:
        self._hour.turn(self._seconds())
        return max(0, self._hour.limit - self._hour.used)

    def spend(self) -> None:
        """One call; 429 once the window's budget is gone. A refused call costs nothing."""
        now = self._seconds()
        self._hour.turn(now)
        self._minute.turn(now)
        over_minute = self._minute.limit and self._minute.used >= self._minute.limit
        if over_minute or self._hour.used >= self._hour.limit:
            self.seen.too_many += 1
            raise too_many()
        self._hour.used += 1
        self._minute.used += 1
        self.seen.calls += 1
        self.seen.busiest_window = max(self.seen.busiest_window, self._hour.used)

    def headers(self, *, refused: bool = False, gone: bool = False) -> Mapping[str, str]:
        """`x-ratelimit-*`, with nothing left when `gone`; `Retry-After` only where the account sends it (section 15,
        section 19 item 8)."""
        now = self._seconds()
        self._hour.turn(now)
        wait = max(1, math.ceil(self._hour.ends_at() - now))
        at = math.ceil(self._hour.ends_at())
        reset = wait if self._options.reset_header == "seconds" else at
        headers = {
            "x-ratelimit-limit": str(self._hour.limit),
            "x-ratelimit-remaining": "0" if gone else str(max(0, self._hour.limit - self._hour.used)),
            "x-ratelimit-reset": str(reset),
        }
        if refused and self._options.retry_after:
            headers["retry-after"] = str(wait)
        return headers

    def reset(self) -> None:
        self._hour.used = self._minute.used = 0
        self.seen = Seen()


def too_many() -> Refusal:
    """The budget is spent; the body is not known to any source (section 15)."""
    return Refusal(429, "You have exceeded the limit of requests per hour")
