"""A webhook receiver on a loopback port that answers as told: a status, headers, or silence."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.types import Receive, Scope, Send

Answer = int | str | tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are given in turn, the last one again and again; "stall" never answers, "reset" breaks off.
    With a `plan` the request decides."""

    answers: list[Answer] = field(default_factory=lambda: [200])
    plan: Callable[["Received"], Answer] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    received: list[Received] = field(default_factory=list)
    url: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.received.append(Received(scope["path"], headers, body))
        answer = self.plan(self.received[-1]) if self.plan is not None else self._next()
        status, more_headers = answer if isinstance(answer, tuple) else (answer, {})
        await self._give(status, self.headers | more_headers, send)

    def _next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def _give(self, answer: int | str, sent: dict[str, str], send: Send) -> None:
        if answer == "stall":
            await self.released.wait()
            return
        if answer == "reset":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            raise ConnectionAbortedError
        raw = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": answer, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    """A receiver that runs meanwhile."""
    receiver = Receiver()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(receiver, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  the server offers a flag, no event
            await asyncio.sleep(0.005)
        receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        try:
            yield receiver
        finally:
            receiver.released.set()
            server.should_exit = True
            await running
