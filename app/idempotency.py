"""Idempotency-Key: the first answer is kept in the transaction of what the request did, and given again afterwards.

A transaction-level advisory lock marks a key as in flight, so that a process that dies frees it. A refused request
(4xx, 5xx) leaves nothing behind and may be sent again under the same key.
"""

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import driver_connection, flush
from app.errors import BadRequest, IdempotencyKeyMissing, IdempotencyKeyReused, RequestInFlight
from app.runtime import Runtime

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location", "etag", "retry-after")


@dataclass(frozen=True, slots=True)
class Pending:
    """A request whose answer is to be kept."""

    runtime: Runtime
    session: AsyncSession
    tenant_id: UUID
    route: str
    key: str
    request_hash: bytes


class Replay(Exception):
    """Not an error: this request was answered before, here is that answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__("answered before")
        self.status = status
        self.headers = headers
        self.body = body


def request_hash(route: str, query: str, body: bytes) -> bytes:
    """A hash of what is asked, the same for the same JSON in another order or spacing."""
    try:
        canonical = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS) if body else b""
    except orjson.JSONDecodeError:
        canonical = body
    return hashlib.blake2b(b"\0".join((route.encode(), query.encode(), canonical)), digest_size=32).digest()


async def begin(
    runtime: Runtime, session: AsyncSession, tenant_id: UUID, route: str, key: str | None, content: bytes
) -> Pending:
    """Claims the key for this request in the session's transaction. `content` is `request_hash` of the request.

    Raises IdempotencyKeyMissing, BadRequest for an unusable key, RequestInFlight, IdempotencyKeyReused, and Replay
    with the kept answer.
    """
    if key is None:
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key header, for example a UUID, new for each thing to be done."
        )
    if not _KEY.fullmatch(key):
        raise BadRequest("An Idempotency-Key has 1 to 255 printable ASCII characters without spaces.")
    lock = hashlib.blake2b(f"{tenant_id}\0{route}\0{key}".encode(), digest_size=8).digest()
    number = int.from_bytes(lock, "big", signed=True)
    connection = await driver_connection(session)
    # in statements of their own: the second must see what the one who had the lock before has committed
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", number):
        raise RequestInFlight("The first request with this key is still being worked on; ask again.").with_headers(
            Retry_After="1"
        )
    row = await connection.fetchrow(_FIND, tenant_id, route, key)
    pending = Pending(runtime, session, tenant_id, route, key, content)
    if row is None:
        return pending
    if row["request_hash"] != content:
        raise IdempotencyKeyReused("Use a new Idempotency-Key for another request.")
    body = runtime.keys.unseal(row["body"], place=_place(pending)) if row["body"] is not None else b""
    raise Replay(row["status"] or 200, {name: str(value) for name, value in row["headers"].items()}, body)


async def keep_answer(pending: Pending, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keeps the answer, sealed as it may hold a secret, in the transaction that `begin` was called in."""
    await flush(pending.session)
    connection = await driver_connection(pending.session)
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    await connection.execute(
        _KEEP,
        *(pending.tenant_id, pending.route, pending.key, pending.request_hash, status, orjson.dumps(kept).decode()),
        *(pending.runtime.keys.seal(body, place=_place(pending)), pending.runtime.now()),
    )


_FIND = """
    SELECT request_hash, status, headers, body FROM idempotency_keys WHERE tenant_id = $1 AND route = $2 AND key = $3
"""
_KEEP = """
    INSERT INTO idempotency_keys (tenant_id, route, key, request_hash, status, headers, body, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


def _place(pending: Pending) -> str:
    return f"idempotency:{pending.tenant_id}:{pending.route}:{pending.key}"
