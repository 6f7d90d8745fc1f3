"""When a webhook is tried again, and what an answer means. Pure: time and chance are arguments."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

# Seconds before each attempt: Standard Webhooks' ten steps, about 75 hours in all
DELAYS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.2
LONGEST_WAIT = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=5)


class Verdict(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"


def judge(status: int | None) -> Verdict:
    """2xx is delivery, 410 asks us to stop, everything else (redirects and silence too) is tried again."""
    if status is not None and 200 <= status < 300:
        return Verdict.DELIVERED
    return Verdict.GONE if status == 410 else Verdict.RETRY


def next_attempt(attempts: int, now: datetime, chance: float, retry_after: timedelta | None = None) -> datetime | None:
    """When to try after `attempts` tries; None when they are used up. `chance` is uniform in [0, 1).

    A receiver's Retry-After delays further, never shortens, and at most a day.
    """
    if attempts >= len(DELAYS):
        return None
    wait = timedelta(seconds=DELAYS[attempts] * (1 - JITTER + 2 * JITTER * chance))
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_WAIT))
    return now + wait


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The Retry-After header as a span from `now`, in either of its forms; None when absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
