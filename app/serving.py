"""Runs the service: one API process, or everything at once with embedded servers and workers."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvicorn
import uvloop
from pydantic import SecretStr

from app import logs, telemetry
from app.embedded import EmbeddedServers
from app.main import create_app
from app.migrations import upgrade
from app.settings import Settings, environment

log = structlog.get_logger()

GUARD = Path(__file__).parent / "embedded" / "guard.py"
STOP_SECONDS = 15.0
RESTART_SECONDS = 1.0
GRACE_SECONDS = 8
GARBAGE = (20_000, 20, 20)


def say(line: str) -> None:
    """Prints at once, also into a file or pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run_api(
    settings: Settings, *, host: str = "127.0.0.1", port: int = 8000, announce: Callable[[str], None] = say
) -> None:
    """Runs one API process until SIGTERM or SIGINT. Ends the command when the address cannot be listened on."""
    logs.configure(settings)
    with telemetry.tracing("api"), listening(host, port) as listener:
        uvloop.run(_serve_api(settings, listener, announce, None))


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 2,
    announce: Callable[[str], None] = say,
) -> None:
    """Runs servers (where no URL is set), migrations, API and workers until SIGTERM or SIGINT; all end with it.

    Raises EmbeddedServersError when the servers do not start; ends the command when the address cannot be had.
    """
    logs.configure(settings)
    shared = with_shared_clock(settings)
    with listening(host, port) as listener, backing_servers(shared) as configured:
        assert configured.database_url is not None
        upgrade(configured.database_url.get_secret_value())
        with telemetry.tracing("api"), worker_processes(configured, workers) as crew:
            uvloop.run(_serve_api(configured, listener, announce, crew))


@contextmanager
def backing_servers(settings: Settings) -> Iterator[Settings]:
    """The settings with both URLs set: as configured, or of embedded servers that run meanwhile."""
    if settings.database_url is not None and settings.redis_url is not None:
        yield settings
        return
    servers = EmbeddedServers(settings.data_dir)
    urls = servers.start()
    try:
        yield settings.model_copy(
            update={
                "data_dir": settings.data_dir.absolute(),
                "database_url": settings.database_url or SecretStr(urls.database_url),
                "redis_url": settings.redis_url or SecretStr(urls.redis_url),
            }
        )
    finally:
        servers.stop()


def with_shared_clock(settings: Settings) -> Settings:
    """A clock that starts at an instant becomes one that is shifted, so that API and workers read the same time."""
    if not isinstance(settings.clock, datetime):
        return settings
    return settings.model_copy(update={"clock": settings.clock - datetime.now(UTC)})


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket; 0 picks a free port. Ends the command with a sentence when the address cannot be had."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as refused:
            raise SystemExit(f"tranship: cannot listen on {host} port {port}: {refused.strerror}") from refused
        yield listener


class Crew:
    """Worker processes that are started again when they die, and end with the process that started them."""

    def __init__(self, settings: Settings, size: int) -> None:
        self._environment = {**os.environ, **environment(settings)}
        self._processes = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[bytes]:
        # in a session of its own, so that Ctrl-C reaches only us and the order of stopping is ours
        command = [sys.executable, "-m", "app.cli", "worker"]
        guarded = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), "", "", str(int(signal.SIGTERM))]
        return subprocess.Popen(guarded + command, env=self._environment, start_new_session=True)

    @property
    def pids(self) -> list[int]:
        return [each.pid for each in self._processes]

    def mend(self) -> None:
        """Replaces processes that have ended."""
        for number, process in enumerate(self._processes):
            if process.poll() is not None:
                log.warning("worker_ended", pid=process.pid, code=process.returncode)
                self._processes[number] = self._start()

    async def keep(self) -> None:
        """Mends until cancelled."""
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            self.mend()

    def stop(self) -> None:
        """Asks all to end, insists after STOP_SECONDS."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def worker_processes(settings: Settings, size: int) -> Iterator[Crew]:
    """Workers that run meanwhile."""
    crew = Crew(settings, size)
    try:
        yield crew
    finally:
        crew.stop()


def collect_seldom() -> None:
    """Most of a request is freed by counting references; what is loaded by now is no garbage and not looked through."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


async def _serve_api(
    settings: Settings, listener: socket.socket, announce: Callable[[str], None], crew: Crew | None
) -> None:
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    # uvicorn stops on these and raises them again for its caller; being stopped is no failure here
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: None)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():  # noqa: ASYNC110  the server offers a flag, no event
        await asyncio.sleep(0.01)
    if server.started:
        collect_seldom()
        announce(f"tranship on http://{f'[{host}]' if ':' in host else host}:{port} (docs at /docs)")
    keeper = asyncio.create_task(crew.keep()) if crew is not None else None
    try:
        await running
    finally:
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
