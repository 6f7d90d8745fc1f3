"""API10:2023 Unsafe Consumption of APIs: a vendor's answer is hostile input like any other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.api.conftest import Client
from tests.security.conftest import BODIES

SECRET = "canary-client-secret"
HOSTILE = {
    "html": (200, b"text/html", b"<html>Sign in</html>"),
    "empty": (200, b"application/json", b""),
    "half": (200, b"application/json", b'{"access_token":'),
    "deep": (200, b"application/json", b"[" * 100_000),
    "other shape": (200, b"application/json", b'{"access_token":{"$ne":null},"instance_url":17}'),
    "list": (200, b"application/json", b'["access_token"]'),
    "redirect": (302, b"text/plain", b""),
    "huge number": (200, b"application/json", b'{"access_token":"x","expires_in":1e999}'),
    "echo": (
        400,
        b"application/json",
        b'{"error":"invalid_client","error_description":"bad ' + SECRET.encode() + b'"}',
    ),
    "teapot": (418, b"text/plain", b"short and stout"),
    "broken": (500, b"text/plain", b"stack trace at /srv/vendor"),
}


@asynccontextmanager
async def vendor(status: int, kind: bytes, body: bytes) -> AsyncIterator[str]:
    """A vendor that gives one answer to everything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        head = b"HTTP/1.1 %d X\r\ncontent-type: %s\r\nlocation: http://127.0.0.1:1/\r\n" % (status, kind)
        writer.write(head + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("how", HOSTILE)
async def test_a_hostile_answer_is_a_problem_and_never_a_crash(how: str, owner: Client) -> None:
    engagement = (await owner.post("/v1/engagements", json=BODIES["create_engagement"])).json()["id"]
    path = f"/v1/engagements/{engagement}/connections/source"
    async with vendor(*HOSTILE[how]) as url:
        body = {"config": {"base_url": url}, "credentials": {"client_id": "a", "client_secret": SECRET}}
        assert (await owner.put(path, json=body)).status_code == 200
        answer = await owner.post(f"{path}/test")
    assert answer.status_code in (409, 422, 502), (how, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    shown = answer.text + (await owner.get(path)).text
    assert SECRET not in shown
    assert "/srv/vendor" not in shown
    assert (await owner.get(path)).json()["state"] != "ok"
