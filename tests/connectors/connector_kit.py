"""Builders for connector tests: running sandboxes, connection contexts, an in-memory token store, tiny servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from app.domain.schema import Record
from connectors.base import CallMeter, ConnectionContext, Deletion, Source, Throttle
from connectors.freshsales.settings import FreshsalesCredentials
from connectors.sandboxkit.server import server
from connectors.servicetracker.settings import ServiceTrackerCredentials
from connectors.throttle import AccountThrottle
from connectors.zoho_crm.settings import ZohoCredentials


@dataclass
class MemoryTokens:
    """A TokenStore for one process; counts how often a token was saved."""

    token: dict[str, str] | None = None
    saved: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> Mapping[str, str] | None:
        return self.token

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[Mapping[str, str] | None]:
        async with self._lock:
            yield self.token

    async def save(self, token: Mapping[str, str]) -> None:
        self.saved += 1
        self.token = dict(token)


def utc_now() -> datetime:
    return datetime.now(UTC)


async def no_sleep(seconds: float) -> None:
    """Stands for a pause; gives other tasks their turn."""
    await asyncio.sleep(0)


def build_throttle(**overrides: Any) -> AccountThrottle:
    return AccountThrottle(
        **{"clock": utc_now, "concurrency": 5, "heavy_concurrency": 5, "sleep": no_pause} | overrides
    )


async def no_pause(seconds: float) -> None:
    """A penalty of milliseconds instead of seconds: loop time has to pass, or the throttle asks again."""
    await asyncio.sleep(min(seconds, 0.002))


class QuietThrottle(AccountThrottle):
    """An account's throttle whose penalties last milliseconds; it notes what was asked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"clock": utc_now, "concurrency": 5, "heavy_concurrency": 5} | options)
        self.penalties: list[float] = []

    def penalise(self, seconds: float) -> None:
        self.penalties.append(seconds)
        super().penalise(min(seconds, 0.001))


def zoho_context(base_url: str, **overrides: Any) -> ConnectionContext:
    credentials = {
        "client_id": "sandbox-client",
        "client_secret": SecretStr("sandbox-secret"),
        "refresh_token": SecretStr("sandbox-refresh"),
    } | overrides.pop("credentials", {})
    config = {"base_url": base_url, "accounts_url": base_url, "upload_url": base_url} | overrides.pop("config", {})
    return build_context(ZohoCredentials(**credentials), config, **overrides)


def freshsales_context(base_url: str, **overrides: Any) -> ConnectionContext:
    credentials = {"api_key": SecretStr("sandbox-key")} | overrides.pop("credentials", {})
    config = {"base_url": base_url, "job_poll_seconds": 0, "edition": "enterprise"} | overrides.pop("config", {})
    return build_context(FreshsalesCredentials(**credentials), config, **overrides)


def servicetracker_context(base_url: str, **overrides: Any) -> ConnectionContext:
    credentials = {"client_id": "sandbox-client", "client_secret": SecretStr("sandbox-secret")}
    credentials |= overrides.pop("credentials", {})
    config = {"base_url": base_url, "bulk_poll_seconds": 0} | overrides.pop("config", {})
    return build_context(ServiceTrackerCredentials(**credentials), config, **overrides)


def build_context(credentials: Any, config: Mapping[str, Any], **overrides: Any) -> ConnectionContext:
    throttle: Throttle = overrides.pop("throttle", None) or QuietThrottle()
    return ConnectionContext(
        credentials=credentials,
        config=config,
        tokens=overrides.pop("tokens", None) or MemoryTokens(),
        throttle=throttle,
        clock=overrides.pop("clock", utc_now),
        meter=overrides.pop("meter", None) or CallMeter(),
    )


@asynccontextmanager
async def serve(app: Any) -> AsyncIterator[str]:
    """Runs an ASGI application on a free loopback port; yields its root URL."""
    running = server(app, host="127.0.0.1", port=0)
    task = asyncio.create_task(running.serve())
    while not running.started:
        if task.done():
            task.result()
            raise RuntimeError("the sandbox ended before it started")
        await asyncio.sleep(0.005)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        await task


class Sandbox:
    """A running sandbox: its URL, and its `/_sandbox` side for the tests' own hand."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tokens = MemoryTokens()  # shared by the tests: Zoho gives out ten tokens in ten minutes

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=30, verify=False) as client:
            answer = await client.request(method, f"{self.url}/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer

    async def faults(self, **values: int) -> None:
        await self._call("POST", "faults", values)

    async def clear(self) -> None:
        await self._call("DELETE", "faults")

    async def stats(self) -> Any:
        return (await self._call("GET", "stats")).json()

    async def dump(self, query: str = "") -> str:
        return str((await self._call("GET", f"dump{query}")).text)

    async def post(self, path: str, body: Any = None) -> Any:
        return (await self._call("POST", path, body or {})).json()


Reply = Callable[[bytes], Awaitable[bytes | None]]


@asynccontextmanager
async def raw_server(reply: Reply) -> AsyncIterator[str]:
    """A server for answers no framework would send: `reply(head)` gives the bytes, None closes without a word."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b""
                )
                if length:
                    await reader.readexactly(int(length.split(b":")[1]))
                answer = await reply(head)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if b"connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = running.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await running.wait_closed()


def http_answer(body: bytes, status: str = "200 OK", kind: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


async def read_all(
    source: Source, name: str, fields: Sequence[str], **options: Any
) -> tuple[list[Record], list[Deletion]]:
    """Everything that `read` gives, page by page."""
    records: list[Record] = []
    deletions: list[Deletion] = []
    async for page in source.read(name, fields, **options):
        records += page.records
        deletions += page.deletions
    return records, deletions
