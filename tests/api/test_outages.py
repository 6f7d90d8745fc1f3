"""A database that is away, or that goes while a request is being answered."""

import socket
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from app.access import KEY_PREFIX, make_secret
from app.db import plain_url
from app.outages import is_outage
from app.runtime import open_runtime
from app.settings import Settings
from tests.api.conftest import Client, serving

QUOTE = {"source": "servicetracker", "destination": "zoho_crm", "counts": {"Client": 4}}


def nobody_listens() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def test_callers_are_told_when_to_come_again(settings: Settings, tmp_path: Path) -> None:
    url = SecretStr(f"postgresql://nobody@127.0.0.1:{nobody_listens()}/nowhere")
    away = settings.model_copy(update={"database_url": url, "data_dir": tmp_path})
    async with open_runtime(away) as runtime, serving(away, runtime) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            key = make_secret(KEY_PREFIX, uuid4())
            answers = [
                await http.get("/v1/engagements", headers={"Authorization": f"Bearer {key}"}),
                await http.post("/v1/quotes", headers={"Idempotency-Key": "one"}, json=QUOTE),
            ]
    for refused in answers:
        assert refused.status_code == 503, refused.text
        assert refused.json()["code"] == "not-ready"
        assert int(refused.headers["Retry-After"]) > 0
        assert "nobody" not in refused.text


async def test_after_a_restart_the_next_request_is_served(owner: Client, database_url: str) -> None:
    """Pooled connections whose server is gone are left out, although nobody asks before each use."""
    assert (await owner.get("/v1/engagements")).status_code == 200
    admin = await asyncpg.connect(plain_url(database_url))
    try:
        await admin.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await admin.close()
    answers = [await owner.get("/v1/engagements") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 200]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.ConnectionDoesNotExistError("gone"), True),
        (asyncpg.AdminShutdownError("terminating connection"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("the server expects 1 argument"), False),
        (asyncpg.UniqueViolationError("twice"), False),
        (DBAPIError("SELECT 1", None, Exception("other")), False),
        (DBAPIError("SELECT 1", None, asyncpg.CannotConnectNowError("starting up")), True),
    ],
)
def test_only_the_connection_is_an_outage(error: Exception, expected: bool) -> None:
    assert is_outage(error) is expected
