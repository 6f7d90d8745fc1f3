"""A TCP proxy that spoils connections on purpose: delay, reset, cut after N bytes, drop the answer, stall.

It knows nothing of HTTP beyond the turn of speakers: what the server says after the client has spoken is an answer.
Rates are per 10,000 answers and drawn from a seeded generator.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 1 << 16
_LINGER = struct.pack("ii", 1, 0)  # close at once and tell the peer so: a reset instead of a farewell
_SPOILS = ("reset", "drop", "cut", "stall")


class Proxy:
    """One door to one server on loopback, served from a thread of its own. A context manager.

    `values` holds the rates `delay`, `reset`, `drop`, `cut`, `stall` and the sizes `delay_ms`, `cut_bytes`,
    `stall_ms`; `answers` counts what passed, `injected` what was spoilt.
    """

    def __init__(self, host: str, port: int, *, seed: int = 1) -> None:
        self._upstream = (host, port)
        self._random = random.Random(seed)  # noqa: S311  faults are to be repeatable, not secret
        self.values: dict[str, int] = {}
        self.answers = 0
        self.injected: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._left = asyncio.Event()
        self._address: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    @property
    def url(self) -> str:
        """Where clients connect to; waits until the door is open."""
        return f"http://127.0.0.1:{self._address.result(10)}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._address.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        except OSError as error:
            self._address.set_exception(error)
            return
        self._address.set_result(int(server.sockets[0].getsockname()[1]))
        await self._stop.wait()
        server.close()
        await asyncio.sleep(0)  # who has just been let in begins to talk
        for writer in list(self._open):
            writer.transport.abort()
        if self._open:
            self._left.clear()
            await self._left.wait()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client from its first to its last byte."""
        self._open.add(writer)
        try:
            await self._converse(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._open.discard(writer)
            if not self._open:
                self._left.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream = await asyncio.open_connection(*self._upstream)
        except OSError:
            _break(writer)  # the server is gone: so is the door
            return
        talk = _Talk()
        pumps = [
            asyncio.create_task(self._ask(reader, upstream, writer, talk)),
            asyncio.create_task(self._answer(upstream_reader, writer, talk)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            upstream.transport.abort()
            with suppress(ConnectionError):
                await upstream.wait_closed()

    async def _ask(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, writer: asyncio.StreamWriter, talk: "_Talk"
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            if not talk.asked:
                talk.asked = True
                talk.spoil = self._draw()
                if talk.spoil == "reset":  # before the server hears anything
                    _break(writer)
                    return
            upstream.write(chunk)
            await upstream.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: "_Talk") -> None:
        while chunk := await reader.read(_CHUNK):
            if talk.asked:
                talk.asked = False
                self.answers += 1
                if talk.spoil and await self._spoil(talk.spoil, chunk, writer):
                    return
            writer.write(chunk)
            await writer.drain()

    async def _spoil(self, how: str, chunk: bytes, writer: asyncio.StreamWriter) -> bool:
        """True when the connection is over. The server has done what it was asked for in every case."""
        if how == "delay":
            await asyncio.sleep(self.values.get("delay_ms", 0) / 1000)
            return False
        if how == "cut":
            writer.write(chunk[: max(1, self.values.get("cut_bytes", 1))])
            await writer.drain()
        if how == "stall":
            await asyncio.sleep(self.values.get("stall_ms", 0) / 1000)
        _break(writer)
        return True

    def _draw(self) -> str:
        """The fault that this answer meets, "" mostly."""
        point = self._random.randrange(10_000)
        for name in (*_SPOILS, "delay"):
            rate = self.values.get(name, 0)
            if point < rate:
                self.injected[name] += 1
                return name
            point -= rate
        return ""


class _Talk:
    """Whose turn it is on one connection, and what awaits the answer."""

    __slots__ = ("asked", "spoil")

    def __init__(self) -> None:
        self.asked = False
        self.spoil = ""


def _break(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with a reset."""
    found = writer.get_extra_info("socket")
    if isinstance(found, socket.socket) or hasattr(found, "setsockopt"):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    writer.transport.abort()
