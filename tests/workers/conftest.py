"""A runtime on real servers, and tenants with runs that are due."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from app.models.columns import new_id
from app.runtime import Runtime, open_runtime
from app.settings import Settings

MakeRun = Callable[..., Awaitable[UUID]]


@pytest.fixture
def settings(fresh_database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(fresh_database_url),
        redis_url=SecretStr(redis_url),
        data_dir=tmp_path,
        allow_private_targets=True,
        worker_concurrency=3,
    )


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with open_runtime(settings) as opened:
        yield opened


@pytest.fixture
def make_run(runtime: Runtime, fresh_database_url: str) -> MakeRun:
    """Inserts a run of its own engagement, due at once unless `after` says later."""

    async def make(after: timedelta = timedelta(0), state: str = "queued") -> UUID:
        tenant, engagement, run, now = new_id(), new_id(), new_id(), runtime.now()
        connection = await asyncpg.connect(fresh_database_url.replace("+asyncpg", ""))
        try:
            await connection.execute(
                "INSERT INTO tenants (id, name, kind, created_at) VALUES ($1, '', 'customer', $2)", tenant, now
            )
            async with connection.transaction():
                await connection.execute("SELECT set_config('app.tenant', $1, true)", str(tenant))
                await connection.execute(
                    "INSERT INTO engagements (id, tenant_id, name, source, destination, state, settings, calendar,"
                    " batch, revision, created_at, updated_at)"
                    " VALUES ($1, $2, '', 'a', 'b', 'draft', '{}', '{}', 0, 1, $3, $3)",
                    *(engagement, tenant, now),
                )
                await connection.execute(
                    "INSERT INTO runs (id, tenant_id, engagement_id, kind, state, requested, options, forecast, counts,"
                    " calls, problem, fence, lease_owner, next_at, attempts, created_at)"
                    " VALUES ($1, $2, $3, 'discovery', $4, '', '{}', '{}', '{}', '{}', '{}', 0, '', $5, 0, $6)",
                    *(run, tenant, engagement, state, now + after, now),
                )
        finally:
            await connection.close()
        return run

    return make
