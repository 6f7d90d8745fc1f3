"""API credits of a rolling day and the limits on calls in flight, as a meter that the gate asks before each call."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from connectors.zoho_crm.sandbox.answers import Refusal
from connectors.zoho_crm.sandbox.editions import SUB_CONCURRENCY, WINDOW_SECONDS, Edition
from connectors.zoho_crm.sandbox.options import Options


@dataclass(slots=True)
class Seen:
    """What the meter observed since the last reset."""

    credits_used: int = 0
    too_many: int = 0
    max_concurrency: int = 0
    max_sub_concurrency: int = 0


def too_many(message: str) -> Refusal:
    """429 TOO_MANY_REQUESTS; the message alone tells which limit was met (Zoho fact sheet section 4)."""
    return Refusal(429, "TOO_MANY_REQUESTS", message)


class Meter:
    """Counts credits and calls in flight of the one app that talks to this org (Zoho fact sheet section 4)."""

    def __init__(
        self, options: Options, edition: Edition, users: Callable[[], int], seconds: Callable[[], float]
    ) -> None:
        self._options = options
        self._edition = edition
        self._users = users
        self._seconds = seconds
        self._ledger: deque[tuple[int, int]] = deque()
        self._spent = 0
        self.in_flight = 0
        self.sub_in_flight = 0
        self.seen = Seen()

    @property
    def daily(self) -> int:
        return self._options.daily_credits or self._edition.daily_credits(self._users())

    def remaining(self) -> int:
        """Credits left; each unit returns 24 hours after it was used."""
        horizon = self._seconds() - WINDOW_SECONDS
        while self._ledger and self._ledger[0][0] <= horizon:
            self._spent -= self._ledger.popleft()[1]
        return self.daily - self._spent

    def spend(self, credits_needed: int) -> None:
        """Books credits or refuses with 429."""
        if credits_needed > self.remaining():
            self.seen.too_many += 1
            raise too_many("The request limit of the organization for the day is exceeded")
        second = int(self._seconds())
        if self._ledger and self._ledger[-1][0] == second:
            self._ledger[-1] = (second, self._ledger[-1][1] + credits_needed)
        else:
            self._ledger.append((second, credits_needed))
        self._spent += credits_needed
        self.seen.credits_used += credits_needed

    def enter(self) -> None:
        """One more call in flight, or 429."""
        if self.in_flight >= (self._options.concurrency or self._edition.concurrency):
            self.seen.too_many += 1
            raise too_many("The concurrency limit of the user for the app is exceeded")
        self.in_flight += 1
        self.seen.max_concurrency = max(self.seen.max_concurrency, self.in_flight)

    def enter_sub(self) -> None:
        """One more call in the shared pool of heavy calls, or 429."""
        if self.sub_in_flight >= (self._options.sub_concurrency or SUB_CONCURRENCY):
            self.seen.too_many += 1
            raise too_many("The sub-concurrency limit of the user for the app is exceeded")
        self.sub_in_flight += 1
        self.seen.max_sub_concurrency = max(self.seen.max_sub_concurrency, self.sub_in_flight)

    def reset(self) -> None:
        self._ledger.clear()
        self._spent = 0
        self.seen = Seen()
