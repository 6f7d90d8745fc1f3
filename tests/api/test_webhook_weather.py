"""One run of everything a receiver may do to us: it fails, stalls, resets, asks to wait, and one of them is gone."""

import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from standardwebhooks import Webhook

from app.runtime import Runtime
from app.webhooks import schedule
from tests.api.conftest import Client
from tests.api.receiver import Answer, Received, listening
from tests.api.webhook_kit import deliver, deliveries, happen
from tests.clock import FakeClock

EVENTS = 24
PATIENCE = 0.3  # seconds of real time that a stall costs
WAIT = 5400  # seconds: longer than the schedule's first steps, so that it decides
GONE_AFTER = 8
KINDS = ("run.started", "run.phase.completed", "run.completed", "run.failed")


def number_of(request: Received) -> int:
    """The number of an event of ours; -1 for a notice of the service."""
    number: int = json.loads(request.body)["data"].get("number", -1)
    return number


def weather(tried: dict[int, list[Answer]]) -> Callable[[Received], Answer]:
    """Up to five bad answers for each event, drawn by its number, then a good one."""

    def answer(request: Received) -> Answer:
        number = number_of(request)
        if number < 0:
            return 200
        chance = random.Random(number)
        bad: list[Answer] = [500, 503, 404, 301, "reset", "stall", (429, {"Retry-After": str(WAIT)})]
        drawn = [chance.choice(bad) for _ in range(chance.randrange(6))]
        before = tried.setdefault(number, [])
        given: Answer = drawn[len(before)] if len(before) < len(drawn) else 200
        before.append(given)
        return given

    return answer


async def hook(owner: Client, url: str) -> dict[str, Any]:
    made = await owner.post("/v1/webhook_endpoints", json={"url": url})
    assert made.status_code == 201, made.text
    body: dict[str, Any] = made.json()
    return body


async def until_calm(owner: Client, runtime: Runtime, clock: FakeClock, *endpoints: dict[str, Any]) -> int:
    """Moves the clock from one due time to the next until nothing is pending; how many times."""
    for turn in range(500):
        await deliver(runtime, total=PATIENCE)
        pending = [one for each in endpoints for one in await deliveries(owner, each, "?state=pending&limit=100")]
        if not pending:
            return turn
        clock.at = max(clock.at, min(datetime.fromisoformat(one["next_at"]) for one in pending))
    raise AssertionError("webhooks never come to rest")


async def test_a_receiver_in_any_weather_gets_everything(owner: Client, runtime: Runtime, clock: FakeClock) -> None:
    tried: dict[int, list[Answer]] = {}
    async with AsyncExitStack() as stack:
        stormy, steady, leaving = [await stack.enter_async_context(listening()) for _ in range(3)]
        endpoints = [await hook(owner, one.url) for one in (stormy, steady, leaving)]
        stormy.plan = weather(tried)
        leaving.plan = lambda request: 200 if number_of(request) < GONE_AFTER else 410
        for number in range(EVENTS):
            await happen(runtime, owner, KINDS[number % len(KINDS)], number=number)
            await deliver(runtime, total=PATIENCE)
            clock.advance(minutes=7)
        assert await until_calm(owner, runtime, clock, *endpoints) > 5
        shown = [await deliveries(owner, one, "?limit=100") for one in endpoints]

        # Every kind of weather came up, every event arrived, and what we say of the attempts is what they saw.
        met = Counter(str(answer) for answers in tried.values() for answer in answers)
        assert len(met) == 8, met
        ours = [one for one in shown[0] if one["event_type"] in KINDS]
        assert {one["state"] for one in ours} == {"delivered"}
        assert sorted(tried) == list(range(EVENTS))
        seen = [one for one in stormy.received if number_of(one) >= 0]
        assert len(seen) == sum(map(len, tried.values())) <= sum(len(one["attempts"]) for one in ours)
        for one in ours:
            check_times(one["attempts"])
        for number in range(EVENTS):
            same = [one for one in stormy.received if number_of(one) == number]
            assert len({one.headers["webhook-id"] for one in same}) == 1, "one event, one id"
            assert len({one.body for one in same}) == 1
        for received, endpoint in ((stormy.received, endpoints[0]), (steady.received, endpoints[1])):
            assert all(one.headers["webhook-signature"] == signature(one, endpoint["secret"]) for one in received)

        # Weather at one receiver delays nobody else, and the stream can be put in order.
        calm = [one for one in steady.received if number_of(one) >= 0]
        assert [number_of(one) for one in calm] == list(range(EVENTS))
        sequences = [json.loads(one.body)["sequence"] for one in calm]
        assert sequences == sorted(set(sequences))

        # The one that is gone hears nothing more, and its owner is told once.
        assert [number_of(one) for one in leaving.received] == list(range(GONE_AFTER + 1))
        states = [(await owner.get(f"/v1/webhook_endpoints/{one['id']}")).json()["state"] for one in endpoints]
        assert states == ["enabled", "enabled", "disabled"]
        notices = (await owner.get("/v1/events?type=endpoint.disabled")).json()["data"]
        assert [one["data"] for one in notices] == [{"endpoint_id": endpoints[2]["id"], "reason": "gone"}]


def check_times(attempts: list[dict[str, Any]]) -> None:
    """No attempt comes before its step of the schedule (without jitter here), nor before what a 429 asked for."""
    for number, (before, after) in enumerate(pairwise(attempts), start=1):
        least = schedule.DELAYS[number] if before["status"] != 429 else max(schedule.DELAYS[number], WAIT)
        took = datetime.fromisoformat(after["at"]) - datetime.fromisoformat(before["at"])
        assert took >= timedelta(seconds=least), (number, before)


def signature(request: Received, secret: str) -> str:
    """As the receiver's own library signs; its check compares with real time, which is not ours here."""
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    return str(Webhook(secret).sign(request.headers["webhook-id"], at, request.body.decode()))
