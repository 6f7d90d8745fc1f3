"""What webhook tests share: an endpoint that listens, something happens, it is delivered, the deliveries are read."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from app.events import emit
from app.outbound import Outbound
from app.runtime import Runtime
from app.webhooks.delivery import deliver_due
from tests.api.conftest import Client
from tests.api.receiver import Receiver, listening
from tests.conftest import execute


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as running:
        yield running


@pytest.fixture
async def endpoint(owner: Client, receiver: Receiver) -> dict[str, Any]:
    """An endpoint of the owner that leads to the receiver, for all events."""
    made: dict[str, Any] = (await owner.post("/v1/webhook_endpoints", json={"url": receiver.url})).json()
    return made


@pytest.fixture(autouse=True)
async def nothing_due(database_url: str) -> None:
    """What earlier tests of this module left to be delivered is no longer."""
    await execute(database_url, "UPDATE webhook_deliveries SET state = 'failed' WHERE state = 'pending'")


async def happen(
    runtime: Runtime, client: Client, kind: str = "run.completed", run_id: UUID | None = None, **data: Any
) -> None:
    async with runtime.db.transaction(client.tenant_id) as session:
        await emit(session, client.tenant_id, kind, data, at=runtime.now(), run_id=run_id)


async def deliver(runtime: Runtime, *, chance: float = 0.5, total: float = 2.0) -> int:
    outbound = Outbound(allow_loopback=True, total=total)
    return await deliver_due(runtime, 100, outbound=outbound, chance=lambda: chance)


async def deliveries(client: Client, endpoint: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    response = await client.get(f"/v1/webhook_endpoints/{endpoint['id']}/deliveries{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]
    return found
