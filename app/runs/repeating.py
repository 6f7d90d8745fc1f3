"""Calls that end in the same state however often they are made: repeated in place when their answer is lost.

Deleting, restoring, correcting and re-assigning by id are such calls; creating is not (see `loading`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.runs.work import Work
from connectors.base import WriteResult, WriteStatus
from connectors.errors import Ambiguous, BatchRefused, Transient

Answer = TypeVar("Answer")
Part = TypeVar("Part")
TRIES = 8
_LONGEST = 10.0
_IN_PLACE = 30.0  # seconds that a run may stand still without a word


async def repeated(work: Work, call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The call's answer; the lease is looked at right before each sending.

    Raises what the call raised last when eight tries are not enough or the platform asks for a long pause, Stopped when
    somebody asked to stop meanwhile.
    """
    for attempt in range(TRIES):
        await work.lease.ready_to_send(work.runtime.settings.call_timeout_seconds)
        try:
            return await call()
        except Transient as problem:
            if attempt == TRIES - 1 or is_long(problem):
                raise
            await pause(work, problem.retry_after, attempt)
        except Ambiguous:
            if attempt == TRIES - 1:
                raise
            await pause(work, None, attempt)
    raise AssertionError  # the loop returns or raises


async def in_parts(
    work: Work, call: Callable[[Sequence[Part]], Awaitable[list[WriteResult]]], parts: Sequence[Part]
) -> list[WriteResult]:
    """One result per part of a repeatable batch: what is refused as a whole is halved until the one at fault is alone.

    Raises as `repeated` does.
    """
    try:
        return await repeated(work, lambda: call(parts))
    except BatchRefused as refusal:
        if len(parts) == 1:
            code = refusal.code or "batch_refused"
            return [WriteResult(WriteStatus.REFUSED, code=code, message=refusal.detail)]
    middle = len(parts) // 2
    return [*await in_parts(work, call, parts[:middle]), *await in_parts(work, call, parts[middle:])]


def is_long(problem: Transient) -> bool:
    """Whether the platform asks for so much time that the run is put down, with its reason, instead of waiting."""
    return problem.retry_after is not None and problem.retry_after > _IN_PLACE


async def pause(work: Work, seconds: float | None, attempt: int) -> None:
    """Backs off, `seconds` or longer with each attempt; shorter than a lease at a time, ending early on a stop.

    Raises Stopped when somebody asked to stop, LeaseLost when the lease is gone.
    """
    until = time.monotonic() + (seconds if seconds is not None else min(0.1 * 2**attempt, _LONGEST))
    while (left := until - time.monotonic()) > 0:
        work.check_stop()
        await asyncio.sleep(min(left, 0.5))
