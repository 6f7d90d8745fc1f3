"""The ledger as people read it: what became of every planned write, filtered and paged."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.ledger import Ledger
from app.models.merging import MergeFinding
from app.models.run import Run
from app.paging import Paging, Rows, fetch_page


async def list_records(
    session: AsyncSession,
    run: Run,
    paging: Paging,
    *,
    outcome: str | None = None,
    source_object: str | None = None,
    reason: str | None = None,
) -> Rows[Ledger]:
    """Rows whose latest outcome is this run's, in the order of the ledger's key."""
    statement = select(Ledger).where(
        Ledger.tenant_id == run.tenant_id,
        Ledger.engagement_id == run.engagement_id,
        Ledger.destination_id == run.destination_id,
        Ledger.run_id == run.id,
    )
    if outcome is not None:
        statement = statement.where(Ledger.outcome == outcome)
    if source_object is not None:
        statement = statement.where(Ledger.source_object == source_object)
    if reason is not None:
        statement = statement.where(Ledger.reason == reason)
    keys = (col(Ledger.source_object), col(Ledger.source_id), col(Ledger.target_object), col(Ledger.part))
    name = f"records:{run.id}:{outcome}:{source_object}:{reason}"
    return await fetch_page(session, statement, keys, paging, name=name, descending=False)


async def list_findings(
    session: AsyncSession, run: Run, paging: Paging, *, state: str | None = None
) -> Rows[MergeFinding]:
    """What the three-way merge of a delta left as people have it, in the order of load, id and field."""
    statement = select(MergeFinding).where(MergeFinding.tenant_id == run.tenant_id, MergeFinding.run_id == run.id)
    if state is not None:
        statement = statement.where(MergeFinding.state == state)
    keys = (col(MergeFinding.load), col(MergeFinding.source_id), col(MergeFinding.field))
    return await fetch_page(session, statement, keys, paging, name=f"findings:{run.id}:{state}", descending=False)
