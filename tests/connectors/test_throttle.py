"""The account's limits: never too many calls out, budgets that roll, penalties that pass."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import QuotaExhausted
from tests.clock import FakeClock
from tests.connectors.connector_kit import build_throttle

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


async def test_never_more_than_the_allowed_calls_are_out() -> None:
    throttle = build_throttle(concurrency=3, heavy_concurrency=2)
    most = heavy_most = heavy_out = 0

    async def call(heavy: bool) -> None:
        nonlocal most, heavy_most, heavy_out
        async with throttle.slot(heavy=heavy):
            heavy_out += heavy
            most, heavy_most = max(most, throttle.in_flight), max(heavy_most, heavy_out)
            await asyncio.sleep(0)
            heavy_out -= heavy

    await asyncio.gather(*(call(number % 3 != 0) for number in range(60)))
    assert (most, heavy_most, throttle.in_flight) == (3, 2, 0)


async def test_a_heavy_call_that_waits_for_its_pool_does_not_hold_up_light_ones() -> None:
    throttle = build_throttle(concurrency=3, heavy_concurrency=1)
    async with throttle.slot(heavy=True):
        waiting = asyncio.create_task(throttle.enter(1, True))
        await asyncio.sleep(0)
        async with throttle.slot():
            assert not waiting.done()
    await waiting
    throttle.leave(True, answered=True)
    assert throttle.in_flight == 0


async def test_a_cancelled_waiter_leaves_no_place_behind() -> None:
    throttle = build_throttle(concurrency=1)
    async with throttle.slot():
        waiting = [asyncio.create_task(throttle.enter(1, False)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # granted, but cancelled before it woke
    await asyncio.gather(*waiting[:2], return_exceptions=True)
    await waiting[2]
    throttle.leave(False, answered=True)
    assert throttle.in_flight == 0


async def test_a_429_halves_the_concurrency_once_and_answers_win_it_back() -> None:
    throttle = build_throttle(concurrency=8)
    throttle.penalise(0.001)
    throttle.penalise(0.001)
    assert throttle.effective_concurrency == 4
    for _ in range(200):
        async with throttle.slot():
            pass
    assert throttle.effective_concurrency == 8


async def test_a_call_that_failed_wins_nothing_back() -> None:
    throttle = build_throttle(concurrency=4)
    throttle.penalise(0)
    for _ in range(100):
        with pytest.raises(ValueError, match="refused"):
            async with throttle.slot():
                raise ValueError("refused")
    assert throttle.effective_concurrency == 2


async def test_nobody_starts_during_a_penalty() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(seconds)

    throttle = build_throttle(sleep=sleep)
    throttle.penalise(0.01)
    async with throttle.slot():
        pass
    assert 0 < sum(slept) <= 0.02


async def test_the_budget_rolls_and_says_when_it_returns() -> None:
    clock = FakeClock(START)
    throttle = build_throttle(clock=clock, budget=100, window=86_400)
    for _ in range(10):
        async with throttle.slot(credits=10):
            pass
        clock.advance(minutes=10)
    with pytest.raises(QuotaExhausted) as refused:
        await throttle.enter(20, False)
    assert throttle.in_flight == 0
    # Two bookings have to come back: the second was made ten minutes after the first.
    until = refused.value.until
    assert until is not None
    assert START + timedelta(hours=24, minutes=10) <= until <= START + timedelta(hours=24, minutes=12)
    clock.at = until
    async with throttle.slot(credits=20):
        pass
    assert throttle.credits.used == 100


async def test_a_share_is_reserved_for_the_customer() -> None:
    throttle = build_throttle(budget=100, reserve=0.2)
    async with throttle.slot(credits=80):
        pass
    assert throttle.credits.remaining() == 0
    with pytest.raises(QuotaExhausted):
        await throttle.enter(1, False)


async def test_the_window_survives_a_restart() -> None:
    clock = FakeClock(START)
    before = build_throttle(clock=clock, budget=100)
    async with before.slot(credits=70):
        pass
    after = build_throttle(clock=clock, budget=100)
    after.restore(before.snapshot())
    assert after.credits.remaining() == 30
    clock.advance(hours=25)
    assert after.credits.remaining() == 100


async def test_another_shape_is_no_snapshot() -> None:
    with pytest.raises(ValueError, match="not a snapshot"):
        build_throttle(budget=1).restore({"buckets": [["x"]]})


async def test_what_others_spend_counts_for_a_while() -> None:
    clock = FakeClock(START)
    throttle = build_throttle(clock=clock, budget=100)
    throttle.observe_remaining(5)
    assert throttle.credits.remaining() == 5
    with pytest.raises(QuotaExhausted) as refused:
        await throttle.enter(6, False)
    assert refused.value.until == clock.at + timedelta(minutes=15)
    clock.advance(minutes=15)
    assert throttle.credits.remaining() == 100


async def test_a_rate_spreads_calls() -> None:
    throttle = build_throttle(rate=1000.0, concurrency=50)
    begin = asyncio.get_running_loop().time()
    for _ in range(110):
        async with throttle.slot():
            pass
    assert asyncio.get_running_loop().time() - begin >= 0.009  # a hundred at once, ten a millisecond apart
