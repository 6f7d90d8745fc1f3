"""The token endpoint and the life of a token (source fact sheet section 1.1)."""

import pytest

URL = "/services/oauth2/token"


async def test_client_credentials_by_form_or_basic(empty) -> None:
    """Section 1.1: id and secret in the form or as HTTP Basic; never a refresh token, never expires_in."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    for answer in (
        await empty.http.post(URL, data=form),
        await empty.http.post(
            URL, data={"grant_type": "client_credentials"}, auth=("sandbox-client", "sandbox-secret")
        ),
    ):
        body = answer.json()
        assert answer.status_code == 200
        assert body["instance_url"] == "http://sandbox.test"
        assert body["token_type"] == "Bearer"
        assert body["issued_at"] == "1782907200000"
        assert body["id"].startswith("http://sandbox.test/id/00D")
        assert not {"expires_in", "refresh_token"} & set(body)


async def test_refresh_token_with_and_without_rotation(empty, open_account) -> None:
    """Section 1.1: a new refresh token only where rotation is on."""
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh", "client_id": "sandbox-client"}
    assert "refresh_token" not in (await empty.http.post(URL, data=form)).json()
    async with open_account(options={"rotate_refresh_token": "on"}) as account:
        body = (await account.http.post(URL, data=form)).json()
        assert body["refresh_token"] != "sandbox-refresh"
        assert (await account.http.post(URL, data=form)).json()["error"] == "invalid_grant"
        again = await account.http.post(URL, data=form | {"refresh_token": body["refresh_token"]})
        assert again.status_code == 200


async def test_password_grant(empty) -> None:
    form = {
        "grant_type": "password",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "username": "integration@example.net",
        "password": "sandbox-password",
    }
    assert (await empty.http.post(URL, data=form)).status_code == 200
    refused = await empty.http.post(URL, data=form | {"password": "wrong"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (
            {"grant_type": "client_credentials", "client_id": "x", "client_secret": "sandbox-secret"},
            "invalid_client_id",
        ),
        ({"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "sandbox-client"}, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": "sandbox-client", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
async def test_refusals_are_objects(empty, form: dict[str, str], error: str) -> None:
    """Section 1.1: 400 with an object, unlike the data API."""
    answer = await empty.http.post(URL, data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert set(answer.json()) == {"error", "error_description"}


async def test_unreadable_requests_are_refused(empty) -> None:
    for more in (
        {"json": {"grant_type": "client_credentials"}},
        {"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Basic %%%"}},
        {"content": b"\xff\xfe", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ):
        answer = await empty.http.post(URL, **more)
        assert answer.status_code == 400
        assert isinstance(answer.json(), dict)


async def test_a_token_dies_by_session_policy(open_account) -> None:
    """Section 1.1: no expires_in, the client learns by a 401 (section 1.6: INVALID_SESSION_ID in an array)."""
    async with open_account(options={"token_ttl": "60"}) as account:
        account.clock.advance(seconds=59)
        assert (await account.get("/limits")).status_code == 200
        account.clock.advance(seconds=1)
        answer = await account.get("/limits")
        assert answer.status_code == 401
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
        await account.sign_in()
        assert (await account.get("/limits")).status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic c2FuZGJveA==", ""])
async def test_every_data_call_needs_a_token(empty, header: str | None) -> None:
    """Section 1.1; section 1.2: only the list of versions is open."""
    headers = {} if header is None else {"Authorization": header}
    del empty.http.headers["Authorization"]
    assert (await empty.http.get("/services/data/", headers=headers)).status_code == 200
    assert (await empty.get("/sobjects", headers=headers)).status_code == 401
