"""Destroys what an engagement holds of its company's data, and certifies it.

The engagement's key is what is destroyed: staged records, values kept before a write, reports, inventories, uploads
and exports stay behind as bytes that nobody can open. Credentials, open questions and kept answers go with it. Ids,
counts and the audit log stay, so that the log can still be proved.
"""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.audit_chain import append
from app.domain.certificates import PurgeCertificate
from app.domain.ids import encode_id
from app.domain.lifecycle import EngagementEvent, EngagementState, TransitionRefused, next_state
from app.engagements.facts import gather_light
from app.engagements.standing import EngagementNotThere, state_of
from app.errors import AnotherRunActive, AppError, EngagementPurged, NotFound
from app.models.engagement import Engagement
from app.runtime import Runtime
from app.signing import sign

log = structlog.get_logger()

Why = Literal["requested", "retention_over"]
ON_REQUEST: Why = "requested"
RETENTION_OVER: Why = "retention_over"
_AT_ONCE = 20
# Rows whose sealed bytes cannot be opened any more. Names are constants of ours.
_SEALED = {
    "staged_records": "SELECT count(*) FROM staged WHERE engagement_id = :id AND payload IS NOT NULL",
    "values_before_writing": "SELECT count(*) FROM ledger WHERE engagement_id = :id AND before IS NOT NULL",
    "reports": "SELECT count(*) FROM reports WHERE engagement_id = :id",
    "inventories": "SELECT count(*) FROM inventories WHERE engagement_id = :id",
    "files": "SELECT count(*) FROM artifacts WHERE engagement_id = :id",
}
_ERASED = (
    "UPDATE connections SET credentials = NULL, token = NULL, facts = '{}', problem = '{}', state = 'untested'"
    " WHERE engagement_id = :id",
    "UPDATE questions SET detail = '{}', options = '{}', answer = NULL WHERE engagement_id = :id",
    "DELETE FROM owner_decisions WHERE engagement_id = :id",
)
_FORGOTTEN = "DELETE FROM idempotency_keys WHERE tenant_id = :tenant AND route LIKE :path"


def purge_time(runtime: Runtime, engagement: Engagement) -> None:
    """Sets when the data go: the installation's retention after somebody signed the engagement off."""
    if engagement.state in (EngagementState.CLOSED, EngagementState.CANCELLED) and engagement.purge_at is None:
        engagement.purge_at = runtime.now() + timedelta(days=runtime.settings.retention_days)


async def purge(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, *, why: Why, by: UUID | None = None
) -> dict[str, Any]:
    """Destroys the key in the caller's transaction and returns the signed certificate; `by` is the key that asked.

    The caller holds the engagement's row lock. Raises EngagementPurged when it was done before, AnotherRunActive, and
    EngagementNotThere for an engagement that nobody has closed, cancelled or rolled back.
    """
    facts = (await gather_light(session, [engagement]))[engagement.id]  # needs no key: a lost one must not keep it
    if facts.purged:
        raise EngagementPurged("The data of this engagement were destroyed already; see its certificate.")
    if any(run.active for run in facts.runs):
        raise AnotherRunActive("A run is active. Wait for it or cancel it first.")
    try:
        after = next_state(state_of(facts), EngagementEvent.PURGE)
    except TransitionRefused as refused:
        raise EngagementNotThere(
            f"The engagement is {refused.state}; close or cancel it first.", allowed=list(refused.allowed)
        ) from None
    now, counts = runtime.now(), await _counts(session, engagement.id)
    engagement.data_key, engagement.purged_at, engagement.state = None, now, after.value
    engagement.revision += 1
    session.add(engagement)
    await session.flush()
    place = {"id": engagement.id}
    connection = await session.connection()
    for statement in _ERASED:
        await connection.execute(text(statement), place)
    shown = encode_id("engagement", engagement.id)
    await connection.execute(text(_FORGOTTEN), {"tenant": engagement.tenant_id, "path": f"%{shown}%"})
    head = await _book(runtime, session, engagement, why, by)
    engagement.purge_certificate = sign(
        runtime.keys,
        PurgeCertificate(
            engagement=shown,
            tenant=encode_id("tenant", engagement.tenant_id),
            source=engagement.source,
            destination=engagement.destination,
            why=why,
            requested_by=encode_id("api_key", by) if by else None,
            purged_at=now,
            unreadable=counts,
            audit_sequence=head[0],
            audit_head=head[1],
        ).model_dump(mode="json"),
    )
    session.add(engagement)
    await session.flush()
    runtime.data_keys.pop(engagement.id, None)
    return engagement.purge_certificate


def certificate_of(engagement: Engagement) -> dict[str, Any]:
    """The signed certificate. Raises NotFound before the purge."""
    if not engagement.purge_certificate:
        raise NotFound("The data of this engagement have not been destroyed; there is no certificate.")
    return engagement.purge_certificate


async def purge_due(runtime: Runtime) -> int:
    """Purges what was signed off long enough ago; how many. What cannot go now is logged and looked at again."""
    async with runtime.db.connection(None) as connection:
        due = await connection.fetch("SELECT id, tenant_id FROM due_purges($1, $2)", runtime.now(), _AT_ONCE)
    done = 0
    for row in due:
        try:
            async with runtime.db.transaction(row["tenant_id"]) as session:
                statement = select(Engagement).where(col(Engagement.id) == row["id"]).with_for_update(skip_locked=True)
                engagement = (await session.exec(statement)).first()
                if engagement is None or engagement.data_key is None:
                    continue
                await purge(runtime, session, engagement, why=RETENTION_OVER)
            done += 1
        except AppError as error:
            log.warning("purge_postponed", engagement_id=encode_id("engagement", row["id"]), code=error.code)
    return done


async def _counts(session: AsyncSession, engagement_id: UUID) -> dict[str, int]:
    connection = await session.connection()
    place = {"id": engagement_id}
    return {name: int(await connection.scalar(text(query), place) or 0) for name, query in _SEALED.items()}


async def _book(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, why: str, by: UUID | None
) -> tuple[int, str]:
    """The purge's own entry in the audit log; the chain's head after it."""
    now = runtime.now()
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    shown = encode_id("engagement", engagement.id)
    entry = ("engagement", shown, "purge", "", None, "purged", why, encode_id("api_key", by) if by else "")
    stamp = int(now.timestamp() * 1000)
    await append(
        raw, engagement.tenant_id, [(*entry, stamp)], subject="purge", at=now, engagement_id=engagement.id
    )  # fmt: skip
    assert raw is not None
    head = await raw.fetchrow("SELECT sequence, chain FROM audit_heads WHERE tenant_id = $1", engagement.tenant_id)
    return head["sequence"], head["chain"].hex()
