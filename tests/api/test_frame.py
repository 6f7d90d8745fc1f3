"""What every route shares: ids, problems, caps, safe headers, access, tenants, repeated requests, lists."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs

from app.access import KEY_PREFIX, make_secret, read_key_id
from app.domain.ids import encode_id
from app.frame import _Answer
from app.keys import service
from app.models.columns import new_id
from app.runtime import Runtime
from tests.api.conftest import Client, FakeClock, MakeClient

NEW_KEY = {"name": "portal"}


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The answer is a whole problem document of this status and code."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"/problems/{code}"
    assert body["request_id"] == response.headers["request-id"]
    assert body["title"]
    assert body["detail"]
    return body


@contextmanager
def another_route(app: FastAPI, path: str, endpoint: Callable[..., Any]) -> Iterator[None]:
    """A route that only the test knows, gone after it: tests may share one application."""
    before = [*app.router.routes]
    app.add_api_route(path, endpoint, include_in_schema=False)
    try:
        yield
    finally:
        app.router.routes[:] = before


class TestProblems:
    async def test_unknown_path(self, http: httpx.AsyncClient) -> None:
        assert_problem(await http.get("/v1/nothing"), 404, "not-found")

    async def test_other_method_names_all_allowed_ones(self, http: httpx.AsyncClient) -> None:
        response = await http.put("/v1/keys")
        assert_problem(response, 405, "method-not-allowed")
        assert response.headers["allow"] == "GET, POST"

    async def test_id_that_is_no_id_names_nothing(self, owner: Client) -> None:
        for text in ("nonsense", "run_01j6gv5gy6fsfrma3wfhpsy6sb", str(uuid4()), "key_" + "z" * 26):
            assert_problem(await owner.delete(f"/v1/keys/{text}"), 404, "not-found")

    async def test_body_of_another_type(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", content=b"name=x", headers={"Content-Type": "text/plain"})
        assert_problem(response, 415, "wrong-media-type")

    async def test_announced_body_over_the_limit(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json={"name": "x" * 70_000})
        assert_problem(response, 413, "body-too-large")

    async def test_streamed_body_over_the_limit(self, owner: Client) -> None:
        async def chunks():
            for _ in range(9):
                yield b" " * 8192

        response = await owner.post("/v1/keys", content=chunks(), headers={"Content-Type": "application/json"})
        assert_problem(response, 413, "body-too-large")

    @pytest.mark.parametrize(
        "content",
        [b"{", b"\xff\xfe", b'{"name": NaN}', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b"[" * 5000],
        ids=["cut", "not UTF-8", "NaN", "NUL", "lone surrogate", "deep"],
    )
    async def test_hostile_json(self, owner: Client, content: bytes) -> None:
        response = await owner.post("/v1/keys", content=content, headers={"Content-Type": "application/json"})
        body = assert_problem(response, 422, "invalid")
        assert body["errors"][0]["code"] == "json-invalid"

    async def test_escaped_backslash_before_u0000_is_no_nul(self, owner: Client) -> None:
        content = rb'{"name": "\\u0000"}'
        response = await owner.post("/v1/keys", content=content, headers={"Content-Type": "application/json"})
        assert response.json()["name"] == r"\u0000"

    async def test_pointers(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json={"scopes": ["runs:read", "all"], "a/b": 1})
        body = assert_problem(response, 422, "invalid")
        assert [each["pointer"] for each in body["errors"]] == ["/scopes/1", "/a~1b"]

    async def test_query_pointer(self, owner: Client) -> None:
        body = assert_problem(await owner.get("/v1/keys?limit=101"), 422, "invalid")
        assert body["errors"][0]["pointer"] == "/query/limit"

    async def test_nul_in_the_url(self, http: httpx.AsyncClient) -> None:
        assert_problem(await http.get("/v1/platforms/a%00b"), 400, "bad-request")

    async def test_failure_of_ours_tells_nothing_and_is_logged(
        self, app: FastAPI, http: httpx.AsyncClient, runtime: Runtime
    ) -> None:
        async def broken() -> None:
            raise RuntimeError("canary-in-a-traceback")

        with another_route(app, "/broken", broken), capture_logs() as logs:
            response = await http.get("/broken")
        assert_problem(response, 500, "internal-error")
        assert "canary" not in response.text
        assert [each["event"] for each in logs if each["log_level"] == "error"] == ["request_crashed"]

    async def test_safe_headers_everywhere(self, http: httpx.AsyncClient) -> None:
        for path in ("/livez", "/v1/nothing", "/v1/keys"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["request-id"].startswith("req_")


class TestTime:
    """A request that does not come to its answer is given up; what it did is taken back."""

    @pytest.fixture
    def end(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Awaitable[Any]]:
        """Waits without end, in a request whose time is up at once."""
        running: list[asyncio.Timeout] = []
        within = _Answer.within

        def watched(answer: _Answer, seconds: float | None) -> asyncio.Timeout:
            assert seconds == 120  # as delivered
            running.append(within(answer, seconds))
            return running[-1]

        async def end() -> None:
            running[-1].reschedule(asyncio.get_running_loop().time())
            await asyncio.Event().wait()

        monkeypatch.setattr(_Answer, "within", watched)
        return end

    async def test_work_without_end(
        self, owner: Client, monkeypatch: pytest.MonkeyPatch, end: Callable[[], Awaitable[Any]]
    ) -> None:
        made: list[str] = []
        create = service.create_key

        async def endless(*given: Any, **named: Any) -> Any:
            row, _ = await create(*given, **named)
            made.append(encode_id("api_key", row.id))
            await end()

        key = {"Idempotency-Key": uuid4().hex}
        with monkeypatch.context() as changed:
            changed.setattr(service, "create_key", endless)
            late = await owner.post("/v1/keys", json=NEW_KEY, headers=key)
        assert_problem(late, 503, "request-timed-out")
        assert late.headers["retry-after"] == "1"
        assert len(made) == 1
        kept = [each["id"] for each in (await owner.get("/v1/keys")).json()["data"]]
        assert made[0] not in kept
        again = await owner.post("/v1/keys", json=NEW_KEY, headers=key)
        assert again.status_code == 201
        assert "idempotency-replayed" not in again.headers

    async def test_body_that_never_ends(self, owner: Client, end: Callable[[], Awaitable[Any]]) -> None:
        async def drip() -> AsyncIterator[bytes]:
            yield b"{"
            await end()

        answer = await owner.post("/v1/keys", content=drip(), headers={"Content-Type": "application/json"})
        assert_problem(answer, 503, "request-timed-out")

    async def test_an_answer_that_has_begun_may_take_its_time(self, app: FastAPI, http: httpx.AsyncClient) -> None:
        begun = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"a"
            deadline: asyncio.Timeout = seen[0]
            assert deadline.when() is None
            begun.set()
            yield b"b"

        seen: list[Any] = []

        async def route(request: Request) -> StreamingResponse:
            seen.append(request.state.deadline)
            assert request.state.deadline.when() is not None
            return StreamingResponse(slow())

        with another_route(app, "/slow", route):
            assert (await http.get("/slow")).text == "ab"
        assert begun.is_set()


class TestAccess:
    async def test_no_key(self, http: httpx.AsyncClient) -> None:
        response = await http.get("/v1/keys")
        assert_problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")

    async def test_every_wrong_key_gets_the_same_answer_and_a_log_line(
        self, http: httpx.AsyncClient, owner: Client, make_client: MakeClient, clock: FakeClock, runtime: Runtime
    ) -> None:
        other = make_secret(KEY_PREFIX, owner.key_id)
        unknown = make_secret(KEY_PREFIX, new_id())
        expired = await make_client(expires_at=clock() - timedelta(seconds=1))
        wrong = {
            "malformed": owner.key[:-1] + ("x" if owner.key[-1] != "x" else "y"),
            "wrong_secret": other,
            "unknown": unknown,
            "expired": expired.key,
        }
        answers = set()
        for reason, key in wrong.items():
            with capture_logs() as logs:
                response = await http.get("/v1/keys", headers={"Authorization": f"Bearer {key}"})
            body = assert_problem(response, 401, "unauthenticated")
            answers.add((body["title"], body["detail"]))
            refusal = next(each for each in logs if each["event"] == "access_refused")
            assert refusal["reason"] == reason
            assert key not in json.dumps(logs, default=str)
        assert len(answers) == 1

    async def test_other_schemes(self, http: httpx.AsyncClient, owner: Client) -> None:
        for value in (f"Basic {owner.key}", owner.key, "Bearer", "Bearer  ", f"Bearer {owner.key} x"):
            assert (await http.get("/v1/keys", headers={"Authorization": value})).status_code == 401

    async def test_role_without_the_scope(self, make_client: MakeClient) -> None:
        for role in ("operator", "viewer", "widget", "unheard-of"):
            client = await make_client(role=role)
            with capture_logs() as logs:
                body = assert_problem(await client.get("/v1/keys"), 403, "forbidden")
            assert body["scope"] == "keys:write"
            assert any(each["event"] == "access_refused" for each in logs)

    async def test_own_scopes_narrow_the_role(self, make_client: MakeClient) -> None:
        narrow = await make_client(role="owner", scopes=("webhooks:read",))
        assert (await narrow.get("/v1/events")).status_code == 200
        assert (await narrow.get("/v1/keys")).status_code == 403

    async def test_scopes_never_widen_the_role(self, make_client: MakeClient) -> None:
        viewer = await make_client(role="viewer", scopes=("keys:write",))
        assert (await viewer.get("/v1/keys")).status_code == 403

    async def test_last_use_is_noted_once_a_minute(
        self, owner: Client, clock: FakeClock, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def last_used() -> object:
            return next(
                each["last_used_at"]
                for each in (await owner.get("/v1/keys")).json()["data"]
                if each["id"] == encode_id("api_key", owner.key_id)
            )

        first = await last_used()
        assert first is not None
        monkeypatch.setattr("app.access._last_noted", {})
        clock.advance(seconds=30)
        assert await last_used() == first
        monkeypatch.setattr("app.access._last_noted", {})
        clock.advance(seconds=31)
        assert await last_used() != first


class TestActingForACustomer:
    async def test_partner_sees_the_customers_rows(self, make_client: MakeClient) -> None:
        partner = await make_client()
        customer = await make_client(parent_id=partner.tenant_id)
        name = {"Tranship-Tenant": encode_id("tenant", customer.tenant_id)}
        made = (await partner.post("/v1/keys", json=NEW_KEY, headers=name)).json()
        listed = (await customer.get("/v1/keys")).json()["data"]
        assert made["id"] in [each["id"] for each in listed]
        assert made["id"] not in [each["id"] for each in (await partner.get("/v1/keys")).json()["data"]]

    async def test_nobody_else_may(self, make_client: MakeClient, owner: Client, stranger: Client) -> None:
        customer = await make_client(parent_id=owner.tenant_id)
        for tenant in (owner.tenant_id, customer.tenant_id, UUID(int=0), uuid4()):
            headers = {"Tranship-Tenant": encode_id("tenant", tenant)}
            assert_problem(await stranger.get("/v1/keys", headers=headers), 403, "forbidden")
        assert_problem(await stranger.get("/v1/keys", headers={"Tranship-Tenant": "x"}), 403, "forbidden")

    async def test_a_customer_may_not_act_for_its_partner(self, make_client: MakeClient, owner: Client) -> None:
        customer = await make_client(parent_id=owner.tenant_id)
        headers = {"Tranship-Tenant": encode_id("tenant", owner.tenant_id)}
        assert (await customer.get("/v1/keys", headers=headers)).status_code == 403


async def expire(runtime: Runtime) -> None:
    """What a worker does once an hour."""
    async with runtime.db.connection(None) as connection:
        await connection.execute("SELECT expire_rows($1)", runtime.now())


class TestIdempotency:
    async def test_missing(self, http: httpx.AsyncClient, owner: Client) -> None:
        response = await http.post("/v1/keys", json=NEW_KEY, headers={"Authorization": f"Bearer {owner.key}"})
        assert_problem(response, 400, "idempotency-key-missing")

    async def test_unusable(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json=NEW_KEY, headers={"Idempotency-Key": "x" * 256})
        assert_problem(response, 400, "bad-request")

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
        assert_problem(response, 422, "idempotency-key-reused")

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
            assert_problem(each, 409, "request-in-flight")
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


class TestLists:
    async def test_pages_are_stable_while_rows_come(self, owner: Client, clock: FakeClock) -> None:
        for number in range(7):
            if number % 3 == 0:
                clock.advance(seconds=1)
            await owner.post("/v1/keys", json={"name": str(number)})
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = "?limit=3" + (f"&cursor={cursor}" if cursor else "")
            page = (await owner.get(f"/v1/keys{query}")).json()
            assert page["object"] == "list"
            assert page["has_more"] == (page["next_cursor"] is not None)
            seen += [each["name"] for each in page["data"]]
            if not page["has_more"]:
                break
            cursor = page["next_cursor"]
            clock.advance(seconds=1)
            await owner.post("/v1/keys", json={"name": "late"})
        assert seen == ["6", "5", "4", "3", "2", "1", "0", "test"]

    @pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "a" * 999, ""])
    async def test_foreign_cursor(self, owner: Client, cursor: str) -> None:
        response = await owner.get("/v1/keys", params={"cursor": cursor})
        assert_problem(response, 422, "invalid")

    async def test_cursor_of_another_list(self, owner: Client) -> None:
        for name in ("a", "b"):
            await owner.post("/v1/keys", json={"name": name})
        cursor = (await owner.get("/v1/keys?limit=1")).json()["next_cursor"]
        assert (await owner.get("/v1/keys", params={"cursor": cursor})).status_code == 200
        assert_problem(await owner.get("/v1/webhook_endpoints", params={"cursor": cursor}), 422, "invalid")


class TestTenants:
    async def test_app_role_sees_only_its_tenant(self, owner: Client, stranger: Client, runtime: Runtime) -> None:
        await owner.post("/v1/webhook_endpoints", json={"url": "https://example.com"})
        for tenant, sees in ((owner.tenant_id, True), (stranger.tenant_id, False), (None, False)):
            async with runtime.db.connection(tenant) as connection:
                assert await connection.fetchval("SELECT current_user") == "tranship_app"
                for table in ("api_keys", "webhook_endpoints", "idempotency_keys"):
                    statement = f"SELECT count(*) FROM {table} WHERE tenant_id = $1"
                    assert (await connection.fetchval(statement, owner.tenant_id) > 0) is sees, table

    async def test_app_role_cannot_write_for_another(self, owner: Client, stranger: Client, runtime: Runtime) -> None:
        async with runtime.db.connection(stranger.tenant_id) as connection:
            done = await connection.execute("UPDATE api_keys SET revoked_at = now() WHERE id = $1", owner.key_id)
            assert done == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with runtime.db.connection(stranger.tenant_id) as connection:
                await connection.execute(
                    "INSERT INTO api_keys (id, tenant_id, name, role, scopes, digest, hint, created_at)"
                    " VALUES (gen_random_uuid(), $1, '', 'owner', '{}', '', '', now())",
                    owner.tenant_id,
                )


class TestRates:
    async def test_headers_and_refusal(
        self, owner: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
    ) -> None:
        monkeypatch.setattr("app.dependencies.KEY_POLICY", type(_policy())("key", 2, 60))
        first = await owner.get("/v1/keys")
        assert first.headers["ratelimit-policy"] == '"key";q=2;w=60'
        assert first.headers["ratelimit"].startswith('"key";r=1;t=')
        await owner.get("/v1/keys")
        response = await owner.get("/v1/keys")
        assert_problem(response, 429, "too-many")
        assert 0 < int(response.headers["retry-after"]) <= 60
        clock.advance(seconds=60)
        assert (await owner.get("/v1/keys")).status_code == 200

    async def test_counts_in_memory_when_redis_is_away(self, owner: Client, runtime: Runtime) -> None:
        redis, runtime.redis = runtime.redis, None
        try:
            assert (await owner.get("/v1/keys")).headers["ratelimit"].startswith('"key";r=')
        finally:
            runtime.redis = redis


def _policy():
    from app.ratelimit import KEY_POLICY

    return KEY_POLICY


def test_key_format() -> None:
    key_id = new_id()
    key = make_secret(KEY_PREFIX, key_id)
    assert key.startswith(f"tsk_{encode_id('api_key', key_id)[4:]}_")
    assert read_key_id(key) == key_id
    for place in range(len(key)):
        changed = key[:place] + ("0" if key[place] != "0" else "1") + key[place + 1 :]
        assert read_key_id(changed) is None
    for text in ("", "tsk_", "tsk__", "tsk_a_b", key + "a", key.upper(), "é" * 90):
        assert read_key_id(text) is None
