"""Several calls at once where each is independent; the first error ends them all and comes out as itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def for_each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, at_once: int = 4
) -> list[Result]:
    """Results of `work` in the order of `items`, at most `at_once` running. Nothing runs on after an error."""
    gate = asyncio.Semaphore(at_once)

    async def guarded(item: Item) -> Result:
        async with gate:
            return await work(item)

    tasks = [asyncio.ensure_future(guarded(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
