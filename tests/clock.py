"""A clock for everything that asks one: it stands still until it is told."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class FakeClock:
    """Called, it says `at`."""

    at: datetime = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        """Goes on by days, hours, minutes or seconds."""
        self.at += timedelta(**by)
        return self.at
