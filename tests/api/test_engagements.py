"""Engagements: created, read, changed; what is due, what is next, and how far they have come."""

import pytest

from app.models.engagement import Engagement
from app.models.quote import Quote
from app.runtime import Runtime
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import BODY, Move, discovered, move, sandboxes, soon, unknown
from tests.api.problem_kit import problem
from tests.clock import FakeClock

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


class TestCreate:
    async def test_gives_state_calendar_and_the_first_call(self, owner: Client) -> None:
        answer = await owner.post("/v1/engagements", json=BODY)
        assert answer.status_code == 201
        body = answer.json()
        assert answer.headers["location"] == f"/v1/engagements/{body['id']}"
        assert body["state"] == "draft"
        assert body["calendar"]["delta_hours"] == 48
        assert body["calendar"]["hypercare_days"] == 5
        assert body["next_step"]["call"]["method"] == "PUT"
        assert body["next_step"]["call"]["path"] == f"/v1/engagements/{body['id']}/connections/source"

    async def test_same_key_makes_one(self, owner: Client) -> None:
        headers = {"Idempotency-Key": "once"}
        first = await owner.post("/v1/engagements", json=BODY, headers=headers)
        again = await owner.post("/v1/engagements", json=BODY, headers=headers)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == first.json()
        assert len((await owner.get("/v1/engagements")).json()["data"]) == 1

    async def test_data_key_is_sealed_and_its_own(self, move: Move, owner: Client, runtime: Runtime) -> None:
        other = Move(owner, runtime, move.sandboxes, (await owner.post("/v1/engagements", json=BODY)).json()["id"])
        one = await move.row(Engagement, id=move.uuid)
        two = await other.row(Engagement, id=other.uuid)
        clear = runtime.keys.unseal(one.data_key, place=runtime.data_key_place(one.id))
        assert len(clear) == 32
        assert clear != runtime.keys.unseal(two.data_key, place=runtime.data_key_place(two.id))

    async def test_unknown_platform_names_those_that_exist(self, owner: Client) -> None:
        answer = await owner.post("/v1/engagements", json=BODY | {"source": "lotus_notes"})
        body = problem(answer, 422, "unknown-platform")
        assert body["errors"][0]["pointer"] == "/source"
        assert "servicetracker" in body["platforms"]

    async def test_pair_without_a_road_names_those_there_are(self, owner: Client) -> None:
        swapped = BODY | {"source": "zoho_crm", "destination": "servicetracker"}
        body = problem(await owner.post("/v1/engagements", json=swapped), 404, "unknown-pair")
        assert "servicetracker:zoho_crm" in body["pairs"]

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"name": "  "}, "/name"),
            ({"colour": "red"}, "/colour"),
            ({"calendar": {"delta_hours": 12}}, "/calendar/delta_hours"),
            ({"calendar": {"hypercare_days": 9}}, "/calendar/hypercare_days"),
            ({"calendar": {"freeze_at": "2026-12-01T10:00:00"}}, "/calendar/freeze_at"),
        ],
    )
    async def test_wrong_content_is_pointed_at(self, owner: Client, change: dict[str, object], pointer: str) -> None:
        body = problem(await owner.post("/v1/engagements", json=BODY | change), 422, "invalid")
        assert [error["pointer"] for error in body["errors"]] == [pointer]

    async def test_needs_platforms_or_a_quote(self, owner: Client) -> None:
        body = problem(await owner.post("/v1/engagements", json={"name": "x"}), 422, "invalid")
        assert body["errors"][0]["pointer"] == "/source"

    async def test_access(self, http: object, owner: Client, make_client: MakeClient) -> None:
        answer = await owner.http.post("/v1/engagements", json=BODY, headers={"Idempotency-Key": "x"})
        problem(answer, 401, "unauthenticated")
        viewer = await make_client(role="viewer", tenant_id=owner.tenant_id)
        problem(await viewer.post("/v1/engagements", json=BODY), 403, "forbidden")


class TestFromQuote:
    async def quote(self, owner: Client, runtime: Runtime, **values: object) -> Quote:
        now = runtime.now()
        quote = Quote(
            **{
                "tenant_id": owner.tenant_id,
                "source": "servicetracker",
                "destination": "zoho_crm",
                "created_at": now,
                "valid_until": now.replace(year=now.year + 1),
            }
            | values
        )
        async with runtime.db.transaction(owner.tenant_id) as session:
            session.add(quote)
        return quote

    def body(self, quote: Quote) -> dict[str, object]:
        from app.domain.ids import encode_id

        return {"name": "From a quote", "quote_id": encode_id("quote", quote.id)}

    async def test_takes_the_pair_and_accepts_the_quote(self, owner: Client, runtime: Runtime) -> None:
        quote = await self.quote(owner, runtime)
        answer = await owner.post("/v1/engagements", json=self.body(quote))
        assert answer.status_code == 201, answer.text
        assert (answer.json()["source"], answer.json()["destination"]) == ("servicetracker", "zoho_crm")
        async with runtime.db.transaction(owner.tenant_id) as session:
            assert (await session.get_one(Quote, quote.id)).state == "accepted"
        problem(await owner.post("/v1/engagements", json=self.body(quote)), 409, "quote-not-usable")

    async def test_refuses_one_that_is_over_or_under_review(
        self, owner: Client, runtime: Runtime, clock: FakeClock
    ) -> None:
        expired = await self.quote(owner, runtime, valid_until=clock())
        problem(await owner.post("/v1/engagements", json=self.body(expired)), 409, "quote-not-usable")
        waiting = await self.quote(owner, runtime, state="needs_review")
        problem(await owner.post("/v1/engagements", json=self.body(waiting)), 409, "quote-not-usable")

    async def test_refuses_another_pair_and_another_tenants_quote(
        self, owner: Client, stranger: Client, runtime: Runtime
    ) -> None:
        quote = await self.quote(owner, runtime)
        body = self.body(quote) | {"source": "zoho_crm"}
        assert problem(await owner.post("/v1/engagements", json=body), 422, "invalid")["errors"]
        problem(await stranger.post("/v1/engagements", json=self.body(quote)), 404, "not-found")


class TestReadAndList:
    async def test_of_another_tenant_does_not_exist(self, move: Move, stranger: Client) -> None:
        problem(await stranger.get(move.path), 404, "not-found")
        assert (await stranger.get("/v1/engagements")).json()["data"] == []
        problem(await stranger.get(f"/v1/engagements/{unknown('engagement')}"), 404, "not-found")

    async def test_list_pages_from_the_newest(self, owner: Client, clock: FakeClock) -> None:
        made = []
        for number in range(3):
            clock.advance(seconds=1)
            made.append((await owner.post("/v1/engagements", json=BODY | {"name": str(number)})).json()["id"])
        first = (await owner.get("/v1/engagements", params={"limit": 2})).json()
        assert [one["id"] for one in first["data"]] == made[:0:-1]
        assert first["has_more"] is True
        rest = (await owner.get("/v1/engagements", params={"cursor": first["next_cursor"]})).json()
        assert [one["id"] for one in rest["data"]] == made[:1]
        assert rest["has_more"] is False

    async def test_list_filters_by_platform_and_keeps_a_cursor_to_its_filter(
        self, owner: Client, clock: FakeClock
    ) -> None:
        made: dict[str, list[str]] = {"zoho_crm": [], "freshsales": []}
        for destination in ("zoho_crm", "freshsales", "zoho_crm"):
            clock.advance(seconds=1)
            body = BODY | {"destination": destination}
            made[destination].insert(0, (await owner.post("/v1/engagements", json=body)).json()["id"])
        for destination, ids in made.items():
            found = (await owner.get("/v1/engagements", params={"destination": destination})).json()["data"]
            assert [one["id"] for one in found] == ids
        assert (await owner.get("/v1/engagements", params={"source": "octopuspro"})).json()["data"] == []
        narrow = {"destination": "zoho_crm", "limit": 1}
        cursor = (await owner.get("/v1/engagements", params=narrow)).json()["next_cursor"]
        rest = (await owner.get("/v1/engagements", params={**narrow, "cursor": cursor})).json()
        assert [one["id"] for one in rest["data"]] == made["zoho_crm"][1:]
        problem(await owner.get("/v1/engagements", params={"cursor": cursor}), 422, "invalid")

    async def test_state_follows_what_has_happened(self, move: Move) -> None:
        states = [(await move.view())["state"]]
        await move.connect()
        states.append((await move.view())["state"])
        await move.discover()
        states.append((await move.view())["state"])
        mapping_id = await move.confirm()
        states.append((await move.view())["state"])
        await move.add_run("provision", mapping_id=mapping_id)
        sample = await move.add_run("sample", mapping_id=mapping_id)
        states.append((await move.view())["state"])
        assert (await move.client.post(f"/v1/runs/{sample}/approve")).status_code == 200
        states.append((await move.view())["state"])
        await move.add_run("full", mapping_id=mapping_id)
        states.append((await move.view())["state"])
        await move.add_run("rollback", mapping_id=mapping_id)
        states.append((await move.view())["state"])
        assert states == [
            *("draft", "connected", "discovered", "confirmed", "sampled", "approved", "migrated", "rolled_back")
        ]
        listed = (await move.client.get("/v1/engagements")).json()["data"]
        assert [one["state"] for one in listed if one["id"] == move.id] == ["rolled_back"]


class TestRoad:
    async def test_next_step_can_be_sent_as_it_stands(self, discovered: Move) -> None:
        """Whoever makes the calls that the road names arrives at the first run that writes."""
        await discovered.add_run("preflight")
        keys = []
        for _ in range(3):
            step = (await discovered.view())["next_step"]
            keys.append(step["key"])
            if step["key"] == "owners":
                await discovered.settle_owners()
                continue
            call = step["call"]
            answer = await discovered.client(call["method"], call["path"], json=call["body"])
            assert answer.status_code in (200, 201, 202), answer.text
        step = (await discovered.view())["next_step"]
        assert [*keys, step["key"]] in (
            ["propose", "confirm", "owners", "questions"],
            ["propose", "confirm", "owners", "provision"],
        )

    async def test_blocked_steps_say_why(self, discovered: Move) -> None:
        road = {step["key"]: step for step in (await discovered.view())["road"]}
        assert road["connect_source"]["state"] == "done"
        assert road["discovery"]["state"] == "done"
        assert road["preflight"]["state"] == "open"
        assert road["sample"]["state"] == "blocked"
        assert "propose" in road["sample"]["reason"].lower()
        assert road["go_live"]["state"] == "blocked"

    async def test_run_that_waits_names_the_call_that_moves_it_on(self, discovered: Move) -> None:
        run_id = await discovered.add_run("preflight", state="paused")
        step = (await discovered.view())["next_step"]
        assert (step["key"], step["state"]) == ("preflight", "blocked")
        assert step["call"]["path"] == f"/v1/runs/{run_id}/resume"
        assert (await discovered.view())["active_run_id"] == run_id


class TestPatch:
    async def test_changes_name_and_calendar(self, move: Move, clock: FakeClock) -> None:
        tag = (await move.client.get(move.path)).headers["etag"]
        calendar = {"freeze_at": soon(clock(), hours=-1), "go_live_at": soon(clock(), days=3), "delta_hours": 72}
        answer = await move.client.patch(
            move.path, json={"name": "Renamed", "calendar": calendar}, headers={"If-Match": tag}
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["name"], body["calendar"]["delta_hours"]) == ("Renamed", 72)
        assert "freeze" in [item["code"] for item in body["due"]]
        assert answer.headers["etag"] != tag

    async def test_without_and_with_an_old_tag(self, move: Move) -> None:
        problem(await move.client.patch(move.path, json={"name": "x"}), 428, "precondition-missing")
        tag = (await move.client.get(move.path)).headers["etag"]
        await move.client.patch(move.path, json={"name": "x"}, headers={"If-Match": tag})
        problem(await move.client.patch(move.path, json={"name": "y"}, headers={"If-Match": tag}), 412, "stale")
        assert (await move.view())["name"] == "x"

    async def test_go_live_only_after_everything_has_moved(self, discovered: Move) -> None:
        live = {"json": {"state": "live"}, "headers": {"If-Match": "*"}}
        problem(await discovered.client.patch(discovered.path, **live), 409, "engagement-not-there")
        mapping_id = await discovered.confirm()
        await discovered.add_run("full", mapping_id=mapping_id)
        answer = await discovered.client.patch(discovered.path, **live)
        assert (answer.status_code, answer.json()["state"]) == (200, "live")
        assert [item["code"] for item in answer.json()["due"]] == ["hypercare"]
        again = await discovered.client.patch(discovered.path, json={"state": "cancelled"}, headers={"If-Match": "*"})
        problem(again, 409, "engagement-not-there")

    async def test_other_tenant_and_unknown_field(self, move: Move, stranger: Client) -> None:
        headers = {"If-Match": "*"}
        problem(await stranger.patch(move.path, json={"name": "x"}, headers=headers), 404, "not-found")
        problem(await move.client.patch(move.path, json={"source": "x"}, headers=headers), 422, "invalid")
        problem(await move.client.http.patch(move.path, json={"name": "x"}), 401, "unauthenticated")
