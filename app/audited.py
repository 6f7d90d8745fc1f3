"""What a request leaves in the audit log: every change, every export and every refused access, never a value.

An entry has the shape of the engine's: ["request", request id, operation, method, ids, outcome, reason, key id, time].
`outcome` is changed | exported | refused; `ids` are those in the path and the one that was made, joined by blanks.
"""

import re
import time
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from app.access import Caller
from app.audit_chain import append
from app.db import driver_connection, flush
from app.domain.ids import decode_id, encode_id
from app.errors import AppError, Forbidden, Unauthenticated
from app.runtime import Runtime

log = structlog.get_logger()

SUBJECT = "api"
EXPORTS = frozenset(
    {
        "download_file",
        "export_audit",
        "export_mapping",
        "export_tenant_audit",
        "get_report",
        "list_upload_documents",
        "list_upload_rejects",
    }
)
"""Reading operations that hand out what was moved, or the log itself."""
READING_POSTS = frozenset({"validate_mapping"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ID = re.compile(r"[a-z]{2,4}_[0-9a-z]{26}")
_SECONDS_APART = 60.0
_MOST_NOTED = 10_000
_noted: dict[tuple[str, str], float] = {}


async def note_done(request: Request, response: Response) -> None:
    """Adds the entry of an answered request to the transaction of what it did; its own where the route has none."""
    caller: Caller | None = getattr(request.state, "caller", None)
    operation = operation_of(request)
    if caller is None or response.status_code >= 400:
        return
    if request.method in _SAFE:
        if operation not in EXPORTS:
            return
        outcome = "exported"
    elif operation in READING_POSTS:
        return
    else:
        outcome = "changed"
    runtime: Runtime = request.app.state.runtime
    ids = [*_path_ids(request), *_made(response)]
    entry = _entry(request, runtime, outcome, "", encode_id("api_key", caller.key_id), ids)
    session = getattr(request.state, "session", None)
    if session is None:
        async with runtime.db.connection(caller.tenant_id) as connection:
            await _write(runtime, connection, caller.tenant_id, entry, _engagement(ids))
        return
    await flush(session)
    await _write(runtime, await driver_connection(session), caller.tenant_id, entry, _engagement(ids))


async def note_refusal(request: Request, error: AppError) -> None:
    """Writes down a refused access where it is known whose it was; never makes the refusal fail."""
    if not isinstance(error, Unauthenticated | Forbidden):
        return
    caller: Caller | None = getattr(request.state, "caller", None)
    tenant_id: UUID | None = caller.tenant_id if caller else getattr(error, "tenant_id", None)
    if tenant_id is None:
        return
    key = encode_id("api_key", caller.key_id) if caller else getattr(error, "key_id", "")
    reason = str(getattr(error, "reason", "") or error.extra.get("scope") or error.code)
    if caller is None and not _is_news(key, reason):
        return
    runtime: Runtime = request.app.state.runtime
    ids = _path_ids(request)
    entry = _entry(request, runtime, "refused", reason, key, ids)
    try:
        async with runtime.db.connection(tenant_id) as connection:
            await _write(runtime, connection, tenant_id, entry, None)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as wrong:
        log.error("refusal_not_audited", error=type(wrong).__name__, key=key, reason=reason)


def operation_of(request: Request) -> str:
    """The operation id of the matched route, "" for none."""
    return str(getattr(request.scope.get("route"), "operation_id", "") or "")


def _is_news(key: str, reason: str) -> bool:
    """Somebody without a valid key cannot fill the log: one entry a minute for each key and reason, the rest is in
    the process's own log."""
    now = time.monotonic()
    if now - _noted.get((key, reason), -_SECONDS_APART) < _SECONDS_APART:
        return False
    if len(_noted) >= _MOST_NOTED:
        _noted.clear()
    _noted[key, reason] = now
    return True


def _entry(
    request: Request, runtime: Runtime, outcome: str, reason: str, key: str, ids: list[str]
) -> list[str | int | None]:
    stamp = int(runtime.now().timestamp() * 1000)
    request_id = str(getattr(request.state, "request_id", ""))
    operation = operation_of(request)
    return ["request", request_id, operation, request.method, " ".join(ids) or None, outcome, reason, key, stamp]


async def _write(
    runtime: Runtime, connection: Any, tenant_id: UUID, entry: list[str | int | None], engagement_id: UUID | None
) -> None:
    await append(connection, tenant_id, [entry], subject=SUBJECT, at=runtime.now(), engagement_id=engagement_id)


def _path_ids(request: Request) -> list[str]:
    """Typed ids of the path; whatever else a caller wrote there is not kept."""
    return [value for value in map(str, request.path_params.values()) if _ID.fullmatch(value)]


def _made(response: Response) -> list[str]:
    """The id of what was created."""
    if response.status_code not in (201, 202) or isinstance(response, StreamingResponse):
        return []
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return []
    made = body.get("id") if isinstance(body, dict) else None
    return [made] if isinstance(made, str) and _ID.fullmatch(made) else []


def _engagement(ids: list[str]) -> UUID | None:
    for one in ids:
        if one.startswith("eng_"):
            return decode_id("engagement", one)
    return None
