"""Passes on what each answer says of the account's hourly budget (Freshsales fact sheet sections 15 and 16)."""

from connectors.answers import Answer
from connectors.base import Clock, Throttle
from connectors.freshsales.refusals import header_count, resets_in
from connectors.throttle import AccountThrottle


class Budget:
    """The vendor's own count: all keys of the account together, so it includes what others use."""

    def __init__(self, throttle: Throttle, clock: Clock) -> None:
        self._throttle = throttle
        self._clock = clock
        self.limit: int | None = None
        self.remaining: int | None = None
        self.resets_in: float | None = None

    def note(self, answer: Answer) -> None:
        """Called with every answer, refusals included."""
        limit, remaining = header_count(answer, "limit"), header_count(answer, "remaining")
        reset = resets_in(answer, self._clock())
        self.limit = self.limit if limit is None else limit
        self.remaining = self.remaining if remaining is None else remaining
        self.resets_in = self.resets_in if reset is None else reset
        if remaining is not None and isinstance(self._throttle, AccountThrottle):
            self._throttle.observe_window(remaining, limit, reset)
