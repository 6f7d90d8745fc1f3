"""The tenant's alias memory in the database: read before a proposal, fed by edits and confirmations."""

from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.matching.memory import Lesson
from app.models.columns import new_id
from app.models.engagement import Engagement
from app.models.learning import FieldLesson
from app.runtime import Runtime

MOST = 5_000
"""Lessons that a proposal reads, the newest first."""
LONGEST = 500


async def read_lessons(session: AsyncSession, engagement: Engagement) -> list[Lesson]:
    """What this tenant decided before for this destination."""
    statement = (
        select(FieldLesson)
        .where(FieldLesson.tenant_id == engagement.tenant_id, FieldLesson.destination == engagement.destination)
        .order_by(col(FieldLesson.updated_at).desc(), col(FieldLesson.id))
        .limit(MOST)
    )
    return [
        Lesson(
            target_object=one.target_object, target=one.target, source_object=one.source_object, name=one.name,
            label=one.label, confirmed=one.confirmed, rejected=one.rejected, platform=one.source,
        )
        for one in (await session.exec(statement)).all()
    ]  # fmt: skip


async def keep_lessons(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, lessons: Iterable[Lesson]
) -> None:
    """Adds to the counts, in the transaction that edits or confirms; ordered, so that two writers cannot deadlock."""
    wanted: dict[tuple[str, ...], Lesson] = {}
    for one in lessons:
        if max(len(one.name), len(one.target), len(one.source_object), len(one.target_object)) <= LONGEST:
            wanted[one.target_object, one.target, one.source_object, one.name] = one
    now = runtime.now()
    rows = [
        {
            "id": new_id(), "tenant_id": engagement.tenant_id, "destination": engagement.destination,
            "target_object": one.target_object, "target": one.target, "source": engagement.source,
            "source_object": one.source_object, "name": one.name, "label": one.label[:LONGEST],
            "confirmed": one.confirmed, "rejected": one.rejected, "updated_at": now,
        }
        for _, one in sorted(wanted.items())
    ]  # fmt: skip
    if not rows:
        return
    statement = insert(FieldLesson)
    given = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            constraint="uq_field_lessons_choice",
            set_={
                "confirmed": col(FieldLesson.confirmed) + given.confirmed,
                "rejected": col(FieldLesson.rejected) + given.rejected,
                "label": given.label,
                "updated_at": given.updated_at,
            },
        ),
        rows,
    )
