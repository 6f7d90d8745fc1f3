"""The proxy on real sockets: each way of spoiling an answer, seen from both sides."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.rehearsal.proxy import Proxy

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
ASKED = b"GET / HTTP/1.1\r\n\r\n"


class Server:
    """Answers every request it reads and counts them."""

    def __init__(self) -> None:
        self.served = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            while client.recv(65_536):
                self.served += 1
                client.sendall(ANSWER)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def door(**values: int) -> Iterator[tuple[Proxy, Server, socket.socket]]:
    server = Server()
    try:
        with Proxy("127.0.0.1", server.port) as proxy:
            proxy.values = values
            port = int(proxy.url.rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                yield proxy, server, client
    finally:
        server.close()


def heard(client: socket.socket) -> bytes:
    """Everything until the other side ends, or until a whole answer is there."""
    got = b""
    while len(got) < len(ANSWER):
        chunk = client.recv(65_536)
        if not chunk:
            break
        got += chunk
    return got


def test_a_calm_proxy_passes_everything_on() -> None:
    with door() as (proxy, server, client):
        for _ in range(3):
            client.sendall(ASKED)
            assert heard(client) == ANSWER
        assert (proxy.answers, server.served, proxy.injected) == (3, 3, {})


def test_reset_comes_before_the_server_hears_anything() -> None:
    with door(reset=10_000) as (proxy, server, client):
        client.sendall(ASKED)
        with pytest.raises(ConnectionResetError):
            heard(client)
        assert server.served == 0
        assert proxy.injected["reset"] == 1


def test_drop_loses_the_answer_of_work_that_is_done() -> None:
    with door(drop=10_000) as (proxy, server, client):
        client.sendall(ASKED)
        with pytest.raises(ConnectionResetError):
            heard(client)
        assert server.served == 1
        assert proxy.injected["drop"] == 1


def test_cut_ends_the_answer_after_so_many_bytes() -> None:
    with door(cut=10_000, cut_bytes=9) as (proxy, server, client):
        client.sendall(ASKED)
        try:
            got = client.recv(65_536)
        except ConnectionResetError:  # the reset may overtake the bytes
            got = ANSWER[:9]
        assert got == ANSWER[:9]
        assert server.served == 1
        assert proxy.injected["cut"] == 1


def test_stall_holds_the_answer_and_then_ends_the_connection() -> None:
    with door(stall=10_000, stall_ms=150) as (proxy, server, client):
        client.sendall(ASKED)
        with pytest.raises(ConnectionResetError):
            heard(client)
        assert server.served == 1
        assert proxy.injected["stall"] == 1


def test_delay_spoils_nothing() -> None:
    with door(delay=10_000, delay_ms=20) as (proxy, _, client):
        client.sendall(ASKED)
        assert heard(client) == ANSWER
        assert proxy.injected["delay"] == 1


def test_the_same_seed_spoils_the_same_answers() -> None:
    drawn = []
    for _ in range(2):
        proxy = Proxy("127.0.0.1", 1, seed=11)
        proxy.values = {"drop": 1_000, "cut": 1_000}
        drawn.append([proxy._draw() for _ in range(200)])
    assert drawn[0] == drawn[1]
    assert {"", "drop", "cut"} == set(drawn[0])


def test_a_server_that_is_gone_is_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = int(closed.getsockname()[1])
    with Proxy("127.0.0.1", port) as proxy:
        address = int(proxy.url.rsplit(":", 1)[1])
        with (
            pytest.raises(ConnectionResetError),  # while connecting or afterwards, as the machine's load has it
            socket.create_connection(("127.0.0.1", address), timeout=10) as client,
        ):
            heard(client)
