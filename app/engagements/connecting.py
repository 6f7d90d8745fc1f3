"""Opens a platform's connector for a stored connection; used by the API's test call and by the engine alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from pydantic import BaseModel, JsonValue

from app.engagements.shelf import is_upload, upload_context
from app.engagements.tokens import ConnectionTokens
from app.errors import CredentialsRejected, StepMissing, TargetForbidden
from app.models.engagement import Connection
from app.outbound import check_target
from app.runtime import Runtime
from connectors.base import CallMeter, ConnectionContext, Destination, Platform, Source
from connectors.errors import CredentialsRejected as RefusedByPlatform
from connectors.registry import PLATFORMS
from connectors.throttle import AccountThrottle

SOURCE = "source"
_RECHECK_SECONDS = 60.0
_BUDGETS = ("credits_per_day", "calls_per_window", "api_requests_max")
"""Names under which manifests document the budget of a quota window."""

Guard = Callable[[str], Awaitable[None]]


def credentials_place(tenant_id: UUID, connection_id: UUID) -> str:
    """What a connection's sealed credentials are bound to."""
    return f"connection:{tenant_id}:{connection_id}:credentials"


def seal_credentials(runtime: Runtime, connection: Connection, credentials: BaseModel) -> bytes:
    """The credentials as sealed bytes, secrets included."""
    clear = orjson.dumps(revealed(credentials))
    return runtime.keys.seal(clear, place=credentials_place(connection.tenant_id, connection.id))


def open_credentials(runtime: Runtime, connection: Connection) -> BaseModel:
    """The unsealed credentials as the platform's model. Raises StepMissing when none are stored, SealBroken."""
    if connection.credentials is None:
        raise StepMissing(f"The {connection.role} connection has no credentials yet; PUT the connection first.")
    clear = runtime.keys.unseal(connection.credentials, place=credentials_place(connection.tenant_id, connection.id))
    return PLATFORMS[connection.platform].credentials.model_validate(orjson.loads(clear))


def revealed(model: BaseModel) -> dict[str, Any]:
    """The model's JSON with secrets in clear; only ever sealed, never returned or logged."""
    result: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if value is None:
            continue
        reveal = getattr(value, "get_secret_value", None)
        result[name] = revealed(value) if isinstance(value, BaseModel) else reveal() if reveal else value
    return result


def account_throttle(runtime: Runtime, platform: Platform, connection: Connection) -> AccountThrottle:
    """The account's limits: the manifest's, narrowed by the edition that was found and by the connection's config.

    `config` may set `concurrency`, `sub_concurrency`, `rate` (calls per second), `credits_per_day` or
    `calls_per_window` (the budget of a window) and `reserve` (share of the budget left to the customer). What an
    earlier process booked is taken over.
    """
    edition = platform.editions.get(str(connection.facts.get("edition") or ""))
    facts: dict[str, Any] = {**(edition.facts if edition else {}), **connection.facts, **connection.config}
    default = (edition.concurrency if edition else None) or platform.limits.concurrency
    throttle = AccountThrottle(
        clock=runtime.now,
        concurrency=_positive(facts.get("concurrency")) or default,
        heavy_concurrency=_positive(facts.get("sub_concurrency")),
        rate=float(facts["rate"]) if facts.get("rate") else None,
        budget=next((found for name in _BUDGETS if (found := _positive(facts.get(name)))), None),
        window=float(facts.get("quota_window") or platform.limits.quota_window),
        reserve=float(facts.get("reserve") or 0.0),
        turning=platform.limits.quota_turns,
    )
    if connection.budget:
        throttle.restore(connection.budget)
    return throttle


def account_context(runtime: Runtime, connection: Connection, *, meter: CallMeter | None = None) -> ConnectionContext:
    """All that a connector of this account is built from. Raises StepMissing without credentials.

    A connection that reads uploaded files has no account and needs none.
    """
    if is_upload(connection.config):
        return upload_context(runtime, connection, meter)
    credentials = open_credentials(runtime, connection)
    assert connection.credentials is not None
    return ConnectionContext(
        credentials=credentials,
        config={**connection.config, "guard": target_guard(runtime)},
        tokens=ConnectionTokens(runtime, connection.tenant_id, connection.id, connection.credentials),
        throttle=account_throttle(runtime, PLATFORMS[connection.platform], connection),
        clock=runtime.now,
        meter=meter or CallMeter(),
    )


@asynccontextmanager
async def open_connector(
    runtime: Runtime,
    connection: Connection,
    role: str | None = None,
    *,
    context: ConnectionContext | None = None,
) -> AsyncIterator[Source | Destination]:
    """The connector behind `connection`, closed at the end; the account's budget is booked then.

    `role` (default: the connection's own) chooses the side: "source", anything else is a destination. `context` lets a
    caller keep the meter and the throttle. Raises CredentialsRejected when the platform lacks that side, StepMissing
    without credentials; the connector's own errors pass through.
    """
    platform = PLATFORMS[connection.platform]
    used = context or account_context(runtime, connection)
    build = platform.source if (role or connection.role) == SOURCE else platform.destination
    if build is None:
        raise CredentialsRejected(f"{platform.name} cannot be used as a {role or connection.role}.")
    connector = build(used)
    try:
        yield connector
    finally:
        await connector.close()
        await book_budget(runtime, connection, used)


@asynccontextmanager
async def open_source(
    runtime: Runtime, connection: Connection, *, context: ConnectionContext | None = None
) -> AsyncIterator[Source]:
    """`open_connector` for reading."""
    async with open_connector(runtime, connection, SOURCE, context=context) as connector:
        yield cast("Source", connector)


@asynccontextmanager
async def open_destination(
    runtime: Runtime, connection: Connection, *, context: ConnectionContext | None = None
) -> AsyncIterator[Destination]:
    """`open_connector` for writing."""
    async with open_connector(runtime, connection, "destination", context=context) as connector:
        yield cast("Destination", connector)


def target_guard(runtime: Runtime) -> Guard | None:
    """Sees every URL before a call: only public addresses, unless the installation allows private ones.

    A vendor's answer may send us to another host (its API domain), so the stored base URL is not all there is to check.
    """
    if runtime.settings.allow_private_targets:
        return None
    checked: dict[str, float] = {}

    async def guard(url: str) -> None:
        parts = urlsplit(url)
        origin, now = f"{parts.scheme}://{parts.netloc}", asyncio.get_running_loop().time()
        if checked.get(origin, 0.0) > now:
            return
        try:
            await check_target(origin, allow_loopback=False)
        except TargetForbidden as error:
            raise RefusedByPlatform(f"{parts.netloc} may not be called: {error.detail}") from None
        checked[origin] = now + _RECHECK_SECONDS

    return guard


async def book_budget(runtime: Runtime, connection: Connection, context: ConnectionContext) -> None:
    """Books the throttle's window in PostgreSQL, so that it survives this process."""
    throttle = context.throttle
    if not isinstance(throttle, AccountThrottle):
        return
    snapshot: dict[str, JsonValue] = throttle.snapshot()
    async with runtime.db.connection(connection.tenant_id) as raw:
        await raw.execute("UPDATE connections SET budget = $2 WHERE id = $1", connection.id, snapshot)


def _positive(value: object) -> int | None:
    return int(value) if isinstance(value, int | float | str) and str(value).isdigit() and int(value) > 0 else None
