"""Reports and questions of an engagement as lists, and one report with its sealed body opened."""

from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key, unseal_document
from app.engagements.service import find_engagement
from app.errors import NotFound
from app.models.engagement import Engagement, Question
from app.models.file import Artifact
from app.models.mapping import Report
from app.paging import Paging, Rows, fetch_page
from app.runtime import Runtime


async def list_reports(
    session: AsyncSession, engagement: Engagement, paging: Paging, *, kind: str | None, run_id: UUID | None
) -> Rows[Report]:
    """The engagement's reports, the newest first; bodies stay sealed."""
    statement = select(Report).where(Report.engagement_id == engagement.id, Report.tenant_id == engagement.tenant_id)
    if kind is not None:
        statement = statement.where(Report.kind == kind)
    if run_id is not None:
        statement = statement.where(Report.run_id == run_id)
    name = f"reports:{engagement.id}:{kind}:{run_id}"
    return await fetch_page(session, statement, (col(Report.created_at), col(Report.id)), paging, name=name)


async def open_report(runtime: Runtime, session: AsyncSession, tenant_id: UUID, report_id: UUID) -> tuple[Report, Any]:
    """A report and its body. Raises NotFound, EngagementPurged."""
    statement = select(Report).where(Report.id == report_id, Report.tenant_id == tenant_id)
    report = (await session.exec(statement)).first()
    if report is None:
        raise NotFound("There is no such report.")
    engagement = await find_engagement(session, tenant_id, report.engagement_id)
    return report, unseal_document(engagement_key(runtime, engagement), report.id, report.body)


async def list_questions(
    session: AsyncSession, engagement: Engagement, paging: Paging, *, open_only: bool
) -> Rows[Question]:
    """The engagement's questions, the newest first."""
    statement = select(Question).where(
        Question.engagement_id == engagement.id, Question.tenant_id == engagement.tenant_id
    )
    if open_only:
        statement = statement.where(col(Question.answered_at).is_(None))
    name = f"questions:{engagement.id}:{open_only}"
    return await fetch_page(session, statement, (col(Question.created_at), col(Question.id)), paging, name=name)


async def list_files(
    session: AsyncSession, engagement: Engagement, paging: Paging, *, kind: str | None
) -> Rows[Artifact]:
    """The engagement's files, the newest first; parts of uploads are not among them."""
    statement = select(Artifact).where(
        Artifact.engagement_id == engagement.id,
        Artifact.tenant_id == engagement.tenant_id,
        ~col(Artifact.kind).startswith("upload-"),
    )
    if kind is not None:
        statement = statement.where(Artifact.kind == kind)
    name = f"files:{engagement.id}:{kind}"
    return await fetch_page(session, statement, (col(Artifact.created_at), col(Artifact.id)), paging, name=name)
