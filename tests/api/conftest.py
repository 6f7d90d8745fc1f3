"""The application on a real database and queue, with a clock that tests move."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from app.access import KEY_PREFIX, digest, make_secret
from app.main import create_app
from app.migrations import head
from app.models.columns import new_id
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from tests.clock import FakeClock


@dataclass
class Client:
    """A client with one key; every POST gets a fresh Idempotency-Key unless one is given."""

    http: httpx.AsyncClient
    tenant_id: UUID
    key_id: UUID
    key: str = field(repr=False)

    async def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        headers |= options.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        return await self("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx.Response:
        return await self("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self("DELETE", path, **options)


MakeClient = Callable[..., Awaitable[Client]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        data_dir=tmp_path,
        allow_private_targets=True,
        max_body_bytes=64 * 1024,
    )


@pytest.fixture
async def runtime(settings: Settings, clock: FakeClock) -> AsyncIterator[Runtime]:
    async with open_runtime(settings) as opened:
        opened.now = clock
        yield opened


@asynccontextmanager
async def nothing_to_open(_app: FastAPI) -> AsyncIterator[None]:
    """The lifespan of an application whose runtime is the test's."""
    yield


@contextmanager
def another_route(app: FastAPI, path: str, endpoint: Callable[..., Any]) -> Iterator[None]:
    """A route that only the test knows, gone after it: tests share one application."""
    before = [*app.router.routes]
    app.add_api_route(path, endpoint, include_in_schema=False)
    try:
        yield
    finally:
        app.router.routes[:] = before


newest_revision = cache(head)


@cache
def built(max_body_bytes: int, cors_origins: tuple[str, ...], request_seconds: float) -> FastAPI:
    """The application by all that is fixed when it is built: each new one looks at its hundred routes again."""
    fixed = {"max_body_bytes": max_body_bytes, "cors_origins": cors_origins, "request_seconds": request_seconds}
    app = create_app(Settings.model_construct(**fixed))
    app.router.lifespan_context = nothing_to_open
    return app


@asynccontextmanager
async def serving(settings: Settings, runtime: Runtime) -> AsyncIterator[FastAPI]:
    """The application on the test's own runtime, as its lifespan would leave it."""
    app = built(settings.max_body_bytes, settings.cors_origins, settings.request_seconds)
    outer = getattr(app.state, "runtime", None)  # of a test that opens another inside its own
    app.state.runtime, app.state.migration_head = runtime, newest_revision()
    yield app
    app.state.runtime = outer


@pytest.fixture
async def app(settings: Settings, runtime: Runtime) -> AsyncIterator[FastAPI]:
    async with serving(settings, runtime) as running:
        yield running


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tranship.test") as client:
        yield client


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The service on a loopback port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  the server offers a flag, no event
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


@pytest.fixture
def make_client(http: httpx.AsyncClient, runtime: Runtime, database_url: str) -> MakeClient:
    """Makes a key, and a tenant for it unless one is named."""

    async def make(
        role: str = "owner",
        scopes: tuple[str, ...] = (),
        tenant_id: UUID | None = None,
        parent_id: UUID | None = None,
        expires_at: datetime | None = None,
    ) -> Client:
        key_id = new_id()
        secret = make_secret(KEY_PREFIX, key_id)
        connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://", 1))
        try:
            if tenant_id is None:
                tenant_id = new_id()
                await connection.execute(
                    "INSERT INTO tenants (id, name, kind, parent_id, created_at) "
                    "VALUES ($1, 'test', 'customer', $2, $3)",
                    tenant_id,
                    parent_id,
                    runtime.now(),
                )
            await connection.execute(
                "INSERT INTO api_keys (id, tenant_id, name, role, scopes, digest, hint, created_at, expires_at) "
                "VALUES ($1, $2, 'test', $3, $4, $5, '', $6, $7)",
                *(key_id, tenant_id, role, list(scopes), digest(runtime.keys, secret), runtime.now(), expires_at),
            )
        finally:
            await connection.close()
        return Client(http, tenant_id, key_id, secret)

    return make


@pytest.fixture
async def owner(make_client: MakeClient) -> Client:
    """A key with every right, of a tenant of its own."""
    return await make_client()


@pytest.fixture
async def stranger(make_client: MakeClient) -> Client:
    """A key with every right, of another tenant."""
    return await make_client()
