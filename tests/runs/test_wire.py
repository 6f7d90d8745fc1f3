"""The run's places for calls: strict order of ranks, no place lost to a cancelled waiter."""

import asyncio

from app.runs.wire import Wire


async def _enter(wire: Wire, rank: int, order: list[int]) -> None:
    await wire.enter(rank)
    order.append(rank)


async def test_the_lowest_rank_goes_first_and_equals_in_order() -> None:
    wire, order = Wire(1), list[int]()
    await wire.enter(9)
    waiting = [asyncio.create_task(_enter(wire, rank, order)) for rank in (3, 1, 2, 1)]
    await asyncio.sleep(0)
    for _ in waiting:
        wire.leave()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert order == [1, 1, 2, 3]


async def test_no_more_calls_than_places() -> None:
    wire, inside, most = Wire(3), 0, 0

    async def call(rank: int) -> None:
        nonlocal inside, most
        await wire.enter(rank)
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        wire.leave()

    await asyncio.gather(*(call(number % 4) for number in range(40)))
    assert (most, inside) == (3, 0)


async def test_a_cancelled_waiter_costs_no_place() -> None:
    wire, order = Wire(1), list[int]()
    await wire.enter(0)
    given = asyncio.create_task(_enter(wire, 1, order))
    other = asyncio.create_task(_enter(wire, 2, order))
    await asyncio.sleep(0)
    wire.leave()  # given to the first, which is cancelled before it runs
    given.cancel()
    await asyncio.gather(given, other, return_exceptions=True)
    assert order == [2]
    waiting = asyncio.create_task(_enter(wire, 3, order))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    wire.leave()
    await asyncio.wait_for(wire.enter(4), 1)
