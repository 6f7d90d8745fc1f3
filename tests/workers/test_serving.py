"""`tranship serve` as a process: everything comes up, mends itself, and ends together."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.serving import environment, listening, with_shared_clock
from app.settings import Settings, load_settings

START_SECONDS = 60


@dataclass
class Served:
    process: asyncio.subprocess.Process
    url: str
    data: Path
    environment: dict[str, str]
    errors: Path


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = START_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  other processes have no events for us
            await asyncio.sleep(0.05)


def children(pid: int) -> dict[int, str]:
    """The command lines of a process's children."""
    found = {}
    for each in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (each / "stat").read_text(), (each / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid and stat.rpartition(")")[2].split()[0] != "Z":
            found[int(each.name)] = command.replace(b"\0", b" ").decode()
    return found


def workers(pid: int) -> list[int]:
    return [child for child, command in children(pid).items() if command.rstrip().endswith("worker")]


def reachable_folder() -> Path:
    """A folder that the servers' own account can reach too."""
    folder = Path(tempfile.mkdtemp(prefix="tranship-serve-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    folder = await asyncio.to_thread(reachable_folder)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TRANSHIP_")}
    with (folder / "err").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(folder / "data")),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=clean,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                line = (await process.stdout.readline()).decode()
            assert line.startswith("tranship on http://127.0.0.1:"), (folder / "err").read_text()
            yield Served(process, line.split()[2], folder / "data", clean, folder / "err")
        finally:
            if process.returncode is None:
                process.terminate()
                async with asyncio.timeout(START_SECONDS):
                    await process.wait()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_up_mended_and_down(served: Served) -> None:
    pid = served.process.pid
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        async def mended() -> bool:
            # Looked at once: between two looks the killed one can go, and one worker would pass for two.
            there = workers(pid)
            return len(there) == 2 and killed not in there

        await until(ready)
        key = await _command(served, "keys", "create", "acme", "--data", str(served.data))
        answer = await http.get("/v1/keys", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        killed, kept = workers(pid)
        os.kill(killed, signal.SIGKILL)
        await until(mended)
        assert await ready()
    everything = children(pid)
    assert len(everything) == 4
    assert kept in everything
    served.process.terminate()
    async with asyncio.timeout(START_SECONDS):
        assert await served.process.wait() == 0
    assert not [each for each in everything if _alive(each)]
    told = served.errors.read_text()
    assert told.count("worker_ended") == 1, told


async def test_a_worker_serves_its_metrics_and_gives_way(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "worker", "--metrics-port", str(port)),
        env={**os.environ, **environment(settings)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def swept() -> bool:
                try:
                    return 'tranship_sweeps_total{result="ok"}' in (await http.get("/metrics")).text
                except httpx.TransportError:
                    return False

            await until(swept)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.nice(0) + settings.worker_niceness)
    finally:
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="dying with the parent is Linux's")
async def test_nothing_outlives_a_killed_parent(served: Served) -> None:
    everything = children(served.process.pid)
    assert len(everything) == 4
    served.process.kill()
    await served.process.wait()

    async def gone() -> bool:
        return not [each for each in everything if _alive(each)]

    await until(gone)


def test_settings_reach_the_workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = Settings(
        database_url=SecretStr("postgresql+asyncpg://a:b@c/d"),
        data_dir=tmp_path,
        clock=timedelta(days=-3, seconds=0.5),
        allow_private_targets=True,
        lease_seconds=2.5,
        cors_origins=("https://a.test", "https://b.test"),
    )
    for name, value in environment(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given


def test_one_clock_for_all_processes() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    shared = with_shared_clock(Settings(clock=at))
    assert isinstance(shared.clock, timedelta)
    assert abs(shared.make_clock()() - at) < timedelta(minutes=1)
    assert with_shared_clock(Settings()).clock is None


async def _command(served: Served, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *arguments), stdout=asyncio.subprocess.PIPE, env=served.environment
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_taken_address_is_a_sentence() -> None:
    with listening("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"cannot listen on 127.0.0.1 port {port}"), listening("127.0.0.1", port):
            pass
