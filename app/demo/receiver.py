"""A webhook receiver on loopback, as a client would have one: it believes only messages with a right signature."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BYTES = 1 << 20


class Receiver:
    """What has arrived: messages by id (a message may arrive twice), and how many were refused for their signature."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self.messages: dict[str, dict[str, Any]] = {}
        self.refused = 0
        self._lock = threading.Lock()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Checks and keeps one message; returns the HTTP status to answer with."""
        try:
            Webhook(self.secret).verify(body, headers)
            message = json.loads(body)
        except (WebhookVerificationError, ValueError, RuntimeError):
            with self._lock:
                self.refused += 1
            return 401
        with self._lock:
            self.messages[headers["webhook-id"]] = message
        return 204


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that runs meanwhile."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            status = 413
            if 0 <= size <= MAX_BYTES:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver.take(headers, self.rfile.read(size))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: what arrived is counted."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
