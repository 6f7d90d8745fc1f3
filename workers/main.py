"""The worker process: arq's listener for bells beside a station that works without them."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import structlog
import uvloop
from arq.worker import Worker, create_worker
from prometheus_client import start_http_server
from redis.exceptions import RedisError

from app import logs, metrics, telemetry
from app.runtime import Runtime, open_runtime, pack, unpack
from app.settings import Settings, load_settings
from workers import collector
from workers.jobs import advance_run
from workers.priority import give_way
from workers.station import Station, import_engine

log = structlog.get_logger()

LISTEN_AGAIN_SECONDS = 1.0
POOL = 16


async def startup(ctx: dict[str, Any]) -> None:
    """Opens a station for `arq workers.main.WorkerSettings`; `run_worker` brings its own."""
    if "station" in ctx:
        return
    stack = ctx["stack"] = AsyncExitStack()
    runtime = await stack.enter_async_context(open_runtime(load_settings()))
    ctx["station"] = await stack.enter_async_context(Station(runtime).running())


async def shutdown(ctx: dict[str, Any]) -> None:
    stack: AsyncExitStack | None = ctx.get("stack")
    if stack is not None:
        await stack.aclose()


class WorkerSettings:
    """Flat on purpose: arq reads the class's own `__dict__` and ignores what is inherited."""

    functions: ClassVar = [advance_run]
    on_startup = startup
    on_shutdown = shutdown
    job_serializer = pack
    job_deserializer = unpack
    keep_result = 0
    max_tries = 1
    job_timeout = 10
    max_jobs = 20
    poll_delay = 0.1
    handle_signals = False
    health_check_interval = 5
    log_results = False


async def listen(station: Station) -> None:
    """Listens for bells until cancelled; whenever Redis is away, tries again, while the sweep finds the work."""
    redis = station.runtime.redis
    if redis is None:
        return
    while True:
        worker: Worker = create_worker(
            WorkerSettings,  # type: ignore[arg-type]  # arq's protocol names more than it reads
            redis_pool=redis,
            ctx={"station": station},
            health_check_key=f"arq:health:{station.name}",
        )
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("bell_lost", error=type(error).__name__)
        finally:
            if worker.main_task is not None:
                worker.main_task.cancel()
            for task in worker.tasks.values():
                task.cancel()
            await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
        await asyncio.sleep(LISTEN_AGAIN_SECONDS)


async def work(runtime: Runtime, stop: asyncio.Event) -> None:
    """Works until `stop` is set."""
    async with Station(runtime).running() as station:
        listening = asyncio.create_task(listen(station))
        try:
            await stop.wait()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with open_runtime(settings, pool_size=POOL) as runtime:
        await work(runtime, stop)


def run_worker(settings: Settings, *, metrics_at: tuple[str, int] | None = None) -> None:
    """Runs one worker until SIGTERM or SIGINT; its Prometheus metrics are served at `metrics_at` (address, port).

    Ends the command with a sentence when that address cannot be had.
    """
    logs.configure(settings)
    if metrics_at is not None:
        host, port = metrics_at
        try:
            start_http_server(port, addr=host, registry=metrics.REGISTRY)
        except OSError as refused:
            raise SystemExit(f"tranship: cannot listen on {host} port {port}: {refused.strerror}") from refused
    import_engine()  # not yet giving way: a worker that starts may be the one who takes over
    give_way(settings.worker_niceness)
    collector.seldom()
    with telemetry.tracing("worker"):
        uvloop.run(_run(settings))
