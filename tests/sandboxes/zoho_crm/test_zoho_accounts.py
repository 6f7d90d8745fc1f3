"""Fact sheet section 2 (tokens) and section 3 (request-level refusals)."""

from typing import Any

from tests.sandboxes.zoho_crm.zoho_kit import REFRESH, Start, Zoho


async def token(zoho: Zoho, **change: Any) -> Any:
    return await zoho.client.post("/oauth/v2/token", data={**REFRESH, **change})


async def test_section_2_refresh_answers_token_domain_and_lifetime(zoho: Zoho) -> None:
    body = (await token(zoho)).json()
    assert body["api_domain"] == "http://zoho.test"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in body


async def test_section_2_parameters_may_stand_in_the_query(zoho: Zoho) -> None:
    answer = await zoho.client.post("/oauth/v2/token", params=REFRESH)
    assert "access_token" in answer.json()


async def test_section_2_code_exchange_gives_a_refresh_token(zoho: Zoho) -> None:
    answer = await token(zoho, grant_type="authorization_code", code="sandbox-code", redirect_uri="http://localhost/cb")
    assert answer.json()["refresh_token"] == "sandbox-refresh"
    assert (await token(zoho, grant_type="authorization_code", code="no", redirect_uri="x")).json() == {
        "error": "invalid_code"
    }


async def test_section_2_wrong_credentials_are_answered_with_200(zoho: Zoho) -> None:
    wrong = await token(zoho, client_secret="no")
    assert (wrong.status_code, wrong.json()) == (200, {"error": "invalid_client"})
    wrong = await token(zoho, refresh_token="no")
    assert (wrong.status_code, wrong.json()) == (200, {"error": "invalid_code"})


async def test_section_2_ten_tokens_in_ten_minutes(zoho: Zoho) -> None:
    for _ in range(9):
        assert (await token(zoho)).status_code == 200
    blocked = await token(zoho)
    assert (blocked.status_code, blocked.json()["error"]) == (400, "Access Denied")
    zoho.clock.advance(seconds=601)
    assert "access_token" in (await token(zoho)).json()


async def test_section_2_access_token_ends_after_its_lifetime(start: Start) -> None:
    zoho = await start(options={"token_ttl": "60"})
    assert (await zoho.get("org")).status_code == 200
    zoho.clock.advance(seconds=61)
    answer = await zoho.get("org")
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")


async def test_section_2_revoked_refresh_token(zoho: Zoho) -> None:
    answer = await zoho.client.post("/oauth/v2/token/revoke?token=sandbox-refresh")
    assert answer.json() == {"status": "success"}
    assert (await token(zoho)).json() == {"error": "invalid_code"}
    assert (await zoho.get("org")).status_code == 401


async def test_section_2_header_is_not_bearer(zoho: Zoho) -> None:
    held = zoho.client.headers["Authorization"].split()[1]
    answer = await zoho.get("org", headers={"Authorization": f"Bearer {held}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")
    del zoho.client.headers["Authorization"]
    answer = await zoho.get("org")
    assert (answer.status_code, answer.json()["code"]) == (401, "AUTHENTICATION_FAILURE")


async def test_ruling_17_edition_without_api_access(start: Start) -> None:
    zoho = await start(options={"api_access": "off"})
    answer = await zoho.get("org")
    assert (answer.status_code, answer.json()["code"]) == (403, "NO_PERMISSION")


async def test_section_3_missing_scope(start: Start) -> None:
    zoho = await start(options={"deny_scope": "settings,bulk"})
    answer = await zoho.get("settings/modules")
    assert (answer.status_code, answer.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")
    assert (await zoho.get("org")).status_code == 200


async def test_section_3_unknown_paths_methods_and_modules(zoho: Zoho) -> None:
    answer = await zoho.get("/crm/v8/a/b/c/d/e")
    assert (answer.status_code, answer.json()["code"]) == (404, "INVALID_URL_PATTERN")
    answer = await zoho.patch("Leads", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST_METHOD")
    answer = await zoho.get("Nothing?fields=id")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_MODULE")


async def test_section_3_malformed_json_and_bodies_without_content_type(zoho: Zoho) -> None:
    answer = await zoho.post("Leads", content=b'{"data": [')
    assert (answer.status_code, answer.json()["code"]) == (400, "JSON_PARSE_ERROR")
    answer = await zoho.post("Leads", content=b"[1]")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
    answer = await zoho.post("Leads", content=b'{"data":[{"Last_Name":"No content type"}]}')
    assert "content-type" not in answer.request.headers
    assert answer.status_code == 201
