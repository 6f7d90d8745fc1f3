"""What routes ask for: the runtime, the caller, a transaction, paging, preconditions and idempotency."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Header, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access import PUBLIC, Caller, act_for, authenticate, prove, recognise, refused
from app.db import ConditionFailed
from app.domain.ids import decode_id, encode_id
from app.errors import Forbidden
from app.etags import ETAGS
from app.idempotency import begin, request_hash
from app.known_keys import Unproved
from app.paging import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, Paging
from app.ratelimit import check_rate
from app.rates import KEY_POLICY
from app.runtime import Runtime

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API key (`tsk_…`) or an access token (`tst_…`) as `Authorization: Bearer KEY`.",
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
TenantHeader = Annotated[
    str | None, Header(alias="Tranship-Tenant", description="A partner's key names the customer it acts for: `ten_…`.")
]
IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Required. One value per thing to be done; kept for 7 days.",
        # described here and judged in app.idempotency, which has codes of its own for both refusals
        json_schema_extra={"pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
        examples=["5f2b7a52-9d2f-4f0c-9d7a-2f1f0a4f7f11"],
    ),
]
IfMatchDep = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="Required. The ETag of the version that you change.",
        json_schema_extra={"pattern": ETAGS, "minLength": 1},  # judged in app.etags
        examples=["*"],
    ),
]


def client_address(request: Request) -> str:
    """The peer's address; behind a proxy, what the proxy says (uvicorn trusts only the configured ones)."""
    return request.client.host if request.client else ""


async def get_runtime(request: Request) -> Runtime:  # what is not async goes to another thread and back
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeDep = Annotated[Runtime, Depends(get_runtime)]


async def get_caller(
    request: Request, runtime: RuntimeDep, credentials: _Credentials, acting_for: TenantHeader = None
) -> Caller:
    """The authenticated caller. Raises Unauthenticated, Forbidden, TooMany."""
    if credentials is None:
        raise refused("missing")
    known = recognise(runtime, credentials.credentials) if _opens_transaction(request) else None
    if known is not None:
        caller, request.state.unproved = known
    else:
        caller = await authenticate(runtime, credentials.credentials)
    request.state.caller = caller
    if acting_for is not None:
        caller = request.state.caller = await act_for(runtime, caller, _tenant(acting_for))
    structlog.contextvars.bind_contextvars(
        tenant_id=encode_id("tenant", caller.tenant_id), key_id=encode_id("api_key", caller.key_id)
    )
    await check_rate(runtime, request, KEY_POLICY, str(caller.key_id))
    return caller


async def get_public_caller(
    request: Request, runtime: RuntimeDep, credentials: _Credentials, acting_for: TenantHeader = None
) -> Caller:
    """The caller when a key is shown, else the public one."""
    if credentials is None and "authorization" not in request.headers:
        return PUBLIC
    return await get_caller(request, runtime, credentials, acting_for)


CallerDep = Annotated[Caller, Depends(get_caller)]
PublicCallerDep = Annotated[Caller, Depends(get_public_caller)]


def require(scope: str) -> Any:
    """A dependency that refuses keys without the scope: `dependencies=[require("runs:write")]` on a route."""

    async def check(caller: CallerDep) -> None:
        caller.require(scope)

    check.scope = scope  # type: ignore[attr-defined]  # read by the OpenAPI document and the scope matrix test
    return Depends(check)


@asynccontextmanager
async def _session(request: Request, runtime: Runtime, caller: Caller) -> AsyncIterator[AsyncSession]:
    unproved: Unproved | None = getattr(request.state, "unproved", None)
    try:
        async with runtime.db.transaction(caller.tenant_id, unproved.condition if unproved else "") as session:
            request.state.unproved = None
            request.state.session = session
            yield session
    except ConditionFailed:
        await prove_caller(request)
        raise refused("changed", caller.key_id, caller.tenant_id) from None
    for run_id in session.info.get("wake", []):
        await runtime.wake(run_id)


async def prove_caller(request: Request) -> None:
    """Asks for the key of a caller who was recognised, where no transaction has proved it. Raises Unauthenticated."""
    unproved: Unproved | None = getattr(request.state, "unproved", None)
    if unproved is not None:
        await prove(request.app.state.runtime, request.state.caller, unproved)
        request.state.unproved = None


def _opens_transaction(request: Request) -> bool:
    return bool(getattr(request.state, "opens_transaction", False))


async def get_session(request: Request, runtime: RuntimeDep, caller: CallerDep) -> AsyncIterator[AsyncSession]:
    """One transaction for the caller's tenant, committed before the answer is sent; then the runs put into
    `session.info["wake"]` are woken."""
    async with _session(request, runtime, caller) as session:
        yield session


async def get_public_session(
    request: Request, runtime: RuntimeDep, caller: PublicCallerDep
) -> AsyncIterator[AsyncSession]:
    """The same for routes that take callers without a key."""
    async with _session(request, runtime, caller) as session:
        yield session


OPENING = frozenset({get_session, get_public_session})
"""What proves the key of a recognised caller, so a route that asks for neither has every key asked for."""
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
PublicSessionDep = Annotated[AsyncSession, Depends(get_public_session, scope="function")]


async def idempotent(
    request: Request, runtime: RuntimeDep, caller: CallerDep, session: SessionDep, key: IdempotencyHeader = None
) -> None:
    """Makes a POST repeatable; see app.idempotency."""
    await claim_key(request, runtime, caller, session, key, "")


async def claim_key(
    request: Request, runtime: Runtime, caller: Caller, session: AsyncSession, key: str | None, apart: str
) -> None:
    """`apart` keeps the keys of callers who share a tenant but not their answers."""
    route = f"{request.method} {request.url.path}{apart}"
    content = request_hash(route, request.url.query, await request.body())
    request.state.idempotency = await begin(runtime, session, caller.tenant_id, route, key, content)


IdempotencyDep = Annotated[None, Depends(idempotent, scope="function")]


async def get_paging(
    runtime: RuntimeDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before.")] = None,
) -> Paging:
    return Paging(limit=limit, cursor=cursor, sign=runtime.keys.pepper)


PagingDep = Annotated[Paging, Depends(get_paging)]
EXPAND = Query(description="What to send along, from a closed list; may be given several times.", max_length=10)


def _tenant(text: str) -> UUID:
    try:
        return decode_id("tenant", text)
    except ValueError as wrong:
        raise Forbidden("This key may not act for that tenant.") from wrong
