"""An engagement on its way over the API: real sandboxes behind its connections, engine results written as rows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from app.documents import engagement_key, seal_document
from app.domain.ids import decode_id, encode_id
from app.domain.schema import Inventory, UserSpec
from app.engagements.connecting import open_destination, open_source
from app.engagements.files import store_file
from app.models.columns import new_id
from app.models.engagement import Connection, Engagement
from app.models.mapping import InventoryDocument, Report
from app.models.run import Run, RunStage
from app.runtime import Runtime
from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker.sandbox import create_app as servicetracker_app
from connectors.zoho_crm.sandbox import create_app as zoho_app
from tests.api.conftest import Client
from tests.clock import FakeClock
from tests.connectors.connector_kit import serve

SECRET = "sandbox-secret"
CREDENTIALS = {
    "source": {"client_id": "sandbox-client", "client_secret": SECRET},
    "destination": {"client_id": "sandbox-client", "client_secret": SECRET, "refresh_token": "sandbox-refresh"},
}
CREDENTIALS["rehearsal"] = CREDENTIALS["destination"]
BODY = {"name": "Northwind Heating", "source": "servicetracker", "destination": "zoho_crm"}
_SEEN: dict[str, Inventory] = {}


@dataclass
class Sandboxes:
    """Where the stand-ins listen; `clock` is theirs, because ten tokens in ten minutes are all that Zoho gives out."""

    source: str
    destination: str
    clock: FakeClock


@pytest.fixture(scope="module")
async def sandboxes() -> AsyncIterator[Sandboxes]:
    """Both vendors' stand-ins on loopback."""
    clock = FakeClock()
    async with (
        serve(servicetracker_app(SandboxConfig(seed=7, scale=100, clock=clock))) as source,
        serve(zoho_app(SandboxConfig(seed=7, clock=clock))) as destination,
    ):
        yield Sandboxes(source, destination, clock)


def unknown(kind: str) -> str:
    """A well-formed id of nothing."""
    return encode_id(kind, new_id())


@dataclass
class Move:
    """One engagement and whoever walks it."""

    client: Client
    runtime: Runtime
    sandboxes: Sandboxes
    id: str
    connections: dict[str, UUID] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v1/engagements/{self.id}"

    @property
    def uuid(self) -> UUID:
        return decode_id("engagement", self.id)

    async def view(self) -> dict[str, Any]:
        answer = await self.client.get(self.path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def config(self, role: str) -> dict[str, Any]:
        if role == "source":
            return {"base_url": self.sandboxes.source}
        url = self.sandboxes.destination
        return {"base_url": url, "accounts_url": url, "upload_url": url}

    async def put_connection(self, role: str, **changes: Any) -> httpx.Response:
        body = {"config": self.config(role), "credentials": CREDENTIALS[role]} | changes
        return await self.client.put(f"{self.path}/connections/{role}", json=body)

    async def connect(self, *roles: str) -> "Move":
        """Stores and proves connections."""
        for role in roles or ("source", "destination"):
            stored = await self.put_connection(role)
            assert stored.status_code == 200, stored.text
            proved = await self.client.post(f"{self.path}/connections/{role}/test")
            assert proved.status_code == 200, proved.text
            self.connections[role] = decode_id("connection", proved.json()["id"])
        return self

    async def discover(self, **changes: Inventory) -> "Move":
        """Writes what a discovery run finds in the sandboxes, or the inventories given by role."""
        for role in self.connections:
            inventory = changes.get(role) or await self.look(role)
            async with self.runtime.db.transaction(self.client.tenant_id) as session:
                engagement = await session.get_one(Engagement, self.uuid)
                document_id = new_id()
                body = seal_document(
                    engagement_key(self.runtime, engagement), document_id, inventory.model_dump(mode="json")
                )
                session.add(
                    InventoryDocument(
                        id=document_id,
                        tenant_id=self.client.tenant_id,
                        engagement_id=self.uuid,
                        connection_id=self.connections[role],
                        body=body,
                        taken_at=self.runtime.now(),
                    )
                )
        return self

    async def look(self, role: str) -> Inventory:
        """What the sandbox describes, asked once per process."""
        side = "source" if role == "source" else "destination"
        if side not in _SEEN:
            async with self.runtime.db.transaction(self.client.tenant_id) as session:
                connection = await session.get_one(Connection, self.connections[role])
            opener: Any = open_source if side == "source" else open_destination
            async with opener(self.runtime, connection) as connector:
                _SEEN[side] = await connector.describe()
        return _SEEN[side]

    async def add_run(self, kind: str, state: str = "completed", **values: Any) -> str:
        """A run as the engine leaves it behind."""
        now = self.runtime.now()
        run = Run(
            id=new_id(),
            tenant_id=self.client.tenant_id,
            engagement_id=self.uuid,
            kind=kind,
            state=state,
            destination_id=values.pop("destination_id", self.connections.get("destination")),
            next_at=now,
            created_at=values.pop("created_at", now),
            started_at=values.pop("started_at", now),
            **values,
        )
        async with self.runtime.db.transaction(self.client.tenant_id) as session:
            session.add(run)
        self.runtime.now.advance(seconds=1)  # type: ignore[attr-defined]
        return encode_id("run", run.id)

    async def set_run(self, run_id: str, **values: Any) -> None:
        async with self.runtime.db.transaction(self.client.tenant_id) as session:
            run = await session.get_one(Run, decode_id("run", run_id))
            for name, value in values.items():
                setattr(run, name, value)
            session.add(run)

    async def add_stage(self, run_id: str, key: str, **values: Any) -> None:
        kind, _, name = key.partition(":")
        async with self.runtime.db.transaction(self.client.tenant_id) as session:
            session.add(
                RunStage(
                    **{"run_id": decode_id("run", run_id), "key": key, "tenant_id": self.client.tenant_id}
                    | {"ordinal": 1, "kind": kind, "phase": name, "load": name}
                    | values
                )
            )

    async def add_report(self, kind: str, summary: dict[str, Any], body: Any, run_id: str | None = None) -> str:
        async with self.runtime.db.transaction(self.client.tenant_id) as session:
            engagement = await session.get_one(Engagement, self.uuid)
            report_id = new_id()
            session.add(
                Report(
                    id=report_id,
                    tenant_id=self.client.tenant_id,
                    engagement_id=self.uuid,
                    run_id=decode_id("run", run_id) if run_id else None,
                    kind=kind,
                    summary=summary,
                    body=seal_document(engagement_key(self.runtime, engagement), report_id, body),
                    created_at=self.runtime.now(),
                )
            )
        return encode_id("report", report_id)

    async def add_file(self, body: bytes, name: str) -> str:
        """An export as a run keeps it, in pieces of its own size."""

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 70_000):
                yield body[start : start + 70_000]

        async with self.runtime.db.transaction(self.client.tenant_id) as session:
            key = engagement_key(self.runtime, await session.get_one(Engagement, self.uuid))
        async with self.runtime.db.connection(self.client.tenant_id) as connection:
            made = await store_file(
                connection,
                key,
                pieces(),
                tenant_id=self.client.tenant_id,
                engagement_id=self.uuid,
                kind="export",
                name=name,
                content_type="text/csv",
                at=self.runtime.now(),
            )
        return encode_id("artifact", made)

    async def propose(self) -> dict[str, Any]:
        answer = await self.client.post(f"{self.path}/mapping/propose")
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def confirm(self) -> UUID:
        """Proposes and confirms; returns the mapping's id."""
        proposed = await self.propose()
        answer = await self.client.post(f"{self.path}/mapping/confirm", json={"version": proposed["version"]})
        assert answer.status_code == 200, answer.text
        agreement = {"confirmed": True, "reference": "DPA 2026-17"}
        assert (await self.client.put(f"{self.path}/agreement", json=agreement)).status_code == 200
        return decode_id("mapping", proposed["id"])

    async def settle_owners(self) -> None:
        """Everybody who is left goes to the first active user."""
        read = await self.client.get(f"{self.path}/owners")
        fallback = next(user["id"] for user in read.json()["destination_users"] if user["active"])
        answer = await self.client.put(
            f"{self.path}/owners", json={"fallback_user_id": fallback}, headers={"If-Match": read.headers["etag"]}
        )
        assert answer.status_code == 200, answer.text

    async def start(self, kind: str, **body: Any) -> httpx.Response:
        return await self.client.post(f"{self.path}/runs", json={"kind": kind, **body})

    async def row(self, table: type[Any], **where: Any) -> Any:
        async with self.runtime.db.transaction(self.client.tenant_id) as session:
            query = select(table)
            for name, value in where.items():
                query = query.where(getattr(table, name) == value)
            return (await session.exec(query)).first()


@pytest.fixture
async def move(owner: Client, runtime: Runtime, sandboxes: Sandboxes) -> Move:
    """A fresh engagement of `owner`."""
    sandboxes.clock.advance(minutes=15)
    answer = await owner.post("/v1/engagements", json=BODY)
    assert answer.status_code == 201, answer.text
    return Move(owner, runtime, sandboxes, answer.json()["id"])


@pytest.fixture
async def discovered(move: Move) -> Move:
    """Connected, tested and discovered on both sides."""
    await move.connect()
    return await move.discover()


def users(*people: tuple[str, str, str, bool]) -> tuple[UserSpec, ...]:
    """Users from (id, name, e-mail, active)."""
    return tuple(UserSpec(id=id_, name=name, email=email, active=active) for id_, name, email, active in people)


def soon(now: datetime, **amount: float) -> str:
    return (now + timedelta(**amount)).isoformat()
