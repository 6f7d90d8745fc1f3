"""How often a key may ask: the headers that tell it, the refusal, and life without Redis."""

import pytest

from app.rates import Policy
from app.runtime import Runtime
from tests.api.conftest import Client
from tests.api.problem_kit import problem
from tests.clock import FakeClock


class TestRates:
    async def test_headers_and_refusal(
        self, owner: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
    ) -> None:
        monkeypatch.setattr("app.dependencies.KEY_POLICY", Policy("key", 2, 60))
        first = await owner.get("/v1/keys")
        assert first.headers["ratelimit-policy"] == '"key";q=2;w=60'
        assert first.headers["ratelimit"].startswith('"key";r=1;t=')
        await owner.get("/v1/keys")
        response = await owner.get("/v1/keys")
        problem(response, 429, "too-many")
        assert 0 < int(response.headers["retry-after"]) <= 60
        clock.advance(seconds=60)
        assert (await owner.get("/v1/keys")).status_code == 200

    async def test_counts_in_memory_when_redis_is_away(self, owner: Client, runtime: Runtime) -> None:
        redis, runtime.redis = runtime.redis, None
        try:
            assert (await owner.get("/v1/keys")).headers["ratelimit"].startswith('"key";r=')
        finally:
            runtime.redis = redis
