"""Fault switches of a sandbox: an ASGI middleware that delays, refuses, or loses answers after the work was done.

Rates are per 10,000 requests and drawn from a seeded generator, so a schedule of faults can be repeated. Only paths
that do not start with `/_sandbox` are hit. Vendor-specific faults (per-record rejects, index lag, ...) live in the
sandbox itself, which reads them from `FaultSwitch.values`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class FaultSwitch:
    """The current faults and how often each was injected.

    Known values: `latency_ms`, `fail5xx` (refused before the work), `fail5xx_after` (answered 500 although the work
    was done), `fail429`, `drop` (work done, answer cut), `seed`; a sandbox may add its own names.
    """

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.injected: Counter[str] = Counter()
        self._random = random.Random(1)  # noqa: S311  faults are to be repeatable, not secret

    def update(self, values: dict[str, int]) -> None:
        """Merges `values`; a seed restarts the draw, so the same requests meet the same faults."""
        self.values.update(values)
        if "seed" in values:
            self._random = random.Random(values["seed"])  # noqa: S311

    def clear(self) -> None:
        self.values.clear()

    def draw(self, name: str) -> bool:
        """Whether fault `name` hits now; counts it when it does."""
        rate = self.values.get(name, 0)
        hit = rate > 0 and self._random.randrange(10_000) < rate
        if hit:
            self.injected[name] += 1
        return hit


class AnswerCut(Exception):
    """Ends a response half-way so that the server closes the connection: the client lost the answer."""


def _plain_failure(_status: int) -> bytes:
    return b'{"code":"INTERNAL_ERROR","details":{},"message":"Internal Server Error","status":"error"}'


class FaultMiddleware:
    """Applies a `FaultSwitch` around a sandbox application."""

    def __init__(
        self,
        app: App,
        switch: FaultSwitch,
        too_many: Callable[[], tuple[int, bytes]],
        failed: Callable[[int], bytes] = _plain_failure,
    ) -> None:
        """`too_many()` renders the vendor's own 429 answer, status and JSON body; `failed(status)` its 5xx body."""
        self._app = app
        self._switch = switch
        self._too_many = too_many
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        switch = self._switch
        if latency := switch.values.get("latency_ms", 0):
            await asyncio.sleep(latency / 1000)
        if switch.draw("fail429"):
            status, body = self._too_many()
            await _answer(send, status, body)
            return
        if switch.draw("fail5xx"):
            await _answer(send, 503, self._failed(503))
            return
        if switch.draw("drop"):
            await self._app(scope, receive, _swallow)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000000")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise AnswerCut
        if switch.draw("fail5xx_after"):
            await self._app(scope, receive, _swallow)
            await _answer(send, 500, self._failed(500))
            return
        await self._app(scope, receive, send)


async def _swallow(message: Message) -> None:
    """Takes an answer that nobody will see."""


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
