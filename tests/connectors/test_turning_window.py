"""A budget that comes back all at once when the hour turns, and the share that is left to the customer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import QuotaExhausted
from connectors.throttle import AccountThrottle, TurningWindow
from tests.clock import FakeClock

NOON = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


def window(clock: FakeClock, budget: int | None = 100, reserve: float = 0.1) -> TurningWindow:
    return TurningWindow(budget, 3600, reserve, clock)


def test_the_reserved_share_is_never_taken() -> None:
    clock = FakeClock(NOON)
    spent = window(clock)
    for _ in range(90):
        spent.book(1)
    with pytest.raises(QuotaExhausted):
        spent.book(1)
    assert (spent.used, spent.remaining()) == (90, 0)


def test_the_budget_is_whole_again_when_the_vendor_said_it_turns() -> None:
    clock = FakeClock(NOON)
    spent = window(clock)
    spent.book(1)
    spent.observe(99, 100, 3000)
    spent.book(89)
    with pytest.raises(QuotaExhausted) as caught:
        spent.book(1)
    assert caught.value.until == NOON + timedelta(seconds=3000)
    clock.advance(seconds=2999)
    with pytest.raises(QuotaExhausted):
        spent.book(1)
    clock.advance(seconds=1)
    spent.book(90)


def test_without_a_word_of_the_vendor_a_window_lasts_from_our_first_call() -> None:
    clock = FakeClock(NOON)
    spent = window(clock, budget=10, reserve=0)
    clock.advance(seconds=500)
    spent.book(10)
    with pytest.raises(QuotaExhausted) as caught:
        spent.book(1)
    assert caught.value.until == NOON + timedelta(seconds=500 + 3600)


def test_what_others_use_is_missing_from_our_part() -> None:
    clock = FakeClock(NOON)
    spent = window(clock)
    spent.book(10)
    spent.observe(40, 100, 1800)
    assert spent.remaining() == 30
    spent.observe(80, 100, 1800)  # an answer that overtook another tells an older count
    assert spent.remaining() == 30


def test_the_vendors_limit_wins_over_the_manifests() -> None:
    clock = FakeClock(NOON)
    spent = window(clock, budget=5000, reserve=0)
    spent.observe(999, 1000, 3600)
    assert spent.remaining() == 999
    clock.advance(seconds=3600)
    assert spent.remaining() == 1000


def test_no_budget_is_no_limit_until_the_vendor_names_one() -> None:
    clock = FakeClock(NOON)
    spent = window(clock, budget=None)
    spent.book(10_000)
    assert spent.remaining() is None
    spent.observe(50, 100, 60)
    assert spent.remaining() == 40


def test_a_restart_takes_over_what_was_spent() -> None:
    clock = FakeClock(NOON)
    spent = window(clock)
    spent.book(60)
    again = window(clock)
    again.restore(spent.snapshot())
    assert (again.used, again.remaining()) == (60, 30)
    clock.advance(seconds=3600)
    assert (again.used, again.remaining()) == (0, 90)


@pytest.mark.parametrize("state", [{}, {"until": "x", "used": 1, "left": 1}, {"buckets": []}])
def test_another_shape_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="turning window"):
        window(FakeClock(NOON)).restore(state)


async def test_calls_on_their_way_are_counted_before_the_vendor_counts_them() -> None:
    throttle = AccountThrottle(clock=FakeClock(NOON), concurrency=5, budget=100, window=3600, turning=True)
    async with throttle.slot(), throttle.slot(), throttle.slot():
        throttle.observe_window(99, 100, 3600)
        assert throttle.credits.remaining() == 97
