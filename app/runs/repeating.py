"""Calls that end in the same state however often they are made: repeated in place when their answer is lost.

Deleting, restoring, correcting and re-assigning by id are such calls; creating is not (see `loading`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.runs.work import Work
from connectors.base import Ambiguous, Transient

Answer = TypeVar("Answer")
TRIES = 8
_LONGEST = 10.0


async def repeated(work: Work, call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The call's answer; the lease is looked at right before each sending.

    Raises what the call raised last when eight tries are not enough, Stopped when somebody asked to stop meanwhile.
    """
    for attempt in range(TRIES):
        await work.lease.ready_to_send(work.runtime.settings.call_timeout_seconds)
        try:
            return await call()
        except Transient as problem:
            if attempt == TRIES - 1:
                raise
            await pause(work, problem.retry_after, attempt)
        except Ambiguous:
            if attempt == TRIES - 1:
                raise
            await pause(work, None, attempt)
    raise AssertionError  # the loop returns or raises


async def pause(work: Work, seconds: float | None, attempt: int) -> None:
    """Backs off, `seconds` or longer with each attempt; shorter than a lease at a time, ending early on a stop.

    Raises Stopped when somebody asked to stop, LeaseLost when the lease is gone.
    """
    until = time.monotonic() + (seconds if seconds is not None else min(0.1 * 2**attempt, _LONGEST))
    while (left := until - time.monotonic()) > 0:
        work.check_stop()
        await asyncio.sleep(min(left, 0.5))
