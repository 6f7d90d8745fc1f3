"""A Freshsales account in this process with a clock that tests move, and the connector on it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.base import CallMeter, ChangeKind, SchemaChange, WriteResult, WriteStatus, WriteStyle, WriteTarget
from connectors.freshsales.destination import FreshsalesDestination
from connectors.freshsales.sandbox import create_app
from connectors.sandboxkit.config import SandboxConfig
from tests.clock import FakeClock
from tests.connectors.connector_kit import QuietThrottle, freshsales_context

URL = "http://fresh.test"


@dataclass
class PausedClock(FakeClock):
    """A pause of the connector moves it."""

    at: datetime = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    pauses: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        for _ in range(200):  # what others can do without waiting is done before time passes
            await asyncio.sleep(0)
        self.advance(seconds=seconds)


@dataclass
class Account:
    """The sandbox's own side and the connector with its meter."""

    destination: FreshsalesDestination
    meter: CallMeter
    clock: PausedClock
    client: httpx.AsyncClient

    async def admin(self, action: str, **more: Any) -> int:
        return int((await self._own("POST", "admin", {"action": action, **more}))["id"])

    async def faults(self, **values: int) -> None:
        await self._own("POST", "faults", values)

    async def stats(self) -> Any:
        return await self._own("GET", "stats")

    async def _own(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def seen(self, path: str) -> Any:
        """What the vendor shows at a path of its API."""
        return (await self.client.get(f"/crm/sales/api/{path}")).json()

    async def insert(self, name: str, *records: dict[str, Any]) -> list[WriteResult]:
        target = WriteTarget(name, style=WriteStyle.INSERT)
        return await self.destination.write(target, [json.dumps(one).encode() for one in records])

    async def upsert(self, name: str, key: str, *records: dict[str, Any]) -> list[WriteResult]:
        return await self.destination.write(WriteTarget(name, key), [json.dumps(one).encode() for one in records])

    async def update(self, name: str, *records: dict[str, Any]) -> list[WriteResult]:
        return await self.destination.update(WriteTarget(name), [json.dumps(one).encode() for one in records])

    async def made(self, object_name: str, /, **values: Any) -> str:
        """The id of a new record that must be taken."""
        (result,) = await self.insert(object_name, values)
        assert result.status is WriteStatus.CREATED, result
        return str(result.id)

    async def field(self, name: str, label: str, kind: str = "text", **attributes: Any) -> str:
        """The API name of a new custom field."""
        change = SchemaChange(
            kind=ChangeKind.FIELD, object=name, name=label, label=label, attributes={"type": kind, **attributes}
        )
        result = await self.destination.provision(change, {})
        assert not result.manual, result.manual
        return result.api_name

    async def unique_key(self) -> str:
        """A key field of accounts, made unique by the administrator."""
        name = await self.field("sales_accounts", "Source System ID")
        await self.admin("set_unique", module="sales_account", field=name)
        return name

    def count(self) -> "Calls":
        return Calls(self.meter, dict(self.meter.by_purpose))


@dataclass
class Calls:
    """Calls since `Account.count()`."""

    meter: CallMeter
    before: dict[str, int]

    def by_purpose(self) -> dict[str, int]:
        found = {name: made - self.before.get(name, 0) for name, made in self.meter.by_purpose.items()}
        return {name: made for name, made in found.items() if made}


Start = Callable[..., Awaitable[Account]]


@asynccontextmanager
async def account(
    edition: str = "enterprise", config: Any = None, throttle: Any = None, **options: str
) -> AsyncIterator[Account]:
    """`options` are the sandbox's switches; jobs take no time unless told."""
    clock = PausedClock()
    settings = {"job_seconds": "0", **{name: str(value) for name, value in options.items()}}
    app = create_app(SandboxConfig(edition=edition, clock=clock, options=settings))
    transport = httpx.ASGITransport(app)
    meter = CallMeter()
    context = freshsales_context(
        URL, meter=meter, clock=clock, config={"edition": "", "job_poll_seconds": 2, **(config or {})},
        throttle=throttle(clock) if throttle else QuietThrottle(),
    )  # fmt: skip
    headers = {"Authorization": "Token token=sandbox-key"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as client,
    ):
        destination = FreshsalesDestination(context, transport=transport, sleep=clock.sleep)
        yield Account(destination, meter, clock, client)
        await destination.close()
