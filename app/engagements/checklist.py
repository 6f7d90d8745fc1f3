"""The checklist: what provisioning could not do, people without a user, and the steps that go with each export."""

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.engagements.owners import OwnerState
from app.engagements.ownership import read_ownership
from app.engagements.papers import ChecklistItem
from app.errors import StepMissing
from app.models.engagement import Connection, Engagement
from app.models.mapping import DestinationName
from app.runtime import Runtime
from connectors.registry import PLATFORMS, load_blueprint

_AUTOMATION = (
    "Switch off workflows, assignment rules, sequences and notifications that start when records are created or "
    "changed; the API cannot keep them from starting. Look at what the sample says under `automation`, and switch "
    "them on again after go-live."
)


async def read_checklist(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> list[ChecklistItem]:
    """Open items of provisioning first, then people without a user, then what the exports ask for."""
    rows = await session.exec(
        select(DestinationName, Connection.role)
        .join(Connection, col(Connection.id) == col(DestinationName.connection_id))
        .where(
            Connection.engagement_id == engagement.id,
            or_(DestinationName.manual != "", DestinationName.advice != ""),
        )
        .order_by(col(Connection.role), col(DestinationName.object), col(DestinationName.field))
    )
    items = [
        ChecklistItem(
            key=f"{role}:{name.object}.{name.field}".rstrip("."),
            origin="provisioning",
            destination="rehearsal" if role == "rehearsal" else "production",
            object=name.object,
            field=name.field,
            text=name.manual or name.advice,
            state="open" if name.manual else "optional",
        )
        for name, role in rows.all()
    ]
    items += await _missing_users(runtime, session, engagement)
    if not PLATFORMS[engagement.destination].capabilities.suppress_automation:
        items.append(ChecklistItem(key="automation:off", origin="automation", text=_AUTOMATION, state="todo"))
    blueprint = load_blueprint(engagement.source, engagement.destination)
    for export in blueprint.exports:
        for number, text in enumerate(export.checklist, start=1):
            key = f"export:{export.key}:{number}"
            items.append(ChecklistItem(key=key, origin="export", object=export.source_object, text=text, state="todo"))
    return items


async def _missing_users(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> list[ChecklistItem]:
    """People who own records and have no active user at the destination: a fallback owner stands in until they do.

    Who has none and no stand-in either holds up the next run, so that item is open.
    """
    try:
        ownership = await read_ownership(runtime, session, engagement)
    except StepMissing:
        return []
    items = []
    for line in ownership.lines:
        if line.state in (OwnerState.MATCHED, OwnerState.MAPPED, OwnerState.DUPLICATE):
            continue
        name, email = str(line.source.get("name") or line.source["id"]), str(line.source.get("email") or "")
        who = f"{name} ({email})" if email else name
        text = (
            f"Make an active user for {who}, or leave the records to the fallback owner; re-assign owners afterwards."
        )
        items.append(
            ChecklistItem(
                key=f"owners:{line.source['id']}",
                origin="owners",
                object="User",
                text=text,
                state="optional" if line.state is OwnerState.FALLBACK else "open",
            )
        )
    return items
