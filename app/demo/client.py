"""The demo's HTTP client: a caller with a key and nothing else, on the standard library.

The house has one module that imports httpx (connectors/http.py), which the service reaches through the registry only;
what a client of the service needs here is one connection to loopback, no proxy, and the problem document on refusal.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 120.0
_CHUNK = 1 << 20


class Refused(Exception):
    """An answer of 400 and above; `problem` is the problem document, or what came instead of one."""

    def __init__(self, method: str, path: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{method} {path} was answered with {status}: {problem.get('detail') or problem}")
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))


class NoAnswer(Exception):
    """Nobody answers at the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "")


class Client:
    """Calls one server. Not for several threads; every request has a connection of its own."""

    def __init__(self, base: str, key: str = "", *, timeout: float = TIMEOUT_SECONDS) -> None:
        self.base = base.rstrip("/")
        self._key = key
        self._timeout = timeout

    def get(self, path: str, **query: Any) -> Answer:
        """Raises Refused, NoAnswer."""
        return self._call("GET", path, query=query)

    def post(self, path: str, body: Any = None) -> Answer:
        """With an Idempotency-Key of its own. Raises Refused, NoAnswer."""
        return self._call("POST", path, body=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def put(self, path: str, body: Any, *, if_match: str = "") -> Answer:
        """Raises Refused, NoAnswer."""
        return self._call("PUT", path, body=body, headers={"If-Match": if_match} if if_match else {})

    def send(self, path: str, file: Path, **query: Any) -> Answer:
        """POSTs a file's bytes, with an Idempotency-Key of its own. Raises Refused, NoAnswer."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/octet-stream"}
        with file.open("rb") as body:
            return self._call("POST", path, body=body, query=query, headers=headers)

    def delete(self, path: str) -> Answer:
        """Raises Refused, NoAnswer."""
        return self._call("DELETE", path)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page after page."""
        cursor = None
        while True:
            page = self.get(path, limit=100, **query, **({"cursor": cursor} if cursor else {})).body
            yield from page["data"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return

    def save(self, path: str, file: Path, **query: Any) -> int:
        """Downloads into `file`, never whole in memory; returns the size in bytes."""
        connection, answer = self._open("GET", path, None, {}, query)
        try:
            if answer.status >= 400:
                raise Refused("GET", path, answer.status, _problem(answer.read()))
            with file.open("wb") as out:
                while chunk := answer.read(_CHUNK):
                    out.write(chunk)
                return out.tell()
        finally:
            connection.close()

    def lines(self, path: str, **query: Any) -> Iterator[bytes]:
        """A body line by line, as it arrives."""
        connection, answer = self._open("GET", path, None, {}, query)
        try:
            if answer.status >= 400:
                raise Refused("GET", path, answer.status, _problem(answer.read()))
            yield from answer
        finally:
            connection.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection, answer = self._open(method, path, body, headers or {}, query or {})
        try:
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{self.base} broke off during {method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(method, path, answer.status, _problem(content))
        parsed = json.loads(content) if "json" in answer.headers.get("content-type", "") else content
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, parsed)

    def _open(
        self, method: str, path: str, body: Any, headers: dict[str, str], query: dict[str, Any]
    ) -> tuple[HTTPConnection, HTTPResponse]:
        address = urlsplit(self.base)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=self._timeout)
        sent = dict(headers)
        if self._key:
            sent["Authorization"] = f"Bearer {self._key}"
        content: Any = body if isinstance(body, BufferedReader) else None  # a file goes out in pieces
        if body is not None and content is None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            connection.request(method, target, body=content, headers=sent)
            return connection, connection.getresponse()
        except (OSError, HTTPException) as error:
            connection.close()
            raise NoAnswer(f"{self.base} does not answer {method} {path}: {error}") from error


def _problem(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {"detail": content[:500].decode(errors="replace")}
    return document if isinstance(document, dict) else {"detail": str(document)[:500]}
