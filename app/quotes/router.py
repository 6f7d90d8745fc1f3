"""Routes of quotes. Asking for a price needs no key; the estimator on a public page does not have one."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from app.access import PUBLIC, Caller
from app.dependencies import (
    CallerDep,
    IdempotencyDep,
    IdempotencyHeader,
    PublicCallerDep,
    PublicSessionDep,
    RuntimeDep,
    SessionDep,
    claim_key,
    client_address,
    require,
)
from app.domain.ids import encode_id
from app.domain.pricing import QuoteRequest
from app.errors import (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    Invalid,
    NotFound,
    RequestInFlight,
    UnknownPair,
    UnknownPlatform,
)
from app.identifiers import QuoteId
from app.problems import responses
from app.quotes import service
from app.quotes.schemas import CreateQuote, QuoteView, ReviewQuote
from app.quotes.views import show
from app.ratelimit import check_rate
from app.rates import ADDRESS_POLICY, ORIGIN_POLICY
from app.routing import api_router

router = api_router("/quotes", "quotes")
REPEATABLE = (IdempotencyKeyMissing, RequestInFlight, IdempotencyKeyReused)

KEY_OPTIONAL: dict[str, Any] = {"security": [{}]}  # joined to the bearer scheme: either of them


async def limited_caller(request: Request, runtime: RuntimeDep, caller: PublicCallerDep) -> Caller:
    """Whoever asks, with the right to: a key needs its scope, a page without one keeps to the public limits."""
    if caller is not PUBLIC:
        caller.require("quotes:write")
        return caller
    await check_rate(runtime, request, ADDRESS_POLICY, client_address(request))
    origin = request.headers.get("origin", "")[:200]
    if origin:
        await check_rate(runtime, request, ORIGIN_POLICY, origin)
    return caller


LimitedCaller = Annotated[Caller, Depends(limited_caller)]


async def repeatable(
    request: Request,
    runtime: RuntimeDep,
    caller: LimitedCaller,
    session: PublicSessionDep,
    key: IdempotencyHeader = None,
) -> None:
    """Callers without a key share a tenant; their addresses keep their answers apart."""
    apart = f"@{client_address(request)}" if caller is PUBLIC else ""
    await claim_key(request, runtime, caller, session, key, apart)


@router.post(
    "",
    operation_id="create_quote",
    summary="Ask for a price",
    openapi_extra=KEY_OPTIONAL,
    status_code=201,
    responses=responses(*REPEATABLE, UnknownPlatform, UnknownPair, Invalid),
)
async def create_quote(
    body: CreateQuote,
    caller: LimitedCaller,
    session: PublicSessionDep,
    runtime: RuntimeDep,
    response: Response,
    _: Annotated[None, Depends(repeatable, scope="function")],
) -> QuoteView:
    """By rules, without a fee per record. More than two million records are priced by an operator."""
    request = QuoteRequest.model_validate(body.model_dump())
    quote = await service.create_quote(runtime, session, caller.tenant_id, request)
    response.headers["Location"] = f"/v1/quotes/{encode_id('quote', quote.id)}"
    return show(quote, runtime)


@router.get(
    "/{quote_id}",
    operation_id="get_quote",
    summary="Get a quote",
    openapi_extra=KEY_OPTIONAL,
    responses=responses(NotFound),
)
async def get_quote(
    quote_id: QuoteId, caller: PublicCallerDep, session: PublicSessionDep, runtime: RuntimeDep
) -> QuoteView:
    """A quote made without a key can be read by everyone who knows its id."""
    return show(await service.get_quote(session, caller.tenant_id, quote_id), runtime)


@router.post(
    "/{quote_id}/review",
    operation_id="review_quote",
    summary="Set an operator's price",
    dependencies=[require("quotes:review")],
    responses=responses(*REPEATABLE, service.QuoteNotUnderReview),
)
async def review_quote(
    quote_id: QuoteId,
    body: ReviewQuote,
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    _: IdempotencyDep,
) -> QuoteView:
    quote = await service.get_quote(session, caller.tenant_id, quote_id, lock=True)
    reviewed = await service.review_quote(
        runtime, session, quote, amount_minor=body.amount_minor, note=body.note, reviewer=caller.key_id
    )
    return show(reviewed, runtime)
