"""Opens a claimed run: reads its rows, its engagement's key and documents, and hands out the two platforms lazily."""

import os
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import select

from app.documents import engagement_key, unseal_document
from app.domain.mapping import MappingDocument
from app.domain.masking import sensitive_count
from app.domain.ordering import with_deferred_links
from app.domain.schema import Inventory
from app.engagements.agreeing import agreement_of
from app.engagements.connecting import Guard, account_context, open_destination, open_source
from app.engagements.gates import agreement_gate
from app.engagements.run_kinds import SENDING
from app.errors import NotFound, StepMissing
from app.models.engagement import Connection, Engagement
from app.models.mapping import DestinationName, InventoryDocument, Mapping
from app.models.run import Run
from app.runs.claims import Lease
from app.runs.handover import Handover
from app.runs.mapping_versions import by_all_versions
from app.runs.reader import Reader, Task
from app.runs.staging import Staging
from app.runs.work import RunRow, Work
from app.runtime import Runtime
from app.settings import environment
from connectors.base import CallMeter, Destination, Source
from connectors.registry import PLATFORMS

log = structlog.get_logger()

_UPLOADED = """
    SELECT sum(a.size)::bigint FROM artifacts a JOIN connections c ON c.engagement_id = a.engagement_id
    WHERE a.engagement_id = $1 AND a.kind = 'upload' AND c.role = 'source' AND c.config ->> 'mode' = 'upload'
"""


async def open_work(runtime: Runtime, lease: Lease, stack: AsyncExitStack, *, handover: Handover | None = None) -> Work:
    """Everything the stages of this run need. A reader's process brings its own `handover`, and needs no reader.

    Raises NotFound, EngagementPurged, SealBroken, AgreementNotConfirmed.
    """
    async with runtime.db.transaction(lease.tenant_id) as session:
        run = await session.get(Run, lease.run_id)
        if run is None:
            raise NotFound("The run is gone.")
        engagement = await session.get_one(Engagement, run.engagement_id)
        key = engagement_key(runtime, engagement)
        mapping = await session.get(Mapping, run.mapping_id) if run.mapping_id else None
    document = MappingDocument.model_validate(mapping.document) if mapping else None
    _check_agreement(run, engagement, document)
    row = RunRow(
        *(run.id, run.tenant_id, run.engagement_id, run.kind, run.destination_id),
        *(run.mapping_id, run.parent_run_id, run.options, run.started_at or runtime.now()),
    )
    work = Work(
        runtime=runtime,
        run=row,
        lease=lease,
        key=key,
        source_platform=PLATFORMS[engagement.source],
        destination_platform=PLATFORMS[engagement.destination],
        stack=stack,
        staging=Staging(engagement.id, engagement.tenant_id, key),
        calls_before=dict(run.calls),
        document=with_deferred_links(document)[0] if document else None,
        open_connection=_opener(runtime, lease, run.engagement_id, stack),
        handover=handover or Handover(),
    )
    if handover is None:
        work.reader = await _reader(work)
    await _number_delta(work, run.options)
    if run.destination_id is not None:
        work.names = await destination_names(runtime, lease.tenant_id, run.destination_id)
        if run.kind == "rollback":
            await by_all_versions(work)
        await _apply_wishes(work, run.destination_id)
    return work


async def _reader(work: Work) -> Reader | None:
    """A process to read uploaded files that are large together; None where there is little or nothing to read."""
    run, settings = work.run, work.runtime.settings
    async with work.transaction() as connection:
        size = await connection.fetchval(_UPLOADED, run.engagement_id)
    if not size or size < settings.read_apart_bytes:
        return None
    reader = Reader(
        [sys.executable, "-m", "workers.reading"],
        {**os.environ, **environment(settings)},
        Task(run.id, run.tenant_id, run.engagement_id, work.lease.fence),
    )
    work.stack.push_async_callback(reader.close)
    return reader


def _check_agreement(run: Run, engagement: Engagement, document: MappingDocument | None) -> None:
    """The gate of the API once more: the word may have been withdrawn since the run was queued."""
    if run.kind not in SENDING or document is None or agreement_of(engagement) is not None:
        return
    if sensitive_count(document):
        raise agreement_gate(engagement.id)


async def _number_delta(work: Work, options: dict[str, Any]) -> None:
    """Gives a delta its number and the mark from which it reads, once; a repeated delta reads from the next mark."""
    if work.run.kind not in ("delta", "replay") or "batch" in options:
        return
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        row = await connection.fetchrow(
            "UPDATE engagements SET batch = batch + 1 WHERE id = $1 RETURNING batch, extraction_mark, created_at",
            work.run.engagement_id,
        )
        options["batch"] = row["batch"]
        options.setdefault("since", (row["extraction_mark"] or row["created_at"]).isoformat())
        await connection.execute("UPDATE runs SET options = $2 WHERE id = $1", work.run.id, options)


async def _apply_wishes(work: Work, connection_id: UUID) -> None:
    """What the connection's options say about the account goes before the platform's facts: `link_files_over`."""
    async with work.runtime.db.transaction(work.run.tenant_id) as session:
        config = (await session.get_one(Connection, connection_id)).config
    most, platform = config.get("link_files_over"), work.destination_platform
    if isinstance(most, int) and 0 <= most < platform.limits.file_bytes:
        limits = platform.limits.model_copy(update={"file_bytes": most})
        work.destination_platform = replace(platform, limits=limits)


async def destination_names(runtime: Runtime, tenant_id: UUID, connection_id: UUID) -> dict[tuple[str, str], str]:
    """API names behind logical keys at one destination: (object, field) → name, field "" for the object itself."""
    async with runtime.db.transaction(tenant_id) as session:
        rows = await session.exec(select(DestinationName).where(DestinationName.connection_id == connection_id))
        return {(row.object, row.field): row.api_name for row in rows if row.api_name}


async def newest_inventory(work: Work, connection_id: UUID) -> Inventory:
    """What discovery last found there. Raises StepMissing."""
    async with work.runtime.db.transaction(work.run.tenant_id) as session:
        found = await session.exec(
            select(InventoryDocument)
            .where(InventoryDocument.connection_id == connection_id)
            .order_by(InventoryDocument.id.desc())  # type: ignore[attr-defined]
            .limit(1)
        )
        document = found.first()
    if document is None:
        raise StepMissing("Nothing is known of this account yet; start a discovery run first.")
    return Inventory.model_validate(unseal_document(work.key, document.id, document.body))


async def connection_for(work: Work, role: str) -> Connection:
    """The engagement's connection in a role. Raises StepMissing."""
    async with work.runtime.db.transaction(work.run.tenant_id) as session:
        found = await session.exec(
            select(Connection).where(Connection.engagement_id == work.run.engagement_id, Connection.role == role)
        )
        connection = found.first()
    if connection is None:
        raise StepMissing(f"The engagement has no {role} connection.")
    return connection


def _leased(lease: Lease, guard: Guard | None) -> Guard:
    """Lets a call start only while the lease is held: a worker that slept past it must not even look (ruling 8)."""

    async def check(url: str) -> None:
        await lease.ready_to_send(0)
        if guard is not None:
            await guard(url)

    return check


def _opener(runtime: Runtime, lease: Lease, engagement_id: UUID, stack: AsyncExitStack) -> Any:
    async def open_connection(role: str, connection_id: UUID | None, meter: CallMeter) -> Source | Destination:
        async with runtime.db.transaction(lease.tenant_id) as session:
            query = select(Connection).where(Connection.engagement_id == engagement_id)
            query = query.where(Connection.id == connection_id if connection_id else Connection.role == role)
            connection = (await session.exec(query)).first()
        if connection is None:
            raise StepMissing(f"The engagement has no {role} connection.")
        connection.config = {"call_timeout": runtime.settings.call_timeout_seconds, **connection.config}
        context = account_context(runtime, connection, meter=meter)
        context.config = {**context.config, "guard": _leased(lease, context.config.get("guard"))}
        opened = open_source if role == "source" else open_destination
        return await stack.enter_async_context(opened(runtime, connection, context=context))

    return open_connection
