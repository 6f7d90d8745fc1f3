"""What remains when processes are killed: no server, and all the data."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.embedded import EmbeddedServers, ServerUrls
from app.embedded.processes import is_alive, wait_until
from app.embedded.state import read_state

Supervise = Callable[..., Any]


async def add_rows(url: str, count: int) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    await connection.execute("DROP TABLE IF EXISTS rows; CREATE TABLE rows (n int)")
    await connection.execute("INSERT INTO rows SELECT generate_series(1, $1::int)", count)
    await connection.close()


async def count_rows(url: str) -> int:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        return int(await connection.fetchval("SELECT count(*) FROM rows"))
    finally:
        await connection.close()


def pids(supervisor: Any) -> tuple[int, int]:
    return supervisor.state["postgres_pid"], supervisor.state["valkey_pid"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
async def test_killed_supervisor_takes_the_servers_along_and_loses_nothing(seeded: Path, supervise: Supervise) -> None:
    supervisor = supervise(seeded)
    await add_rows(supervisor.state["database_url"], 1000)
    supervisor.kill()
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids(supervisor)), 10)
    assert EmbeddedServers.attach(seeded) is None, "the state it left must not be believed"
    with EmbeddedServers(seeded, durable=False) as pair:
        assert await count_rows(pair.database_url) == 1000


async def test_servers_that_outlived_their_supervisor_are_ended_by_the_next(seeded: Path, supervise: Supervise) -> None:
    supervisor = supervise(seeded, "orphans")
    await add_rows(supervisor.state["database_url"], 1000)
    supervisor.kill()
    left = pids(supervisor)
    assert all(is_alive(pid) for pid in left)
    found = EmbeddedServers.attach(seeded)
    assert found == ServerUrls(supervisor.state["database_url"], supervisor.state["redis_url"])
    with EmbeddedServers(seeded, durable=False) as pair:
        assert not any(is_alive(pid) for pid in left)
        assert await count_rows(pair.database_url) == 1000


async def test_everything_killed_at_once_recovers(seeded: Path) -> None:
    """The killed postmaster stays a zombie here, since its parent, this process, has not waited for it."""
    pair = EmbeddedServers(seeded, durable=False)
    pair.start()
    await add_rows(pair.database_url, 1000)
    state = read_state(seeded)
    assert state is not None
    for pid in (state.valkey_pid, state.postgres_pid):
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(state.postgres_pid), 10)
    assert pair._lock is not None
    pair._lock.close()  # as if the supervisor had died too
    successor = EmbeddedServers(seeded, durable=False)
    try:
        with successor:
            assert await count_rows(successor.database_url) == 1000
    finally:
        pair.stop()


def test_a_foreign_process_with_the_noted_number_is_left_alone(seeded: Path) -> None:
    with EmbeddedServers(seeded, durable=False):
        noted = (seeded / "postgres" / "postmaster.pid").read_text().splitlines()
    foreign = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    assert foreign.stdin is not None
    try:
        noted[0] = str(foreign.pid)
        (seeded / "postgres" / "postmaster.pid").write_text("\n".join(noted) + "\n")
        (seeded / "valkey" / "valkey.pid").write_text(f"{foreign.pid}\n")
        with EmbeddedServers(seeded, durable=False) as pair:
            assert EmbeddedServers.attach(seeded) == pair.urls
        assert foreign.poll() is None
    finally:
        foreign.stdin.close()
        foreign.wait(10)
