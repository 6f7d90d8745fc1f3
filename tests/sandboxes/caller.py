"""A client of a sandbox over ASGI: paths below the vendor's prefix, JSON in and out, and a clock that tests move."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from tests.clock import FakeClock


def noon() -> FakeClock:
    """Stands on a full hour."""
    return FakeClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


class Caller:
    """Paths that begin with a slash, and whole URLs, are taken as they are."""

    prefix: ClassVar[str]

    def __init__(self, client: httpx.AsyncClient, clock: FakeClock) -> None:
        self.client = client
        self.clock = clock

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        url = path if path.startswith(("/", "http")) else f"{self.prefix}/{path}"
        if body is not None:
            more["json"] = body
        return await self.client.request(method, url, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.call("POST", path, body, **more)

    async def put(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.call("PUT", path, body, **more)

    async def patch(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.call("PATCH", path, body, **more)

    async def delete(self, path: str, **more: Any) -> httpx.Response:
        return await self.call("DELETE", path, **more)
