"""Papers: inventories, checklist, reports with sealed bodies, and files streamed out of sealed chunks."""

from hashlib import sha256

from app.engagements.files import CHUNK
from app.models.engagement import Engagement
from app.models.file import ArtifactChunk
from app.models.mapping import DestinationName
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, discovered, move, sandboxes, unknown
from tests.api.problem_kit import problem

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


class TestInventories:
    async def test_shows_what_was_found(self, discovered: Move) -> None:
        body = (await discovered.client.get(f"{discovered.path}/inventories/source")).json()
        assert body["inventory"]["platform"] == "servicetracker"
        assert "WorkOrder" in [one["name"] for one in body["inventory"]["objects"]]

    async def test_before_discovery_and_of_others(self, move: Move, stranger: Client) -> None:
        path = f"{move.path}/inventories/source"
        problem(await move.client.get(path), 409, "step-missing")
        problem(await stranger.get(path), 404, "not-found")
        problem(await move.client.http.get(path), 401, "unauthenticated")

    async def test_after_the_key_is_gone(self, discovered: Move) -> None:
        async with discovered.runtime.db.transaction(discovered.client.tenant_id) as session:
            engagement = await session.get_one(Engagement, discovered.uuid)
            engagement.data_key = None
            session.add(engagement)
        problem(await discovered.client.get(f"{discovered.path}/inventories/source"), 409, "engagement-purged")
        view = await discovered.view()
        assert (view["state"], [step["key"] for step in view["road"]]) == ("purged", ["purged"])


class TestChecklist:
    async def test_lists_open_items_of_provisioning_and_steps_of_exports(self, discovered: Move) -> None:
        async with discovered.runtime.db.transaction(discovered.client.tenant_id) as session:
            for field, manual, advice in (
                ("Stage", "Create the stage On Hold.", ""), ("Phone", "", ""), ("Key", "", "Make it unique.")
            ):  # fmt: skip
                session.add(
                    DestinationName(
                        connection_id=discovered.connections["destination"],
                        object="Deals",
                        field=field,
                        tenant_id=discovered.client.tenant_id,
                        api_name=field,
                        manual=manual,
                        advice=advice,
                        created_at=discovered.runtime.now(),
                    )
                )
        body = (await discovered.client.get(f"{discovered.path}/checklist")).json()
        ours = [(one["text"], one["state"]) for one in body["items"] if one["origin"] == "provisioning"]
        assert ours == [("Make it unique.", "optional"), ("Create the stage On Hold.", "open")]
        people = [one for one in body["items"] if one["origin"] == "owners"]
        assert people  # nobody at the destination has their address, and nobody has decided yet
        assert {one["state"] for one in people} == {"open"}
        assert body["open"] == 1 + len(people)
        assert {one["key"].split(":")[1] for one in body["items"] if one["origin"] == "export"} >= {"portal_users"}

    async def test_of_others(self, move: Move, stranger: Client) -> None:
        problem(await stranger.get(f"{move.path}/checklist"), 404, "not-found")
        problem(await move.client.http.get(f"{move.path}/checklist"), 401, "unauthenticated")


class TestReports:
    async def test_lists_counts_and_opens_the_body(self, move: Move) -> None:
        run_id = await move.add_run("preflight", destination_id=None)
        report_id = await move.add_report("preflight", {"orphans": 2}, {"orphans": [{"id": "x"}]}, run_id)
        await move.add_report("gap", {"blockers": 0}, {})
        listed = (await move.client.get(f"{move.path}/reports", params={"kind": "preflight"})).json()["data"]
        assert [(one["id"], one["summary"], one["run_id"]) for one in listed] == [(report_id, {"orphans": 2}, run_id)]
        assert "body" not in listed[0]
        by_run = (await move.client.get(f"{move.path}/reports", params={"run_id": run_id})).json()["data"]
        assert len(by_run) == 1
        body = (await move.client.get(f"/v1/reports/{report_id}")).json()
        assert body["body"] == {"orphans": [{"id": "x"}]}
        assert (await move.client.get(f"/v1/runs/{run_id}")).json()["report_ids"] == [report_id]

    async def test_of_others(self, move: Move, stranger: Client) -> None:
        report_id = await move.add_report("gap", {}, {})
        problem(await stranger.get(f"/v1/reports/{report_id}"), 404, "not-found")
        problem(await stranger.get(f"{move.path}/reports"), 404, "not-found")
        problem(await move.client.get(f"/v1/reports/{unknown('report')}"), 404, "not-found")
        problem(await move.client.http.get(f"/v1/reports/{report_id}"), 401, "unauthenticated")


class TestFiles:
    async def test_comes_out_as_it_went_in(self, move: Move) -> None:
        body = bytes(range(256)) * (CHUNK // 256 * 2 + 3)
        file_id = await move.add_file(body, 'Nutzer "Süd"\r\n.csv')
        listed = (await move.client.get(f"{move.path}/files", params={"kind": "export"})).json()["data"]
        assert [(one["id"], one["size"], one["sha256"]) for one in listed] == [
            (file_id, len(body), sha256(body).hexdigest())
        ]
        answer = await move.client.get(listed[0]["content_path"])
        assert answer.status_code == 200
        assert answer.content == body
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-length"] == str(len(body))

    async def test_chunks_are_sealed_to_their_place(self, move: Move) -> None:
        await move.add_file(b"portal user list", "a.csv")
        chunk = await move.row(ArtifactChunk, tenant_id=move.client.tenant_id)
        assert b"portal" not in chunk.body

    async def test_of_others_and_without_the_scope(self, move: Move, stranger: Client, make_client: MakeClient) -> None:
        path = f"/v1/files/{await move.add_file(b'x', 'a.csv')}/content"
        problem(await stranger.get(path), 404, "not-found")
        problem(await move.client.http.get(path), 401, "unauthenticated")
        narrow = await make_client(scopes=("engagements:read",), tenant_id=move.client.tenant_id)
        problem(await narrow.get(path), 403, "forbidden")
        problem(await move.client.get(f"/v1/files/{unknown('artifact')}/content"), 404, "not-found")
