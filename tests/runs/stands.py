"""The two vendors' stand-ins on loopback, each served from a thread of this process."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import httpx
import orjson

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server

CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "servicetracker": {"client_id": "sandbox-client", "client_secret": "sandbox-secret"},
    "freshsales": {"api_key": "sandbox-key"},
    "zoho_crm": {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
    },
}
_START_SECONDS = 30.0


@contextmanager
def sandbox(name: str, config: SandboxConfig) -> Iterator[str]:
    """A sandbox served from a thread; yields its base URL."""
    app = import_module(f"connectors.{name}.sandbox").create_app(config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    running = server(app, host="127.0.0.1", port=port)
    thread = threading.Thread(target=lambda: asyncio.run(running.serve()), name=name, daemon=True)
    thread.start()
    give_up = time.monotonic() + _START_SECONDS
    while not running.started:
        if not thread.is_alive() or time.monotonic() > give_up:
            raise RuntimeError(f"the {name} sandbox did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(10)


def config_for(platform: str, url: str) -> dict[str, Any]:
    """The connection's configuration that leads to a sandbox; without a URL files are uploaded in its place."""
    if platform == "zoho_crm":
        return {"base_url": url, "accounts_url": url, "upload_url": url}
    return {"base_url": url} if url else {"mode": "upload"}


class Stand:
    """What is ours about a running sandbox: counters, data, faults, the administrator's hand.

    Clients read no certificates (`verify`): that takes longer than the call, which goes over plain HTTP.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def dump(self) -> list[dict[str, Any]]:
        """Its own data, live records and files, by id."""
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            answer = await client.get(f"{self.url}/_sandbox/dump", params={"module": "*"})
            answer.raise_for_status()
            return [orjson.loads(line) for line in answer.text.splitlines() if line]

    async def stats(self) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            answer = await client.get(f"{self.url}/_sandbox/stats")
            found: dict[str, Any] = answer.raise_for_status().json()
            return found

    async def faults(self, **values: int) -> None:
        """Exactly these faults from now on; none without arguments."""
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            (await client.delete(f"{self.url}/_sandbox/faults")).raise_for_status()
            if values:
                (await client.post(f"{self.url}/_sandbox/faults", json=values)).raise_for_status()

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One of our own switches, for example `admin` or `mutate`."""
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            answer = await client.post(f"{self.url}/_sandbox/{path}", json=body)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found
