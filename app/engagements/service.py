"""Creates, finds, lists and changes engagements."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.lifecycle import Calendar, EngagementState
from app.engagements.facts import gather
from app.engagements.purging import purge_time
from app.engagements.standing import decide_state
from app.errors import Conflict, Invalid, NotFound, UnknownPair, UnknownPlatform
from app.etags import etag
from app.models.columns import new_id
from app.models.engagement import Engagement
from app.models.quote import Quote
from app.paging import Paging, Rows, fetch_page
from app.runtime import Runtime
from app.security import DataKey
from connectors.registry import BLUEPRINTS, PLATFORMS


class QuoteNotUsable(Conflict):
    title = "This quote cannot become an engagement"


async def create_engagement(
    runtime: Runtime,
    session: AsyncSession,
    tenant_id: UUID,
    *,
    name: str,
    source: str | None,
    destination: str | None,
    quote_id: UUID | None,
    calendar: Calendar,
) -> Engagement:
    """A new engagement with a data key of its own. Raises UnknownPlatform, UnknownPair, NotFound, QuoteNotUsable."""
    now = runtime.now()
    if quote_id is not None:
        quote = await _accept_quote(session, tenant_id, quote_id, source, destination, now)
        source, destination = quote.source, quote.destination
    source, destination = _pair(source, destination)
    engagement_id = new_id()
    engagement = Engagement(
        id=engagement_id,
        tenant_id=tenant_id,
        name=name,
        source=source,
        destination=destination,
        quote_id=quote_id,
        calendar=calendar.model_dump(mode="json"),
        data_key=runtime.keys.seal(DataKey.generate(), place=runtime.data_key_place(engagement_id)),
        created_at=now,
        updated_at=now,
    )
    session.add(engagement)
    await session.flush()
    return engagement


def _pair(source: str | None, destination: str | None) -> tuple[str, str]:
    for side, slug in (("source", source), ("destination", destination)):
        if slug is None:
            raise _missing(side)
        if slug not in PLATFORMS:
            known = ", ".join(sorted(PLATFORMS))
            detail = f"There is no platform {slug!r}. These exist: {known}."
            raise UnknownPlatform(
                detail,
                platforms=sorted(PLATFORMS),
                errors=[{"pointer": f"/{side}", "code": "unknown-platform", "detail": detail}],
            )
    assert source is not None
    assert destination is not None
    if (source, destination) not in BLUEPRINTS:
        names = [f"{one}:{other}" for one, other in sorted(BLUEPRINTS)]
        raise UnknownPair(
            f"No blueprint leads from {source} to {destination}. These pairs are offered: {', '.join(names)}.",
            pairs=names,
        )
    return source, destination


def _missing(side: str) -> Invalid:
    detail = f"Name the {side} platform, or give a quote_id."
    return Invalid(detail, errors=[{"pointer": f"/{side}", "code": "missing", "detail": detail}])


async def _accept_quote(
    session: AsyncSession, tenant_id: UUID, quote_id: UUID, source: str | None, destination: str | None, now: datetime
) -> Quote:
    """The quote, accepted. Quotes made without a key belong to nobody and can be taken up by whoever holds the id."""
    quote = await session.get(Quote, quote_id, with_for_update=True)
    if quote is None:
        raise NotFound("There is no such quote.")
    if quote.state == "needs_review":
        raise QuoteNotUsable("An operator has to price this quote first; see its review state.")
    if quote.state == "expired" or (quote.state != "accepted" and quote.valid_until <= now):
        raise QuoteNotUsable("This quote has expired; ask for a new one.")
    if quote.state == "accepted":
        raise QuoteNotUsable("This quote has become an engagement already.")
    for side, given, quoted in (("source", source, quote.source), ("destination", destination, quote.destination)):
        if given is not None and given != quoted:
            detail = f"The quote is for the {side} {quoted}, not {given}."
            raise Invalid(detail, errors=[{"pointer": f"/{side}", "code": "other-than-quoted", "detail": detail}])
    quote.state, quote.tenant_id = "accepted", tenant_id
    session.add(quote)
    await session.flush()
    return quote


# built once: building a statement costs as much as running it
_FIND = select(Engagement).where(Engagement.id == bindparam("id"), Engagement.tenant_id == bindparam("tenant"))
_FIND_AND_LOCK = _FIND.with_for_update()


async def find_engagement(
    session: AsyncSession, tenant_id: UUID, engagement_id: UUID, *, lock: bool = False
) -> Engagement:
    """The engagement of this tenant; `lock` holds its row until the transaction ends. Raises NotFound."""
    statement = _FIND_AND_LOCK if lock else _FIND
    engagement = (await session.exec(statement, params={"id": engagement_id, "tenant": tenant_id})).first()
    if engagement is None:
        raise NotFound("There is no such engagement.")
    return engagement


async def list_engagements(
    session: AsyncSession, tenant_id: UUID, paging: Paging, *, source: str | None, destination: str | None
) -> Rows[Engagement]:
    """The tenant's engagements, the newest first."""
    statement = select(Engagement).where(Engagement.tenant_id == tenant_id)
    if source is not None:
        statement = statement.where(Engagement.source == source)
    if destination is not None:
        statement = statement.where(Engagement.destination == destination)
    keys = (col(Engagement.created_at), col(Engagement.id))
    return await fetch_page(session, statement, keys, paging, name=f"engagements:{source}:{destination}")


async def change_engagement(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    *,
    name: str | None,
    calendar: Calendar | None,
    state: EngagementState | None,
) -> Engagement:
    """Changes what is given and counts the revision up. Raises EngagementNotThere for a state it has not earned."""
    if state is not None:
        facts = await gather(runtime, session, engagement)
        engagement.state = decide_state(facts, state).value
        purge_time(runtime, engagement)
    if name is not None:
        engagement.name = name
    if calendar is not None:
        engagement.calendar = calendar.model_dump(mode="json")
    engagement.revision += 1
    engagement.updated_at = runtime.now()
    session.add(engagement)
    await session.flush()
    return engagement


def engagement_tag(engagement: Engagement) -> str:
    """The ETag of what a PATCH may change."""
    return etag("engagement", engagement.id, engagement.revision)
