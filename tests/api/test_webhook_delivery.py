"""Deliveries to a real receiver under a clock that tests move: signatures, the 75 hours, what each answer means."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from app.domain.ids import encode_id
from app.models.columns import new_id
from app.runtime import Runtime
from app.webhooks import schedule
from tests.api.conftest import Client
from tests.api.receiver import Receiver
from tests.api.webhook_kit import deliver, deliveries, endpoint, happen, nothing_due, receiver
from tests.clock import FakeClock

__all__ = ["endpoint", "nothing_due", "receiver"]  # fixtures


class TestDelivery:
    async def test_signed_thin_and_ordered(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        clock.at = datetime.now(clock.at.tzinfo)  # the verifier compares with real time
        run_id = new_id()
        await happen(runtime, owner, "run.completed", run_id, counts={"created": 3})
        assert await deliver(runtime) == 1
        got = receiver.received[0]
        Webhook(endpoint["secret"]).verify(got.body, got.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint["secret"]).verify(got.body + b" ", got.headers)
        message = json.loads(got.body)
        assert message["type"] == "run.completed"
        assert message["data"] == {"counts": {"created": 3}, "run_id": encode_id("run", run_id)}
        assert got.headers["webhook-id"] == message["id"]
        event = (await owner.get("/v1/events")).json()["data"][0]
        assert (event["id"], event["sequence"]) == (message["id"], message["sequence"])
        shown = (await deliveries(owner, endpoint))[0]
        assert (shown["state"], shown["attempts"][0]["status"], shown["next_at"]) == ("delivered", 200, None)
        assert await deliver(runtime) == 0

    async def test_only_wanted_events_of_the_own_tenant(
        self, owner: Client, stranger: Client, runtime: Runtime, receiver: Receiver
    ) -> None:
        await owner.post("/v1/webhook_endpoints", json={"url": receiver.url, "events": ["run.failed"]})
        await happen(runtime, owner, "run.completed")
        await happen(runtime, stranger, "run.failed")
        await happen(runtime, owner, "run.failed")
        await deliver(runtime)
        assert [json.loads(each.body)["type"] for each in receiver.received] == ["run.failed"]

    async def test_seventy_five_hours(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        """Ten attempts at the documented steps, then the delivery has failed."""
        receiver.answers = [500]
        began = clock()
        await happen(runtime, owner)
        tried = []
        while (await deliveries(owner, endpoint))[0]["state"] == "pending":
            due = datetime.fromisoformat((await deliveries(owner, endpoint))[0]["next_at"])
            if due > clock():
                clock.at = due - timedelta(microseconds=1)
                assert await deliver(runtime) == 0
                clock.at = due
            assert await deliver(runtime) == 1
            tried.append(clock() - began)
        steps = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
        assert [each.total_seconds() for each in tried] == [sum(steps[: n + 1]) for n in range(10)]
        assert timedelta(hours=75) <= tried[-1] < timedelta(hours=76)
        shown = (await deliveries(owner, endpoint))[0]
        assert shown["state"] == "failed"
        assert [each["problem"] for each in shown["attempts"]] == ["status_500"] * 10
        assert len({each.headers["webhook-id"] for each in receiver.received}) == 1

    async def test_recovers(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        receiver.answers = [503, "reset", 200]
        await happen(runtime, owner)
        for _ in range(3):
            await deliver(runtime)
            clock.advance(seconds=400)
        shown = (await deliveries(owner, endpoint))[0]
        assert shown["state"] == "delivered"
        assert [each["problem"] for each in shown["attempts"]] == ["status_503", "protocol", ""]
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        assert (await owner.get(path)).json()["failing_since"] is None

    async def test_retry_after(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        receiver.answers, receiver.headers = [429, 200], {"Retry-After": "1200"}
        await happen(runtime, owner)
        await deliver(runtime)
        due = datetime.fromisoformat((await deliveries(owner, endpoint))[0]["next_at"])
        assert due == clock() + timedelta(seconds=1200)
        clock.advance(seconds=1199)
        assert await deliver(runtime) == 0
        clock.advance(seconds=1)
        assert await deliver(runtime) == 1

    async def test_gone_disables_with_notice(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver
    ) -> None:
        receiver.answers = [410]
        await happen(runtime, owner)
        await deliver(runtime)
        assert (await deliveries(owner, endpoint))[0]["state"] == "failed"
        assert (await owner.get(f"/v1/webhook_endpoints/{endpoint['id']}")).json()["state"] == "disabled"
        notice = (await owner.get("/v1/events?type=endpoint.disabled")).json()["data"]
        assert [each["data"] for each in notice] == [{"endpoint_id": endpoint["id"], "reason": "gone"}]
        await happen(runtime, owner)
        assert await deliver(runtime) == 0

    async def test_five_failing_days_disable(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        receiver.answers = [500]
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        for day in range(6):
            assert (await owner.get(path)).json()["state"] == "enabled", day
            await happen(runtime, owner)
            await deliver(runtime)
            clock.advance(days=1)
        assert (await owner.get(path)).json()["state"] == "disabled"
        notice = (await owner.get("/v1/events?type=endpoint.disabled")).json()["data"]
        assert notice[0]["data"]["reason"] == "failing"
        await deliver(runtime)
        assert {each["state"] for each in await deliveries(owner, endpoint)} == {"failed"}
        enabled = (await owner.patch(path, json={"enabled": True})).json()
        assert (enabled["state"], enabled["failing_since"]) == ("enabled", None)

    async def test_stall_is_tried_again(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver
    ) -> None:
        receiver.answers = ["stall", 200]
        await happen(runtime, owner)
        await deliver(runtime, total=0.05)
        shown = (await deliveries(owner, endpoint, "?state=pending"))[0]
        assert shown["attempts"][0]["problem"] == "timeout"

    async def test_redirect_fails(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver
    ) -> None:
        receiver.answers, receiver.headers = [301], {"Location": receiver.url}
        await happen(runtime, owner)
        await deliver(runtime)
        assert (await deliveries(owner, endpoint))[0]["attempts"][0]["problem"] == "redirect_not_followed"
        assert len(receiver.received) == 1

    async def test_two_workers_deliver_once(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver
    ) -> None:
        for _ in range(20):
            await happen(runtime, owner)
        assert sum(await asyncio.gather(*(deliver(runtime) for _ in range(3)))) == 20
        assert len(receiver.received) == 20

    async def test_worker_that_died_is_followed_up(
        self, owner: Client, endpoint: dict[str, Any], runtime: Runtime, receiver: Receiver, clock: FakeClock
    ) -> None:
        await happen(runtime, owner)
        async with runtime.db.connection(owner.tenant_id) as connection:
            await connection.execute(
                "UPDATE webhook_deliveries SET lease_until = $1, attempts = 1", clock() + timedelta(seconds=60)
            )
        assert await deliver(runtime) == 0
        clock.advance(seconds=60)
        assert await deliver(runtime) == 1


class TestSchedule:
    def test_jitter_stays_within_a_fifth(self, clock: FakeClock) -> None:
        now = clock()
        for tries, delay in enumerate(schedule.DELAYS[1:], start=1):
            for chance, share in ((0.0, 0.8), (0.5, 1.0), (0.999999, 1.2)):
                at = schedule.next_attempt(tries, now, chance)
                assert at is not None
                assert (at - now).total_seconds() == pytest.approx(delay * share, rel=1e-5)
        assert schedule.next_attempt(10, now, 0.5) is None

    def test_retry_after_forms(self, clock: FakeClock) -> None:
        now = clock()
        forms = {
            "120": 120,
            "Sat, 21 Nov 2026 10:05:00 GMT": 300,
            "Sat, 21 Nov 2026 09:00:00 GMT": 0,
            "soon": None,
            "": None,
            "-5": None,
            "9" * 40: 10**8,
        }
        for text, seconds in forms.items():
            found = schedule.retry_after({"retry-after": text}, now)
            assert (found.total_seconds() if found is not None else None) == seconds, text

    def test_retry_after_never_shortens_and_waits_a_day_at_most(self, clock: FakeClock) -> None:
        now = clock()
        assert schedule.next_attempt(2, now, 0.5, timedelta(seconds=1)) == now + timedelta(seconds=300)
        assert schedule.next_attempt(1, now, 0.5, timedelta(days=9)) == now + timedelta(days=1)

    @pytest.mark.parametrize(
        ("status", "verdict"),
        [
            (200, "delivered"),
            (204, "delivered"),
            (301, "retry"),
            (404, "retry"),
            (410, "gone"),
            (500, "retry"),
            (None, "retry"),
        ],
    )
    def test_verdicts(self, status: int | None, verdict: str) -> None:
        assert schedule.judge(status) == verdict
