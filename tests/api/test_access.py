"""Who may call: keys and their format, roles and scopes, partners who act for a customer."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from app.access import KEY_PREFIX, make_secret, read_key_id
from app.domain.ids import encode_id
from app.models.columns import new_id
from app.runtime import Runtime
from tests.api.conftest import Client, MakeClient
from tests.api.problem_kit import problem
from tests.clock import FakeClock

NEW_KEY = {"name": "portal"}


class TestAccess:
    async def test_no_key(self, http: httpx.AsyncClient) -> None:
        response = await http.get("/v1/keys")
        problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")

    async def test_every_wrong_key_gets_the_same_answer_and_a_log_line(
        self, http: httpx.AsyncClient, owner: Client, make_client: MakeClient, clock: FakeClock, runtime: Runtime
    ) -> None:
        other = make_secret(KEY_PREFIX, owner.key_id)
        unknown = make_secret(KEY_PREFIX, new_id())
        expired = await make_client(expires_at=clock() - timedelta(seconds=1))
        wrong = {
            "malformed": owner.key[:-1] + ("x" if owner.key[-1] != "x" else "y"),
            "wrong_secret": other,
            "unknown": unknown,
            "expired": expired.key,
        }
        answers = set()
        for reason, key in wrong.items():
            with capture_logs() as logs:
                response = await http.get("/v1/keys", headers={"Authorization": f"Bearer {key}"})
            body = problem(response, 401, "unauthenticated")
            answers.add((body["title"], body["detail"]))
            refusal = next(each for each in logs if each["event"] == "access_refused")
            assert refusal["reason"] == reason
            assert key not in json.dumps(logs, default=str)
        assert len(answers) == 1

    async def test_other_schemes(self, http: httpx.AsyncClient, owner: Client) -> None:
        for value in (f"Basic {owner.key}", owner.key, "Bearer", "Bearer  ", f"Bearer {owner.key} x"):
            assert (await http.get("/v1/keys", headers={"Authorization": value})).status_code == 401

    async def test_role_without_the_scope(self, make_client: MakeClient) -> None:
        for role in ("operator", "viewer", "widget", "unheard-of"):
            client = await make_client(role=role)
            with capture_logs() as logs:
                body = problem(await client.get("/v1/keys"), 403, "forbidden")
            assert body["scope"] == "keys:write"
            assert any(each["event"] == "access_refused" for each in logs)

    async def test_own_scopes_narrow_the_role(self, make_client: MakeClient) -> None:
        narrow = await make_client(role="owner", scopes=("webhooks:read",))
        assert (await narrow.get("/v1/events")).status_code == 200
        assert (await narrow.get("/v1/keys")).status_code == 403

    async def test_scopes_never_widen_the_role(self, make_client: MakeClient) -> None:
        viewer = await make_client(role="viewer", scopes=("keys:write",))
        assert (await viewer.get("/v1/keys")).status_code == 403

    async def test_last_use_is_noted_once_a_minute(
        self, owner: Client, clock: FakeClock, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def last_used() -> object:
            return next(
                each["last_used_at"]
                for each in (await owner.get("/v1/keys")).json()["data"]
                if each["id"] == encode_id("api_key", owner.key_id)
            )

        first = await last_used()
        assert first is not None
        monkeypatch.setattr("app.access._last_noted", {})
        clock.advance(seconds=30)
        assert await last_used() == first
        monkeypatch.setattr("app.access._last_noted", {})
        clock.advance(seconds=31)
        assert await last_used() != first


class TestActingForACustomer:
    async def test_partner_sees_the_customers_rows(self, make_client: MakeClient) -> None:
        partner = await make_client()
        customer = await make_client(parent_id=partner.tenant_id)
        name = {"Tranship-Tenant": encode_id("tenant", customer.tenant_id)}
        made = (await partner.post("/v1/keys", json=NEW_KEY, headers=name)).json()
        listed = (await customer.get("/v1/keys")).json()["data"]
        assert made["id"] in [each["id"] for each in listed]
        assert made["id"] not in [each["id"] for each in (await partner.get("/v1/keys")).json()["data"]]

    async def test_nobody_else_may(self, make_client: MakeClient, owner: Client, stranger: Client) -> None:
        customer = await make_client(parent_id=owner.tenant_id)
        for tenant in (owner.tenant_id, customer.tenant_id, UUID(int=0), uuid4()):
            headers = {"Tranship-Tenant": encode_id("tenant", tenant)}
            problem(await stranger.get("/v1/keys", headers=headers), 403, "forbidden")
        problem(await stranger.get("/v1/keys", headers={"Tranship-Tenant": "x"}), 403, "forbidden")

    async def test_a_customer_may_not_act_for_its_partner(self, make_client: MakeClient, owner: Client) -> None:
        customer = await make_client(parent_id=owner.tenant_id)
        headers = {"Tranship-Tenant": encode_id("tenant", owner.tenant_id)}
        assert (await customer.get("/v1/keys", headers=headers)).status_code == 403


def test_key_format() -> None:
    key_id = new_id()
    key = make_secret(KEY_PREFIX, key_id)
    assert key.startswith(f"tsk_{encode_id('api_key', key_id)[4:]}_")
    assert read_key_id(key) == key_id
    for place in range(len(key)):
        changed = key[:place] + ("0" if key[place] != "0" else "1") + key[place + 1 :]
        assert read_key_id(changed) is None
    for text in ("", "tsk_", "tsk__", "tsk_a_b", key + "a", key.upper(), "é" * 90):
        assert read_key_id(text) is None
