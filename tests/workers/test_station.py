"""The worker on real servers: bells, sweeps, limits, heartbeats, restarts of either server, orderly ends."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.health import check_all
from app.migrations import head
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from tests.conftest import execute
from tests.workers.conftest import MakeRun
from tests.workers.line import Line
from workers.main import WorkerSettings, listen
from workers.station import Station


class Engine:
    """Stands for the engine: notes who was advanced and works until released."""

    def __init__(self, *, holds: bool = False) -> None:
        self.advanced: list[UUID] = []
        self.cancelled: list[UUID] = []
        self.most = 0
        self._now = 0
        self.release = asyncio.Event()
        if not holds:
            self.release.set()

    async def __call__(self, runtime: Runtime, run_id: UUID, worker: str) -> None:
        self.advanced.append(run_id)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            async with runtime.db.connection(None) as connection:
                await connection.execute("SELECT 1")
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.append(run_id)
            raise
        finally:
            self._now -= 1


async def nothing(runtime: Runtime, most: int) -> int:
    return 0


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0) -> None:
    """Waits for what another task does; fails the test when it does not come."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.005)


async def ringing(runtime: Runtime, engine: Engine) -> None:
    """Rings until a bell is heard; the run does not exist, so the sweep cannot have found it."""
    bell = uuid4()

    async def heard() -> bool:
        await runtime.wake(bell)
        return bell in engine.advanced

    await until(heard)


def station(runtime: Runtime, engine: Engine, **options: object) -> Station:
    options = {"deliver": nothing, "sweep_seconds": 0.02, "beat_seconds": 0.02} | options
    return Station(runtime, advance=engine, **options)  # type: ignore[arg-type]


async def test_a_worker_has_the_engine_at_hand_before_a_run_needs_it(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing it takes seconds on a busy machine, in which a lost worker's run would stand still."""
    import app.runs.engine  # noqa: F401  so that what is taken away below comes back

    monkeypatch.setattr(sys.modules["app.runs"], "engine", sys.modules["app.runs.engine"])
    monkeypatch.delitem(sys.modules, "app.runs.engine")
    async with station(runtime, Engine()).running():
        await until(lambda: hasattr(sys.modules.get("app.runs.engine"), "advance"), 60.0)


class TestSweep:
    async def test_finds_what_is_due(self, runtime: Runtime, make_run: MakeRun) -> None:
        engine = Engine()
        due = {await make_run(), await make_run()}
        later, done = await make_run(after=timedelta(hours=1)), await make_run(state="completed")
        worker = station(runtime, engine)
        assert await worker.sweep() == 2
        await until(lambda: worker.active == 0)
        assert set(engine.advanced) == due
        assert not {later, done} & set(engine.advanced)

    async def test_never_more_at_once_than_allowed(self, runtime: Runtime, make_run: MakeRun) -> None:
        engine = Engine(holds=True)
        for _ in range(5):
            await make_run()
        worker = station(runtime, engine)
        for _ in range(3):
            await worker.sweep()
        await until(lambda: engine.most == 3)
        assert worker.active == 3
        assert len(engine.advanced) == len(set(engine.advanced)) == 3
        engine.release.set()
        await until(lambda: worker.active == 0)

    async def test_delivers_beside_the_runs(self, runtime: Runtime) -> None:
        asked = []

        async def deliver(runtime: Runtime, most: int) -> int:
            asked.append(most)
            return 0

        async with station(runtime, Engine(), deliver=deliver).running():
            await until(lambda: len(asked) >= 2)

    async def test_failed_advance_and_delivery_are_logged_and_outlived(
        self, runtime: Runtime, make_run: MakeRun
    ) -> None:
        async def broken(runtime: Runtime, run_id: UUID, worker: str) -> None:
            raise RuntimeError("engine")

        async def undeliverable(runtime: Runtime, most: int) -> int:
            raise RuntimeError("post")

        await make_run()
        with capture_logs() as logs:
            worker = Station(runtime, advance=broken, deliver=undeliverable, sweep_seconds=0.01)
            async with worker.running():
                await until(lambda: {"advance_failed", "deliveries_disturbed"} <= {each["event"] for each in logs})
        assert worker.active == 0


class TestBell:
    async def test_wakes_before_the_sweep(self, runtime: Runtime, make_run: MakeRun) -> None:
        engine = Engine()
        run = await make_run()
        worker = station(runtime, engine, sweep_seconds=3600)
        listening = asyncio.create_task(listen(worker))
        try:
            await runtime.wake(run)
            await until(lambda: engine.advanced == [run])
            engine.advanced.clear()
            await runtime.wake(run)  # a later ring for the same run is not swallowed
            await until(lambda: engine.advanced == [run])
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def test_nonsense_is_ignored(self, runtime: Runtime) -> None:
        assert runtime.redis is not None
        engine = Engine()
        listening = asyncio.create_task(listen(station(runtime, engine)))
        try:
            with capture_logs() as logs:
                await runtime.redis.enqueue_job("advance_run", "nonsense")
                await until(lambda: any(each["event"] == "bell_unreadable" for each in logs))
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        assert engine.advanced == []

    async def test_leaves_nothing_behind_in_redis(self, runtime: Runtime) -> None:
        assert runtime.redis is not None
        redis, engine = runtime.redis, Engine()

        async def clean() -> bool:
            return not [key async for key in redis.scan_iter("arq:*") if b"health" not in key]

        listening = asyncio.create_task(listen(station(runtime, engine)))
        try:
            await runtime.wake(uuid4())
            await until(lambda: len(engine.advanced) == 1)
            await until(clean)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def test_settings_are_flat(self) -> None:
        """arq reads the class's own __dict__."""
        own = vars(WorkerSettings)
        assert own["keep_result"] == 0
        assert {"functions", "job_serializer", "job_deserializer", "on_startup", "on_shutdown"} <= set(own)
        assert "cron_jobs" not in own
        assert own.get("allow_abort_jobs", False) is False


class TestLife:
    async def test_heartbeat_makes_ready_and_is_withdrawn(self, runtime: Runtime) -> None:
        async def ready() -> bool:
            return (await check_all(runtime, head()))["workers"] == "ok"

        assert not await ready()
        async with station(runtime, Engine()).running():
            await until(ready)
        assert await check_all(runtime, head()) == {
            "database": "ok",
            "schema": "ok",
            "workers": "no worker has reported lately",
            "queue": "ok",
        }

    async def test_stop_gives_runs_back(self, runtime: Runtime, make_run: MakeRun) -> None:
        engine = Engine(holds=True)
        run = await make_run()
        worker = station(runtime, engine)
        async with worker.running():
            await until(lambda: engine.advanced == [run])
        assert engine.cancelled == [run]
        assert worker.active == 0

    async def test_survives_a_restart_of_postgresql(
        self, runtime: Runtime, make_run: MakeRun, fresh_database_url: str
    ) -> None:
        engine = Engine()
        with capture_logs() as logs:
            async with station(runtime, engine).running():
                await until(lambda: len([each for each in logs if each["event"] == "worker_started"]) == 1)
                for _ in range(3):
                    await execute(
                        fresh_database_url,
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                    )
                    await asyncio.sleep(0.03)
                run = await make_run()
                await until(lambda: run in engine.advanced)

    async def test_survives_a_lost_redis(
        self, settings: Settings, make_run: MakeRun, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sweep goes on alone; the listener comes back with Redis."""
        monkeypatch.setattr("workers.main.LISTEN_AGAIN_SECONDS", 0.01)
        line, engine = Line(redis_url), Engine()
        await line.mend()
        through = settings.model_copy(update={"redis_url": SecretStr(line.url)})
        with capture_logs() as logs:
            async with open_runtime(through) as runtime, station(runtime, engine).running() as worker:
                listening = asyncio.create_task(listen(worker))
                try:
                    await ringing(runtime, engine)
                    await line.cut()
                    await until(lambda: any(each["event"] == "bell_lost" for each in logs))
                    run = await make_run()
                    await runtime.wake(run)
                    await until(lambda: run in engine.advanced)
                    await line.mend()
                    await ringing(runtime, engine)
                finally:
                    listening.cancel()
                    await asyncio.gather(listening, return_exceptions=True)
        await line.cut()

    async def test_forgets_what_is_over(self, runtime: Runtime, fresh_database_url: str) -> None:
        await execute(
            fresh_database_url,
            "INSERT INTO workers (id, host, started_at, beat_at) VALUES ('old', '', now(), now() - interval '2 days'),"
            " ('new', '', now(), now())",
            "INSERT INTO idempotency_keys (tenant_id, route, key, request_hash, headers, created_at)"
            " SELECT id, '', age, '', '{}', now() - age::interval FROM tenants, unnest(ARRAY['8 days', '6 days']) age",
        )
        await station(runtime, Engine()).expire()
        connection = await asyncpg.connect(fresh_database_url.replace("+asyncpg", ""))
        try:
            assert [row["id"] for row in await connection.fetch("SELECT id FROM workers")] == ["new"]
            assert [row["key"] for row in await connection.fetch("SELECT key FROM idempotency_keys")] == ["6 days"]
        finally:
            await connection.close()


async def test_engine_is_what_a_worker_advances(runtime: Runtime) -> None:
    """The default step is the engine's; a run that does not exist is nothing to do."""
    with capture_logs() as logs:
        worker = Station(runtime, deliver=nothing)
        assert worker.ring(uuid4())
        await until(lambda: worker.active == 0)
    assert not [each for each in logs if each["event"] == "advance_failed"]
