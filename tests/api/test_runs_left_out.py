"""What did not arrive, by cause, and what a delta left as people have it: lists like every other, for their tenant."""

from typing import Any
from uuid import UUID

import pytest

from app.documents import engagement_key
from app.domain.ids import decode_id
from app.models.engagement import Engagement
from app.models.ledger import Ledger
from app.models.mapping import Mapping
from app.models.merging import MergeFinding
from app.runs.findings import seal_sides
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, discovered, move, sandboxes, unknown
from tests.api.problem_kit import problem

__all__ = ["discovered", "move", "sandboxes"]  # fixtures

_CAUSES = {
    ("held", "unmapped_value:Industry"): 2,
    ("quarantined", "INVALID_DATA:Account_Name"): 7,
    ("quarantined", "not_restored:INVALID_DATA:Phone"): 1,
    ("quarantined", "too_long"): 1,
}


async def all_pages(client: Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every item of a list, two at a time."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2, **params}
    while True:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["object"] == "list"
        assert len(page["data"]) <= 2
        found += page["data"]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return found
        query["cursor"] = page["next_cursor"]


class TestFailures:
    @pytest.fixture
    async def run_id(self, discovered: Move) -> str:
        """A full run that left some accounts out, and one contact that arrived."""
        run_id = await discovered.add_run("full", mapping_id=await discovered.confirm())
        await self.fill(discovered, run_id)
        return run_id

    async def fill(self, move: Move, run_id: str) -> None:
        rows = [
            (f"{reason[:3]}{number}", outcome, reason)
            for (outcome, reason), times in _CAUSES.items()
            for number in range(times)
        ]
        async with move.runtime.db.transaction(move.client.tenant_id) as session:
            for source_id, outcome, reason in [*rows, ("fine", "created", ""), ("left", "skipped", "excluded")]:
                session.add(
                    Ledger(
                        engagement_id=move.uuid,
                        destination_id=move.connections["destination"],
                        source_object="Account",
                        source_id=source_id,
                        target_object="Accounts",
                        part="",
                        tenant_id=move.client.tenant_id,
                        run_id=decode_id("run", run_id),
                        outcome=outcome,
                        reason=reason,
                        written_at=move.runtime.now(),
                    )
                )

    async def test_are_grouped_and_paged(self, discovered: Move, run_id: str) -> None:
        found = await all_pages(discovered.client, f"/v1/runs/{run_id}/failures")
        causes = [f"accounts:{outcome}:{reason}" for outcome, reason in _CAUSES]
        assert [(one["cause"], one["records"]) for one in found] == list(zip(causes, _CAUSES.values(), strict=True))
        assert {(one["object"], one["load"], one["source_object"], one["target_object"]) for one in found} == {
            ("failure", "accounts", "Account", "Accounts")
        }
        assert [(one["code"], one["field"]) for one in found] == [
            ("unmapped_value", "Industry"),
            ("INVALID_DATA", "Account_Name"),
            ("not_restored:INVALID_DATA", "Phone"),
            ("too_long", ""),
        ]
        assert [one["examples"] for one in found][1] == [f"INV{number}" for number in range(5)]

    async def test_a_cause_can_be_replayed_unless_a_rollback_left_it(self, discovered: Move, run_id: str) -> None:
        found = await all_pages(discovered.client, f"/v1/runs/{run_id}/failures")
        causes = {one["code"]: one["cause"] for one in found}
        await discovered.settle_owners()
        await discovered.add_run("provision", mapping_id=(await discovered.row(Mapping)).id)
        body = {"cause": causes["not_restored:INVALID_DATA"]}
        wrong = problem(await discovered.start("replay", options=body), 422, "invalid")
        assert "rollback" in wrong["errors"][0]["detail"]
        assert wrong["errors"][0]["pointer"] == "/options/cause"
        accepted = await discovered.start("replay", options={"cause": causes["too_long"]})
        assert accepted.status_code == 202, accepted.text

    async def test_of_a_run_that_writes_nothing_are_none(self, move: Move) -> None:
        run_id = await move.add_run("preflight", destination_id=None)
        answer = await move.client.get(f"/v1/runs/{run_id}/failures")
        assert answer.json() == {"object": "list", "data": [], "has_more": False, "next_cursor": None}

    async def test_a_cursor_belongs_to_its_run(self, discovered: Move, run_id: str) -> None:
        other = await discovered.add_run("full")
        cursor = (await discovered.client.get(f"/v1/runs/{run_id}/failures", params={"limit": 1})).json()["next_cursor"]
        for path in (f"/v1/runs/{other}/failures", f"/v1/runs/{run_id}/records"):
            problem(await discovered.client.get(path, params={"cursor": cursor}), 422, "invalid")

    async def test_of_others_do_not_exist(self, discovered: Move, run_id: str, stranger: Client) -> None:
        problem(await stranger.get(f"/v1/runs/{run_id}/failures"), 404, "not-found")
        problem(await discovered.client.get(f"/v1/runs/{unknown('run')}/failures"), 404, "not-found")


class TestConflicts:
    async def fill(self, move: Move, run_id: str) -> None:
        """Three fields that people changed, one of them against the source, one of them decided."""
        run: UUID = decode_id("run", run_id)
        states = (("a1", "Phone", "kept"), ("a1", "Website", "open"), ("a2", "Phone", "source"))
        async with move.runtime.db.transaction(move.client.tenant_id) as session:
            key = engagement_key(move.runtime, await session.get_one(Engagement, move.uuid))
            for source_id, field, state in states:
                sides = {"written": None, "source": f"{field} here", "destination": f"{field} there"}
                session.add(
                    MergeFinding(
                        engagement_id=move.uuid,
                        destination_id=move.connections["destination"],
                        load="accounts",
                        source_id=source_id,
                        field=field,
                        tenant_id=move.client.tenant_id,
                        run_id=run,
                        record_id=f"d-{source_id}",
                        state=state,
                        sides=seal_sides(key, "accounts", source_id, field, sides),
                        found_at=move.runtime.now(),
                    )
                )

    @pytest.fixture
    async def run_id(self, move: Move) -> str:
        await move.connect()
        run_id = await move.add_run("delta")
        await self.fill(move, run_id)
        return run_id

    async def test_are_paged_and_opened(self, move: Move, run_id: str) -> None:
        found = await all_pages(move.client, f"/v1/runs/{run_id}/conflicts")
        assert [(one["source_id"], one["field"], one["state"]) for one in found] == [
            ("a1", "Phone", "kept"),
            ("a1", "Website", "open"),
            ("a2", "Phone", "source"),
        ]
        first = found[0]
        assert (first["object"], first["load"], first["destination_id"]) == ("merge_finding", "accounts", "d-a1")
        assert (first["written"], first["source"], first["destination"]) == (None, "Phone here", "Phone there")

    async def test_by_state(self, move: Move, run_id: str) -> None:
        path = f"/v1/runs/{run_id}/conflicts"
        assert [one["field"] for one in await all_pages(move.client, path, state="open")] == ["Website"]
        assert await all_pages(move.client, path, state="done") == []
        problem(await move.client.get(path, params={"state": "lost"}), 422, "invalid")
        cursor = (await move.client.get(path, params={"limit": 1})).json()["next_cursor"]
        problem(await move.client.get(path, params={"cursor": cursor, "state": "open"}), 422, "invalid")

    async def test_hold_values_so_a_right_to_the_engagement_is_needed(
        self, move: Move, run_id: str, stranger: Client, make_client: MakeClient
    ) -> None:
        watcher = await make_client(scopes=("runs:read",), tenant_id=move.client.tenant_id)
        problem(await watcher.get(f"/v1/runs/{run_id}/conflicts"), 403, "forbidden")
        assert (await watcher.get(f"/v1/runs/{run_id}/failures")).status_code == 200
        problem(await stranger.get(f"/v1/runs/{run_id}/conflicts"), 404, "not-found")

    async def test_are_gone_with_the_engagements_key(self, move: Move, run_id: str) -> None:
        tag = {"If-Match": (await move.client.get(move.path)).headers["etag"]}
        assert (await move.client.patch(move.path, json={"state": "cancelled"}, headers=tag)).status_code == 200
        answer = await move.client.post(f"{move.path}/purge", json={"engagement_id": move.id})
        assert answer.status_code == 200, answer.text
        problem(await move.client.get(f"/v1/runs/{run_id}/conflicts"), 409, "engagement-purged")
