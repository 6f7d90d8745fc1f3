"""Questions: what the machine will not guess, put to a person once per engagement, with the answer kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.engagements.owners import OwnerLine, OwnerState, decide_owner
from app.errors import Conflict, Invalid, NotFound
from app.models.columns import new_id
from app.models.engagement import Engagement, Question
from app.models.merging import MergeFinding

MAX_ANSWER = 10_000
DUPLICATE_EMAIL = "owner-duplicate-email"
MERGE_CONFLICT = "merge-conflict"


class QuestionAnswered(Conflict):
    title = "This question has been answered"


async def ask(
    session: AsyncSession,
    engagement: Engagement,
    *,
    subject: str,
    code: str,
    detail: dict[str, Any],
    options: dict[str, Any],
    at: datetime,
) -> None:
    """Puts a question unless the engagement was asked about this subject before. `options` may hold `choices`."""
    known = await session.exec(
        select(Question.id).where(Question.engagement_id == engagement.id, Question.subject == subject)
    )
    if known.first() is not None:
        return
    session.add(
        Question(
            id=new_id(),
            tenant_id=engagement.tenant_id,
            engagement_id=engagement.id,
            subject=subject,
            code=code,
            detail=detail,
            options=options,
            answer=None,
            created_at=at,
        )
    )
    await session.flush()


async def ask_about_owners(
    session: AsyncSession, engagement: Engagement, lines: Sequence[OwnerLine], at: datetime
) -> None:
    """A question per source user whose address fits several people. It holds ids only."""
    for line in lines:
        if line.state is OwnerState.DUPLICATE:
            source_user_id = str(line.source["id"])
            await ask(
                session,
                engagement,
                subject=f"owner:{source_user_id}",
                code=DUPLICATE_EMAIL,
                detail={
                    "text": "The address of this source user fits more than one person. Who owns the records?",
                    "source_user_id": source_user_id,
                },
                options={"choices": list(line.candidates)},
                at=at,
            )


async def find_question(session: AsyncSession, tenant_id: UUID, question_id: UUID) -> Question:
    """The question's row, locked. Raises NotFound."""
    statement = select(Question).where(Question.id == question_id, Question.tenant_id == tenant_id).with_for_update()
    question = (await session.exec(statement)).first()
    if question is None:
        raise NotFound("There is no such question.")
    return question


async def answer_question(
    session: AsyncSession, tenant_id: UUID, question_id: UUID, answer: dict[str, Any], *, by: UUID, at: datetime
) -> Question:
    """Stores the answer and does what follows from it. Raises NotFound, QuestionAnswered, Invalid."""
    question = await find_question(session, tenant_id, question_id)
    if question.answered_at is not None:
        raise QuestionAnswered("This question has been answered; an answer stays as it is.")
    _check(question, answer)
    question.answer, question.answered_by, question.answered_at = answer, by, at
    session.add(question)
    if question.code == DUPLICATE_EMAIL:
        engagement = await session.get(Engagement, question.engagement_id)
        assert engagement is not None
        await decide_owner(session, engagement, question.detail["source_user_id"], answer["choice"], by=by, at=at)
    if question.code == MERGE_CONFLICT:
        await _settle_conflicts(session, question, answer, at)
    await session.flush()
    return question


async def _settle_conflicts(session: AsyncSession, question: Question, answer: dict[str, Any], at: datetime) -> None:
    """Fields for which the source wins are written by the next delta; for the others nothing is left to do."""
    apart = answer.get("records") or {}
    sides = question.options["choices"]
    if not isinstance(apart, dict) or any(side not in sides for side in apart.values()):
        raise _wrong("/answer/records", "not-a-choice", "Name source ids with one of the choices each.")
    detail = question.detail
    statement = select(MergeFinding).where(
        MergeFinding.engagement_id == question.engagement_id,
        MergeFinding.run_id == UUID(detail["run_id"]),
        MergeFinding.load == detail["load"],
        MergeFinding.field == detail["field"],
        MergeFinding.state == "open",
    )
    for finding in (await session.exec(statement)).all():
        wins = apart.get(finding.source_id, answer["choice"])
        finding.state = "source" if wins == "source" else "kept"
        finding.settled_at = None if wins == "source" else at
        session.add(finding)


def _check(question: Question, answer: dict[str, Any]) -> None:
    """With `choices` the answer names one of them; otherwise it is an object of bounded size."""
    if len(orjson.dumps(answer)) > MAX_ANSWER:
        raise _wrong("/answer", "too-long", f"An answer has at most {MAX_ANSWER} bytes.")
    choices = question.options.get("choices")
    if isinstance(choices, list) and choices and answer.get("choice") not in choices:
        allowed = ", ".join(str(choice) for choice in choices[:20])
        raise _wrong("/answer/choice", "not-a-choice", f"Choose one of: {allowed}.")


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])
