"""`expand` sends along what would be another call: a closed list, nothing unasked, and never more than the key may."""

import pytest

from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, move, sandboxes
from tests.api.problem_kit import problem
from tests.api.webhook_kit import happen

__all__ = ["move", "sandboxes"]  # fixtures


async def test_an_engagement_with_its_connections(move: Move) -> None:
    await move.put_connection("source")
    await move.put_connection("destination")
    assert (await move.view())["connections"] is None
    shown = (await move.client.get(f"{move.path}?expand=connections")).json()
    alone = [(await move.client.get(f"{move.path}/connections/{role}")).json() for role in ("destination", "source")]
    assert shown["connections"] == alone


async def test_a_run_with_its_engagement_and_reports(move: Move) -> None:
    run_id = await move.add_run("preflight")
    report_id = await move.add_report("preflight", {"orphans": 2}, {"lines": []}, run_id)
    await move.add_report("preflight", {"orphans": 9}, {"lines": []}, await move.add_run("preflight"))
    plain = (await move.client.get(f"/v1/runs/{run_id}")).json()
    assert (plain["engagement"], plain["reports"]) == (None, None)
    shown = (await move.client.get(f"/v1/runs/{run_id}?expand=engagement&expand=reports")).json()
    listed = (await move.client.get("/v1/engagements")).json()["data"]
    assert shown["engagement"] == next(each for each in listed if each["id"] == move.id)
    assert [each["id"] for each in shown["reports"]] == [report_id]
    assert shown["reports"][0]["summary"] == {"orphans": 2}
    assert {**shown, "engagement": None, "reports": None} == plain


async def test_a_delivery_with_its_event(owner: Client, move: Move) -> None:
    made = (await owner.post("/v1/webhook_endpoints", json={"url": "http://127.0.0.1:9/"})).json()
    await happen(move.runtime, owner)
    path = f"/v1/webhook_endpoints/{made['id']}/deliveries"
    assert (await owner.get(path)).json()["data"][0]["event"] is None
    shown = (await owner.get(f"{path}?expand=event")).json()["data"][0]
    events = (await owner.get("/v1/events")).json()["data"]
    assert shown["event"] == next(each for each in events if each["id"] == shown["event_id"])


@pytest.mark.parametrize("word", ["credentials", "Connections", "connections,quote", "engagement"])
async def test_the_list_is_closed(move: Move, word: str) -> None:
    refused = problem(await move.client.get(move.path, params={"expand": word}), 422, "invalid")
    assert refused["errors"][0]["pointer"] == "/query/expand/0"


async def test_what_a_key_may_not_read_is_not_sent_along(move: Move, make_client: MakeClient) -> None:
    run_id = await move.add_run("preflight")
    narrow = await make_client(tenant_id=move.client.tenant_id, scopes=("runs:read",))
    assert (await narrow.get(f"/v1/runs/{run_id}")).status_code == 200
    for part in ("engagement", "reports"):
        problem(await narrow.get(f"/v1/runs/{run_id}?expand={part}"), 403, "forbidden")


async def test_of_another_tenant_there_is_nothing_to_expand(move: Move, stranger: Client) -> None:
    run_id = await move.add_run("preflight")
    problem(await stranger.get(f"{move.path}?expand=connections"), 404, "not-found")
    problem(await stranger.get(f"/v1/runs/{run_id}?expand=engagement"), 404, "not-found")
