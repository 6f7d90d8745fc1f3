"""Runs over the API: accepted or refused with the reason, watched, steered, approved, audited."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app.domain.ids import decode_id
from app.models.event import Event
from app.models.run import Run
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, discovered, move, sandboxes, unknown
from tests.api.problem_kit import problem
from tests.clock import FakeClock

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


@pytest.fixture
async def ready(discovered: Move) -> Move:
    """Mapping confirmed, owners settled, provisioning done."""
    mapping_id = await discovered.confirm()
    await discovered.settle_owners()
    await discovered.add_run("provision", mapping_id=mapping_id)
    return discovered


async def confirmed(move: Move) -> UUID:
    found = await move.client.get(f"{move.path}/mapping")
    return decode_id("mapping", found.json()["id"])


class TestCreate:
    async def test_is_accepted_queued_and_announced(self, move: Move) -> None:
        await move.connect()
        answer = await move.start("discovery")
        assert answer.status_code == 202, answer.text
        body = answer.json()
        assert answer.headers["location"] == f"/v1/runs/{body['id']}"
        assert answer.headers["retry-after"]
        assert (body["state"], body["kind"], body["destination"]) == ("queued", "discovery", "production")
        run_id = decode_id("run", body["id"])
        row = await move.row(Run, id=run_id)
        assert row.next_at <= move.runtime.now()
        assert row.created_by == move.client.key_id
        assert (await move.row(Event, run_id=run_id)).type == "run.queued"
        assert move.runtime.redis is not None
        assert len(await move.runtime.redis.queued_jobs()) == 1

    async def test_same_key_starts_one_run(self, move: Move) -> None:
        await move.connect()
        path, headers = f"{move.path}/runs", {"Idempotency-Key": "once"}
        first = await move.client.post(path, json={"kind": "discovery"}, headers=headers)
        again = await move.client.post(path, json={"kind": "discovery"}, headers=headers)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        assert again.headers["location"] == first.headers["location"]
        other = await move.client.post(path, json={"kind": "preflight"}, headers=headers)
        problem(other, 422, "idempotency-key-reused")

    async def test_parallel_requests_start_one_writing_run(self, ready: Move) -> None:
        answers = await asyncio.gather(*(ready.start("sample") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]

    async def test_untested_connection(self, move: Move) -> None:
        body = problem(await move.start("discovery"), 409, "step-missing")
        assert "PUT" in body["detail"]
        await move.put_connection("source")
        await move.put_connection("destination")
        assert "/test" in problem(await move.start("discovery"), 409, "step-missing")["detail"]

    async def test_nothing_is_written_before_confirmation(self, discovered: Move) -> None:
        for kind in ("provision", "sample", "full"):
            assert "propose" in problem(await discovered.start(kind), 409, "mapping-not-confirmed")["detail"].lower()
        await discovered.propose()
        body = problem(await discovered.start("sample"), 409, "mapping-not-confirmed")
        assert body["mapping_version"] == 1

    async def test_owners_then_provisioning_then_go(self, discovered: Move) -> None:
        mapping_id = await discovered.confirm()
        body = problem(await discovered.start("sample"), 409, "owners-unresolved")
        assert body["owners"]["unresolved"] > 0
        assert "fallback_user_id" in body["detail"]
        assert [one["code"] for one in body["obstacles"]] == ["owners-unresolved", "provisioning-incomplete"]
        await discovered.settle_owners()
        problem(await discovered.start("sample"), 409, "provisioning-incomplete")
        await discovered.add_run("provision", mapping_id=mapping_id)
        answer = await discovered.start("sample", options={"size": 120})
        assert answer.status_code == 202, answer.text
        assert answer.json()["mapping_version"] == 1
        row = await discovered.row(Run, id=decode_id("run", answer.json()["id"]))
        assert (row.mapping_id, row.options) == (mapping_id, {"size": 120, "rehearse_rollback": True})
        assert row.destination_id == discovered.connections["destination"]

    async def test_full_waits_for_the_approved_sample_of_the_same_mapping(self, ready: Move) -> None:
        problem(await ready.start("full"), 409, "sample-not-approved")
        sample = await ready.add_run("sample", mapping_id=await confirmed(ready))
        body = problem(await ready.start("full"), 409, "sample-not-approved")
        assert body["run_id"] == sample
        assert (await ready.client.post(f"/v1/runs/{sample}/approve")).status_code == 200
        answer = await ready.start("full")
        assert answer.status_code == 202
        assert (await ready.row(Run, id=decode_id("run", answer.json()["id"]))).parent_run_id == decode_id(
            "run", sample
        )
        problem(await ready.start("delta"), 409, "step-missing")
        problem(await ready.start("rollback"), 409, "another-run-active")

    async def test_new_mapping_version_closes_the_full_run_again(self, ready: Move) -> None:
        sample = await ready.add_run("sample", mapping_id=await confirmed(ready))
        await ready.client.post(f"/v1/runs/{sample}/approve")
        mapping_id = await ready.confirm()
        await ready.add_run("provision", mapping_id=mapping_id)
        problem(await ready.start("full"), 409, "sample-not-approved")
        problem(await ready.client.post(f"/v1/runs/{sample}/approve"), 409, "run-not-suitable")

    async def test_delta_reads_on_from_the_mark(self, ready: Move, clock: FakeClock) -> None:
        began = clock()
        await ready.add_run("full", mapping_id=await confirmed(ready))
        first = await ready.start("delta")
        assert first.json()["options"] == {"batch": 1, "since": began.isoformat()}
        await ready.set_run(first.json()["id"], state="completed")
        second = await ready.start("delta")
        assert second.json()["options"]["batch"] == 2

    async def test_rollback_undoes_by_the_mapping_that_was_written(self, ready: Move) -> None:
        mapping_id = await confirmed(ready)
        full = await ready.add_run("full", state="cancelled", mapping_id=mapping_id)
        await ready.confirm()
        answer = await ready.start("rollback")
        assert answer.status_code == 202, answer.text
        row = await ready.row(Run, id=decode_id("run", answer.json()["id"]))
        assert (row.mapping_id, row.parent_run_id) == (mapping_id, decode_id("run", full))

    async def test_rehearsal_is_a_destination_of_its_own(self, ready: Move) -> None:
        path = {"destination": "rehearsal"}
        problem(await ready.start("sample", **path), 409, "step-missing")
        await ready.connect("rehearsal")
        await ready.discover()
        problem(await ready.start("sample", **path), 409, "provisioning-incomplete")
        answer = await ready.start("provision", **path)
        assert (answer.status_code, answer.json()["destination"]) == (202, "rehearsal")

    async def test_content_and_access(self, move: Move, stranger: Client, make_client: MakeClient) -> None:
        path = f"{move.path}/runs"
        problem(await move.start("teleport"), 422, "invalid")
        problem(await move.start("sample", options={"size": 5}), 422, "invalid")
        problem(await move.start("sample", options={"sample": {}}), 422, "invalid")
        problem(await stranger.post(path, json={"kind": "discovery"}), 404, "not-found")
        problem(await move.client.http.post(path, json={"kind": "discovery"}), 401, "unauthenticated")
        viewer = await make_client(role="viewer", tenant_id=move.client.tenant_id)
        problem(await viewer.post(path, json={"kind": "discovery"}), 403, "forbidden")


class TestGetAndList:
    async def test_progress_calls_and_time(self, move: Move, clock: FakeClock) -> None:
        run_id = await move.add_run(
            "full",
            state="running",
            destination_id=None,
            started_at=clock() - timedelta(seconds=60),
            forecast={"write_calls": 30, "read_calls": 10, "credits": 300, "busy_seconds": 100.0},
            calls={"made": 12, "credits": 110, "rejected_429": 0, "source": 4, "by_purpose": {"write": 12}},
        )
        done = {"read": 100, "taken": 100, "created": 98, "quarantined": 2}
        await move.add_stage(run_id, "load:accounts", state="done", total=100, counts=done)
        await move.add_stage(
            run_id, "load:contacts", state="running", ordinal=2, total=300, counts={"taken": 150, "settled": 100}
        )
        answer = await move.client.get(f"/v1/runs/{run_id}")
        body = answer.json()
        assert answer.headers["retry-after"]
        assert body["progress"]["total"] == 400
        assert body["progress"]["done"] == 200
        assert body["progress"]["percent"] == 50.0
        assert body["progress"]["phase"] == "contacts"
        assert 55 <= body["progress"]["eta_seconds"] <= 65
        assert [stage["percent"] for stage in body["stages"]] == [100.0, 33.3]
        assert body["counts"]["created"] == 98
        assert body["counts"]["held"] == 0
        assert (body["calls"]["made"], body["calls"]["forecast"], body["calls"]["credits_forecast"]) == (12, 40, 300)
        assert body["problem"] is None

    async def test_problem_says_what_to_do_next(self, move: Move) -> None:
        rejected = {"code": "credentials-rejected", "detail": "the refresh token was revoked"}
        run_id = await move.add_run("full", state="paused", destination_id=None, problem=rejected)
        found = (await move.client.get(f"/v1/runs/{run_id}")).json()["problem"]
        assert (found["code"], found["detail"]) == ("credentials-rejected", "the refresh token was revoked")
        assert "PUT the connection" in found["next"]
        assert found["call"]["path"] == f"/v1/runs/{run_id}/resume"

    async def test_waiting_for_budget_says_until_when(self, move: Move, clock: FakeClock) -> None:
        run_id = await move.add_run("full", state="waiting_quota", destination_id=None)
        until = clock() + timedelta(hours=3)
        await move.set_run(run_id, next_at=until)
        body = (await move.client.get(f"/v1/runs/{run_id}")).json()
        assert body["continues_at"] == until.isoformat().replace("+00:00", "Z")
        assert body["problem"]["call"] is None

    async def test_list_filters_and_pages(self, move: Move) -> None:
        made = [await move.add_run("preflight", destination_id=None) for _ in range(3)]
        await move.add_run("discovery", state="failed", destination_id=None)
        path = f"{move.path}/runs"
        first = (await move.client.get(path, params={"kind": "preflight", "limit": 2})).json()
        assert [one["id"] for one in first["data"]] == made[:0:-1]
        more = {"kind": "preflight", "limit": 2, "cursor": first["next_cursor"]}
        assert [one["id"] for one in (await move.client.get(path, params=more)).json()["data"]] == made[:1]
        failed = (await move.client.get(path, params={"state": "failed"})).json()["data"]
        assert [one["kind"] for one in failed] == ["discovery"]

    async def test_of_others(self, move: Move, stranger: Client) -> None:
        run_id = await move.add_run("preflight", destination_id=None)
        for path in (
            f"/v1/runs/{run_id}",
            f"/v1/runs/{run_id}/records",
            f"/v1/runs/{run_id}/events",
            f"{move.path}/runs",
        ):
            problem(await stranger.get(path), 404, "not-found")
            problem(await move.client.http.get(path), 401, "unauthenticated")
        problem(await move.client.get(f"/v1/runs/{unknown('run')}"), 404, "not-found")


class TestPlan:
    async def test_previews_stages_cost_and_obstacles(self, discovered: Move) -> None:
        path = f"{discovered.path}/plan"
        problem(await discovered.client.get(path), 409, "step-missing")
        await discovered.propose()
        answer = await discovered.client.get(path, params={"kind": "full"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["stages"]
        assert body["phases"]
        assert body["obstacles"]
        assert await discovered.row(Run, engagement_id=discovered.uuid) is None

    async def test_of_others(self, move: Move, stranger: Client) -> None:
        problem(await stranger.get(f"{move.path}/plan"), 404, "not-found")
        problem(await move.client.http.get(f"{move.path}/plan"), 401, "unauthenticated")


class TestSteer:
    async def act(self, move: Move, run_id: str, what: str) -> httpx.Response:
        return await move.client.post(f"/v1/runs/{run_id}/{what}")

    async def test_queued_run_pauses_resumes_and_cancels_at_once(self, move: Move) -> None:
        run_id = await move.add_run("preflight", state="queued", destination_id=None)
        assert (await self.act(move, run_id, "pause")).json()["state"] == "paused"
        assert (await self.act(move, run_id, "pause")).json()["state"] == "paused"
        assert (await self.act(move, run_id, "resume")).json()["state"] == "queued"
        cancelled = (await self.act(move, run_id, "cancel")).json()
        assert (cancelled["state"], cancelled["requested"]) == ("cancelled", "")
        assert cancelled["finished_at"]
        body = problem(await self.act(move, run_id, "resume"), 409, "run-not-suitable")
        assert body["state"] == "cancelled"
        async with move.runtime.db.connection(move.client.tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT type FROM events WHERE run_id = $1 ORDER BY sequence", decode_id("run", run_id)
            )
        assert [row["type"] for row in rows] == ["run.paused", "run.queued", "run.cancelled"]

    async def test_running_run_is_asked_and_its_worker_puts_it_down(self, move: Move) -> None:
        run_id = await move.add_run("preflight", state="running", destination_id=None)
        paused = (await self.act(move, run_id, "pause")).json()
        assert (paused["state"], paused["requested"]) == ("running", "pause")
        back = (await self.act(move, run_id, "resume")).json()
        assert (back["state"], back["requested"]) == ("running", "")
        cancelling = (await self.act(move, run_id, "cancel")).json()
        assert (cancelling["state"], cancelling["requested"]) == ("cancelling", "cancel")

    async def test_waiting_and_failed_runs_go_on(self, move: Move, clock: FakeClock) -> None:
        waiting = await move.add_run("provision", state="waiting_admin", destination_id=None)
        await move.set_run(waiting, next_at=clock() + timedelta(days=1), problem={"code": "x", "detail": "y"})
        body = (await self.act(move, waiting, "resume")).json()
        assert (body["state"], body["problem"]) == ("queued", None)
        row = await move.row(Run, id=decode_id("run", waiting))
        assert row.next_at == clock()
        failed = await move.add_run("preflight", state="failed", destination_id=None)
        problem(await self.act(move, failed, "resume"), 409, "another-run-active")
        await move.set_run(waiting, state="completed")
        assert (await self.act(move, failed, "resume")).json()["state"] == "queued"

    @pytest.mark.parametrize("what", ["pause", "resume", "cancel"])
    async def test_completed_run_stays_and_others_see_nothing(
        self, move: Move, stranger: Client, make_client: MakeClient, what: str
    ) -> None:
        run_id = await move.add_run("preflight", destination_id=None)
        problem(await self.act(move, run_id, what), 409, "run-not-suitable")
        problem(await stranger.post(f"/v1/runs/{run_id}/{what}"), 404, "not-found")
        problem(await move.client.http.post(f"/v1/runs/{run_id}/{what}"), 401, "unauthenticated")
        viewer = await make_client(role="viewer", tenant_id=move.client.tenant_id)
        problem(await viewer.post(f"/v1/runs/{run_id}/{what}"), 403, "forbidden")

    async def test_approve_only_a_completed_sample(
        self, ready: Move, stranger: Client, make_client: MakeClient
    ) -> None:
        mapping_id = await confirmed(ready)
        for kind, state in (("sample", "running"), ("full", "completed")):
            run_id = await ready.add_run(kind, state=state, mapping_id=mapping_id)
            problem(await self.act(ready, run_id, "approve"), 409, "run-not-suitable")
        sample = await ready.add_run("sample", mapping_id=mapping_id)
        problem(await stranger.post(f"/v1/runs/{sample}/approve"), 404, "not-found")
        narrow = await make_client(scopes=("runs:write",), tenant_id=ready.client.tenant_id)
        problem(await narrow.post(f"/v1/runs/{sample}/approve"), 403, "forbidden")
        answer = await self.act(ready, sample, "approve")
        assert (answer.status_code, answer.json()["approved"]) == (200, True)
        view = await ready.view()
        assert view["approved_run_id"] == sample
        assert view["approved_at"]
