"""Whether the service can work: liveness of the process, readiness of everything it needs, metrics."""

from datetime import datetime, timedelta

import asyncpg
import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from redis.exceptions import RedisError

from app import metrics
from app.dependencies import RuntimeDep
from app.runtime import Runtime

log = structlog.get_logger()
router = APIRouter(tags=["operations"])

WORKER_SILENCE = timedelta(seconds=15)


class Live(BaseModel):
    status: str = "ok"


class Ready(BaseModel):
    """Each check reads `ok` or what is wrong."""

    status: str
    checks: dict[str, str]


@router.get("/livez", operation_id="get_liveness", summary="Whether this process answers")
async def get_liveness() -> Live:
    return Live()


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Whether database, queue, schema and workers are there",
    responses={503: {"model": Ready, "description": "Something is missing; `checks` says what."}},
)
async def get_readiness(request: Request, runtime: RuntimeDep, response: Response) -> Ready:
    checks = await check_all(runtime, request.app.state.migration_head)
    ready = all(each == "ok" for each in checks.values())
    response.status_code = 200 if ready else 503
    return Ready(status="ok" if ready else "not ready", checks=checks)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Prometheus metrics of this process",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def get_metrics() -> Response:
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


async def check_all(runtime: Runtime, wanted_head: str) -> dict[str, str]:
    """The name of each check and `ok` or what is wrong; never raises for a part that is away."""
    checks = {"database": "ok", "schema": "ok", "workers": "ok", "queue": await _check_queue(runtime)}
    try:
        async with runtime.db.connection(None) as connection:
            found = await connection.fetchval("SELECT version_num FROM alembic_version")
            beat: datetime | None = await connection.fetchval("SELECT max(beat_at) FROM workers")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        log.warning("readiness_failed", part="database", error=type(error).__name__)
        return {**checks, "database": "no answer", "schema": "unknown", "workers": "unknown"}
    if found != wanted_head:
        checks["schema"] = f"at revision {found}, the code needs {wanted_head}"
    if beat is None or runtime.now() - beat > WORKER_SILENCE:
        checks["workers"] = "no worker has reported lately"
    return checks


async def _check_queue(runtime: Runtime) -> str:
    if runtime.redis is None:
        return "not configured"
    try:
        await runtime.redis.ping()
    except (RedisError, OSError) as error:
        log.warning("readiness_failed", part="queue", error=type(error).__name__)
        return "no answer"
    return "ok"
