"""Real servers for tests: one PostgreSQL and one Valkey per pytest process, a fresh database per test module.

Each xdist worker runs a pair of its own (about a second, started on first use): nothing is shared, so a worker that
dies takes only its own servers with it. The schema is migrated once per worker into a template, and cloned from there.
"""

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
import redis.asyncio

from app.embedded import EmbeddedServers

TEMPLATE = "tranship_template"
# Files whose tests take longest, most of it in processes of their own. They come first, so that no worker is left with
# one of them at the end (`make test` gives whole files to workers, in this order).
LONGEST = (
    *("rehearsal/test_rehearsing", "runs/", "demo/", "security/test_traces", "api/test_fuzzing"),
    "api/test_typescript",
)

# How long drawing an example takes says something about the machine alone, so no test fails by it.
hypothesis.settings.register_profile("tranship", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tranship")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, everything else in its order."""
    root = Path(__file__).parent.as_posix() + "/"

    def place(item: pytest.Item) -> int:
        name = item.path.as_posix().removeprefix(root)
        return next((number for number, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))

    items.sort(key=place)


def run_apart(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a coroutine on a loop of its own in a thread, since pytest-asyncio's session loop may be running here."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as problem:  # noqa: BLE001 - handed to the caller below
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]


def with_database(url: str, name: str) -> str:
    """The same server and account, another database."""
    return f"{url.rpartition('/')[0]}/{name}"


async def execute(url: str, *statements: str) -> None:
    """Runs statements one by one, each in its own transaction, as CREATE DATABASE needs."""
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def clone_statement(name: str) -> str:
    """WAL_LOG copies a small template in about 60 ms, FILE_COPY in 360 (stack notes, section 2)."""
    return f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY wal_log'


def worker_number() -> int:
    """0 for `gw0` and without xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """A running pair, not durable against power loss, whose data are deleted at the end."""
    # Not pytest's own tmp_path: that is closed to the account which root hands the servers to.
    folder = Path(tempfile.mkdtemp(prefix="tranship-tests-"))
    folder.chmod(0o711)
    pair = EmbeddedServers(folder / "servers", durable=False)
    try:
        pair.start()
        yield pair
    finally:
        pair.destroy()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template_database(servers: EmbeddedServers) -> str:
    """The URL of a migrated database that nobody may connect to while it is cloned."""
    from app.migrations import upgrade

    run_apart(lambda: execute(servers.database_url, f'CREATE DATABASE "{TEMPLATE}"'))
    url = with_database(servers.database_url, TEMPLATE)
    upgrade(url)
    return url


async def cloned(servers: EmbeddedServers, name: str) -> AsyncIterator[str]:
    """A migrated database named `name`, dropped afterwards with whatever connections are left."""
    await execute(servers.database_url, clone_statement(name))
    try:
        yield with_database(servers.database_url, name)
    finally:
        await execute(servers.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
async def database_url(
    request: pytest.FixtureRequest, servers: EmbeddedServers, template_database: str
) -> AsyncIterator[str]:
    """A migrated, empty database shared by the tests of one module (owner's URL, asyncpg driver)."""
    name = "m_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)[-50:]
    async for url in cloned(servers, name):
        yield url


@pytest.fixture
async def fresh_database_url(servers: EmbeddedServers, template_database: str) -> AsyncIterator[str]:
    """A migrated, empty database for one test (owner's URL, asyncpg driver)."""
    async for url in cloned(servers, "one_test"):
        yield url


@pytest.fixture(scope="session")
def empty_database_url(servers: EmbeddedServers) -> str:
    """The server's own database without our schema (owner's URL, asyncpg driver)."""
    return servers.database_url


@pytest.fixture
async def redis_url(servers: EmbeddedServers) -> AsyncIterator[str]:
    """An empty Valkey database for one test, numbered by worker."""
    url = f"{servers.redis_url.rpartition('/')[0]}/{worker_number() % 16}"
    client = redis.asyncio.from_url(url)
    try:
        await client.flushdb()
        yield url
        await client.flushdb()
    finally:
        await client.aclose()
