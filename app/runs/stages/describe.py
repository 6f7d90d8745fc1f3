"""Discovery of one side: its schema, users, stages and figures, kept as a sealed inventory."""

import asyncio

from pydantic import JsonValue

from app.documents import seal_document
from app.domain.schema import Inventory
from app.models.columns import new_id
from app.runs.opening import connection_for
from app.runs.work import StageRow, Work
from connectors.base import Destination, Source
from connectors.errors import ConnectorError

_COUNTING = 4


async def describe(work: Work, stage: StageRow) -> None:
    """Reads one connection's schema and counts its records; the newest inventory is what later steps go by."""
    connection = await connection_for(work, stage.load)
    is_source = stage.load == "source"
    meter = work.source_meter if is_source else work.destination_meter
    side: Source | Destination = await work.open_connection(stage.load, connection.id, meter)
    facts = await side.check()
    inventory = await side.describe()
    inventory = inventory.model_copy(update={"facts": {**inventory.facts, **facts}})
    if is_source:
        inventory = inventory.model_copy(update={"counts": await _counts(work, side, inventory, stage)})
    stage.counts = {"objects": len(inventory.objects), "users": len(inventory.users)}
    await keep_inventory(work, connection.id, inventory, facts)


async def keep_inventory(work: Work, connection_id: object, inventory: Inventory, facts: dict[str, JsonValue]) -> None:
    """Stores an inventory, sealed, and the account's facts in the clear."""
    document_id = new_id()
    now = work.now()
    body = seal_document(work.key, document_id, inventory.model_dump(mode="json"))
    async with work.transaction() as raw:
        await work.lease.guard(raw)
        await raw.execute(
            "INSERT INTO inventories (id, tenant_id, engagement_id, connection_id, body, taken_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            *(document_id, work.run.tenant_id, work.run.engagement_id, connection_id, body, now),
        )
        await raw.execute(
            "UPDATE connections SET facts = $2, state = 'ok', tested_at = $3 WHERE id = $1", connection_id, facts, now
        )


async def _counts(work: Work, side: Source | Destination, inventory: Inventory, stage: StageRow) -> dict[str, int]:
    gate = asyncio.Semaphore(_COUNTING)
    stage.total = len(inventory.objects)
    skipped: list[str] = []

    async def count(name: str) -> tuple[str, int]:
        async with gate:
            work.check_stop()
            try:
                return name, await side.count(name)
            except ConnectorError as problem:
                if problem.code not in ("INVALID_TYPE", "INVALID_TYPE_FOR_OPERATION"):
                    raise
                skipped.append(name)
                return name, 0

    counts = dict(await asyncio.gather(*(count(spec.name) for spec in inventory.objects)))
    stage.detail["not_countable"] = skipped
    return counts
