"""The rows that the API would have written before a run of the bench, and what opens the bench's database.

It imports little: a run begins with these rows while everything else is still being imported.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg

from app.db import Database, plain_url
from app.fresh import new_id
from app.runs.claims import Lease, claim
from app.runtime import Runtime
from app.security import DataKey, KeyRing

_FILLED = "staged, staged_changes, ledger, intents, audit_blocks, audit_heads"
_NOT_YET = timedelta(seconds=2)  # a worker beside the bench must not find the run due before this process claims it


@dataclass(frozen=True, slots=True)
class Figures:
    """The settings that driving a run asks for, with their defaults; reading an environment is not what is measured."""

    call_timeout_seconds: float = 30.0
    lease_seconds: float = 6.0
    flush_rows: int = 2000
    flush_seconds: float = 1.0


def bench_runtime() -> Runtime:
    """What worker and reader open: the bench's database, a key that is no secret."""
    return Runtime(
        settings=cast("Any", Figures()),
        db=Database(os.environ["BENCH_DSN"]),
        keys=KeyRing({"bench": hashlib.sha256(b"bench").digest()}),
        now=lambda: datetime.now(UTC),
    )


async def forget() -> None:
    """Empties what earlier measurements filled; their engagements cannot be taken up afterwards."""
    owner = await asyncpg.connect(plain_url(os.environ["BENCH_DSN"]))
    try:
        await owner.execute(f"TRUNCATE {_FILLED}")
    finally:
        await owner.close()


class Job:
    """Rows of one engagement in the database. `again` takes up the engagement of an earlier process."""

    def __init__(self, again: str = "") -> None:
        names = ("tenant", "engagement", "destination")
        self.ids: dict[str, UUID] = {name: new_id() for name in names}
        if again:
            self.ids = dict(zip(names, map(UUID, again.split(",")), strict=True))
        self.again = bool(again)
        self.run_id = new_id()
        self.key = b""

    async def begin(self, runtime: Runtime) -> Lease:
        """Inserts what the API would have inserted, opens the engagement's `key`, and claims the run."""
        place = runtime.data_key_place(self.ids["engagement"])
        sealed = await self._insert(runtime, runtime.keys.seal(DataKey.generate(), place=place))
        self.key = runtime.keys.unseal(sealed, place=place)
        lease = await claim(runtime, self.run_id, self.ids["tenant"], "bench", runtime.now() + _NOT_YET)
        assert lease is not None
        return lease

    async def _insert(self, runtime: Runtime, key: bytes) -> bytes:
        """Returns the engagement's sealed key."""
        ids = self.ids
        owner = await asyncpg.connect(plain_url(os.environ["BENCH_DSN"]))
        try:
            if not self.again:
                await self._insert_engagement(owner, key)
            await owner.execute(
                "INSERT INTO runs (id, tenant_id, engagement_id, kind, state, requested, destination_id, options,"
                " forecast, counts, calls, problem, fence, lease_owner, next_at, attempts, created_at)"
                " VALUES ($1, $2, $3, 'full', 'queued', '', $4, '{}', '{}', '{}', '{}', '{}', 0, '', $5, 0, $5)",
                *(self.run_id, ids["tenant"], ids["engagement"], ids["destination"], runtime.now() + _NOT_YET),
            )
            sealed = await owner.fetchval("SELECT data_key FROM engagements WHERE id = $1", ids["engagement"])
            return bytes(sealed)
        finally:
            await owner.close()

    async def _insert_engagement(self, owner: "asyncpg.Connection[Any]", key: bytes) -> None:
        ids = self.ids
        await owner.execute(
            "INSERT INTO tenants (id, name, kind, created_at) VALUES ($1, 'bench', 'customer', now())", ids["tenant"]
        )
        await owner.execute(
            "INSERT INTO engagements (id, tenant_id, name, source, destination, state, settings, calendar, data_key,"
            " batch, revision, created_at, updated_at)"
            " VALUES ($1, $2, 'bench', 'export', 'zoho_crm', 'draft', '{}', '{}', $3, 0, 1, now(), now())",
            *(ids["engagement"], ids["tenant"], key),
        )
        await owner.execute(
            "INSERT INTO connections (id, tenant_id, engagement_id, role, platform, name, state, problem, config,"
            " credentials, facts, budget, created_at, updated_at) VALUES ($1, $2, $3, 'destination', 'zoho_crm', '',"
            " 'ready', '{}', '{}', 'sealed', '{}', '{}', now(), now())",
            *(ids["destination"], ids["tenant"], ids["engagement"]),
        )
