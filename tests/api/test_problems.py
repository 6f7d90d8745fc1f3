"""What every route answers to a request that it cannot read, and what it never tells."""

from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from app.runtime import Runtime
from tests.api.conftest import Client, another_route
from tests.api.problem_kit import problem


class TestProblems:
    async def test_unknown_path(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/nothing"), 404, "not-found")

    async def test_other_method_names_all_allowed_ones(self, http: httpx.AsyncClient) -> None:
        response = await http.put("/v1/keys")
        problem(response, 405, "method-not-allowed")
        assert response.headers["allow"] == "GET, POST"

    async def test_id_that_is_no_id_names_nothing(self, owner: Client) -> None:
        for text in ("nonsense", "run_01j6gv5gy6fsfrma3wfhpsy6sb", str(uuid4()), "key_" + "z" * 26):
            problem(await owner.delete(f"/v1/keys/{text}"), 404, "not-found")

    async def test_body_of_another_type(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", content=b"name=x", headers={"Content-Type": "text/plain"})
        problem(response, 415, "wrong-media-type")

    async def test_announced_body_over_the_limit(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json={"name": "x" * 70_000})
        problem(response, 413, "body-too-large")

    async def test_streamed_body_over_the_limit(self, owner: Client) -> None:
        async def chunks():
            for _ in range(9):
                yield b" " * 8192

        response = await owner.post("/v1/keys", content=chunks(), headers={"Content-Type": "application/json"})
        problem(response, 413, "body-too-large")

    @pytest.mark.parametrize(
        "content",
        [b"{", b"\xff\xfe", b'{"name": NaN}', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b"[" * 5000],
        ids=["cut", "not UTF-8", "NaN", "NUL", "lone surrogate", "deep"],
    )
    async def test_hostile_json(self, owner: Client, content: bytes) -> None:
        response = await owner.post("/v1/keys", content=content, headers={"Content-Type": "application/json"})
        body = problem(response, 422, "invalid")
        assert body["errors"][0]["code"] == "json-invalid"

    async def test_escaped_backslash_before_u0000_is_no_nul(self, owner: Client) -> None:
        content = rb'{"name": "\\u0000"}'
        response = await owner.post("/v1/keys", content=content, headers={"Content-Type": "application/json"})
        assert response.json()["name"] == r"\u0000"

    async def test_pointers(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json={"scopes": ["runs:read", "all"], "a/b": 1})
        body = problem(response, 422, "invalid")
        assert [each["pointer"] for each in body["errors"]] == ["/scopes/1", "/a~1b"]

    async def test_query_pointer(self, owner: Client) -> None:
        body = problem(await owner.get("/v1/keys?limit=101"), 422, "invalid")
        assert body["errors"][0]["pointer"] == "/query/limit"

    async def test_nul_in_the_url(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/platforms/a%00b"), 400, "bad-request")

    async def test_failure_of_ours_tells_nothing_and_is_logged(
        self, app: FastAPI, http: httpx.AsyncClient, runtime: Runtime
    ) -> None:
        async def broken() -> None:
            raise RuntimeError("canary-in-a-traceback")

        with another_route(app, "/broken", broken), capture_logs() as logs:
            response = await http.get("/broken")
        problem(response, 500, "internal-error")
        assert "canary" not in response.text
        assert [each["event"] for each in logs if each["log_level"] == "error"] == ["request_crashed"]

    async def test_safe_headers_everywhere(self, http: httpx.AsyncClient) -> None:
        for path in ("/livez", "/v1/nothing", "/v1/keys"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["request-id"].startswith("req_")
