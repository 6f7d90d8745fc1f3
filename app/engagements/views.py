"""Rows of engagements as the schemas of the API."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.ids import encode_id
from app.engagements.agreeing import agreement_of
from app.engagements.facts import Facts, gather
from app.engagements.ownership import Ownership
from app.engagements.papers import (
    FileView,
    OwnerLineView,
    OwnersView,
    QuestionView,
    ReportSummary,
    ReportView,
    UserView,
)
from app.engagements.road import RoadStep, next_step, road
from app.engagements.schemas import (
    AgreementView,
    Call,
    ConnectionView,
    DueItem,
    EngagementSummary,
    EngagementView,
    Step,
)
from app.engagements.standing import calendar_of, due_now, state_of
from app.models.engagement import Connection, Engagement, Question
from app.models.file import Artifact
from app.models.mapping import Report
from app.runtime import Runtime

_HIDDEN = {"tenant_id"}


def show_summary(engagement: Engagement, facts: Facts) -> EngagementSummary:
    """An engagement in a list."""
    fields = engagement.model_dump(include={"id", "name", "source", "destination", "created_at", "updated_at"})
    return EngagementSummary(**fields, state=state_of(facts))


async def show_standing(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> EngagementView:
    """The engagement as it stands at this moment."""
    return show_engagement(engagement, await gather(runtime, session, engagement), runtime.now())


def show_engagement(engagement: Engagement, facts: Facts, now: datetime) -> EngagementView:
    """An engagement with its road, what is due and what is next."""
    steps = road(facts)
    following = next_step(steps)
    active = next((run.id for run in facts.runs if run.active), None)
    return EngagementView(
        **show_summary(engagement, facts).model_dump(exclude={"object", "id"}),
        id=engagement.id,
        quote_id=engagement.quote_id,
        calendar=calendar_of(engagement.calendar, facts),
        due=[DueItem(**item.model_dump()) for item in due_now(engagement.calendar, facts, now)],
        next_step=_step(following) if following else None,
        road=[_step(step) for step in steps],
        active_run_id=active,
        approved_run_id=engagement.approved_run_id,
        approved_at=engagement.approved_at,
        extraction_mark=engagement.extraction_mark,
        agreement=show_agreement(engagement),
        purge_at=engagement.purge_at,
        purged_at=engagement.purged_at,
    )


def show_agreement(engagement: Engagement) -> AgreementView | None:
    """The confirmed agreement with the destination's vendor."""
    found = agreement_of(engagement)
    return AgreementView.model_validate(found) if found else None


def _step(step: RoadStep) -> Step:
    call = Call(**asdict(step.call)) if step.call else None
    return Step(key=step.key, title=step.title, state=step.state, reason=step.reason, call=call)


def show_connection(connection: Connection) -> ConnectionView:
    """A connection without anything secret."""
    hidden = {"tenant_id", "credentials", "token", "budget", "created_at", "problem"}
    return ConnectionView(
        **connection.model_dump(exclude=hidden),
        has_credentials=connection.credentials is not None,
        problem=connection.problem or None,
    )


def show_owners(owners: Ownership) -> OwnersView:
    """The owner match."""
    return OwnersView(
        counts=owners.counts.as_dict(),
        fallback_user_id=owners.fallback_user_id,
        owners=[
            OwnerLineView(
                source=UserView.model_validate(line.source),
                state=line.state,
                destination_user_id=line.destination_user_id,
                candidates=list(line.candidates),
            )
            for line in owners.lines
        ],
        destination_users=[UserView.model_validate(user) for user in owners.destination_users],
    )


def show_question(question: Question) -> QuestionView:
    """A question."""
    return QuestionView(**question.model_dump(exclude=_HIDDEN))


def show_report(report: Report) -> ReportSummary:
    """A report without its body."""
    return ReportSummary(**report.model_dump(exclude={*_HIDDEN, "body"}))


def show_file(artifact: Artifact) -> FileView:
    """A file and where its bytes are."""
    path = f"/v1/files/{encode_id('artifact', artifact.id)}/content"
    return FileView(**artifact.model_dump(exclude=_HIDDEN), content_path=path)


def show_opened(report: Report, body: Any) -> ReportView:
    """A report with its body."""
    return ReportView(**report.model_dump(exclude={*_HIDDEN, "body"}), body=body)
