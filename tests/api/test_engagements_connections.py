"""Connections: sealed, shown without secrets, proven against the real stand-ins, refused with what to do."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from app.engagements.connecting import account_context, account_throttle, open_connector, target_guard
from app.engagements.tokens import ConnectionTokens
from app.models.engagement import Connection
from app.runtime import Runtime
from connectors.errors import CredentialsRejected
from connectors.registry import PLATFORMS
from tests.api.conftest import Client
from tests.api.engagement_kit import CREDENTIALS, SECRET, Move, Sandboxes, discovered, move, sandboxes
from tests.api.problem_kit import problem
from tests.connectors.connector_kit import Sandbox

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


async def row(move: Move, role: str = "source") -> Connection:
    found: Connection = await move.row(Connection, engagement_id=move.uuid, role=role)
    return found


class TestPut:
    async def test_never_shows_a_secret_and_stores_none_in_clear(self, move: Move) -> None:
        answer = await move.put_connection("source")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["state"], body["has_credentials"], body["platform"]) == ("untested", True, "servicetracker")
        shown = answer.text + (await move.client.get(f"{move.path}/connections/source")).text
        assert SECRET not in shown
        stored = await row(move)
        assert stored.credentials is not None
        assert SECRET.encode() not in stored.credentials

    async def test_sealed_bytes_open_at_their_own_place_only(self, move: Move, runtime: Runtime) -> None:
        await move.put_connection("source")
        stored = await row(move)
        context = account_context(runtime, stored)
        assert context.credentials.client_secret.get_secret_value() == SECRET  # type: ignore[attr-defined]
        stored.id = move.uuid
        with pytest.raises(Exception, match="do not open here"):
            account_context(runtime, stored)

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"credentials": {"client_id": "x"}}, "/credentials"),
            ({"credentials": {"client_id": "x", "client_secret": "y", "pin": "1"}}, "/credentials/pin"),
            ({"credentials": None}, "/credentials"),
            ({"platform": "zoho_crm"}, "/platform"),
            ({"config": {"base_url": "ftp://example.com"}}, "/config/base_url"),
            ({"credentials": {**CREDENTIALS["source"], "a/b~c": "x"}}, "/credentials/a~1b~0c"),
            ({"config": {"base_url": "https://user:pw@example.com"}}, "/config/base_url"),
        ],
    )
    async def test_wrong_content_is_pointed_at_without_echoing_it(
        self, move: Move, change: dict[str, Any], pointer: str
    ) -> None:
        answer = await move.put_connection("source", **change)
        body = problem(answer, 422, "invalid")
        assert [error["pointer"] for error in body["errors"]] == [pointer]
        assert "pw@" not in answer.text

    async def test_config_change_resets_and_another_address_asks_for_the_credentials(self, move: Move) -> None:
        await move.connect("source")
        assert (await row(move)).token is not None
        kept = await move.client.put(
            f"{move.path}/connections/source", json={"config": move.config("source") | {"page_size": 500}}
        )
        assert (kept.status_code, kept.json()["state"]) == (200, "untested")
        assert (await row(move)).token is None
        moved = {"config": {"base_url": "http://127.0.0.1:9"}}
        body = problem(await move.client.put(f"{move.path}/connections/source", json=moved), 422, "invalid")
        assert body["errors"][0]["pointer"] == "/credentials"

    async def test_not_under_a_working_run(self, discovered: Move) -> None:
        run_id = await discovered.add_run("preflight", state="running")
        problem(await discovered.put_connection("source"), 409, "another-run-active")
        await discovered.set_run(run_id, state="paused")
        assert (await discovered.put_connection("source")).status_code == 200

    async def test_roles_tenants_and_access(self, move: Move, stranger: Client) -> None:
        path = f"{move.path}/connections/source"
        problem(await move.client.get(path), 404, "not-found")
        problem(await move.client.put(f"{move.path}/connections/sideways", json={}), 404, "not-found")
        problem(await stranger.put(path, json={"credentials": CREDENTIALS["source"]}), 404, "not-found")
        problem(await move.client.http.put(path, json={}), 401, "unauthenticated")


class TestTest:
    async def test_proves_both_sides_and_keeps_what_they_said(self, move: Move) -> None:
        await move.connect()
        shown = (await move.client.get(f"{move.path}/connections/destination")).json()
        assert shown["state"] == "ok"
        assert shown["facts"]["edition"] == "enterprise"
        assert shown["problem"] is None
        assert shown["tested_at"]

    async def test_wrong_secret(self, move: Move) -> None:
        wrong = CREDENTIALS["destination"] | {"client_secret": "planted-canary"}
        await move.put_connection("destination", credentials=wrong)
        answer = await move.client.post(f"{move.path}/connections/destination/test")
        problem(answer, 422, "credentials-rejected")
        assert "planted-canary" not in answer.text
        shown = (await move.client.get(f"{move.path}/connections/destination")).json()
        assert (shown["state"], shown["problem"]["code"]) == ("failed", "credentials-rejected")
        assert (await move.view())["road"][1]["state"] == "open"

    async def test_nobody_there(self, move: Move, runtime: Runtime) -> None:
        runtime.settings = runtime.settings.model_copy(update={"call_timeout_seconds": 0.3})
        await move.put_connection("source", config={"base_url": "http://127.0.0.1:9"})
        body = problem(await move.client.post(f"{move.path}/connections/source/test"), 502, "platform-unreachable")
        assert "base URL" in body["detail"]

    async def test_address_of_something_else(self, move: Move, sandboxes: Sandboxes) -> None:
        await move.put_connection("source", config={"base_url": sandboxes.destination})
        answer = await move.client.post(f"{move.path}/connections/source/test")
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] in ("platform-refuses", "credentials-rejected")

    async def test_without_connection_and_of_another_tenant(self, move: Move, stranger: Client) -> None:
        problem(await move.client.post(f"{move.path}/connections/source/test"), 404, "not-found")
        problem(await stranger.post(f"{move.path}/connections/source/test"), 404, "not-found")
        problem(await move.client.http.post(f"{move.path}/connections/source/test"), 401, "unauthenticated")


class TestTokens:
    async def test_one_refresh_serves_many_openers(self, move: Move, runtime: Runtime) -> None:
        """Ruling 7: ten stores on one connection, all without a token, cost one token call."""
        await move.put_connection("destination")
        stored = await row(move, "destination")
        before = await self.tokens_given(move)

        async def check() -> None:
            async with open_connector(runtime, stored) as connector:
                await connector.check()

        await asyncio.gather(*(check() for _ in range(15)))
        assert await self.tokens_given(move) == before + 1
        cached = (await row(move, "destination")).token
        assert cached is not None
        assert b"access_token" not in cached

    async def test_token_of_old_credentials_is_not_kept(self, move: Move, runtime: Runtime) -> None:
        await move.put_connection("destination")
        old = await row(move, "destination")
        assert old.credentials is not None
        tokens = ConnectionTokens(runtime, old.tenant_id, old.id, old.credentials)
        await move.put_connection("destination")
        await tokens.save({"access_token": "late"})
        assert await tokens.load() is None

    async def test_holder_that_fails_frees_the_right_to_refresh(self, move: Move, runtime: Runtime) -> None:
        await move.put_connection("destination")
        stored = await row(move, "destination")
        assert stored.credentials is not None
        one, two = (ConnectionTokens(runtime, stored.tenant_id, stored.id, stored.credentials) for _ in range(2))
        with pytest.raises(RuntimeError, match="lost"):
            await self.refresh_and_fail(one)
        async with two.refreshing():
            await two.save({"access_token": "fresh"})
        assert await one.load() == {"access_token": "fresh"}

    async def refresh_and_fail(self, tokens: ConnectionTokens) -> None:
        async with tokens.refreshing() as cached:
            assert cached is None
            raise RuntimeError("lost")

    async def tokens_given(self, move: Move) -> int:
        requests = (await Sandbox(move.sandboxes.destination).stats())["requests"]
        return sum(count for call, count in requests.items() if "token" in call)


class TestThrottle:
    def build(self, **values: Any) -> Connection:
        return Connection(**{"platform": "zoho_crm", "role": "destination", "facts": {}, "config": {}} | values)

    def test_facts_of_the_account_narrow_the_manifest(self, runtime: Runtime) -> None:
        platform = PLATFORMS["zoho_crm"]
        assert account_throttle(runtime, platform, self.build()).effective_concurrency == 5
        found = self.build(facts={"edition": "enterprise", "credits_per_day": 100})
        throttle = account_throttle(runtime, platform, found)
        assert (throttle.effective_concurrency, throttle.credits.remaining()) == (20, 100)
        chosen = self.build(facts={"edition": "enterprise"}, config={"concurrency": 3})
        assert account_throttle(runtime, platform, chosen).effective_concurrency == 3

    def test_booked_budget_survives_the_process(self, runtime: Runtime) -> None:
        platform = PLATFORMS["zoho_crm"]
        first = account_throttle(runtime, platform, self.build(facts={"credits_per_day": 100}))
        first.credits.book(60)
        later = self.build(facts={"credits_per_day": 100}, budget=first.snapshot())
        assert account_throttle(runtime, platform, later).credits.remaining() == 40


class TestGuard:
    async def test_private_addresses_only_where_the_installation_allows_them(self, runtime: Runtime) -> None:
        assert target_guard(runtime) is None
        closed = runtime.settings.model_copy(update={"allow_private_targets": False})
        runtime.settings = closed
        guard = target_guard(runtime)
        assert guard is not None
        for url in ("https://127.0.0.1/x", "https://169.254.169.254/latest", "http://example.com/"):
            with pytest.raises(CredentialsRejected):
                await guard(url)

    async def test_put_refuses_them_too(self, move: Move, runtime: Runtime, app: FastAPI) -> None:
        runtime.settings = runtime.settings.model_copy(update={"allow_private_targets": False})
        body = problem(await move.put_connection("source"), 422, "target-forbidden")
        assert body["errors"][0]["pointer"] == "/config/base_url"
