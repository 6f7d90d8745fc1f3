"""Webhook endpoints, their secrets, pings and replays, and the event stream, over HTTP."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from app.domain.ids import encode_id
from app.models.columns import new_id
from app.runtime import Runtime
from tests.api.conftest import Client
from tests.api.problem_kit import problem
from tests.api.receiver import Receiver
from tests.api.webhook_kit import deliver, deliveries, endpoint, happen, nothing_due, receiver
from tests.clock import FakeClock

__all__ = ["endpoint", "nothing_due", "receiver"]  # fixtures

PUBLIC_URL = {"url": "https://example.com/hook"}


class TestCreate:
    async def test_happy(self, owner: Client) -> None:
        response = await owner.post("/v1/webhook_endpoints", json=PUBLIC_URL | {"events": ["run.failed"]})
        made = response.json()
        assert response.status_code == 201
        assert made["secret"].startswith("whsec_")
        assert made["state"] == "enabled"
        shown = (await owner.get(response.headers["location"])).json()
        assert shown == {name: value for name, value in made.items() if name != "secret"}

    async def test_401(self, http: httpx.AsyncClient) -> None:
        problem(await http.post("/v1/webhook_endpoints", json=PUBLIC_URL), 401, "unauthenticated")

    @pytest.mark.parametrize("url", ["https://10.0.0.1/", "ftp://example.com/", "https://user@example.com/"])
    async def test_422_target(self, owner: Client, url: str) -> None:
        body = problem(await owner.post("/v1/webhook_endpoints", json={"url": url}), 422, "target-forbidden")
        assert body["errors"][0]["pointer"] == "/url"

    async def test_422_event(self, owner: Client) -> None:
        response = await owner.post("/v1/webhook_endpoints", json=PUBLIC_URL | {"events": ["run.exploded"]})
        problem(response, 422, "invalid")

    async def test_409_too_many(self, owner: Client) -> None:
        for _ in range(20):
            assert (await owner.post("/v1/webhook_endpoints", json=PUBLIC_URL)).status_code == 201
        problem(await owner.post("/v1/webhook_endpoints", json=PUBLIC_URL), 409, "too-many-endpoints")


class TestReadChangeDelete:
    async def test_list(self, owner: Client, stranger: Client) -> None:
        made = (await owner.post("/v1/webhook_endpoints", json=PUBLIC_URL)).json()
        assert [each["id"] for each in (await owner.get("/v1/webhook_endpoints")).json()["data"]] == [made["id"]]
        assert (await stranger.get("/v1/webhook_endpoints")).json()["data"] == []

    async def test_change(self, owner: Client) -> None:
        made = (await owner.post("/v1/webhook_endpoints", json=PUBLIC_URL)).json()
        path = f"/v1/webhook_endpoints/{made['id']}"
        changed = (await owner.patch(path, json={"events": ["run.failed"], "enabled": False})).json()
        assert (changed["events"], changed["state"], changed["url"]) == (["run.failed"], "disabled", made["url"])
        problem(await owner.patch(path, json={"url": "https://192.168.0.1"}), 422, "target-forbidden")
        problem(await owner.patch(path, json={"secret": "whsec_x"}), 422, "invalid")

    async def test_delete_with_deliveries(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver
    ) -> None:
        await happen(runtime, owner)
        await deliver(runtime)
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        assert (await owner.delete(path)).status_code == 204
        problem(await owner.get(path), 404, "not-found")

    async def test_foreign_ids_are_unknown(self, stranger: Client, owner: Client, endpoint: dict[str, Any]) -> None:
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        answers = [
            await stranger.get(path),
            await stranger.patch(path, json={"enabled": False}),
            await stranger.delete(path),
            await stranger.post(f"{path}/test"),
            await stranger.post(f"{path}/rotate_secret", json={}),
            await stranger.post(f"{path}/replay", json={"since": "2026-11-20T00:00:00Z"}),
            await stranger.get(f"{path}/deliveries"),
        ]
        for answer in answers:
            problem(answer, 404, "not-found")
        assert (await owner.get(path)).json()["state"] == "enabled"

    async def test_401(self, http: httpx.AsyncClient) -> None:
        path = f"/v1/webhook_endpoints/{encode_id('webhook_endpoint', new_id())}"
        for method, end in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
            problem(await http.request(method, path + end), 401, "unauthenticated")


class TestPing:
    async def test_happy(self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver) -> None:
        response = await owner.post(f"/v1/webhook_endpoints/{endpoint['id']}/test")
        assert response.status_code == 202
        assert response.headers["location"].endswith(f"{endpoint['id']}/deliveries")
        assert response.json()["event_type"] == "endpoint.ping"
        await deliver(runtime)
        assert json.loads(receiver.received[0].body)["type"] == "endpoint.ping"

    async def test_only_this_endpoint(self, owner: Client, endpoint: dict[str, Any], runtime: Runtime) -> None:
        await owner.post("/v1/webhook_endpoints", json={"url": endpoint["url"]})
        await owner.post(f"/v1/webhook_endpoints/{endpoint['id']}/test")
        assert await deliver(runtime) == 1

    async def test_409(self, owner: Client, endpoint: dict[str, Any]) -> None:
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        await owner.patch(path, json={"enabled": False})
        problem(await owner.post(f"{path}/test"), 409, "endpoint-disabled")


class TestRotate:
    async def test_overlap(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        clock.at = datetime.now(clock.at.tzinfo)
        path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
        new = (await owner.post(path, json={"overlap_hours": 1})).json()["secret"]
        assert new != endpoint["secret"]
        await happen(runtime, owner)
        await deliver(runtime)
        for secret in (new, endpoint["secret"]):
            Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
        clock.advance(hours=1)
        await happen(runtime, owner)
        await deliver(runtime)
        assert len(receiver.received[1].headers["webhook-signature"].split(" ")) == 1

    async def test_without_overlap(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver
    ) -> None:
        await owner.post(f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret", json={"overlap_hours": 0})
        await happen(runtime, owner)
        await deliver(runtime)
        assert len(receiver.received[0].headers["webhook-signature"].split(" ")) == 1

    async def test_secret_is_sealed(self, owner: Client, endpoint: dict[str, Any], runtime: Runtime) -> None:
        async with runtime.db.connection(owner.tenant_id) as connection:
            stored = await connection.fetchval("SELECT secret FROM webhook_endpoints")
        assert endpoint["secret"].encode() not in stored


class TestReplay:
    async def test_one(self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver) -> None:
        await happen(runtime, owner)
        await deliver(runtime)
        first = (await deliveries(owner, endpoint))[0]
        response = await owner.post(f"/v1/webhook_deliveries/{first['id']}/replay")
        assert response.status_code == 202
        assert response.json()["event_id"] == first["event_id"]
        assert response.json()["id"] != first["id"]
        await deliver(runtime)
        assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
        assert len(receiver.received) == 2

    async def test_one_of_another_tenant(
        self, owner: Client, stranger: Client, endpoint: dict[str, Any], runtime: Runtime
    ) -> None:
        await happen(runtime, owner)
        first = (await deliveries(owner, endpoint))[0]
        problem(await stranger.post(f"/v1/webhook_deliveries/{first['id']}/replay"), 404, "not-found")

    async def test_all_since(self, owner: Client, runtime: Runtime, receiver: Receiver, clock: FakeClock) -> None:
        for kind in ("run.failed", "run.completed", "run.failed"):
            await happen(runtime, owner, kind)
            clock.advance(hours=1)
        made = (await owner.post("/v1/webhook_endpoints", json={"url": receiver.url, "events": ["run.failed"]})).json()
        since = (clock() - timedelta(hours=2)).isoformat()
        path = f"/v1/webhook_endpoints/{made['id']}/replay"
        assert (await owner.post(path, json={"since": since})).json()["deliveries"] == 1
        assert await deliver(runtime) == 1
        problem(await owner.post(path, json={"since": "yesterday"}), 422, "invalid")

    async def test_more_than_one_request_takes_goes_on_where_it_stopped(
        self,
        owner: Client,
        endpoint: dict[str, Any],
        runtime: Runtime,
        receiver: Receiver,
        clock: FakeClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        since, told = clock().isoformat(), []
        for number in range(5):
            await happen(runtime, owner, number=number)
            clock.advance(hours=1)
        await deliver(runtime)
        receiver.received.clear()
        monkeypatch.setattr("app.webhooks.service.MAX_REPLAYED", 2)
        path = f"/v1/webhook_endpoints/{endpoint['id']}/replay"
        while since:
            answer = await owner.post(path, json={"since": since})
            assert answer.status_code == 202
            assert answer.headers["location"] == path.removesuffix("replay") + "deliveries"
            assert answer.headers["retry-after"]
            told.append(answer.json()["deliveries"])
            since = answer.json()["next_since"]
        assert told == [2, 2, 1]
        await deliver(runtime)
        assert sorted(json.loads(each.body)["data"]["number"] for each in receiver.received) == [0, 1, 2, 3, 4]

    async def test_409(self, owner: Client, endpoint: dict[str, Any]) -> None:
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        await owner.patch(path, json={"enabled": False})
        response = await owner.post(f"{path}/replay", json={"since": "2026-11-20T00:00:00Z"})
        problem(response, 409, "endpoint-disabled")


class TestEvents:
    async def test_filters_and_order(self, owner: Client, stranger: Client, runtime: Runtime, clock: FakeClock) -> None:
        run = new_id()
        await happen(runtime, owner, "run.started", run)
        clock.advance(seconds=1)
        await happen(runtime, owner, "run.completed", run)
        await happen(runtime, stranger, "run.failed")

        async def types(query: str = "") -> list[str]:
            return [each["type"] for each in (await owner.get(f"/v1/events{query}")).json()["data"]]

        assert await types() == ["run.completed", "run.started"]
        assert await types("?type=run.started") == ["run.started"]
        assert await types(f"?run_id={encode_id('run', run)}&limit=1") == ["run.completed"]
        assert await types(f"?run_id={encode_id('run', new_id())}") == []
        after = (clock() - timedelta(seconds=1)).isoformat().replace("+", "%2B")
        assert await types(f"?created_after={after}") == ["run.completed"]

    async def test_thirty_days(self, owner: Client, runtime: Runtime, clock: FakeClock) -> None:
        await happen(runtime, owner)
        clock.advance(days=30)
        assert len((await owner.get("/v1/events")).json()["data"]) == 1
        clock.advance(seconds=1)
        assert (await owner.get("/v1/events")).json()["data"] == []

    async def test_401_and_422(self, http: httpx.AsyncClient, owner: Client) -> None:
        problem(await http.get("/v1/events"), 401, "unauthenticated")
        problem(await owner.get("/v1/events?type=run.exploded"), 422, "invalid")
        problem(await owner.get("/v1/events?run_id=x"), 422, "invalid")
