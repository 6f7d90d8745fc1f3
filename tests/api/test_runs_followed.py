"""What a run leaves to read: its records, its events as a stream, and its entries in the audit log."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.audit_chain import append
from app.domain.ids import decode_id
from app.models.ledger import Ledger
from app.runs import router
from app.runtime import Runtime
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, discovered, move, sandboxes
from tests.api.problem_kit import problem
from tests.connectors.connector_kit import serve

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


class TestRecords:
    async def fill(self, move: Move, run_id: str) -> None:
        connection_id = move.connections["destination"]
        rows = [("Account", "a1", "created", ""), ("Account", "a2", "quarantined", "too_long")]
        rows += [("Contact", f"c{number}", "skipped", "merged_into") for number in range(3)]
        async with move.runtime.db.transaction(move.client.tenant_id) as session:
            for source_object, source_id, outcome, reason in rows:
                session.add(
                    Ledger(
                        engagement_id=move.uuid,
                        destination_id=connection_id,
                        source_object=source_object,
                        source_id=source_id,
                        target_object="X",
                        part="",
                        tenant_id=move.client.tenant_id,
                        run_id=decode_id("run", run_id),
                        outcome=outcome,
                        reason=reason,
                        record_id=f"d-{source_id}" if outcome == "created" else None,
                        created=outcome == "created",
                        before=b"sealed",
                        written_at=move.runtime.now(),
                    )
                )

    async def test_filters_and_pages_in_key_order(self, move: Move) -> None:
        await move.connect()
        run_id = await move.add_run("full")
        await self.fill(move, run_id)
        path = f"/v1/runs/{run_id}/records"
        seen: list[str] = []
        params: dict[str, Any] = {"limit": 2}
        while True:
            page = (await move.client.get(path, params=params)).json()
            seen += [one["source_id"] for one in page["data"]]
            if not page["has_more"]:
                break
            params["cursor"] = page["next_cursor"]
        assert seen == ["a1", "a2", "c0", "c1", "c2"]
        bad = (await move.client.get(path, params={"outcome": "quarantined"})).json()["data"]
        assert [(one["source_id"], one["reason"], one["ours"]) for one in bad] == [("a2", "too_long", False)]
        assert "before" not in bad[0]
        merged = (await move.client.get(path, params={"reason": "merged_into", "source_object": "Contact"})).json()
        assert len(merged["data"]) == 3
        problem(await move.client.get(path, params={"outcome": "lost"}), 422, "invalid")
        wandering = {"cursor": params["cursor"], "outcome": "created"}
        problem(await move.client.get(path, params=wandering), 422, "invalid")


class TestEvents:
    async def test_stream_replays_follows_and_ends(self, move: Move, runtime: Runtime, app: FastAPI) -> None:
        run_id = await move.add_run("preflight", state="queued", destination_id=None)
        headers = {"Authorization": f"Bearer {move.client.key}"}
        async with serve(app) as url, httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as http:
            await http.post(f"/v1/runs/{run_id}/pause", headers={"Idempotency-Key": "p"})
            lines: list[str] = []
            async with http.stream("GET", f"/v1/runs/{run_id}/events") as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                async for line in stream.aiter_lines():
                    lines.append(line)
                    if line == "event: run.progress" and not any("cancelled" in one for one in lines):
                        answer = await move.client.post(f"/v1/runs/{run_id}/cancel")
                        assert answer.status_code == 200
            kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
            assert kinds[0] == "run.paused"
            assert "run.cancelled" in kinds
            last = next(line.removeprefix("id: ") for line in lines if line.startswith("id: "))
            again = await http.get(f"/v1/runs/{run_id}/events", headers={"Last-Event-ID": last})
            assert "event: run.cancelled" in again.text
            assert "event: run.paused" not in again.text
            wrong = await http.get(f"/v1/runs/{run_id}/events", headers={"Last-Event-ID": "x"})
            problem(wrong, 422, "invalid")

    async def test_a_key_follows_only_so_many_at_once(
        self, move: Move, stranger: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await move.add_run("discovery")
        monkeypatch.setattr(router, "MAX_STREAMS", 1)
        for _ in range(3):  # one after another
            assert (await move.client.get(f"/v1/runs/{run_id}/events")).status_code == 200
        assert router._streams == {}
        router._streams[move.client.key_id] = 1  # as long as one is open
        try:
            answer = await move.client.get(f"/v1/runs/{run_id}/events")
            problem(answer, 429, "too-many")
            assert answer.headers["retry-after"]
            assert (await stranger.get(f"/v1/runs/{run_id}/events")).status_code == 404
        finally:
            router._streams.clear()


class TestAudit:
    async def test_exports_entries_of_the_chain(self, move: Move, stranger: Client) -> None:
        run_id = await move.add_run("full", destination_id=None)
        entries = [
            ["Account", "=cmd()", "Accounts", "", "d1", "created", "", "u1", 1_795_255_200_000],
            ["Account", "a2", "Accounts", "", None, "quarantined", "too_long", "", 1_795_255_200_000],
        ]
        async with move.runtime.db.connection(move.client.tenant_id) as connection:
            for number in range(2):
                await append(
                    connection,
                    move.client.tenant_id,
                    entries,
                    subject="load",
                    at=move.runtime.now(),
                    engagement_id=move.uuid,
                    run_id=decode_id("run", run_id) if number else None,
                )
        path = f"{move.path}/audit"
        lines = (await move.client.get(path)).text.splitlines()
        assert len(lines) == 4
        assert '"source_id":"=cmd()"' in lines[0]
        assert '"at":"2026-11-21T' in lines[0]
        assert len((await move.client.get(path, params={"run_id": run_id})).text.splitlines()) == 2
        sheet = (await move.client.get(path, params={"format": "csv"})).text.splitlines()
        assert sheet[0].startswith("sequence,entry,")
        assert "'=cmd()" in sheet[1]
        problem(await stranger.get(path), 404, "not-found")
        problem(await move.client.http.get(path), 401, "unauthenticated")
        asked = {"source_object": "Account", "source_id": "a2"}
        proof = (await move.client.get(f"{path}/proof", params=asked)).json()
        assert (proof["whole"], proof["broken"]) == (True, None)
        assert proof["entries"] >= 4
        assert [(one["outcome"], one["reason"]) for one in proof["history"]] == [("quarantined", "too_long")] * 2
        problem(await stranger.get(f"{path}/proof"), 404, "not-found")

    async def test_needs_its_scope(self, move: Move, make_client: MakeClient) -> None:
        narrow = await make_client(scopes=("runs:read",), tenant_id=move.client.tenant_id)
        problem(await narrow.get(f"{move.path}/audit"), 403, "forbidden")
