"""Makes, reads and reviews quotes. The price itself is `app.domain.pricing`'s."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access import PUBLIC_TENANT
from app.domain.blueprint import Blueprint
from app.domain.grading import DestinationFacts
from app.domain.ids import encode_id
from app.domain.pricing import QuoteRefused, QuoteRequest
from app.domain.pricing import quote as price
from app.errors import Conflict, Invalid, NotFound, UnknownPair, UnknownPlatform
from app.events import emit
from app.models import Quote
from app.runtime import Runtime
from connectors import registry

PRICED, NEEDS_REVIEW, EXPIRED = "priced", "needs_review", "expired"
_PLACES = {"unknown_category": "/category", "bad_count": "/counts"}


class QuoteNotUnderReview(Conflict):
    title = "The quote does not wait for a review"


async def create_quote(runtime: Runtime, session: AsyncSession, tenant_id: UUID, request: QuoteRequest) -> Quote:
    """A priced quote, or one that needs a review. Raises UnknownPlatform, UnknownPair and Invalid."""
    _check_platforms(request)
    blueprint = _blueprint(request)
    try:
        priced = price(request, blueprint, facts=destination_facts(request.destination, request.destination_edition))
    except QuoteRefused as refused:
        raise _invalid(_PLACES.get(refused.code, "/options"), refused.code.replace("_", "-"), str(refused)) from refused
    now = runtime.now()
    quote = Quote(
        tenant_id=tenant_id,
        state=NEEDS_REVIEW if priced.needs_review else PRICED,
        source=request.source,
        destination=request.destination,
        request=request.model_dump(mode="json"),
        result=priced.model_dump(mode="json"),
        amount_minor=priced.total,
        currency=priced.currency,
        rules_version=priced.rules_version,
        created_at=now,
        valid_until=priced.valid_until(now),
    )
    session.add(quote)
    await session.flush()
    data = {"quote_id": encode_id("quote", quote.id), "state": quote.state}
    await emit(session, tenant_id, "quote.created", data, at=now)
    return quote


async def get_quote(session: AsyncSession, tenant_id: UUID, quote_id: UUID, *, lock: bool = False) -> Quote:
    """The caller's own quote, or one made without a key. Raises NotFound."""
    statement = select(Quote).where(Quote.id == quote_id, col(Quote.tenant_id).in_((tenant_id, PUBLIC_TENANT)))
    quote = (await session.exec(statement.with_for_update() if lock else statement)).first()
    if quote is None:
        raise NotFound("No such quote.")
    return quote


async def review_quote(
    runtime: Runtime, session: AsyncSession, quote: Quote, *, amount_minor: int, note: str, reviewer: UUID
) -> Quote:
    """Sets an operator's price, valid from now on as long as any other. Raises QuoteNotUnderReview."""
    if quote.state != NEEDS_REVIEW:
        raise QuoteNotUnderReview(f"The quote is {state_at(quote, runtime.now())}.", state=quote.state)
    quote.state = PRICED
    quote.amount_minor = amount_minor
    quote.valid_until = runtime.now() + timedelta(days=int(quote.result["valid_days"]))
    quote.reviewed_by = reviewer
    quote.result = {**quote.result, "note": note}
    session.add(quote)
    await session.flush()
    return quote


def state_at(quote: Quote, now: datetime) -> str:
    """The state as it is at `now`: an offer that was not accepted ends with its validity."""
    return EXPIRED if quote.state in (PRICED, NEEDS_REVIEW) and quote.valid_until <= now else quote.state


def destination_facts(platform: str, edition: str) -> DestinationFacts | None:
    """What the named edition allows, None where none is named."""
    found = registry.PLATFORMS[platform].editions.get(edition.strip().lower())
    if found is None:
        return None
    daily: Any = found.facts.get("credits_base")
    return DestinationFacts(
        api_access=found.api_access,
        credits_per_day=daily if isinstance(daily, int) and daily > 0 else None,
        custom_objects=found.facts.get("custom_modules") is not False,
    )


def _check_platforms(request: QuoteRequest) -> None:
    for side in ("source", "destination"):
        slug = getattr(request, side)
        platform = registry.PLATFORMS.get(slug)
        if platform is None:
            known = ", ".join(sorted(registry.PLATFORMS))
            detail = f"There is no platform {slug}; known are {known}."
            raise UnknownPlatform(
                detail, errors=[{"pointer": f"/{side}", "code": "unknown-platform", "detail": detail}]
            )
        edition = getattr(request, f"{side}_edition").strip().lower()
        if edition and edition not in platform.editions:
            known = ", ".join(sorted(platform.editions))
            raise _invalid(f"/{side}_edition", "unknown-edition", f"{platform.name} has the editions {known}.")


def _blueprint(request: QuoteRequest) -> Blueprint:
    try:
        return registry.load_blueprint(request.source, request.destination)
    except registry.UnknownPair as unknown:
        raise UnknownPair("GET /v1/pairs lists the pairs that are offered.") from unknown


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])
