"""The limits of one vendor account, shared by everybody who calls it: rate, calls in flight, and a credit budget.

It lives in one process, because one worker drives one account; the engine books `snapshot()` in PostgreSQL and gives
it back to `restore()` after a restart, so that a rolling window survives its worker.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from aiolimiter import AsyncLimiter
from pydantic import JsonValue

from connectors.base import Clock
from connectors.errors import QuotaExhausted

_BUCKETS = 1440  # one per minute of a day: a unit is freed at most a minute later than the vendor frees it
_BURST_SECONDS = 0.1
_REPORT_HOLDS_SECONDS = 900.0


class CreditWindow:
    """Credits spent in a rolling window; a unit comes back one window after it was used (Zoho fact sheet section 4)."""

    def __init__(self, budget: int | None, window: float, reserve: float, clock: Clock) -> None:
        """`budget` in credits per `window` seconds (None: unlimited); `reserve` is the share left to the customer."""
        if not 0 <= reserve < 1:
            raise ValueError("the reserved share lies between 0 and 1")
        self._budget = budget
        self._allowed = None if budget is None else math.floor(budget * (1 - reserve))
        self._window = window
        self._grain = max(window / _BUCKETS, 1.0)
        self._clock = clock
        self._buckets: deque[tuple[float, int]] = deque()
        self._used = 0
        self._others = 0
        self._others_until = 0.0

    @property
    def used(self) -> int:
        """Credits booked by us that have not come back yet."""
        self._free(self._clock().timestamp())
        return self._used

    def remaining(self) -> int | None:
        """Credits we may still spend now; None when the account has no budget."""
        if self._allowed is None:
            return None
        now = self._clock().timestamp()
        self._free(now)
        return max(0, self._allowed - self._used - self._foreign(now))

    def check(self, credits: int) -> None:
        """Raises QuotaExhausted with the moment when `credits` will be free."""
        if self._allowed is None:
            return
        now = self._clock().timestamp()
        self._free(now)
        over = self._used + self._foreign(now) + credits - self._allowed
        if over > 0:
            raise QuotaExhausted("the account's budget of calls is spent", until=self._free_at(over, now))

    def book(self, credits: int) -> None:
        """Spends `credits`, or raises QuotaExhausted and spends nothing."""
        self.check(credits)
        if credits <= 0:
            return
        now = self._clock().timestamp()
        start = now - now % self._grain
        if self._buckets and self._buckets[-1][0] == start:
            self._buckets[-1] = (start, self._buckets[-1][1] + credits)
        else:
            self._buckets.append((start, credits))
        self._used += credits

    def observe_remaining(self, remaining: int) -> None:
        """The vendor says how much is left: what we did not spend, others did; believed for a quarter of an hour."""
        if self._budget is None:
            return
        now = self._clock().timestamp()
        self._free(now)
        self._others = max(0, self._budget - self._used - remaining)
        self._others_until = now + _REPORT_HOLDS_SECONDS

    def snapshot(self) -> dict[str, JsonValue]:
        return {"window": self._window, "buckets": [[start, spent] for start, spent in self._buckets]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes over a `snapshot()`; ValueError for another shape."""
        try:
            buckets = deque((float(start), int(spent)) for start, spent in state["buckets"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a snapshot of a credit window") from error
        self._buckets = deque(sorted(buckets))
        self._used = sum(spent for _, spent in self._buckets)

    def _foreign(self, now: float) -> int:
        return self._others if now < self._others_until else 0

    def _free(self, now: float) -> None:
        """Forgets what is older than the window, counted from the end of its bucket so that we are never early."""
        horizon = now - self._window - self._grain
        while self._buckets and self._buckets[0][0] <= horizon:
            self._used -= self._buckets.popleft()[1]

    def _free_at(self, over: int, now: float) -> datetime | None:
        freed = 0
        moment = self._others_until if self._foreign(now) >= over else 0.0
        for start, spent in self._buckets:
            freed += spent
            if freed >= over:
                own = start + self._window + self._grain
                moment = min(own, moment) if moment else own
                break
        return datetime.fromtimestamp(moment, UTC) if moment else None


class TurningWindow:
    """Calls of a window whose budget comes back all at once, as an hour that turns (Freshsales fact sheet section 16).

    Until the vendor says when it turns, the window is taken to begin with the first call of ours. The vendor's count
    wins over our own: it knows what others use.
    """

    def __init__(self, budget: int | None, window: float, reserve: float, clock: Clock) -> None:
        """As `CreditWindow`."""
        if not 0 <= reserve < 1:
            raise ValueError("the reserved share lies between 0 and 1")
        self._budget = budget
        self._window = window
        self._reserve = reserve
        self._clock = clock
        self._until = 0.0
        self._used = 0
        self._left = budget

    @property
    def used(self) -> int:
        """Calls booked by us in this window."""
        self._turn(self._clock().timestamp())
        return self._used

    def remaining(self) -> int | None:
        """Calls we may still make now, the customer's share left alone; None when the account has no budget."""
        if self._budget is None or self._left is None:
            return None
        self._turn(self._clock().timestamp())
        return max(0, self._left - math.ceil(self._budget * self._reserve))

    def check(self, credits: int) -> None:
        """Raises QuotaExhausted with the moment when the window turns."""
        left = self.remaining()
        if left is not None and credits > left:
            now = self._clock().timestamp()
            until = datetime.fromtimestamp(self._until or now + self._window, UTC)
            raise QuotaExhausted("the account's calls of this window are spent", until=until)

    def book(self, credits: int) -> None:
        """Spends `credits`, or raises QuotaExhausted and spends nothing."""
        self.check(credits)
        if credits <= 0:
            return
        if not self._until:
            self._until = self._clock().timestamp() + self._window
        self._used += credits
        if self._left is not None:
            self._left -= credits

    def observe(self, remaining: int, limit: int | None, resets_in: float | None) -> None:
        """The vendor's count with calls under way taken off already, its limit, and the seconds until the turn."""
        now = self._clock().timestamp()
        self._turn(now)
        if limit is not None and limit != self._budget:
            self._left = None if self._budget is None or self._left is None else self._left + limit - self._budget
            self._budget = limit
        if resets_in is not None:
            self._until = now + resets_in
        self._left = max(0, remaining if self._left is None else min(self._left, remaining))

    def observe_remaining(self, remaining: int) -> None:
        """As `observe`, without a word on the turn."""
        self.observe(remaining, None, None)

    def snapshot(self) -> dict[str, JsonValue]:
        return {"window": self._window, "until": self._until, "used": self._used, "left": self._left}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes over a `snapshot()`; ValueError for another shape."""
        try:
            until, used = float(state["until"]), int(state["used"])
            left = None if state["left"] is None else int(state["left"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a snapshot of a turning window") from error
        self._until, self._used = until, used
        self._left = self._budget if left is None else left

    def _turn(self, now: float) -> None:
        if self._until and now >= self._until:
            self._until, self._used, self._left = 0.0, 0, self._budget


class AccountThrottle:
    """Implements `base.Throttle`. Never more than the allowed calls are out, however many ask at once."""

    def __init__(
        self,
        *,
        clock: Clock,
        concurrency: int = 5,
        heavy_concurrency: int | None = None,
        rate: float | None = None,
        budget: int | None = None,
        window: float = 86_400.0,
        reserve: float = 0.0,
        turning: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`rate` in calls per second, `budget` in credits per `window` seconds, `heavy_concurrency` a pool within.

        `turning`: the budget comes back all at once and not unit by unit.
        """
        if concurrency < 1 or (heavy_concurrency is not None and heavy_concurrency < 1):
            raise ValueError("an account that allows no call in flight cannot be used")
        self._ceiling = concurrency
        self._allowed = concurrency
        self._heavy_ceiling = heavy_concurrency if heavy_concurrency is not None else concurrency
        self._out = 0
        self._heavy_out = 0
        self._answered = 0
        self._waiting: deque[tuple[asyncio.Future[None], bool]] = deque()
        self._blocked_until = 0.0
        self._limiter = None if rate is None else _limiter(rate)
        self._sleep = sleep
        kind = TurningWindow if turning else CreditWindow
        self.credits: CreditWindow | TurningWindow = kind(budget, window, reserve, clock)

    @property
    def effective_concurrency(self) -> int:
        """Calls in flight allowed now: halved by each 429, won back one by one."""
        return self._allowed

    @property
    def in_flight(self) -> int:
        return self._out

    def slot(self, *, credits: int = 1, heavy: bool = False) -> AbstractAsyncContextManager[None]:
        """Holds one call's place; raises QuotaExhausted(until) when the window's budget does not cover `credits`."""
        return _Slot(self, credits, heavy)

    def penalise(self, seconds: float) -> None:
        """Nobody starts a call for `seconds`; a burst of 429s halves the concurrency once, not once per answer."""
        now = asyncio.get_running_loop().time()
        if now >= self._blocked_until:
            self._allowed = max(1, self._allowed // 2)
            self._answered = 0
        self._blocked_until = max(self._blocked_until, now + max(seconds, 0.0))

    def observe_remaining(self, remaining: int) -> None:
        """Takes in the vendor's own count of what is left in the window."""
        self.credits.observe_remaining(remaining)

    def observe_window(self, remaining: int, limit: int | None, resets_in: float | None) -> None:
        """The vendor's count of a window that turns: calls left, their limit, seconds until the turn."""
        if isinstance(self.credits, TurningWindow):
            self.credits.observe(remaining - max(0, self._out - 1), limit, resets_in)
        else:
            self.credits.observe_remaining(remaining)

    def snapshot(self) -> dict[str, JsonValue]:
        """The budget's state as JSON values, to be booked durably."""
        return self.credits.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes over a `snapshot()` of an earlier process; ValueError for another shape."""
        self.credits.restore(state)

    async def enter(self, credits: int, heavy: bool) -> None:
        self.credits.check(credits)
        if self._limiter is not None:
            await self._limiter.acquire()
        while True:
            await self._wait_out_penalty()
            await self._acquire(heavy)
            if self._penalty() <= 0:
                break
            self._release(heavy)
        try:
            self.credits.book(credits)
        except QuotaExhausted:
            self._release(heavy)
            raise

    def leave(self, heavy: bool, *, answered: bool) -> None:
        if answered and self._allowed < self._ceiling:
            self._answered += 1
            if self._answered >= self._allowed * 4:
                self._allowed += 1
                self._answered = 0
        self._release(heavy)

    def _penalty(self) -> float:
        return self._blocked_until - asyncio.get_running_loop().time()

    async def _wait_out_penalty(self) -> None:
        while (left := self._penalty()) > 0:
            await self._sleep(left)

    async def _acquire(self, heavy: bool) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ticket = (future, heavy)
        self._waiting.append(ticket)
        self._wake()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._release(heavy)
            elif ticket in self._waiting:
                self._waiting.remove(ticket)
            raise

    def _release(self, heavy: bool) -> None:
        self._out -= 1
        self._heavy_out -= heavy
        self._wake()

    def _wake(self) -> None:
        """Grants places in the order of asking; a heavy call that must wait for its pool does not hold up others."""
        kept: deque[tuple[asyncio.Future[None], bool]] = deque()
        while self._waiting:
            future, heavy = self._waiting.popleft()
            if future.done():
                continue
            if self._out < self._allowed and (not heavy or self._heavy_out < self._heavy_ceiling):
                self._out += 1
                self._heavy_out += heavy
                future.set_result(None)
            else:
                kept.append((future, heavy))
        self._waiting = kept


class _Slot(AbstractAsyncContextManager[None]):
    __slots__ = ("_credits", "_heavy", "_throttle")

    def __init__(self, throttle: AccountThrottle, credits: int, heavy: bool) -> None:
        self._throttle = throttle
        self._credits = credits
        self._heavy = heavy

    async def __aenter__(self) -> None:
        await self._throttle.enter(self._credits, self._heavy)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._throttle.leave(self._heavy, answered=kind is None)


class Unlimited:
    """Implements `base.Throttle` for calls that no account limit covers, such as the token endpoint."""

    def slot(self, *, credits: int = 1, heavy: bool = False) -> AbstractAsyncContextManager[None]:  # noqa: ARG002
        return _Open()

    def penalise(self, seconds: float) -> None:
        """Nothing to hold back: the caller sees the error itself."""


class _Open(AbstractAsyncContextManager[None]):
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def _limiter(rate: float) -> AsyncLimiter:
    """Spreads `rate` calls a second evenly, with bursts no longer than a tenth of a second."""
    if rate <= 0:
        raise ValueError("the rate is a positive number of calls per second")
    burst = max(1.0, rate * _BURST_SECONDS)
    return AsyncLimiter(burst, burst / rate)
