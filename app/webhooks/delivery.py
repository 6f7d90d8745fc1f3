"""Delivers what is due: claim, post, record, each delivery on its own; the call lies between two short transactions."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from app import metrics, telemetry
from app.domain.ids import encode_id
from app.events import emit_raw
from app.models.columns import new_id
from app.outbound import Answer, Outbound, OutboundFailed
from app.runtime import Runtime
from app.security import SealBroken
from app.webhooks import schedule
from app.webhooks.kinds import EventType
from app.webhooks.schedule import Verdict
from app.webhooks.signing import open_secret, signed_headers

log = structlog.get_logger()

LEASE = timedelta(seconds=60)  # well over the 15 s that a call may take
AT_ONCE = 10

_CLAIM = """
    UPDATE webhook_deliveries d SET lease_until = $2, attempts = d.attempts + 1
    FROM webhook_endpoints p, events e
    WHERE d.id = $1 AND p.id = d.endpoint_id AND e.id = d.event_id AND d.state = 'pending' AND d.next_at <= $3
      AND (d.lease_until IS NULL OR d.lease_until <= $3)
    RETURNING d.id, d.tenant_id, d.endpoint_id, d.attempts, p.url, p.state AS endpoint_state, p.secret,
        p.previous_secret, p.previous_until, e.id AS event_id, e.sequence, e.type, e.data, e.engagement_id, e.run_id,
        e.created_at
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try gave: a status or the reason why there is none."""

    status: int | None
    problem: str
    milliseconds: int
    retry_after: timedelta | None = None


async def deliver_due(
    runtime: Runtime, most: int, *, outbound: Outbound | None = None, chance: Callable[[], float] = random.random
) -> int:
    """Tries up to `most` due deliveries, ten at once; returns how many were tried by this process."""
    outbound = outbound or Outbound(allow_loopback=runtime.settings.allow_private_targets)
    async with runtime.db.connection(None) as connection:
        due = await connection.fetch("SELECT id, tenant_id FROM due_deliveries($1, $2)", runtime.now(), most)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(row: "asyncpg.Record") -> bool:
        async with gate:
            return await _deliver(runtime, outbound, chance, row["tenant_id"], row["id"])

    return sum(await asyncio.gather(*(one(row) for row in due)))


async def _deliver(
    runtime: Runtime, outbound: Outbound, chance: Callable[[], float], tenant_id: UUID, delivery_id: UUID
) -> bool:
    now = runtime.now()
    async with runtime.db.connection(tenant_id) as connection:
        work = await connection.fetchrow(_CLAIM, delivery_id, now + LEASE, now)
    if work is None:
        return False
    if work["endpoint_state"] != "enabled":
        attempt = Attempt(None, "endpoint_disabled", 0)
    else:
        with telemetry.span("deliver webhook", "client", event=work["type"], attempt=work["attempts"]):
            attempt = await _try(runtime, outbound, work, now)
            telemetry.note(status=attempt.status or 0, problem=attempt.problem)
    async with runtime.db.connection(tenant_id) as connection:
        await _record(runtime, connection, work, attempt, chance())
    return True


async def _try(runtime: Runtime, outbound: Outbound, work: "asyncpg.Record", now: datetime) -> Attempt:
    body = message(work)
    began = time.perf_counter()
    try:
        headers = signed_headers(encode_id("event", work["event_id"]), now, body, _secrets(runtime, work, now))
        headers |= {"content-type": "application/json", "user-agent": "Tranship-Webhooks/1"}
        answer = await outbound.post(work["url"], headers, body)
    except OutboundFailed as failed:
        return Attempt(None, failed.reason, _since(began))
    except SealBroken:
        log.exception("webhook_secret_unreadable", endpoint_id=str(work["endpoint_id"]))
        return Attempt(None, "secret_unreadable", _since(began))
    return Attempt(answer.status, _problem(answer), _since(began), schedule.retry_after(answer.headers, runtime.now()))


def message(work: "asyncpg.Record") -> bytes:
    """The thin body: what happened, to which engagement and run, and the stream's number to order by."""
    data = dict(work["data"])
    for kind in ("engagement", "run"):
        if work[f"{kind}_id"] is not None:
            data[f"{kind}_id"] = encode_id(kind, work[f"{kind}_id"])
    return orjson.dumps(
        {
            "id": encode_id("event", work["event_id"]),
            "type": work["type"],
            "timestamp": work["created_at"],
            "sequence": work["sequence"],
            "data": data,
        },
        option=orjson.OPT_UTC_Z,
    )


def _secrets(runtime: Runtime, work: "asyncpg.Record", now: datetime) -> list[str]:
    sealed = [work["secret"]]
    if work["previous_secret"] is not None and work["previous_until"] is not None and work["previous_until"] > now:
        sealed.append(work["previous_secret"])
    return [open_secret(runtime.keys, work["tenant_id"], work["endpoint_id"], each) for each in sealed]


async def _record(
    runtime: Runtime, connection: "asyncpg.Connection[Any]", work: "asyncpg.Record", attempt: Attempt, chance: float
) -> None:
    now = runtime.now()
    verdict = schedule.judge(attempt.status)
    metrics.DELIVERIES.labels(verdict).inc()
    await connection.execute(
        "INSERT INTO webhook_attempts (id, tenant_id, delivery_id, at, status, problem, milliseconds)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *(new_id(), work["tenant_id"], work["id"], now, attempt.status, attempt.problem, attempt.milliseconds),
    )
    again = None
    if verdict is Verdict.RETRY and attempt.problem != "endpoint_disabled":
        again = schedule.next_attempt(work["attempts"], now, chance, attempt.retry_after)
    state = "delivered" if verdict is Verdict.DELIVERED else "failed" if again is None else "pending"
    await connection.execute(
        "UPDATE webhook_deliveries SET state = $2, next_at = coalesce($3, next_at), lease_until = NULL,"
        " delivered_at = $4 WHERE id = $1 AND state = 'pending'",
        *(work["id"], state, again, now if verdict is Verdict.DELIVERED else None),
    )
    await _judge_endpoint(connection, work, verdict, now)


async def _judge_endpoint(
    connection: "asyncpg.Connection[Any]", work: "asyncpg.Record", verdict: Verdict, now: datetime
) -> None:
    """Success clears the endpoint's record; 410, or five days without a success, switch it off and say so."""
    if verdict is Verdict.DELIVERED:
        await connection.execute(
            "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
            work["endpoint_id"],
        )
        return
    since = await connection.fetchval(
        "UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, $2) WHERE id = $1 AND state = 'enabled'"
        " RETURNING failing_since",
        work["endpoint_id"],
        now,
    )
    if since is None:
        return
    reason = "gone" if verdict is Verdict.GONE else "failing" if now - since >= schedule.GIVE_UP_AFTER else ""
    if not reason:
        return
    await connection.execute(
        "UPDATE webhook_endpoints SET state = 'disabled', updated_at = $2 WHERE id = $1", work["endpoint_id"], now
    )
    notice = {"endpoint_id": encode_id("webhook_endpoint", work["endpoint_id"]), "reason": reason}
    await emit_raw(connection, work["tenant_id"], EventType.ENDPOINT_DISABLED, notice, at=now)
    log.warning("webhook_endpoint_disabled", **notice)


def _problem(answer: Answer) -> str:
    if schedule.judge(answer.status) is Verdict.DELIVERED:
        return ""
    return "redirect_not_followed" if 300 <= answer.status < 400 else f"status_{answer.status}"


def _since(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)
