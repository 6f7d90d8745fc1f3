"""Idempotency as a state machine: whatever clients repeat, race, alter or lose, each key does its work at most once."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app import routing
from app.runtime import Runtime
from tests.api.conftest import Client
from tests.clock import FakeClock

KEYS = st.sampled_from(["alpha", "beta", "gamma"])
NAMES = st.sampled_from(["one", "two"])
Result = TypeVar("Result")


class Lost(Exception):
    """The process dies between the commit and the answer, or just before the commit."""


@pytest.fixture
def plain_logs() -> Iterator[None]:
    """The deaths below are logged in one line each; the console's picture of a whole request takes seconds."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("plain_logs")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
async def test_each_key_acts_at_most_once(
    owner: Client, runtime: Runtime, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine runs in a thread and hands its requests to this loop, where application and database are."""
    loop = asyncio.get_running_loop()

    def here(work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    bound = {"owner": owner, "here": staticmethod(here), "patch": monkeypatch}
    machine = type("Bound", (Machine,), bound)
    profile = hypothesis_settings(
        max_examples=6, stateful_step_count=8, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=profile)


class Machine(RuleBasedStateMachine):
    """Clients of one tenant; `owner`, `here` and `patch` are bound by a subclass, each example uses keys of its own."""

    owner: Client
    here: Callable[[Coroutine[Any, Any, Any]], Any]
    patch: pytest.MonkeyPatch
    counter = iter(range(10**6))

    @initialize()
    def begin(self) -> None:
        self.turn = next(self.counter)
        self.done: dict[str, tuple[str, str]] = {}
        """By key: the name that was asked for, and the id that was made."""

    def send(self, key: str, name: str, times: int = 1) -> list[httpx.Response]:
        headers = {"Idempotency-Key": f"{self.turn}-{key}"}
        body = {"name": f"{self.turn}-{name}", "role": "viewer"}

        async def all_at_once() -> list[httpx.Response]:
            calls = (self.owner.post("/v1/keys", json=body, headers=headers) for _ in range(times))
            return list(await asyncio.gather(*calls))

        answers: list[httpx.Response] = self.here(all_at_once())
        return answers

    def judge(self, key: str, name: str, answers: list[httpx.Response]) -> None:
        known = self.done.get(key)
        if known is not None and known[0] != name:
            assert {each.status_code for each in answers} <= {422, 409}
            return
        assert {each.status_code for each in answers} <= {201, 409}
        made = {each.json()["id"] for each in answers if each.status_code == 201}
        assert len(made) == 1
        fresh = [each for each in answers if each.status_code == 201 and "idempotency-replayed" not in each.headers]
        assert len(fresh) == (0 if known else 1)
        if known:
            assert made == {known[1]}
        self.done[key] = (name, made.pop())

    @rule(key=KEYS, name=NAMES)
    def once(self, key: str, name: str) -> None:
        self.judge(key, name, self.send(key, name))

    @rule(key=KEYS, name=NAMES)
    def fifty_at_once(self, key: str, name: str) -> None:
        self.judge(key, name, self.send(key, name, 50))

    @rule(key=KEYS, name=NAMES)
    def answer_is_lost(self, key: str, name: str) -> None:
        """The work is committed, the client never hears of it and asks again."""
        self.send(key, name)
        answers = self.send(key, name)
        known = self.done.get(key)
        if known is None:
            assert answers[0].headers.get("idempotency-replayed") == "true"
            self.done[key] = (name, answers[0].json()["id"])
        else:
            self.judge(key, name, answers)

    @rule(key=KEYS, name=NAMES)
    def dies_before_the_commit(self, key: str, name: str) -> None:
        """Nothing may remain, neither of the work nor of the key."""
        real = routing.keep_answer

        async def dying(*_: Any) -> None:
            raise Lost

        self.patch.setattr(routing, "keep_answer", dying)
        try:
            answers = self.send(key, name)
        finally:
            self.patch.setattr(routing, "keep_answer", real)
        expected = {500} if key not in self.done else {201, 422}
        assert {each.status_code for each in answers} <= expected

    @invariant()
    def one_thing_per_key(self) -> None:
        found = self.here(listed(self.owner, f"{getattr(self, 'turn', -1)}-"))
        assert sorted(found) == sorted(made for _, made in getattr(self, "done", {}).values())


async def listed(owner: Client, prefix: str) -> list[str]:
    """Ids of the keys whose name begins so."""
    answer = await owner.get("/v1/keys?limit=100")
    return [one["id"] for one in answer.json()["data"] if one["name"].startswith(prefix)]
