"""Drives the engine without the API: two sandboxes on loopback, an engagement in PostgreSQL, runs one after another."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlmodel import select

from app.db import plain_url
from app.documents import unseal_document
from app.domain.mapping import MappingDocument, Unmapped
from app.domain.proposing import propose
from app.domain.schema import Inventory
from app.engagements.connecting import seal_credentials
from app.models.columns import new_id
from app.models.engagement import Connection, Engagement, OwnerDecision
from app.models.mapping import InventoryDocument, Mapping, Report
from app.models.run import Run, RunStage
from app.runs.engine import advance
from app.runtime import Runtime, open_runtime
from app.security import DataKey
from app.settings import Settings
from connectors.registry import PLATFORMS, load_blueprint
from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server

CREDENTIALS = {
    "servicetracker": {"client_id": "sandbox-client", "client_secret": "sandbox-secret"},
    "zoho_crm": {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
    },
}


@contextmanager
def sandbox(name: str, config: SandboxConfig) -> Iterator[str]:
    """A sandbox served from a thread; yields its base URL."""
    app = import_module(f"connectors.{name}.sandbox").create_app(config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = server(app, host="127.0.0.1", port=port)
    thread = threading.Thread(target=lambda: asyncio.run(running.serve()), daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(10)


def config_for(platform: str, url: str) -> dict[str, Any]:
    if platform == "zoho_crm":
        return {"base_url": url, "accounts_url": url, "upload_url": url}
    return {"base_url": url}


@dataclass
class Road:
    """One engagement on its way; every method is a step a person would take."""

    runtime: Runtime
    tenant_id: UUID
    engagement_id: UUID
    urls: dict[str, str]
    connections: dict[str, UUID]
    pair: tuple[str, str]
    mapping_id: UUID | None = None
    batch: int = 0
    runs: dict[str, UUID] = field(default_factory=dict)

    async def run(self, kind: str, *, options: dict[str, Any] | None = None, expect: str = "completed") -> UUID:
        """Starts a run and drives it to its end here."""
        run_id = await self.start(kind, options=options)
        await self.drive(run_id, expect=expect)
        return run_id

    async def start(self, kind: str, *, options: dict[str, Any] | None = None) -> UUID:
        run_id = new_id()
        now = self.runtime.now()
        async with self.runtime.db.transaction(self.tenant_id) as session:
            session.add(
                Run(
                    id=run_id,
                    tenant_id=self.tenant_id,
                    engagement_id=self.engagement_id,
                    kind=kind,
                    destination_id=self.connections["destination"],
                    mapping_id=self.mapping_id,
                    options=options or {},
                    next_at=now,
                    created_at=now,
                )
            )
        self.runs[kind] = run_id
        return run_id

    async def drive(self, run_id: UUID, *, expect: str = "completed", tries: int = 60) -> Run:
        for _ in range(tries):
            await advance(self.runtime, run_id, "test")
            run = await self.row(run_id)
            if run.state not in ("running", "queued"):
                break
            await asyncio.sleep(0.2)
        assert run.state == expect, (run.kind, run.state, run.problem)
        return run

    async def row(self, run_id: UUID) -> Run:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            return await session.get_one(Run, run_id)

    async def stages(self, run_id: UUID) -> list[RunStage]:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            query = select(RunStage).where(RunStage.run_id == run_id).order_by(RunStage.ordinal)
            return list((await session.exec(query)).all())

    async def reports(self, run_id: UUID) -> list[tuple[str, dict[str, Any], Any]]:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            engagement = await session.get_one(Engagement, self.engagement_id)
            key = self.runtime.data_key(engagement.id, engagement.data_key or b"")
            rows = (await session.exec(select(Report).where(Report.run_id == run_id))).all()
            return [(row.kind, row.summary, unseal_document(key, row.id, row.body)) for row in rows]

    async def inventory(self, role: str) -> Inventory:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            engagement = await session.get_one(Engagement, self.engagement_id)
            key = self.runtime.data_key(engagement.id, engagement.data_key or b"")
            query = select(InventoryDocument).where(InventoryDocument.connection_id == self.connections[role])
            row = (await session.exec(query.order_by(InventoryDocument.id.desc()))).first()
            assert row is not None
            return Inventory.model_validate(unseal_document(key, row.id, row.body))

    async def propose(self) -> MappingDocument:
        """The machine's proposal, with the one decision the generator's dirt asks of a person: unknown statuses."""
        document = propose(
            load_blueprint(*self.pair), await self.inventory("source"), await self.inventory("destination")
        )
        return document

    async def confirm(self, document: MappingDocument) -> None:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            found = await session.exec(select(Mapping).where(Mapping.engagement_id == self.engagement_id))
            number = 1 + max((one.version for one in found.all()), default=0)
            row = Mapping(
                tenant_id=self.tenant_id,
                engagement_id=self.engagement_id,
                version=number,
                state="confirmed",
                document=document.model_dump(mode="json"),
                created_at=self.runtime.now(),
                confirmed_at=self.runtime.now(),
            )
            session.add(row)
            self.mapping_id = row.id

    async def decide_owners(self) -> None:
        """Matches by e-mail; the rest goes to the destination's first active user."""
        source, destination = await self.inventory("source"), await self.inventory("destination")
        active = [user for user in destination.users if user.active]
        emails = {user.email: user.id for user in active if user.email}
        now = self.runtime.now()
        async with self.runtime.db.transaction(self.tenant_id) as session:
            for user in source.users:
                chosen = emails.get(user.email)
                session.add(
                    OwnerDecision(
                        engagement_id=self.engagement_id,
                        source_user_id=user.id,
                        tenant_id=self.tenant_id,
                        destination_user_id=chosen or active[0].id,
                        how="matched" if chosen else "fallback",
                        decided_at=now,
                    )
                )
            session.add(
                OwnerDecision(
                    engagement_id=self.engagement_id,
                    source_user_id="*",
                    tenant_id=self.tenant_id,
                    destination_user_id=active[0].id,
                    how="fallback",
                    decided_at=now,
                )
            )

    async def ledger(self, where: str = "true") -> list[Any]:
        async with self.runtime.db.connection(self.tenant_id) as connection:
            return await connection.fetch(f"SELECT * FROM ledger WHERE {where} ORDER BY source_object, source_id, part")

    async def dump(self) -> list[dict[str, Any]]:
        """The destination's own data, as its sandbox shows them."""
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.get(f"{self.urls['destination']}/_sandbox/dump", params={"module": "*"})
            answer.raise_for_status()
            import orjson

            return [orjson.loads(line) for line in answer.text.splitlines() if line]

    async def stats(self, role: str = "destination") -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.get(f"{self.urls[role]}/_sandbox/stats")
            result: dict[str, Any] = answer.json()
            return result

    async def faults(self, values: dict[str, int], role: str = "destination") -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            await client.delete(f"{self.urls[role]}/_sandbox/faults")
            if values:
                (await client.post(f"{self.urls[role]}/_sandbox/faults", json=values)).raise_for_status()

    async def up_to(self, step: str) -> None:
        """Takes the usual steps until `step` is done: discovery, preflight, mapping, provision, sample, full."""
        for kind in ("discovery", "preflight", "mapping", "provision", "sample", "full"):
            if kind == "mapping":
                await self.confirm(await self.propose())
                await self.decide_owners()
            else:
                await self.run(kind)
            if kind == step:
                return


@asynccontextmanager
async def road(
    database_url: str,
    source_url: str,
    destination_url: str,
    *,
    pair: tuple[str, str] = ("servicetracker", "zoho_crm"),
    **settings: Any,
) -> AsyncIterator[Road]:
    """A fresh tenant and engagement against running sandboxes."""
    chosen = Settings(
        database_url=database_url, allow_private_targets=True, call_timeout_seconds=3.0, lease_seconds=6.0, **settings
    )
    async with open_runtime(chosen) as runtime:
        tenant_id = new_id()
        owner = await asyncpg.connect(plain_url(database_url))
        with contextlib.closing(owner) if False else contextlib.nullcontext():
            await owner.execute(
                "INSERT INTO tenants (id, name, kind, created_at) VALUES ($1, 'test', 'customer', now())", tenant_id
            )
        await owner.close()
        engagement_id = new_id()
        now = runtime.now()
        key = runtime.keys.seal(DataKey.generate(), place=runtime.data_key_place(engagement_id))
        connections: dict[str, UUID] = {}
        async with runtime.db.transaction(tenant_id) as session:
            session.add(
                Engagement(
                    id=engagement_id,
                    tenant_id=tenant_id,
                    name="test",
                    source=pair[0],
                    destination=pair[1],
                    data_key=key,
                    created_at=now,
                    updated_at=now,
                )
            )
            await session.flush()
            for role, platform, url in (("source", pair[0], source_url), ("destination", pair[1], destination_url)):
                connection = Connection(
                    tenant_id=tenant_id,
                    engagement_id=engagement_id,
                    role=role,
                    platform=platform,
                    config=config_for(platform, url),
                    created_at=now,
                    updated_at=now,
                )
                model = PLATFORMS[platform].credentials.model_validate(CREDENTIALS[platform])
                connection.credentials = seal_credentials(runtime, connection, model)
                session.add(connection)
                connections[role] = connection.id
        yield Road(
            runtime,
            tenant_id,
            engagement_id,
            {"source": source_url, "destination": destination_url},
            connections,
            pair,
        )


__all__ = ["Road", "Unmapped", "config_for", "road", "sandbox"]
