"""Every change, export and refused access leaves one entry in the tenant's chain, without a value, in one commit."""

import asyncio
import csv
import io
import json
from typing import Any

import httpx

from app import audited
from app.audit_cli import prove_chains
from app.main import openapi_document
from app.runtime import Runtime
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import BODY, Move, move, sandboxes
from tests.api.problem_kit import problem
from tests.clock import FakeClock

__all__ = ["move", "sandboxes"]  # fixtures


async def entries(client: Client, operation: str = "") -> list[dict[str, Any]]:
    answer = await client.get("/v1/audit")
    assert answer.status_code == 200, answer.text
    found = [json.loads(line) for line in answer.text.splitlines()]
    return [one for one in found if one["subject"] == "api" and operation in ("", one["target_object"])]


def test_named_operations_exist() -> None:
    names = {operation["operationId"] for item in openapi_document()["paths"].values() for operation in item.values()}
    assert names >= audited.EXPORTS | audited.READING_POSTS


async def test_a_change_is_written_with_key_request_and_ids_but_no_value(owner: Client) -> None:
    made = await owner.post("/v1/engagements", json={**BODY, "name": "canary-name"})
    found = await entries(owner, "create_engagement")
    assert len(found) == 1
    one = found[0]
    assert (one["outcome"], one["part"], one["destination_id"]) == ("changed", "POST", made.json()["id"])
    assert one["source_id"] == made.headers["request-id"]
    assert one["owner_id"].startswith("key_")
    assert "canary" not in (await owner.get("/v1/audit")).text


async def test_reading_replays_and_refused_content_leave_nothing(owner: Client) -> None:
    headers = {"Idempotency-Key": "once"}
    for _ in range(3):
        await owner.post("/v1/engagements", json=BODY, headers=headers)
    await owner.get("/v1/engagements")
    await owner.post("/v1/engagements", json={"name": ""})
    assert len(await entries(owner, "create_engagement")) == 1
    assert await entries(owner, "list_engagements") == []


async def test_a_change_that_fails_leaves_no_entry(owner: Client, move: Move) -> None:
    before = len(await entries(owner, "update_engagement"))
    problem(await owner.patch(move.path, json={"name": "New"}, headers={"If-Match": '"old"'}), 412, "stale")
    assert len(await entries(owner, "update_engagement")) == before


async def test_work_outside_the_request_session_is_written_too(owner: Client, move: Move) -> None:
    await move.connect("source")
    assert [one["destination_id"] for one in await entries(owner, "test_connection")] == [move.id]
    assert len(await entries(owner, "put_connection")) == 1


async def test_exports_are_written(owner: Client, move: Move) -> None:
    await owner.get(f"{move.path}/audit?format=csv")
    found = await entries(owner, "export_audit")
    assert [(one["outcome"], one["destination_id"]) for one in found] == [("exported", move.id)]
    assert (await entries(owner, "export_tenant_audit"))[0]["outcome"] == "exported"


async def test_refused_scope_tenant_and_dead_key_are_written(
    owner: Client, stranger: Client, make_client: MakeClient, clock: FakeClock
) -> None:
    viewer = await make_client("viewer", tenant_id=owner.tenant_id)
    problem(await viewer.post("/v1/engagements", json=BODY), 403, "forbidden")
    other = {"Tranship-Tenant": "ten_" + "0" * 26}
    problem(await viewer.get("/v1/engagements", headers=other), 403, "forbidden")
    dying = await make_client(tenant_id=owner.tenant_id, expires_at=clock())
    for _ in range(5):
        assert (await dying.get("/v1/engagements")).status_code == 401
    found = [one for one in await entries(owner) if one["outcome"] == "refused"]
    assert [one["reason"] for one in found] == ["engagements:write", "forbidden", "expired"]
    assert [one for one in await entries(stranger) if one["outcome"] == "refused"] == []


async def test_tokens_and_their_use_are_written(owner: Client, http: httpx.AsyncClient) -> None:
    shown = (await owner.get("/v1/keys")).json()["data"][0]["id"]
    form = {"grant_type": "client_credentials", "client_id": shown, "client_secret": owner.key}
    assert (await http.post("/v1/oauth/token", data=form)).status_code == 200
    assert [one["owner_id"] for one in await entries(owner, "create_access_token")] == [shown]


async def test_cells_of_the_export_are_no_formulas_and_the_chain_holds(
    owner: Client, runtime: Runtime, database_url: str
) -> None:
    await owner.post("/v1/engagements", json=BODY)
    text = (await owner.get("/v1/audit?format=csv")).text
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:3] == ["sequence", "entry", "subject"]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    proof = (await owner.get("/v1/audit/proof?source_object=request")).json()
    assert (proof["whole"], proof["broken"]) == (True, None)
    said: list[str] = []
    assert await asyncio.to_thread(prove_chains, database_url, None, None, said.append) == 0, said
