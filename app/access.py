"""Who calls and what they may do: API keys, tokens, roles and scopes. Knows nothing of HTTP.

A key reads `tsk_<key id>_<secret><checksum>`; only a keyed hash of it is stored. The checksum lets a typing error, and
a scanner for leaked keys, be told apart from a real key without asking the database.
"""

import hmac
import secrets
import time
import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.ids import decode_id, encode_id
from app.errors import Forbidden, Unauthenticated
from app.known_keys import MOST_KEYS, KnownKey, Unproved
from app.runtime import Runtime
from app.security import KeyRing

KEY_PREFIX = "tsk"
TOKEN_PREFIX = "tst"  # noqa: S105  the public prefix of access tokens
PUBLIC_TENANT = UUID(int=0)
SECRET_BYTES = 32
USED_EVERY = timedelta(minutes=1)
NOTED_KEYS = 10_000
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SECRET_LETTERS = 52
_CHECKSUM_LETTERS = 7


class Role(StrEnum):
    """What kind of user a key stands for; a key's own scopes narrow it further."""

    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"
    WIDGET = "widget"


class Scope(StrEnum):
    """The closed list of rights."""

    QUOTES_WRITE = "quotes:write"
    QUOTES_REVIEW = "quotes:review"
    ENGAGEMENTS_READ = "engagements:read"
    ENGAGEMENTS_WRITE = "engagements:write"
    MAPPINGS_READ = "mappings:read"
    MAPPINGS_WRITE = "mappings:write"
    MAPPINGS_CONFIRM = "mappings:confirm"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    FILES_READ = "files:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"
    AGREEMENTS_CONFIRM = "agreements:confirm"
    ENGAGEMENTS_PURGE = "engagements:purge"


ALL_SCOPES = frozenset(Scope)
ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.OWNER: ALL_SCOPES,
    Role.OPERATOR: ALL_SCOPES - {Scope.KEYS_WRITE, Scope.AGREEMENTS_CONFIRM, Scope.ENGAGEMENTS_PURGE},
    Role.VIEWER: frozenset(scope for scope in Scope if scope.endswith(":read")),
    Role.WIDGET: frozenset({Scope.QUOTES_WRITE}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the tenant whose rows are meant, the key that was shown, and the rights that remain."""

    tenant_id: UUID
    key_id: UUID
    role: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raises Forbidden when the right is missing."""
        if scope not in self.scopes:
            raise Forbidden(f"This key lacks the scope {scope}; use a key that has it.", scope=scope)


PUBLIC = Caller(tenant_id=PUBLIC_TENANT, key_id=PUBLIC_TENANT, role="public", scopes=frozenset())


def rights(role: str, scopes: list[str]) -> frozenset[str]:
    """The role's scopes, narrowed to the key's own when it names any."""
    allowed: frozenset[str] = ROLE_SCOPES.get(Role(role), frozenset()) if role in set(Role) else frozenset()
    return allowed & frozenset(scopes) if scopes else allowed


def make_secret(prefix: str, key_id: UUID | None = None) -> str:
    """A new key or token in full, shown once."""
    number = int.from_bytes(secrets.token_bytes(SECRET_BYTES), "big")
    head = f"{prefix}_" if key_id is None else f"{prefix}_{_short(key_id)}_"
    body = head + _letters(number, _SECRET_LETTERS)
    return body + _checksum(body)


def read_key_id(text: str) -> UUID | None:
    """The id inside a well-formed key, None for anything else. Says nothing about whether the key exists."""
    prefix, _, rest = text.partition("_")
    short, _, tail = rest.partition("_")
    if prefix != KEY_PREFIX or not _well_formed(text, tail):
        return None
    try:
        return decode_id("api_key", f"key_{short}")
    except ValueError:
        return None


def is_token(text: str) -> bool:
    """Whether this is a well-formed access token."""
    prefix, _, tail = text.partition("_")
    return prefix == TOKEN_PREFIX and _well_formed(text, tail)


def digest(keys: KeyRing, secret: str) -> bytes:
    """What is stored of a key or token."""
    return keys.pepper(secret.encode())


async def authenticate(runtime: Runtime, secret: str) -> Caller:
    """The caller behind a bearer secret. Raises Unauthenticated; its `reason` attribute is for the log only."""
    if is_token(secret):
        return await _by_token(runtime, secret)
    key_id = read_key_id(secret)
    if key_id is None:
        raise refused("malformed")
    pool = await runtime.db.pool()
    row = await pool.fetchrow("SELECT * FROM find_api_key($1)", key_id)
    # an unknown id takes the same path as a wrong secret, so that time tells nothing
    known = row["digest"] if row is not None else b"\0" * 32
    if not hmac.compare_digest(digest(runtime.keys, secret), known) or row is None:
        raise refused("unknown" if row is None else "wrong_secret", key_id, row["tenant_id"] if row else None)
    if row["revoked_at"] is not None:
        raise refused("revoked", key_id, row["tenant_id"])
    if row["expires_at"] is not None and row["expires_at"] <= runtime.now():
        raise refused("expired", key_id, row["tenant_id"])
    await _note_use(runtime, row["tenant_id"], key_id)
    if len(runtime.known_keys) >= MOST_KEYS:
        runtime.known_keys.clear()
    key = KnownKey(key_id, row["tenant_id"], row["role"], tuple(row["scopes"]), row["digest"])
    runtime.known_keys[key_id] = key
    return _caller(key)


def _caller(key: KnownKey) -> Caller:
    return Caller(key.tenant_id, key.key_id, key.role, rights(key.role, list(key.scopes)))


def recognise(runtime: Runtime, secret: str) -> tuple[Caller, Unproved] | None:
    """The caller behind the secret of a known key, still to be proved by the transaction that is opened for it.

    None for a key that is to be authenticated: an unknown one, or one whose use is to be noted again.
    """
    key_id = read_key_id(secret)
    key = runtime.known_keys.get(key_id) if key_id is not None else None
    if key is None or _is_note_due(key.key_id) or not hmac.compare_digest(digest(runtime.keys, secret), key.digest):
        return None
    condition = key.condition(runtime.now())
    return (_caller(key), Unproved(secret, condition)) if condition is not None else None


async def prove(runtime: Runtime, caller: Caller, unproved: Unproved) -> None:
    """Asks for a known key after all. Raises Unauthenticated where it is not the key that it was."""
    runtime.known_keys.pop(caller.key_id, None)
    now_known = await authenticate(runtime, unproved.secret)
    if now_known.scopes != caller.scopes:
        raise refused("changed", caller.key_id, now_known.tenant_id)


async def _by_token(runtime: Runtime, secret: str) -> Caller:
    pool = await runtime.db.pool()
    row = await pool.fetchrow("SELECT * FROM find_oauth_token($1)", digest(runtime.keys, secret))
    if row is None:
        raise refused("unknown")
    if row["revoked_at"] is not None or row["expires_at"] <= runtime.now():
        reason = "revoked" if row["revoked_at"] is not None else "expired"
        raise refused(reason, row["api_key_id"], row["tenant_id"])
    return Caller(row["tenant_id"], row["api_key_id"], "token", frozenset(row["scopes"]))


async def act_for(runtime: Runtime, caller: Caller, tenant_id: UUID) -> Caller:
    """The partner's key acting for its customer. Raises Forbidden, without telling whether the tenant exists."""
    if tenant_id == caller.tenant_id:
        return caller
    pool = await runtime.db.pool()
    if await pool.fetchval("SELECT tenant_parent($1)", tenant_id) != caller.tenant_id:
        raise Forbidden("This key may not act for that tenant.")
    return replace(caller, tenant_id=tenant_id)


def refused(reason: str, key_id: UUID | None = None, tenant_id: UUID | None = None) -> Unauthenticated:
    """The one answer to every refused key, with the true reason and whose key it was kept for the logs."""
    error = Unauthenticated("Send a valid key as `Authorization: Bearer KEY`.")
    error.reason = reason
    error.key_id = encode_id("api_key", key_id) if key_id is not None else ""
    error.tenant_id = tenant_id
    return error.with_headers(WWW_Authenticate='Bearer realm="tranship"')


_last_noted: dict[UUID, float] = {}


async def _note_use(runtime: Runtime, tenant_id: UUID, key_id: UUID) -> None:
    """Writes last_used_at at most once a minute: the process remembers, the statement makes sure."""
    if not _is_note_due(key_id):
        return
    if len(_last_noted) >= NOTED_KEYS:
        _last_noted.clear()
    _last_noted[key_id] = time.monotonic()
    await note_use(runtime, tenant_id, key_id, runtime.now())


def _is_note_due(key_id: UUID) -> bool:
    return time.monotonic() - _last_noted.get(key_id, -1e9) >= USED_EVERY.total_seconds()


async def note_use(runtime: Runtime, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
    """Sets last_used_at unless it was set less than a minute before `now`."""
    async with runtime.db.connection(tenant_id) as connection:
        await connection.execute(
            "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
            key_id,
            now,
            now - USED_EVERY,
        )


def _short(key_id: UUID) -> str:
    return encode_id("api_key", key_id).partition("_")[2]


def _letters(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(letters))


def _checksum(body: str) -> str:
    return _letters(zlib.crc32(body.encode()), _CHECKSUM_LETTERS)


def _well_formed(text: str, tail: str) -> bool:
    if len(tail) != _SECRET_LETTERS + _CHECKSUM_LETTERS or not text.isascii():
        return False
    return hmac.compare_digest(_checksum(text[:-_CHECKSUM_LETTERS]), text[-_CHECKSUM_LETTERS:])
