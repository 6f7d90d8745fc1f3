"""Drives the engine without the API: an engagement in PostgreSQL between two sandboxes, runs one after another."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import SecretStr
from sqlmodel import col, select

from app.db import plain_url
from app.documents import engagement_key, unseal_document
from app.domain.mapping import MappingDocument
from app.domain.proposing import propose
from app.domain.schema import Inventory
from app.engagements.connecting import seal_credentials
from app.engagements.files import chunk_place
from app.models.columns import new_id
from app.models.engagement import Connection, Engagement, OwnerDecision
from app.models.mapping import InventoryDocument, Report
from app.models.mapping import Mapping as MappingRow
from app.models.run import Run, RunStage
from app.runs.engine import advance
from app.runs.service import resume_run
from app.runtime import Runtime, open_runtime
from app.security import DataKey
from app.settings import Settings
from connectors.registry import PLATFORMS, load_blueprint
from tests.runs.stands import CREDENTIALS, Stand, config_for, sandbox

__all__ = ["MASTER_KEY", "Road", "Stand", "road", "sandbox", "settings_for"]

MASTER_KEY = base64.b64encode(bytes(range(3, 35))).decode()
STEPS = ("discovery", "preflight", "mapping", "provision", "sample", "full")
_AGAIN_SECONDS = 0.05
_HANGS_SECONDS = 90.0
Pair = tuple[str, str]


@dataclass
class Road:
    """One engagement on its way; every method is a step a person would take."""

    runtime: Runtime
    database_url: str
    tenant_id: UUID
    engagement_id: UUID
    urls: dict[str, str]
    connections: dict[str, UUID]
    pair: Pair
    mapping_id: UUID | None = None
    batch: int = 0
    runs: dict[str, UUID] = field(default_factory=dict)

    @property
    def source(self) -> Stand:
        return Stand(self.urls["source"])

    @property
    def destination(self) -> Stand:
        return Stand(self.urls["destination"])

    # ── runs ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self, kind: str, *, options: dict[str, Any] | None = None, expect: str = "completed") -> UUID:
        """Starts a run and drives it to its end here."""
        run_id = await self.start(kind, options=options)
        await self.drive(run_id, expect=expect)
        return run_id

    async def start(self, kind: str, *, options: dict[str, Any] | None = None) -> UUID:
        """Queues a run; nobody drives it yet."""
        run_id, now = new_id(), self.runtime.now()
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

    async def drive(
        self, run_id: UUID, *, expect: str = "completed", tries: int = 1200, runtime: Runtime | None = None
    ) -> Run:
        """Advances a run as a worker's sweep would, until it stands still. Fails unless that is in state `expect`."""
        for _ in range(tries):
            async with asyncio.timeout(_HANGS_SECONDS):
                await advance(runtime or self.runtime, run_id, "test")
            run = await self.row(run_id)
            if run.state not in ("running", "queued", "cancelling"):
                break
            await asyncio.sleep(_AGAIN_SECONDS)
        assert run.state == expect, (run.kind, run.state, run.problem)
        return run

    async def drive_once(self, run_id: UUID, *, runtime: Runtime | None = None) -> Run:
        """One worker's turn, however it ends."""
        await advance(runtime or self.runtime, run_id, "test")
        return await self.row(run_id)

    async def delta(self) -> UUID:
        """One delta over what changed since the preflight began."""
        self.batch += 1
        since = (await self.row(self.runs["preflight"])).created_at - timedelta(seconds=5)
        return await self.run("delta", options={"batch": self.batch, "since": since.isoformat()})

    async def row(self, run_id: UUID) -> Run:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            return await session.get_one(Run, run_id)

    async def stages(self, run_id: UUID) -> dict[str, RunStage]:
        """The run's stages by key, in their order."""
        async with self.runtime.db.transaction(self.tenant_id) as session:
            query = select(RunStage).where(RunStage.run_id == run_id).order_by(col(RunStage.ordinal))
            return {stage.key: stage for stage in (await session.exec(query)).all()}

    async def resume(self, run_id: UUID) -> None:
        """What a person does who has done what a waiting run asked for."""
        async with self.runtime.db.transaction(self.tenant_id) as session:
            await resume_run(self.runtime, session, await session.get_one(Run, run_id))

    async def free(self, run_id: UUID) -> None:
        """Ends a dead worker's lease now instead of waiting for it."""
        await self.execute("UPDATE runs SET lease_until = now() WHERE id = $1", run_id)

    # ── what is stored ────────────────────────────────────────────────────────────────────────────────────────────

    async def key(self) -> DataKey:
        async with self.runtime.db.transaction(self.tenant_id) as session:
            return engagement_key(self.runtime, await session.get_one(Engagement, self.engagement_id))

    async def reports(self, run_id: UUID) -> list[tuple[str, dict[str, Any], Any]]:
        """Kind, summary and opened body of the run's reports."""
        key = await self.key()
        async with self.runtime.db.transaction(self.tenant_id) as session:
            rows = (await session.exec(select(Report).where(Report.run_id == run_id))).all()
            return [(row.kind, row.summary, unseal_document(key, row.id, row.body)) for row in rows]

    async def file(self, run_id: UUID, name: str) -> bytes:
        """The clear bytes of a file that the run kept."""
        key = await self.key()
        rows = await self.fetch(
            "SELECT a.id, c.number, c.body FROM artifacts a JOIN artifact_chunks c ON c.artifact_id = a.id"
            " WHERE a.run_id = $1 AND a.name = $2 ORDER BY c.number",
            *(run_id, name),
        )
        return b"".join(key.unseal(row["body"], chunk_place(row["id"], row["number"])) for row in rows)

    async def inventory(self, role: str) -> Inventory:
        """What was last discovered of one side."""
        key = await self.key()
        async with self.runtime.db.transaction(self.tenant_id) as session:
            query = select(InventoryDocument).where(InventoryDocument.connection_id == self.connections[role])
            row = (await session.exec(query.order_by(col(InventoryDocument.id).desc()))).first()
            assert row is not None
            return Inventory.model_validate(unseal_document(key, row.id, row.body))

    async def document(self) -> MappingDocument:
        """The confirmed mapping."""
        async with self.runtime.db.transaction(self.tenant_id) as session:
            assert self.mapping_id is not None
            return MappingDocument.model_validate((await session.get_one(MappingRow, self.mapping_id)).document)

    async def ledger(self, where: str = "true") -> list[Any]:
        return await self.fetch(f"SELECT * FROM ledger WHERE {where} ORDER BY source_object, source_id, part")

    async def told(self, kind: str) -> list[str]:
        """The events of the latest run of a kind, in their order, phases once."""
        rows = await self.fetch("SELECT type FROM events WHERE run_id = $1 ORDER BY sequence", self.runs[kind])
        return [*dict.fromkeys(str(row["type"]) for row in rows)]

    async def fetch(self, sql: str, *arguments: object) -> list[Any]:
        """Rows as the tenant sees them."""
        async with self.runtime.db.connection(self.tenant_id) as connection:
            return list(await connection.fetch(sql, *arguments))

    async def execute(self, sql: str, *arguments: object) -> None:
        """A statement in the tenant's name."""
        async with self.runtime.db.connection(self.tenant_id) as connection:
            await connection.execute(sql, *arguments)

    # ── decisions of a person ─────────────────────────────────────────────────────────────────────────────────────

    async def propose(self) -> MappingDocument:
        return propose(load_blueprint(*self.pair), await self.inventory("source"), await self.inventory("destination"))

    async def confirm(self, document: MappingDocument) -> None:
        """Stores the document as the confirmed version that later runs go by."""
        now = self.runtime.now()
        async with self.runtime.db.transaction(self.tenant_id) as session:
            found = await session.exec(select(MappingRow).where(MappingRow.engagement_id == self.engagement_id))
            row = MappingRow(
                tenant_id=self.tenant_id,
                engagement_id=self.engagement_id,
                version=1 + max((one.version for one in found.all()), default=0),
                state="confirmed",
                document=document.model_dump(mode="json"),
                created_at=now,
                confirmed_at=now,
            )
            session.add(row)
            self.mapping_id = row.id

    async def decide_owners(self) -> None:
        """Matches by e-mail; the rest goes to the destination's first active user."""
        source, destination = await self.inventory("source"), await self.inventory("destination")
        active = [user for user in destination.users if user.active]
        emails = {user.email: user.id for user in active if user.email}
        chosen = [(user.id, emails.get(user.email or "")) for user in source.users]
        now = self.runtime.now()
        async with self.runtime.db.transaction(self.tenant_id) as session:
            for user_id, match in (*chosen, ("*", None)):
                session.add(
                    OwnerDecision(
                        engagement_id=self.engagement_id,
                        source_user_id=user_id,
                        tenant_id=self.tenant_id,
                        destination_user_id=match or active[0].id,
                        how="matched" if match else "fallback",
                        decided_at=now,
                    )
                )

    async def up_to(self, step: str) -> None:
        """Takes the usual steps until `step` is done: discovery, preflight, mapping, provision, sample, full."""
        for kind in STEPS[: STEPS.index(step) + 1]:
            if kind == "mapping":
                await self.confirm(await self.propose())
                await self.decide_owners()
            else:
                await self.run(kind)


def only(document: MappingDocument, keep: Sequence[str]) -> MappingDocument:
    """The document with every other load switched off."""
    loads = tuple(one.model_copy(update={"enabled": one.enabled and one.key in keep}) for one in document.loads)
    return document.model_copy(update={"loads": loads})


def settings_for(database_url: str, **more: Any) -> Settings:
    """Short leases, a fixed master key so that several processes agree, loopback allowed."""
    values: dict[str, Any] = {"call_timeout_seconds": 3.0, "lease_seconds": 6.0, **more}
    return Settings(
        database_url=SecretStr(database_url), master_key=SecretStr(MASTER_KEY), allow_private_targets=True, **values
    )


@asynccontextmanager
async def road(
    database_url: str,
    source_url: str,
    destination_url: str,
    *,
    pair: Pair = ("servicetracker", "zoho_crm"),
    credentials: Mapping[str, Mapping[str, str]] = CREDENTIALS,
    **settings: Any,
) -> AsyncIterator[Road]:
    """A fresh tenant and engagement against running sandboxes."""
    async with open_runtime(settings_for(database_url, **settings)) as runtime:
        tenant_id, engagement_id, now = new_id(), new_id(), runtime.now()
        await _add_tenant(database_url, tenant_id)
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
                    settings={"agreement": {"destination": pair[1], "reference": "DPA 7"}},
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
                model = PLATFORMS[platform].credentials.model_validate(credentials.get(platform, {}))
                connection.credentials = seal_credentials(runtime, connection, model)
                session.add(connection)
                connections[role] = connection.id
        urls = {"source": source_url, "destination": destination_url}
        yield Road(runtime, database_url, tenant_id, engagement_id, urls, connections, pair)


async def _add_tenant(database_url: str, tenant_id: UUID) -> None:
    owner = await asyncpg.connect(plain_url(database_url))
    try:
        await owner.execute(
            "INSERT INTO tenants (id, name, kind, created_at) VALUES ($1, 'test', 'customer', now())", tenant_id
        )
    finally:
        await owner.close()
