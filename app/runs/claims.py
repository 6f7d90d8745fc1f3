"""Who drives a run: a lease with a fence, renewed while the worker lives, checked before every call and every commit.

Leases run on PostgreSQL's clock, so that workers on several hosts agree. A worker that lost its lease starts no call
and commits nothing: `Lease.ready_to_send` and `guard` see to it (rulings 7 and 8).
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from app.db import SERVER_TROUBLE
from app.domain.ids import encode_id
from app.runtime import Runtime

log = structlog.get_logger()

# Two claims of one engagement's runs would not see each other's row, so they stand in line for a snapshot of their own.
_LINE_UP = """
    SELECT set_config('idle_in_transaction_session_timeout', $2, true)
    FROM engagements WHERE id = (SELECT engagement_id FROM runs WHERE id = $1) FOR NO KEY UPDATE
"""
_CLAIM = """
    WITH free AS (SELECT id, lease_until AS held FROM runs WHERE id = $1 FOR UPDATE)
    UPDATE runs SET fence = fence + 1, lease_owner = $2,
                    lease_until = now() + make_interval(secs => $3),
                    state = CASE state WHEN 'cancelling' THEN state ELSE 'running' END,
                    started_at = coalesce(started_at, $4)
    FROM free
    WHERE runs.id = free.id AND state IN ('queued', 'running', 'waiting_quota', 'cancelling') AND next_at <= $4
      AND (lease_until IS NULL OR lease_until <= now())
      AND NOT EXISTS (SELECT 1 FROM runs other WHERE other.engagement_id = runs.engagement_id AND other.id <> runs.id
                      AND other.lease_until > now())
    RETURNING fence, kind, requested, traceparent, coalesce(extract(epoch FROM now() - free.held), 1e9)::float8 AS quiet
"""
# A worker that is stopped inside a transaction keeps its row locks, at which the next claim would wait for ever: the
# server ends such a session once the lease is over. So it does in every transaction that locks a run or its engagement.
_RENEW = """
    UPDATE runs SET lease_until = now() + make_interval(secs => $4) WHERE id = $1 AND fence = $2
    RETURNING requested, set_config('idle_in_transaction_session_timeout', $3, true)
"""
_GUARD = """
    SELECT fence = $2, set_config('idle_in_transaction_session_timeout', $3::text, true){more} FROM runs
    WHERE id = $1 FOR SHARE
"""
# Such a commit may be lost with a crash of the server, but only as a whole, and no later commit survives without it.
_EASILY = ", set_config('synchronous_commit', 'off', true)"
# A client that stops between preparing a statement and executing it is not idle for the server either. Where the server
# can end a transaction for its age alone (PostgreSQL 17), nobody waits for such a one longer than a few leases.
_AGED = ", set_config('transaction_timeout', ($3::text::bigint * {leases})::text, true)"
_AGES = 17
_RELEASE = "UPDATE runs SET lease_until = NULL WHERE id = $1 AND fence = $2"


class LeaseLost(Exception):
    """Another worker may drive the run now; nothing more may be sent or committed here."""


@dataclass(slots=True)
class Lease:
    """A worker's hold on a run. `requested` is what people asked for meanwhile: "" | pause | cancel.
    `traceparent` names the request that asked for the run, when it was traced.

    `deadline` and `quiet_at` are on the monotonic clock: until when we hold it, and when the holder before us lost it.
    """

    runtime: Runtime
    run_id: UUID
    tenant_id: UUID
    fence: int
    seconds: float
    deadline: float
    quiet_at: float
    requested: str = ""
    kind: str = ""
    traceparent: str = ""
    lost: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def remaining(self) -> float:
        """Seconds for which nobody else can take the run."""
        return 0.0 if self.lost else self.deadline - time.monotonic()

    async def ready_to_send(self, timeout: float) -> None:
        """Returns when the lease outlives a call of `timeout` seconds. Raises LeaseLost when it cannot be had."""
        if self.remaining() > timeout:
            return
        await self.renew()
        if self.remaining() <= timeout:
            raise LeaseLost

    async def renew(self) -> None:
        """Extends the lease. Raises LeaseLost when the fence has moved."""
        started = time.monotonic()
        async with self.runtime.db.connection(self.tenant_id) as connection:
            row = await connection.fetchrow(_RENEW, self.run_id, self.fence, idle(self.seconds), self.seconds)
        if row is None:
            self.lost = True
            self.changed.set()
            raise LeaseLost
        self.deadline = started + self.seconds
        if row["requested"] != self.requested:
            self.requested = row["requested"]
            self.changed.set()

    async def keep(self) -> None:
        """Renews every third of the lease until cancelled or lost; an outage of the database is ridden out."""
        while not self.lost:
            await asyncio.sleep(self.seconds / 3)
            try:
                await self.renew()
            except LeaseLost:
                return
            except SERVER_TROUBLE as error:
                log.warning("lease_renewal_failed", run_id=encode_id("run", self.run_id), error=type(error).__name__)

    async def guard(self, connection: "asyncpg.Connection[Any]", *, lasting: bool = True, long: bool = False) -> None:
        """In the caller's transaction: the fence still holds, and no claim can move it before the commit.

        Without `lasting` the commit does not wait for the disk: for work that is simply done again when it is lost.
        `long` is for what goes through all records of a run: its age ends it ten times later.
        """
        more = "" if lasting else _EASILY
        if connection.get_server_version().major >= _AGES:
            more += _AGED.format(leases=40 if long else 4)
        if not await connection.fetchval(_GUARD.format(more=more), self.run_id, self.fence, idle(self.seconds)):
            self.lost = True
            self.changed.set()
            raise LeaseLost

    async def release(self) -> None:
        """Gives the run back at once, so that nobody waits for the lease to end."""
        if self.lost:
            return
        async with self.runtime.db.connection(self.tenant_id) as connection:
            await connection.execute(_RELEASE, self.run_id, self.fence)
        self.lost = True


def lease_seconds(runtime: Runtime) -> float:
    """A lease has to outlive a call (ruling 8), with a third to spare for its renewal."""
    return max(runtime.settings.lease_seconds, 1.5 * runtime.settings.call_timeout_seconds + 1.0)


def idle(seconds: float) -> str:
    """Milliseconds, as `idle_in_transaction_session_timeout` wants them."""
    return str(int(seconds * 1000))


async def claim(runtime: Runtime, run_id: UUID, tenant_id: UUID, worker: str, now: datetime) -> Lease | None:
    """Takes the run if it is due, free, and no other run of its engagement is being driven."""
    seconds = lease_seconds(runtime)
    started = time.monotonic()
    async with runtime.db.connection(tenant_id) as connection:
        await connection.execute(_LINE_UP, run_id, idle(seconds))
        row = await connection.fetchrow(_CLAIM, run_id, worker, seconds, now)
    if row is None:
        return None
    return Lease(
        *(runtime, run_id, tenant_id, row["fence"], seconds),
        deadline=started + seconds,
        quiet_at=started - row["quiet"],
        requested=row["requested"],
        kind=row["kind"],
        traceparent=row["traceparent"] or "",
    )
