"""API2:2023 Broken Authentication: what is no valid key opens nothing, and tells nothing about the valid ones."""

import httpx
import pytest

from app.domain.ids import encode_id
from tests.api.conftest import Client, MakeClient
from tests.clock import FakeClock
from tests.security.conftest import OPERATIONS, call_of

PROTECTED = [one for one in OPERATIONS if one.secured]


async def test_no_route_answers_without_a_key(belongings: dict[str, str], http: httpx.AsyncClient) -> None:
    found = {}
    for operation in PROTECTED:
        method, path, options = call_of(operation, belongings)
        options["headers"]["Idempotency-Key"] = "x"
        answer = await http.request(method, path, **options)
        found[operation.name] = (answer.status_code, answer.headers.get("www-authenticate", ""))
    assert found == dict.fromkeys(found, (401, 'Bearer realm="tranship"'))
    assert len(found) > 55


@pytest.mark.parametrize("place", ["query", "cookie", "body", "basic"])
async def test_a_key_counts_in_its_header_only(place: str, owner: Client, http: httpx.AsyncClient) -> None:
    """Query strings and cookies end up in logs and are sent by browsers unasked."""
    options = {
        "query": {"params": {"access_token": owner.key, "key": owner.key}},
        "cookie": {"headers": {"Cookie": f"authorization={owner.key}"}},
        "body": {"json": {"access_token": owner.key}},
        "basic": {"headers": {"Authorization": f"Basic {owner.key}"}},
    }[place]
    answer = await http.request("GET", "/v1/engagements", **options)
    assert answer.status_code == 401


async def test_wrong_keys_cannot_be_told_apart(
    owner: Client, make_client: MakeClient, http: httpx.AsyncClient, clock: FakeClock
) -> None:
    expired = await make_client(expires_at=clock())
    wrong = [
        owner.key[:-1],
        owner.key[:-1] + ("0" if owner.key[-1] != "0" else "1"),
        expired.key,
        "tsk_",
        "",
        "x" * 5000,
    ]
    seen = set()
    for key in wrong:
        answer = await http.get("/v1/engagements", headers={"Authorization": f"Bearer {key}"})
        body = answer.json()
        body.pop("request_id")
        seen.add((answer.status_code, str(body)))
    assert len(seen) == 1


async def test_a_revoked_key_and_its_tokens_end_at_once(owner: Client, http: httpx.AsyncClient) -> None:
    made = (await owner.post("/v1/keys", json={"name": "portal"})).json()
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["key"]}
    token = (await http.post("/v1/oauth/token", data=form)).json()["access_token"]
    for secret in (made["key"], token):
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await http.get("/v1/engagements", headers=headers)).status_code == 200
    await owner.delete(f"/v1/keys/{made['id']}")
    for secret in (made["key"], token):
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await http.get("/v1/engagements", headers=headers)).status_code == 401


async def test_a_key_is_shown_once_and_never_echoed(owner: Client) -> None:
    assert owner.key not in (await owner.get("/v1/keys")).text
    key_id = encode_id("api_key", owner.key_id)
    rotated = await owner.post(f"/v1/keys/{key_id}/rotate", json={})
    assert rotated.json()["key"] not in (await owner.get("/v1/keys")).text


async def test_guessing_at_the_token_door_is_slowed_down(http: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "client_id": "key_x", "client_secret": "guess"}
    codes = [(await http.post("/v1/oauth/token", data=form)).status_code for _ in range(32)]
    assert set(codes[:30]) == {401}
    assert codes[30:] == [429, 429]
