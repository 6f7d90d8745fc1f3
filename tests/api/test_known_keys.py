"""A key that was seen before costs no way to the database, and is still refused from the moment it ends."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event

from app import dependencies
from app.access import KEY_PREFIX, Caller, make_secret
from app.db import ConditionFailed, driver_connection
from app.domain.ids import encode_id
from app.fresh import new_id
from app.known_keys import KnownKey
from app.ratelimit import _count
from app.rates import Policy
from app.runtime import Runtime
from tests.api.conftest import Client, MakeClient
from tests.api.problem_kit import problem
from tests.clock import FakeClock

NOWHERE = UUID(int=7)  # fixed: the names of tests are the same in every process


async def change(runtime: Runtime, client: Client, statement: str) -> None:
    """What another process does to the key."""
    async with runtime.db.connection(client.tenant_id) as connection:
        assert await connection.execute(f"UPDATE api_keys SET {statement} WHERE id = $1", client.key_id) == "UPDATE 1"


async def test_a_known_key_is_not_asked_for_again(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await owner.get("/v1/engagements")).status_code == 200

    async def asked(_runtime: Runtime, _secret: str) -> Caller:
        raise AssertionError("asked again")

    monkeypatch.setattr(dependencies, "authenticate", asked)
    assert (await owner.get("/v1/engagements")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/engagements", None),
        ("GET", f"/v1/runs/{encode_id('run', NOWHERE)}", None),
        ("GET", "/v1/engagements?limit=0", None),
        ("POST", "/v1/engagements", {"name": "A", "source": "servicetracker", "destination": "zoho_crm"}),
        ("POST", "/v1/engagements", {"name": 7}),
        ("POST", f"/v1/engagements/{encode_id('engagement', NOWHERE)}/connections/source/test", None),
        ("POST", "/v1/quotes", {"source": "servicetracker", "destination": "zoho_crm"}),
    ],
)
async def test_a_revocation_elsewhere_holds_at_once(
    owner: Client, runtime: Runtime, method: str, path: str, body: Any
) -> None:
    await owner.get("/v1/engagements")
    assert owner.key_id in runtime.known_keys
    await change(runtime, owner, "revoked_at = now()")
    problem(await owner(method, path, json=body), 401, "unauthenticated")


async def test_nothing_is_done_for_a_revoked_key(owner: Client, runtime: Runtime, make_client: MakeClient) -> None:
    await owner.get("/v1/engagements")
    await change(runtime, owner, "revoked_at = now()")
    await owner.post("/v1/engagements", json={"name": "A", "source": "servicetracker", "destination": "zoho_crm"})
    async with runtime.db.connection(owner.tenant_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM engagements") == 0


async def test_a_revoked_key_is_unauthenticated_before_it_is_forbidden(
    make_client: MakeClient, runtime: Runtime
) -> None:
    viewer = await make_client(role="viewer")
    await viewer.get("/v1/engagements")
    body = {"name": "A", "source": "servicetracker", "destination": "zoho_crm"}
    problem(await viewer.post("/v1/engagements", json=body), 403, "forbidden")
    await change(runtime, viewer, "revoked_at = now()")
    problem(await viewer.post("/v1/engagements", json=body), 401, "unauthenticated")


async def test_changed_rights_are_never_the_old_ones(owner: Client, runtime: Runtime) -> None:
    await owner.get("/v1/engagements")
    await change(runtime, owner, "scopes = '{runs:read}'")
    assert (await owner.get("/v1/engagements")).status_code == 401
    assert (await owner.get("/v1/engagements")).status_code == 403


async def test_a_known_key_ends_with_its_time(make_client: MakeClient, clock: FakeClock) -> None:
    client = await make_client(expires_at=clock() + timedelta(minutes=5))
    assert (await client.get("/v1/engagements")).status_code == 200
    clock.advance(minutes=5)
    assert (await client.get("/v1/engagements")).status_code == 401


async def test_another_secret_under_a_known_id(owner: Client, http: httpx.AsyncClient) -> None:
    await owner.get("/v1/engagements")
    guessed = make_secret(KEY_PREFIX, owner.key_id)
    answer = await http.get("/v1/engagements", headers={"Authorization": f"Bearer {guessed}"})
    problem(answer, 401, "unauthenticated")


def test_only_plain_words_get_into_a_condition(clock: FakeClock) -> None:
    key = KnownKey(new_id(), new_id(), "owner", ("runs:read", "files:read"), b"\x01" * 32)
    assert "scopes = '{runs:read,files:read}'" in (key.condition(clock()) or "")
    assert replace(key, role="owner'; DROP").condition(clock()) is None
    assert replace(key, scopes=("a}' OR true",)).condition(clock()) is None


async def test_a_condition_that_fails_opens_nothing(runtime: Runtime, owner: Client) -> None:
    with pytest.raises(ConditionFailed):
        async with runtime.db.transaction(owner.tenant_id, "SELECT 1 / count(*) FROM api_keys WHERE false"):
            raise AssertionError("opened")
    async with runtime.db.transaction(owner.tenant_id, "SELECT 1 / count(*) FROM api_keys") as session:
        assert await (await driver_connection(session)).fetchval("SELECT count(*) FROM api_keys") == 1


async def test_a_connection_whose_server_is_gone_is_replaced(runtime: Runtime, owner: Client) -> None:
    async with runtime.db.transaction(owner.tenant_id) as session:
        before = await driver_connection(session)
    before.terminate()
    async with runtime.db.transaction(owner.tenant_id) as session:
        after = await driver_connection(session)
        assert await after.fetchval("SELECT 1") == 1
    assert after is not before


async def test_a_request_opens_and_ends_its_transaction_in_two_ways(owner: Client, runtime: Runtime) -> None:
    await owner.get("/v1/events")
    seen: list[str] = []

    def watch(connection: Any, _record: object, _proxy: object) -> None:
        connection.driver_connection.add_query_logger(lambda query: seen.append(query.query))

    event.listen(runtime.db.engine.sync_engine, "checkout", watch)
    assert (await owner.get("/v1/events")).status_code == 200
    assert len(seen) == 2, seen  # what the ORM asks between them is not logged by the driver
    assert seen[0].startswith(f"BEGIN; SET LOCAL app.tenant = '{owner.tenant_id}'; SELECT 1 / count(*)")
    assert seen[1] == "COMMIT"


async def test_processes_share_a_quota_and_take_turns_of_it(runtime: Runtime) -> None:
    policy, name = Policy("key", 1000, 60), new_id().hex
    other = Runtime(runtime.settings, runtime.db, runtime.keys, runtime.now, runtime.redis)
    numbers = await asyncio.gather(*(_count(each, policy, name, 7) for each in (runtime, other) * 12))
    assert len(set(numbers)) == 24
    assert max(numbers) <= 24 + 2 * policy.at_once
    assert runtime.redis is not None
    assert int(await runtime.redis.get(f"rate:key:{name}:7")) == 30  # six ways instead of twenty-four
