"""A ServiceTracker sandbox to ask: in this process over ASGI, or behind a real port for the vendor's client library."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server
from connectors.servicetracker.sandbox import create_app
from connectors.servicetracker.sandbox.context import Sandbox
from tests.clock import FakeClock

BASE = "/services/data/v59.0"


@dataclass(frozen=True)
class Account:
    """A signed-in client of a running sandbox, and the sandbox itself."""

    http: httpx.AsyncClient
    box: Sandbox
    clock: FakeClock

    async def sign_in(self) -> None:
        answer = await self.http.post(
            "/services/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=("sandbox-client", "sandbox-secret"),
        )
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(BASE + path, **more)

    async def ask(self, soql: str, *, everything: bool = False, **headers: str) -> httpx.Response:
        return await self.get("/queryAll" if everything else "/query", params={"q": soql}, headers=headers)

    async def rows(self, soql: str, *, everything: bool = False) -> list[dict[str, Any]]:
        """All rows of all pages, without their attributes."""
        answer = await self.ask(soql, everything=everything)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        records = page["records"]
        while not page["done"]:
            page = (await self.http.get(page["nextRecordsUrl"])).json()
            records += page["records"]
        return [{key: value for key, value in one.items() if key != "attributes"} for one in records]

    async def ids(self, soql: str, *, everything: bool = False) -> list[str]:
        return [one["Id"] for one in await self.rows(soql, everything=everything)]

    async def create(self, sobject: str, **values: Any) -> str:
        answer = await self.http.post(f"{BASE}/sobjects/{sobject}", json=values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def refused(self, soql: str) -> tuple[int, str]:
        """Status and error code of a query that must fail, after a look at the shape of the error."""
        answer = await self.ask(soql)
        (error,) = answer.json()
        assert set(error) >= {"message", "errorCode"}
        return answer.status_code, error["errorCode"]


Open = Callable[..., AbstractAsyncContextManager[Account]]


@asynccontextmanager
async def _open(**settings: Any) -> AsyncIterator[Account]:
    clock = FakeClock(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    app = create_app(SandboxConfig(**{"scale": 0, "clock": clock, **settings}))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as http,
    ):
        account = Account(http, app.state.sandbox, clock)
        await account.sign_in()
        yield account


@pytest.fixture(scope="session")
def open_account() -> Open:
    """Starts a sandbox with the settings of a SandboxConfig; its clock stands at 2026-07-01 12:00 UTC."""
    return _open


@pytest.fixture(scope="session")
async def readonly() -> AsyncIterator[Account]:
    """About 400 generated records; tests only read."""
    async with _open(scale=400) as account:
        yield account


@pytest.fixture(scope="session")
async def large() -> AsyncIterator[Account]:
    """About 5,000 generated records; tests only read."""
    async with _open(scale=5_000) as account:
        yield account


@pytest.fixture
async def empty() -> AsyncIterator[Account]:
    """An account with nothing but its staff users."""
    async with _open() as account:
        yield account


@pytest.fixture(scope="module")
def live_port() -> Iterator[int]:
    """The port of a sandbox with about 400 records behind a real server, in a thread of its own."""
    app = create_app(SandboxConfig(scale=400))
    runner = server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=lambda: asyncio.run(runner.serve()))
    thread.start()
    ready = threading.Event()
    while not runner.started:
        ready.wait(0.005)
    yield int(runner.servers[0].sockets[0].getsockname()[1])
    runner.should_exit = True
    thread.join()
