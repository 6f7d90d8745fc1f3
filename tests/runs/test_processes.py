"""Real processes: one is killed in the middle of a run, one is stopped past its lease and wakes up too late."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from tests.runs.conftest import OpenWay
from tests.runs.judging import Dump, counts, unequal
from tests.runs.road import Road

ROOT = Path(__file__).parents[2]
TIMEOUT = 1.0
LATENCY_MS = 40


@asynccontextmanager
async def process(way: Road, run_id: UUID) -> AsyncIterator[Process]:
    """A worker process on the run; whatever is left of it is killed at the end."""
    command = [sys.executable, "-m", "tests.runs.worker_process", way.database_url, str(run_id), str(TIMEOUT)]
    quiet = asyncio.subprocess.DEVNULL
    started = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=quiet, stderr=quiet)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def half_way(way: Road, worker: Process, before: int) -> None:
    """Returns when the worker has brought a third of the records and is at work on the rest."""
    async with asyncio.timeout(60):
        while len(await way.destination.dump()) < before + 60:
            assert worker.returncode is None, "the worker ended too early"
            await asyncio.sleep(0.02)


async def test_kill_9_in_the_middle_ends_with_the_same_counts(open_way: OpenWay, undisturbed: Dump) -> None:
    async with open_way(call_timeout_seconds=TIMEOUT, flush_rows=6) as way:
        await way.up_to("provision")
        before = len(await way.destination.dump())
        run_id = await way.start("full")
        await way.destination.faults(latency_ms=LATENCY_MS)
        async with process(way, run_id) as worker:
            await half_way(way, worker, before)
            worker.send_signal(signal.SIGKILL)
            assert await worker.wait() == -signal.SIGKILL
        assert (await way.row(run_id)).state == "running"
        await way.destination.faults()
        run = await way.drive(run_id)
        assert run.fence == 2
        dump = await way.destination.dump()
        assert counts(dump) == counts(undisturbed)
        assert unequal(dump, undisturbed) == []
        assert await way.fetch("SELECT 1 FROM intents") == []


async def test_a_worker_stopped_past_its_lease_starts_no_call_when_it_wakes(
    open_way: OpenWay, undisturbed: Dump
) -> None:
    async with open_way(call_timeout_seconds=TIMEOUT, flush_rows=6) as way:
        await way.up_to("provision")
        before = len(await way.destination.dump())
        run_id = await way.start("full")
        await way.destination.faults(latency_ms=LATENCY_MS)
        async with process(way, run_id) as worker:
            await half_way(way, worker, before)
            worker.send_signal(signal.SIGSTOP)
            await way.destination.faults()
            await way.drive(run_id)
            done = (await way.destination.stats())["requests"]
            worker.send_signal(signal.SIGCONT)
            async with asyncio.timeout(30):
                assert await worker.wait() == 0  # it finds the lease gone and puts everything down
        assert (await way.destination.stats())["requests"] == done
        assert unequal(await way.destination.dump(), undisturbed) == []
