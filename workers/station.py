"""What a worker process does besides listening: finds due work by itself, beats, and ends in good order.

PostgreSQL is the truth. A bell (Redis) only makes a run start sooner; without it the sweep finds the run within a
second, and after a restart of either server everything goes on by itself.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import import_module
from uuid import UUID

import structlog

from app import metrics
from app.domain.ids import encode_id
from app.engagements.purging import purge_due
from app.runtime import Runtime
from app.webhooks.delivery import deliver_due

log = structlog.get_logger()

Advance = Callable[[Runtime, UUID, str], Awaitable[None]]
Deliver = Callable[[Runtime, int], Awaitable[int]]

SWEEP_SECONDS = 1.0
BEAT_SECONDS = 2.0
EXPIRE_SECONDS = 3600.0
STOP_SECONDS = 10.0
DELIVERIES_AT_ONCE = 50
FORGET_WORKERS_AFTER = timedelta(days=1)

_BEAT = """
    INSERT INTO workers (id, host, started_at, beat_at) VALUES ($1, $2, $3, $3)
    ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at
"""


def import_engine() -> None:
    """Has the engine at hand before a run needs it: on a busy machine importing it takes seconds, in which the run of a
    lost worker would stand still.
    """
    import_module("app.runs.engine")


async def advance_run(runtime: Runtime, run_id: UUID, worker: str) -> None:
    """The engine's step, imported late so that delivering webhooks need not wait for the engine."""
    from app.runs.engine import advance

    await advance(runtime, run_id, worker)


def worker_name() -> str:
    """Unique among all processes of all hosts."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class Station:
    """The work of one process: at most `settings.worker_concurrency` runs, deliveries, heartbeats, expiry."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        name: str = "",
        advance: Advance = advance_run,
        deliver: Deliver = deliver_due,
        sweep_seconds: float = SWEEP_SECONDS,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self.runtime = runtime
        self.name = name or worker_name()
        self._advance = advance
        self._deliver = deliver
        self._sweep_seconds = sweep_seconds
        self._beat_seconds = beat_seconds
        self._runs: dict[UUID, asyncio.Task[None]] = {}
        self._delivering: asyncio.Task[int] | None = None

    @property
    def active(self) -> int:
        """Runs being advanced now."""
        return len(self._runs)

    def ring(self, run_id: UUID) -> bool:
        """Starts advancing a run unless it is being advanced here or all hands are full; the sweep asks again."""
        if run_id in self._runs or len(self._runs) >= self.runtime.settings.worker_concurrency:
            return False
        task = asyncio.create_task(self._advance_one(run_id), name=f"run {run_id}")
        self._runs[run_id] = task
        task.add_done_callback(lambda _: self._runs.pop(run_id, None))
        metrics.ACTIVE_RUNS.set(len(self._runs))
        return True

    async def sweep(self) -> int:
        """One look for due runs and deliveries; how many runs were started."""
        free = self.runtime.settings.worker_concurrency - len(self._runs)
        started = 0
        if free > 0:
            async with self.runtime.db.connection(None) as connection:
                # those advanced here have a lease and are not due; they count twice only while it is being taken
                due = await connection.fetch("SELECT id FROM due_runs($1, $2)", self.runtime.now(), free + self.active)
            started = sum(self.ring(row["id"]) for row in due)
        if self._delivering is None or self._delivering.done():
            self._delivering = asyncio.create_task(self._deliver_some())
        return started

    async def beat(self) -> None:
        """Says that this worker lives."""
        async with self.runtime.db.connection(None) as connection:
            await connection.execute(_BEAT, self.name, socket.gethostname(), self.runtime.now())

    async def expire(self) -> None:
        """Forgets kept answers, ended tokens and workers that are long gone; destroys what was kept long enough."""
        now = self.runtime.now()
        async with self.runtime.db.connection(None) as connection:
            await connection.execute("SELECT expire_rows($1)", now)
            await connection.execute("DELETE FROM workers WHERE beat_at < $1", now - FORGET_WORKERS_AFTER)
        await purge_due(self.runtime)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Station"]:
        """Works in the background while open; on leaving, runs are given back and the heartbeat is withdrawn."""
        preparing = asyncio.create_task(asyncio.to_thread(import_engine))
        await self.runtime.db.pool()  # opened once, before the loops below would each open one
        loops = (
            asyncio.create_task(self._every(self._beat_seconds, self.beat)),
            asyncio.create_task(self._every(self._sweep_seconds, self.sweep)),
            asyncio.create_task(self._every(EXPIRE_SECONDS, self.expire)),
        )
        log.info("worker_started", worker=self.name)
        try:
            yield self
        finally:
            await self._stop(preparing, *loops)
            log.info("worker_stopped", worker=self.name)

    async def _stop(self, *loops: "asyncio.Task[None]") -> None:
        tasks: list[asyncio.Task[None] | asyncio.Task[int]] = [*loops, *self._runs.values()]
        if self._delivering is not None:
            tasks.append(self._delivering)
        for task in tasks:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        if late:
            log.warning("worker_stopped_late", tasks=len(late))
        try:
            async with asyncio.timeout(2), self.runtime.db.connection(None) as connection:
                await connection.execute("DELETE FROM workers WHERE id = $1", self.name)
        except Exception as error:  # noqa: BLE001  the database may be away; readiness looks at the age of the beat
            log.warning("worker_row_left", error=type(error).__name__)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Repeats; a failure (a server that restarts) is logged and the next turn tries again."""
        failing = False
        while True:
            try:
                await work()
                metrics.SWEEPS.labels("ok").inc()
                if failing:
                    log.info("worker_recovered", work=work.__name__)
                failing = False
            except Exception as error:  # noqa: BLE001  a worker outlives every fault of its servers
                metrics.SWEEPS.labels("failed").inc()
                if not failing:
                    log.warning("worker_disturbed", work=work.__name__, error=repr(error)[:300])
                failing = True
            await asyncio.sleep(min(seconds, SWEEP_SECONDS) if failing else seconds)

    async def _advance_one(self, run_id: UUID) -> None:
        try:
            await self._advance(self.runtime, run_id, self.name)
            metrics.ADVANCES.labels("ok").inc()
        except Exception as error:
            metrics.ADVANCES.labels("failed").inc()
            log.exception("advance_failed", run_id=encode_id("run", run_id), error=type(error).__name__)
        finally:
            metrics.ACTIVE_RUNS.set(max(0, len(self._runs) - 1))

    async def _deliver_some(self) -> int:
        try:
            return await self._deliver(self.runtime, DELIVERIES_AT_ONCE)
        except Exception as error:  # noqa: BLE001  the lease ends and the next sweep delivers
            log.warning("deliveries_disturbed", error=repr(error)[:300])
            return 0
