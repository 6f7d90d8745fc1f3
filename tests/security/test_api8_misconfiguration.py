"""API8:2023 Security Misconfiguration: safe headers, quiet failures, closed defaults."""

import httpx
import pytest
from fastapi import FastAPI

from app.settings import SettingsError, load_settings
from tests.api.conftest import Client
from tests.security.conftest import OPERATIONS, call_of

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


async def test_every_answer_has_safe_headers(belongings: dict[str, str], owner: Client) -> None:
    for operation in OPERATIONS:
        if operation.name == "follow_run":
            continue
        method, path, options = call_of(operation, {**belongings, "source": "x", "destination": "y", "slug": "z"})
        answer = await owner(method, path, **options)
        for name, value in HEADERS.items():
            public = operation.path.startswith(("/v1/platforms", "/v1/pairs")) and name == "cache-control"
            assert answer.headers[name] == value or public, (operation.name, name)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS"])
async def test_other_methods_are_refused(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, "/v1/engagements")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


async def test_no_site_may_call_for_a_signed_in_user(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/platforms", headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_crash_tells_nothing(app: FastAPI, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("SELECT secret FROM vault at /srv/app.py")

    monkeypatch.setattr("app.engagements.service.list_engagements", crash)
    answer = await owner.get("/v1/engagements")
    assert answer.status_code == 500
    assert not [word for word in ("SELECT", "vault", "/srv", "Runtime", "Traceback") if word in answer.text]


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/admin", "/debug", "/_sandbox/stats", "/v1/../metrics/x"])
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


def test_production_starts_with_no_default_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSHIP_ENVIRONMENT", "production")
    with pytest.raises(SettingsError) as refused:
        load_settings(cors_origins="*")
    assert "TRANSHIP_MASTER_KEYS" in str(refused.value)
