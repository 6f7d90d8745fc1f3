"""Idempotency-Key: the first answer is kept in the transaction of what the request did, and given again afterwards.

A transaction-level advisory lock marks a key as in flight, so that a process that dies frees it. A refused request
(4xx, 5xx) leaves nothing behind and may be sent again under the same key.
"""

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import BadRequest, IdempotencyKeyMissing, IdempotencyKeyReused, RequestInFlight
from app.models import IdempotencyKey
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
    free = await session.scalar(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number})
    if not free:
        raise RequestInFlight("The first request with this key is still being worked on; ask again.").with_headers(
            Retry_After="1"
        )
    found = await session.exec(
        select(IdempotencyKey).where(
            IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.route == route, IdempotencyKey.key == key
        )
    )
    row = found.first()
    pending = Pending(runtime, session, tenant_id, route, key, content)
    if row is None:
        return pending
    if row.request_hash != content:
        raise IdempotencyKeyReused("Use a new Idempotency-Key for another request.")
    body = runtime.keys.unseal(row.body, place=_place(pending)) if row.body is not None else b""
    raise Replay(row.status or 200, {name: str(value) for name, value in row.headers.items()}, body)


async def keep_answer(pending: Pending, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keeps the answer, sealed as it may hold a secret, in the transaction that `begin` was called in."""
    pending.session.add(
        IdempotencyKey(
            tenant_id=pending.tenant_id,
            route=pending.route,
            key=pending.key,
            request_hash=pending.request_hash,
            status=status,
            headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
            body=pending.runtime.keys.seal(body, place=_place(pending)),
            created_at=pending.runtime.now(),
        )
    )
    await pending.session.flush()


def _place(pending: Pending) -> str:
    return f"idempotency:{pending.tenant_id}:{pending.route}:{pending.key}"
