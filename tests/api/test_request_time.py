"""A request that does not come to its answer is given up; what it did is taken back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from app.domain.ids import encode_id
from app.frame import _Answer
from app.keys import service
from tests.api.conftest import Client, another_route
from tests.api.problem_kit import problem

NEW_KEY = {"name": "portal"}


class TestTime:
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
        problem(late, 503, "request-timed-out")
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
        problem(answer, 503, "request-timed-out")

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
