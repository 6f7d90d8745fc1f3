"""Liveness, readiness and metrics."""

import httpx
import pytest

from app.runtime import Runtime
from tests.clock import FakeClock


async def test_live(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez")).json() == {"status": "ok"}


async def test_ready_follows_the_heartbeat(http: httpx.AsyncClient, runtime: Runtime, clock: FakeClock) -> None:
    assert (await http.get("/readyz")).status_code == 503
    async with runtime.db.connection(None) as connection:
        await connection.execute(
            "INSERT INTO workers (id, host, started_at, beat_at) VALUES ('w', '', $1, $1)", clock()
        )
    response = await http.get("/readyz")
    assert response.status_code == 200
    assert set(response.json()["checks"].values()) == {"ok"}
    clock.advance(seconds=16)
    assert (await http.get("/readyz")).json()["checks"]["workers"] == "no worker has reported lately"


async def test_not_ready_behind_the_migrations(
    http: httpx.AsyncClient, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state, "migration_head", "9999")  # type: ignore[attr-defined]
    response = await http.get("/readyz")
    assert response.status_code == 503
    assert "9999" in response.json()["checks"]["schema"]


async def test_not_ready_without_the_queue(http: httpx.AsyncClient, runtime: Runtime) -> None:
    redis, runtime.redis = runtime.redis, None
    try:
        answer = await http.get("/readyz")
        assert answer.json()["checks"]["queue"] == "not configured", answer.text
    finally:
        runtime.redis = redis


async def test_metrics_count_by_route_not_by_path(http: httpx.AsyncClient) -> None:
    await http.get("/v1/platforms/zoho_crm")
    await http.get("/v1/nothing/at/all")
    text = (await http.get("/metrics")).text
    assert 'tranship_http_requests_total{method="GET",route="/v1/platforms/{slug}",status="200"}' in text
    assert "/v1/nothing" not in text
