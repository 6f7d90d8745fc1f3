"""Makes, rotates and revokes keys, and exchanges them for access tokens."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access import KEY_PREFIX, TOKEN_PREFIX, Caller, authenticate, digest, make_secret, read_key_id, refused, rights
from app.audit_chain import append
from app.domain.ids import encode_id
from app.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from app.keys.oauth import InvalidClient, InvalidScope, TokenRequest
from app.models import ApiKey, OAuthToken
from app.models.columns import new_id
from app.paging import Paging, Rows, fetch_page
from app.runtime import Runtime

HINT_LETTERS = 4
TOKEN_LIFE = timedelta(hours=1)


class KeyInUse(Conflict):
    title = "A key cannot revoke itself"


class KeyNotLive(Conflict):
    title = "The key is revoked or expired"


async def create_key(
    runtime: Runtime,
    session: AsyncSession,
    caller: Caller,
    *,
    name: str,
    role: str,
    scopes: list[str],
    expires_at: datetime | None,
) -> tuple[ApiKey, str]:
    """The new key's row and the key itself. Raises Forbidden when it would hold more rights than the caller."""
    beyond = sorted(rights(role, scopes) - caller.scopes)
    if beyond:
        raise Forbidden("A key cannot give rights that it does not have itself.", scopes=beyond)
    if expires_at is not None and expires_at <= runtime.now():
        raise Invalid(
            "A key that has expired already is of no use.",
            errors=[{"pointer": "/expires_at", "code": "in-the-past", "detail": "Must be in the future."}],
        )
    key_id = new_id()
    secret = make_secret(KEY_PREFIX, key_id)
    row = ApiKey(
        id=key_id,
        tenant_id=caller.tenant_id,
        name=name,
        role=role,
        scopes=list(scopes),
        digest=digest(runtime.keys, secret),
        hint="…" + secret[-HINT_LETTERS:],
        created_at=runtime.now(),
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    return row, secret


async def list_keys(session: AsyncSession, caller: Caller, paging: Paging) -> Rows[ApiKey]:
    """Keys, newest first, revoked ones included."""
    statement = select(ApiKey).where(ApiKey.tenant_id == caller.tenant_id)
    return await fetch_page(session, statement, (ApiKey.created_at, ApiKey.id), paging, name="keys")


async def rotate_key(
    runtime: Runtime, session: AsyncSession, caller: Caller, key_id: UUID, *, overlap: timedelta
) -> tuple[ApiKey, str]:
    """A successor with the same name, rights and end; the old key ends after `overlap`. Raises NotFound, KeyNotLive."""
    old = await _get(session, caller, key_id)
    now = runtime.now()
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise KeyNotLive("Create a new key instead.")
    if old.replaced_by is not None:
        raise KeyNotLive("It was replaced before and ends soon; rotate its successor.")
    row, secret = await create_key(
        runtime, session, caller, name=old.name, role=old.role, scopes=old.scopes, expires_at=old.expires_at
    )
    old.expires_at = min(filter(None, (old.expires_at, now + overlap)))
    old.replaced_by = row.id
    session.add(old)
    await session.flush()
    return row, secret


async def revoke_key(runtime: Runtime, session: AsyncSession, caller: Caller, key_id: UUID) -> None:
    """Ends a key and its tokens at once; a key revoked before stays as it was. Raises NotFound, KeyInUse."""
    row = await _get(session, caller, key_id)
    if row.id == caller.key_id:
        raise KeyInUse("Use another key to revoke this one, or rotate it.")
    if row.revoked_at is None:
        row.revoked_at = runtime.now()
        session.add(row)


async def _get(session: AsyncSession, caller: Caller, key_id: UUID) -> ApiKey:
    found = await session.exec(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.tenant_id == caller.tenant_id).with_for_update()
    )
    row = found.first()
    if row is None:
        raise NotFound("No such key.")
    return row


async def issue_token(runtime: Runtime, wanted: TokenRequest) -> tuple[str, Iterable[str], timedelta]:
    """An access token for a key: the token, its scopes, its life.

    Raises InvalidClient, and InvalidScope for a scope that the key lacks.
    """
    key_id = read_key_id(wanted.client_secret)
    try:
        if key_id is None or f"tsk_{wanted.client_id.removeprefix('key_')}" != wanted.client_secret.rpartition("_")[0]:
            raise refused("client_mismatch")
        caller = await authenticate(runtime, wanted.client_secret)
    except Unauthenticated as error:
        raise InvalidClient("No live key has this id and secret.").about(error) from None
    asked = frozenset(wanted.scope.split())
    if not asked <= caller.scopes:
        raise InvalidScope("The key lacks some of these scopes.", scopes=sorted(asked - caller.scopes))
    granted = sorted(asked or caller.scopes)
    secret = make_secret(TOKEN_PREFIX)
    now = runtime.now()
    async with runtime.db.transaction(caller.tenant_id) as session:
        ends: datetime | None = await session.scalar(select(col(ApiKey.expires_at)).where(ApiKey.id == key_id))
        expires_at = min(filter(None, (ends, now + TOKEN_LIFE)))
        session.add(
            OAuthToken(
                digest=digest(runtime.keys, secret),
                tenant_id=caller.tenant_id,
                api_key_id=caller.key_id,
                scopes=granted,
                expires_at=expires_at,
            )
        )
        await session.flush()
        raw = await (await session.connection()).get_raw_connection()
        entry = ("token", "", "create_access_token", "POST", None, "changed", "", encode_id("api_key", caller.key_id))
        stamp = int(now.timestamp() * 1000)
        await append(raw.driver_connection, caller.tenant_id, [(*entry, stamp)], subject="api", at=now)
    return secret, granted, expires_at - now
