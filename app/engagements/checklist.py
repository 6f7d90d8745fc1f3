"""The checklist: what provisioning could not do, and the steps that go with each export of the pair."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.engagements.papers import ChecklistItem
from app.models.engagement import Connection, Engagement
from app.models.mapping import DestinationName
from connectors.registry import load_blueprint


async def read_checklist(session: AsyncSession, engagement: Engagement) -> list[ChecklistItem]:
    """Open items of provisioning first, then what the exports ask for."""
    rows = await session.exec(
        select(DestinationName, Connection.role)
        .join(Connection, col(Connection.id) == col(DestinationName.connection_id))
        .where(Connection.engagement_id == engagement.id, DestinationName.manual != "")
        .order_by(col(Connection.role), col(DestinationName.object), col(DestinationName.field))
    )
    items = [
        ChecklistItem(
            key=f"{role}:{name.object}.{name.field}".rstrip("."),
            origin="provisioning",
            destination="rehearsal" if role == "rehearsal" else "production",
            object=name.object,
            field=name.field,
            text=name.manual,
            state="open",
        )
        for name, role in rows.all()
    ]
    blueprint = load_blueprint(engagement.source, engagement.destination)
    for export in blueprint.exports:
        for number, text in enumerate(export.checklist, start=1):
            key = f"export:{export.key}:{number}"
            items.append(ChecklistItem(key=key, origin="export", object=export.source_object, text=text, state="todo"))
    return items
