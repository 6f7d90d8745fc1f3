"""Mapping versions: proposed from two inventories, edited under If-Match, confirmed once and then unchangeable."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.blueprint import Blueprint
from app.domain.lessons import confirmed, corrected
from app.domain.mapping import MappingDocument
from app.domain.masking import flagged
from app.domain.matching.opinion import Recorder, Voter, fill_shares
from app.domain.plurals import counted
from app.domain.proposing import Problem, propose, validate
from app.domain.schema import Inventory
from app.engagements.facts import SOURCE
from app.engagements.inventories import destination_inventory, load_inventory
from app.engagements.ownership import settle_owners
from app.errors import Conflict, Invalid, MappingInvalid, MappingNotEditable, NotFound
from app.etags import etag
from app.events import emit
from app.mappings.learning import keep_lessons, read_lessons
from app.mappings.opinion import opinion_of
from app.models.columns import new_id
from app.models.engagement import Engagement
from app.models.mapping import Mapping
from app.runtime import Runtime
from connectors.registry import load_blueprint

MAX_ERRORS = 100


class NothingToConfirm(Conflict):
    title = "There is no draft of this version to confirm"


@dataclass(frozen=True, slots=True)
class Sides:
    """Both inventories a mapping is judged by."""

    source: Inventory
    destination: Inventory


async def load_sides(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> Sides:
    """The newest inventories of both sides. Raises StepMissing before discovery."""
    return Sides(
        await load_inventory(runtime, session, engagement, SOURCE),
        await destination_inventory(runtime, session, engagement),
    )


async def find_mapping(session: AsyncSession, engagement: Engagement, version: int | None = None) -> Mapping:
    """That version; without one the newest draft or confirmed version. Raises NotFound."""
    statement = select(Mapping).where(Mapping.engagement_id == engagement.id)
    if version is None:
        statement = statement.where(col(Mapping.state).in_(("draft", "confirmed")))
    else:
        statement = statement.where(Mapping.version == version)
    mapping = (await session.exec(statement.order_by(col(Mapping.version).desc()).limit(1))).first()
    if mapping is None:
        if version is not None:
            raise NotFound(f"This engagement has no mapping version {version}.")
        raise NotFound("This engagement has no mapping yet; POST …/mapping/propose makes one.")
    return mapping


def mapping_tag(mapping: Mapping) -> str:
    """A strong ETag: version, state and content."""
    content = orjson.dumps(mapping.document, option=orjson.OPT_SORT_KEYS)
    return etag("mapping", mapping.id, mapping.version, mapping.state, content)


async def propose_mapping(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, *, by: UUID
) -> tuple[Mapping, list[Problem]]:
    """A new draft from the blueprint and both inventories; an older draft is superseded, a confirmed version stays.

    Also settles what the owners' e-mails settle. Raises StepMissing before discovery.
    """
    sides = await load_sides(runtime, session, engagement)
    blueprint = load_blueprint(engagement.source, engagement.destination)
    document = flagged(await _make_proposal(runtime, session, engagement, sides, blueprint), sides.source)
    problems = await asyncio.to_thread(validate, document, sides.source, sides.destination)
    mapping = await _add_draft(runtime, session, engagement, document, by=by)
    await settle_owners(runtime, session, engagement)
    return mapping, problems


async def _make_proposal(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, sides: Sides, blueprint: Blueprint
) -> MappingDocument:
    """The proposer's document; where an endpoint is set, doubtful fields are put to it and weighed in."""
    lessons = await read_lessons(session, engagement)
    recorder = Recorder(fill_shares(sides.source))
    document = await asyncio.to_thread(
        propose, blueprint, sides.source, sides.destination, lessons=lessons, adviser=recorder
    )
    opinion = opinion_of(runtime.settings)
    if not opinion.wanted or not recorder.questions:
        return document
    answers = await opinion.ask(recorder.questions)
    if not answers:
        return document
    voter = Voter(recorder.questions, answers)
    return await asyncio.to_thread(propose, blueprint, sides.source, sides.destination, lessons=lessons, adviser=voter)


async def edit_mapping(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    current: Mapping,
    document: MappingDocument,
    *,
    by: UUID,
) -> tuple[Mapping, list[Problem]]:
    """Stores the whole edited document: into the draft, or as the next draft when the current version is confirmed.

    Raises MappingInvalid with a pointer per fault; nothing is stored then.
    """
    if (document.source, document.destination) != (engagement.source, engagement.destination):
        detail = f"This engagement leads from {engagement.source} to {engagement.destination}."
        raise Invalid(detail, errors=[{"pointer": "/source", "code": "other-pair", "detail": detail}])
    if current.state not in ("draft", "confirmed"):
        raise MappingNotEditable("This version has been superseded; read the current one and edit that.")
    sides = await load_sides(runtime, session, engagement)
    promised = load_blueprint(engagement.source, engagement.destination).loads
    document = flagged(document, sides.source, [*promised, *MappingDocument.model_validate(current.document).loads])
    problems = await judged(document, sides)
    before = MappingDocument.model_validate(current.document)
    await keep_lessons(runtime, session, engagement, corrected(before, document, sides.source))
    if current.state == "confirmed":
        return await _add_draft(runtime, session, engagement, document, by=by), problems
    current.document = document.model_dump(mode="json")
    session.add(current)
    await session.flush()
    return current, problems


async def confirm_mapping(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, version: int, *, by: UUID
) -> tuple[Mapping, list[Problem]]:
    """Confirms a draft; the version confirmed before is superseded. Raises NothingToConfirm, MappingInvalid."""
    mapping = await find_mapping(session, engagement)
    if mapping.version != version or mapping.state != "draft":
        raise NothingToConfirm(
            f"The current version is {mapping.version} and {mapping.state}. Read it, then confirm that version."
            if mapping.state == "draft"
            else f"Version {mapping.version} is {mapping.state} already; edit or propose a new draft first."
        )
    document = MappingDocument.model_validate(mapping.document)
    sides = await load_sides(runtime, session, engagement)
    problems = await judged(document, sides)
    await keep_lessons(runtime, session, engagement, confirmed(document, sides.source))
    now = runtime.now()
    await _supersede(session, engagement, "confirmed")
    mapping.state, mapping.confirmed_at, mapping.confirmed_by = "confirmed", now, by
    session.add(mapping)
    await session.flush()
    await settle_owners(runtime, session, engagement)
    data = {"mapping_version": version, "loads": sum(1 for load in document.loads if load.enabled)}
    await emit(session, engagement.tenant_id, "mapping.confirmed", data, at=now, engagement_id=engagement.id)
    return mapping, problems


async def judged(document: MappingDocument, sides: Sides) -> list[Problem]:
    """The document's problems that do not forbid it. Raises MappingInvalid when there are others."""
    problems = await find_problems(document, sides)
    blocking = [problem for problem in problems if problem.blocking]
    if blocking:
        raise MappingInvalid(
            f"{counted(len(blocking), 'place')} of the mapping cannot work. Correct what `errors` point at; "
            "nothing was stored.",
            errors=[
                {"pointer": problem.pointer, "code": problem.code.replace("_", "-"), "detail": problem.message}
                for problem in blocking[:MAX_ERRORS]
            ],
        )
    return [problem for problem in problems if not problem.blocking]


async def find_problems(document: MappingDocument, sides: Sides) -> list[Problem]:
    """All problems, blocking ones included."""
    return list(await asyncio.to_thread(validate, document, sides.source, sides.destination))


async def _add_draft(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, document: MappingDocument, *, by: UUID
) -> Mapping:
    await _supersede(session, engagement, "draft")
    newest: Sequence[int] = (
        await session.exec(
            select(Mapping.version)
            .where(Mapping.engagement_id == engagement.id)
            .order_by(col(Mapping.version).desc())
            .limit(1)
        )
    ).all()
    mapping = Mapping(
        id=new_id(),
        tenant_id=engagement.tenant_id,
        engagement_id=engagement.id,
        version=newest[0] + 1 if newest else 1,
        document=document.model_dump(mode="json"),
        created_at=runtime.now(),
        created_by=by,
    )
    session.add(mapping)
    await session.flush()
    return mapping


async def _supersede(session: AsyncSession, engagement: Engagement, state: str) -> None:
    rows = await session.exec(
        select(Mapping).where(Mapping.engagement_id == engagement.id, Mapping.state == state).with_for_update()
    )
    for row in rows.all():
        row.state = "superseded"
        session.add(row)
    await session.flush()
