"""What discovery found, read back: the newest inventory of each connection, unsealed."""

from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key, unseal_document
from app.domain.schema import Inventory
from app.errors import StepMissing
from app.models.engagement import Connection, Engagement
from app.models.mapping import InventoryDocument
from app.runtime import Runtime


async def load_raw(runtime: Runtime, session: AsyncSession, engagement: Engagement, role: str) -> dict[str, Any] | None:
    """The newest inventory of a role as plain JSON, or None before discovery. Raises EngagementPurged."""
    key = engagement_key(runtime, engagement)
    row = (
        await session.exec(
            select(InventoryDocument)
            .join(Connection, col(Connection.id) == col(InventoryDocument.connection_id))
            .where(InventoryDocument.engagement_id == engagement.id, Connection.role == role)
            .order_by(col(InventoryDocument.taken_at).desc(), col(InventoryDocument.id).desc())
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    document: dict[str, Any] = unseal_document(key, row.id, row.body)
    return document


async def find_inventory(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, role: str
) -> Inventory | None:
    """The newest inventory of a role, or None before discovery."""
    raw = await load_raw(runtime, session, engagement, role)
    return None if raw is None else Inventory.model_validate(raw)


async def load_inventory(runtime: Runtime, session: AsyncSession, engagement: Engagement, role: str) -> Inventory:
    """The newest inventory of a role. Raises StepMissing before discovery."""
    found = await find_inventory(runtime, session, engagement, role)
    if found is None:
        raise StepMissing(f'The {role} side has not been discovered yet; start a run of kind "discovery".')
    return found


async def destination_inventory(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> Inventory:
    """Production's inventory, or the rehearsal's while production is not connected. Raises StepMissing."""
    found = await find_inventory(runtime, session, engagement, "destination")
    if found is None:
        found = await find_inventory(runtime, session, engagement, "rehearsal")
    if found is None:
        raise StepMissing('The destination side has not been discovered yet; start a run of kind "discovery".')
    return found
