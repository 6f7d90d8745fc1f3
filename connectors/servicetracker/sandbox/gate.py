"""What happens before and after every call: URL length, session, daily limit, usage header, statistics."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from connectors.servicetracker.sandbox.context import Sandbox
from connectors.servicetracker.sandbox.errors import error_bytes

LONGEST_URI = 16_384
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gate:
    """ASGI middleware around the routes; `/_sandbox` paths pass untouched."""

    def __init__(self, app: App, sandbox: Callable[[], Sandbox]) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        # Clients write `query/?q=` and `limits/` (source fact sheet section 1.9): both spellings are one route.
        scope["path"] = scope["path"].rstrip("/") or "/"
        box = self._sandbox()
        refusal = self._refusal(box, scope)
        answer = _Counted(box, scope, send, counted=scope["path"].startswith("/services/data/"))
        if refusal is None:
            await self._app(scope, receive, answer)
        else:
            await _refuse(answer, *refusal)

    def _refusal(self, box: Sandbox, scope: Scope) -> tuple[int, bytes] | None:
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_URI:
            return 414, error_bytes("URI_TOO_LONG", "The URI is too long")
        if not scope["path"].startswith("/services/data/"):
            return None
        token = _bearer(scope)
        if token is not None and box.faults.draw("fail401"):
            box.tokens.revoke_all()
        if token is None or not box.tokens.alive(token):
            return 401, error_bytes("INVALID_SESSION_ID", "Session expired or invalid")
        if box.calls.used >= box.daily_requests:
            return 403, error_bytes("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        box.calls.add()
        return None


class _Counted:
    """Adds the usage header to an answer and notes status, bytes and path template."""

    def __init__(self, box: Sandbox, scope: Scope, send: Send, *, counted: bool) -> None:
        self._box = box
        self._scope = scope
        self._send = send
        self._shows_usage = counted

    async def __call__(self, message: Message) -> None:
        statistics = self._box.statistics
        if message["type"] == "http.response.start":
            if self._shows_usage:
                usage = f"api-usage={self._box.calls.used}/{self._box.daily_requests}"
                message["headers"] = [*message.get("headers", []), (b"sforce-limit-info", usage.encode())]
            statistics.requests[f"{self._scope['method']} {self._template()}"] += 1
            statistics.statuses[message["status"]] += 1
        else:
            statistics.bytes += len(message.get("body", b""))
        await self._send(message)

    def _template(self) -> str:
        route = self._scope.get("route")
        return getattr(route, "path", None) or "(refused)"


async def _refuse(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json;charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _bearer(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if kind.lower() in {"bearer", "oauth"} else None
    return None
