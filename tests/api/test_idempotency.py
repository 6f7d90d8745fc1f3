"""A POST that is sent again does its work once and gets the same answer."""

import asyncio
from uuid import uuid4

import asyncpg
import httpx

from app.runtime import Runtime
from tests.api.conftest import Client
from tests.api.problem_kit import problem
from tests.clock import FakeClock

NEW_KEY = {"name": "portal"}


async def expire(runtime: Runtime) -> None:
    """What a worker does once an hour."""
    async with runtime.db.connection(None) as connection:
        await connection.execute("SELECT expire_rows($1)", runtime.now())


class TestIdempotency:
    async def test_missing(self, http: httpx.AsyncClient, owner: Client) -> None:
        response = await http.post("/v1/keys", json=NEW_KEY, headers={"Authorization": f"Bearer {owner.key}"})
        problem(response, 400, "idempotency-key-missing")

    async def test_unusable(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json=NEW_KEY, headers={"Idempotency-Key": "x" * 256})
        problem(response, 400, "bad-request")

    async def test_same_request_same_answer(self, owner: Client) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        first = await owner.post("/v1/webhook_endpoints", json={"url": "https://example.com/h"}, headers=key)
        spaced = {**key, "Content-Type": "application/json"}
        again = await owner.post("/v1/webhook_endpoints", content=b'{ "url" :"https://example.com/h"}', headers=spaced)
        assert first.status_code == again.status_code == 201
        assert again.content == first.content
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert len((await owner.get("/v1/webhook_endpoints")).json()["data"]) == 1

    async def test_other_body(self, owner: Client) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        await owner.post("/v1/keys", json=NEW_KEY, headers=key)
        response = await owner.post("/v1/keys", json={"name": "other"}, headers=key)
        problem(response, 422, "idempotency-key-reused")

    async def test_keys_of_routes_and_tenants_are_apart(self, owner: Client, stranger: Client) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        made = [await client.post("/v1/keys", json=NEW_KEY, headers=key) for client in (owner, stranger)]
        hook = await owner.post("/v1/webhook_endpoints", json={"url": "https://example.com"}, headers=key)
        assert {each.status_code for each in (*made, hook)} == {201}
        assert made[0].json()["id"] != made[1].json()["id"]

    async def test_refusal_is_not_kept(self, owner: Client) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        refused = await owner.post("/v1/keys", json={"expires_at": "2020-01-01T00:00:00Z"}, headers=key)
        assert refused.status_code == 422
        assert (await owner.post("/v1/keys", json=NEW_KEY, headers=key)).status_code == 201

    async def test_fifty_at_once_make_one(self, owner: Client) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        answers = await asyncio.gather(*(owner.post("/v1/keys", json=NEW_KEY, headers=key) for _ in range(50)))
        made = [each for each in answers if each.status_code == 201]
        waiting = [each for each in answers if each.status_code == 409]
        assert len(made) + len(waiting) == 50
        assert len({each.json()["id"] for each in made}) == 1
        assert sum("idempotency-replayed" not in each.headers for each in made) == 1
        for each in waiting:
            problem(each, 409, "request-in-flight")
            assert each.headers["retry-after"] == "1"
        listed = (await owner.get("/v1/keys")).json()["data"]
        assert sum(each["name"] == NEW_KEY["name"] for each in listed) == 1

    async def test_is_kept_for_seven_days(self, owner: Client, runtime: Runtime, clock: FakeClock) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        first = await owner.post("/v1/keys", json=NEW_KEY, headers=key)
        clock.advance(days=7)
        await expire(runtime)
        assert (await owner.post("/v1/keys", json=NEW_KEY, headers=key)).content == first.content
        clock.advance(seconds=1)
        await expire(runtime)
        later = await owner.post("/v1/keys", json=NEW_KEY, headers=key)
        assert later.status_code == 201
        assert later.json()["id"] != first.json()["id"]

    async def test_kept_answer_is_sealed(self, owner: Client, database_url: str) -> None:
        made = (await owner.post("/v1/keys", json=NEW_KEY)).json()
        connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        try:
            bodies = await connection.fetch("SELECT body FROM idempotency_keys WHERE tenant_id = $1", owner.tenant_id)
        finally:
            await connection.close()
        assert len(bodies) == 1
        assert made["key"].encode() not in bodies[0]["body"]
