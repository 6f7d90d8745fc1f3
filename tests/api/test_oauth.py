"""The token endpoint as RFC 6749 has it, by hand and by a client that nobody here wrote."""

import base64
import warnings
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from app.domain.ids import encode_id
from tests.api.conftest import Client, MakeClient
from tests.clock import FakeClock

with warnings.catch_warnings(record=True):  # it announces its own next release while it is imported
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

TOKEN = "/v1/oauth/token"


def form(client: Client, **changes: str) -> dict[str, str]:
    own = {"client_id": encode_id("api_key", client.key_id), "client_secret": client.key}
    return {name: value for name, value in ({"grant_type": "client_credentials"} | own | changes).items() if value}


def basic(name: str, secret: str) -> dict[str, str]:
    """HTTP Basic as section 2.3.1 has it: both parts form-encoded first."""
    return {"Authorization": "Basic " + base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()}


def assert_refused(response: httpx.Response, status: int, error: str) -> dict[str, Any]:
    """Section 5.2: status, media type, cache headers, `error` and a description in its letters."""
    assert (response.status_code, response.json()["error"]) == (status, error), response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    said = response.json()
    assert said["error_description"]
    assert not set(said["error_description"]) & {'"', "\\"}
    assert said["error_description"].isascii()
    assert said["status"] == status
    assert said["request_id"] == response.headers["request-id"]
    if status == 401:
        assert response.headers["www-authenticate"].startswith("Basic realm=")
    return said


class TestAnIndependentClient:
    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    async def test_gets_a_token_and_uses_it(self, owner: Client, method: str) -> None:
        async with self.client(owner, method, scope="engagements:read runs:read") as client:
            token = await client.fetch_token(TOKEN, grant_type="client_credentials")
            assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
            assert token["scope"] == "engagements:read runs:read"
            assert (await client.get("/v1/engagements")).status_code == 200
            assert (await client.get("/v1/keys")).status_code == 403

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    async def test_fetches_the_next_one_by_itself(self, owner: Client, clock: FakeClock, method: str) -> None:
        async with self.client(owner, method) as client:
            first = (await client.fetch_token(TOKEN, grant_type="client_credentials"))["access_token"]
            client.token["expires_at"] = 1
            clock.advance(hours=2)
            assert (await client.get("/v1/engagements")).status_code == 200
            assert client.token["access_token"] != first

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    async def test_understands_each_refusal(self, owner: Client, make_client: MakeClient, method: str) -> None:
        viewer = await make_client(role="viewer")
        async with self.client(viewer, method) as client:
            for options, error in (
                ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
                ({"grant_type": "client_credentials", "scope": "runs:write"}, "invalid_scope"),
            ):
                with pytest.raises(OAuthError) as raised:
                    await client.fetch_token(TOKEN, **options)
                assert raised.value.error == error
                assert raised.value.description
        async with self.client(owner, method, secret="tsk_wrong") as client:
            with pytest.raises(OAuthError) as raised:
                await client.fetch_token(TOKEN, grant_type="client_credentials")
            assert raised.value.error == "invalid_client"

    def client(self, known: Client, method: str, secret: str = "", **options: Any) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            encode_id("api_key", known.key_id),
            secret or known.key,
            token_endpoint_auth_method=method,
            token_endpoint=TOKEN,
            grant_type="client_credentials",
            transport=known.http._transport,
            base_url="http://tranship.test",
            **options,
        )


class TestAnswers:
    async def test_a_token_is_kept_by_no_cache(self, owner: Client) -> None:
        answer = await owner.http.post(TOKEN, data=form(owner))
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")

    async def test_fields_nobody_knows_and_empty_ones_are_passed_over(self, owner: Client) -> None:
        fields = form(owner) | {"audience": "x", "scope": ""}
        assert (await owner.http.post(TOKEN, data=fields)).status_code == 200

    async def test_basic_with_the_same_id_in_the_body(self, owner: Client) -> None:
        head = basic(encode_id("api_key", owner.key_id), owner.key)
        assert (await owner.http.post(TOKEN, data=form(owner, client_secret=""), headers=head)).status_code == 200


class TestRefusals:
    async def test_invalid_client(self, owner: Client, stranger: Client) -> None:
        foreign = encode_id("api_key", stranger.key_id)
        for fields in (
            form(owner, client_id=foreign),
            form(owner, client_secret="tsk_"),
            form(owner, client_id=""),
            form(owner, client_secret=""),
            form(owner, client_id="", client_secret=""),
        ):
            assert_refused(await owner.http.post(TOKEN, data=fields), 401, "invalid_client")

    async def test_invalid_client_by_basic(self, owner: Client, stranger: Client) -> None:
        own = encode_id("api_key", owner.key_id)
        heads = [
            basic(own, "tsk_wrong"),
            basic(encode_id("api_key", stranger.key_id), owner.key),
            *({"Authorization": text} for text in ("Basic ???", "Basic Og==", "Basic bm9jb2xvbg==", "Basic /w==")),
            {"Authorization": f"Bearer {owner.key}"},
        ]
        for head in heads:
            response = await owner.http.post(TOKEN, data={"grant_type": "client_credentials"}, headers=head)
            said = assert_refused(response, 401, "invalid_client")
            assert owner.key not in str(said)
        mixed = form(owner, client_id=encode_id("api_key", stranger.key_id), client_secret="")
        assert_refused(await owner.http.post(TOKEN, data=mixed, headers=basic(own, owner.key)), 401, "invalid_client")

    async def test_invalid_request(self, owner: Client) -> None:
        own = encode_id("api_key", owner.key_id)
        assert_refused(await owner.http.post(TOKEN, data=form(owner, grant_type="")), 400, "invalid_request")
        both = await owner.http.post(TOKEN, data=form(owner), headers=basic(own, owner.key))
        assert_refused(both, 400, "invalid_request")
        body = httpx.QueryParams(form(owner))
        for content in (f"{body}&scope=runs%3Aread&scope=runs%3Aread", f"{body}&scope=%FF", "a=1&" * 50, f"{body}é"):
            head = {"Content-Type": "application/x-www-form-urlencoded"}
            response = await owner.http.post(TOKEN, content=content.encode(), headers=head)
            assert_refused(response, 400, "invalid_request")
        assert_refused(await owner.http.post(TOKEN, json=form(owner)), 400, "invalid_request")
        assert_refused(await owner.http.post(TOKEN), 400, "invalid_request")

    async def test_unsupported_grant_type(self, owner: Client) -> None:
        refused = await owner.http.post(TOKEN, data=form(owner, grant_type="password"))
        assert_refused(refused, 400, "unsupported_grant_type")

    async def test_invalid_scope(self, owner: Client, make_client: MakeClient) -> None:
        viewer = await make_client(role="viewer")
        beyond = await owner.http.post(TOKEN, data=form(viewer, scope="runs:read runs:write"))
        assert assert_refused(beyond, 400, "invalid_scope")["scopes"] == ["runs:write"]
        odd = await owner.http.post(TOKEN, data=form(owner, scope='runs:read "x"'))
        assert_refused(odd, 400, "invalid_scope")
