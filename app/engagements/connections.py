"""Connections of an engagement: stored sealed, proven live, never shown again."""

import asyncio
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.base_urls import is_base_url
from app.engagements.connecting import open_connector, seal_credentials
from app.engagements.problems import edition_problem, problem_of, silent
from app.engagements.shelf import is_upload
from app.engagements.uploads import uploads_problem
from app.errors import AnotherRunActive, AppError, Invalid, NotFound, TargetForbidden, pointer_to
from app.models.columns import new_id
from app.models.engagement import Connection, Engagement
from app.models.run import Run
from app.outbound import check_target
from app.runtime import Runtime
from connectors.base import Platform
from connectors.errors import ConnectorError
from connectors.registry import PLATFORMS

_PATIENCE_SECONDS = 20.0


async def find_connection(session: AsyncSession, engagement: Engagement, role: str) -> Connection:
    """The connection of a role. Raises NotFound."""
    statement = select(Connection).where(Connection.engagement_id == engagement.id, Connection.role == role)
    connection = (await session.exec(statement)).first()
    if connection is None:
        raise NotFound(f"This engagement has no {role} connection yet; PUT one.")
    return connection


async def list_connections(session: AsyncSession, engagement: Engagement) -> list[Connection]:
    """The engagement's connections, at most one a role."""
    statement = select(Connection).where(Connection.engagement_id == engagement.id).order_by(Connection.role)
    return list((await session.exec(statement)).all())


async def put_connection(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    role: str,
    *,
    platform: str | None,
    name: str,
    config: dict[str, Any],
    credentials: dict[str, Any] | None,
) -> Connection:
    """Stores a connection; changed credentials or config make it untested and forget its token.

    Raises Invalid with pointers, TargetForbidden for an address that may not be called, AnotherRunActive while a run
    uses the account.
    """
    manifest = _platform(engagement, role, platform)
    _check_mode(manifest, role, config, credentials)
    await _check_addresses(runtime, config)
    statement = select(Connection).where(Connection.engagement_id == engagement.id, Connection.role == role)
    connection = (await session.exec(statement.with_for_update())).first()
    await _check_idle(session, engagement, connection)
    now = runtime.now()
    if connection is None:
        connection = Connection(
            id=new_id(),
            tenant_id=engagement.tenant_id,
            engagement_id=engagement.id,
            role=role,
            platform=manifest.slug,
            created_at=now,
            updated_at=now,
        )
    changed = config != connection.config or credentials is not None
    if credentials is not None:
        checked = _credentials(manifest, credentials)
        connection.credentials = seal_credentials(runtime, connection, checked)
    elif is_upload(config):
        connection.credentials = None
    elif connection.credentials is None or addresses(config) != addresses(connection.config):
        detail = "Send the credentials: they are new, or the address has changed."
        raise _wrong("/credentials", "credentials-needed", detail)
    connection.name, connection.config, connection.updated_at = name, config, now
    if changed:
        connection.state, connection.token, connection.tested_at = "untested", None, None
        connection.facts, connection.problem, connection.budget = {}, {}, {}
    session.add(connection)
    await session.flush()
    return connection


async def prove_connection(runtime: Runtime, tenant_id: UUID, engagement_id: UUID, role: str) -> Connection:
    """Calls the platform with the stored credentials and stores what became of it; no transaction is open meanwhile.

    Raises NotFound, StepMissing, and the problem that the platform gave cause for.
    """
    async with runtime.db.transaction(tenant_id) as session:
        engagement = await session.get(Engagement, engagement_id)
        if engagement is None:
            raise NotFound("There is no such engagement.")
        connection = await find_connection(session, engagement, role)
    facts: dict[str, Any] = {}
    problem: AppError | None = None
    platform = PLATFORMS[connection.platform]
    # a person waits here: the connectors' own patience with an account that is away is far longer
    patience = min(_PATIENCE_SECONDS, runtime.settings.call_timeout_seconds)
    if is_upload(connection.config):  # files are read here, no vendor is called
        patience = _PATIENCE_SECONDS
    try:
        await _check_addresses(runtime, connection.config)
        async with asyncio.timeout(patience), open_connector(runtime, connection) as connector:
            facts = await connector.check()
        problem = _edition_gate(platform, facts)
    except ConnectorError as error:
        problem = uploads_problem(error) if is_upload(connection.config) else problem_of(error, platform.name, role)
    except TimeoutError:
        problem = silent(platform.name, role, patience)
    await _store_verdict(runtime, connection, facts, problem)
    if problem is not None:
        raise problem
    return connection


async def _store_verdict(
    runtime: Runtime, connection: Connection, facts: dict[str, Any], problem: AppError | None
) -> None:
    """Only for the credentials and config that were tested: a PUT meanwhile wins."""
    now = runtime.now()
    async with runtime.db.transaction(connection.tenant_id) as session:
        row = await session.get(Connection, connection.id, with_for_update=True)
        if row is None or row.credentials != connection.credentials or row.config != connection.config:
            return
        for one in (row, connection):
            one.state = "ok" if problem is None else "failed"
            one.facts = facts or one.facts
            one.problem = {} if problem is None else {"code": problem.code, "detail": problem.detail}
            one.tested_at = now
        session.add(row)


def addresses(config: dict[str, Any]) -> dict[str, str]:
    """The entries of a config that name a place to send requests to."""
    return {key: value for key, value in config.items() if key.endswith("url") and isinstance(value, str)}


def _platform(engagement: Engagement, role: str, given: str | None) -> Platform:
    slug = engagement.source if role == "source" else engagement.destination
    if given is not None and given != slug:
        raise _wrong("/platform", "other-platform", f"The {role} of this engagement is {slug}, not {given}.")
    platform = PLATFORMS[slug]
    if (platform.source if role == "source" else platform.destination) is None:
        raise _wrong(
            "/platform", "no-api", f"{platform.name} cannot be connected as a {role}; upload its export instead."
        )
    return platform


def _check_mode(platform: Platform, role: str, config: dict[str, Any], credentials: dict[str, Any] | None) -> None:
    """`mode` is `api` (also when it is absent) or `upload`, the latter for sources whose exports can be read."""
    if config.get("mode", "api") not in ("api", "upload"):
        raise _wrong("/config/mode", "unknown-mode", 'mode is "api" or "upload".')
    if not is_upload(config):
        return
    if role != "source" or "uploads" not in platform.facts:
        raise _wrong("/config/mode", "no-uploads", f"{platform.name} cannot be read from files as a {role}.")
    if credentials is not None:
        raise _wrong("/credentials", "not-needed", "Uploaded files need no credentials; leave them out.")


def _credentials(platform: Platform, given: dict[str, Any]) -> BaseModel:
    try:
        return platform.credentials.model_validate(given)
    except ValidationError as error:
        places = [
            {
                "pointer": pointer_to("credentials", *fault["loc"]),
                "code": fault["type"].replace("_", "-"),
                "detail": fault["msg"].removeprefix("Value error, "),
            }
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        names = ", ".join(platform.credentials.model_fields)
        raise Invalid(f"{platform.name} credentials consist of: {names}.", errors=places) from None


async def _check_addresses(runtime: Runtime, config: dict[str, Any]) -> None:
    for key, url in addresses(config).items():
        if not is_base_url(url):
            detail = f"{key} must be http(s)://host[:port][/path] and nothing else."
            raise _wrong(f"/config/{key}", "not-a-base-url", detail)
        if not runtime.settings.allow_private_targets:
            await _check_public(key, url)


async def _check_public(key: str, url: str) -> None:
    try:
        await check_target(url, allow_loopback=False)
    except TargetForbidden as error:
        pointer = {"pointer": f"/config/{key}", "code": "target-forbidden", "detail": error.detail}
        raise TargetForbidden(error.detail, errors=[pointer]) from None


async def _check_idle(session: AsyncSession, engagement: Engagement, connection: Connection | None) -> None:
    """An account in use is not exchanged under a run; a paused or waiting run may get new credentials."""
    if connection is None:
        return
    busy = select(Run.id).where(
        Run.engagement_id == engagement.id,
        Run.state.in_(("queued", "running", "cancelling")),  # type: ignore[attr-defined]
    )
    if (await session.exec(busy)).first() is not None:
        raise AnotherRunActive("A run is using this engagement's accounts. Pause or cancel it first, then PUT again.")


def _edition_gate(platform: Platform, facts: dict[str, Any]) -> AppError | None:
    name = str(facts.get("edition") or "")
    edition = platform.editions.get(name)
    if edition is None or edition.api_access:
        return None
    return edition_problem(
        platform.name, edition.name, [one.name for one in platform.editions.values() if one.api_access]
    )


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])
