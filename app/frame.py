"""What stands around every request: its id, its log line and metrics, safe headers, and an answer when all else fails.

It is the outermost layer, because the framework answers a body over the limit with plain text and re-raises what it
could not handle; both become problem documents here.
"""

import asyncio
import time
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics, telemetry
from app.domain.ids import encode_id
from app.errors import AppError, BadRequest, BodyTooLarge, InternalError, RequestTimedOut
from app.models.columns import new_id
from app.problems import problem_response

log = structlog.get_logger()

_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Frame:
    """The outermost ASGI layer."""

    def __init__(self, app: ASGIApp, seconds: float | None = None) -> None:
        """`seconds` is the time until an answer begins; None for no end."""
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=answer.request_id)
        if scope["path"] in _QUIET:
            await self._answer(answer, scope, receive)
            return
        traceparent = Headers(scope=scope).get("traceparent", "")
        with telemetry.request_span(_method(scope), traceparent):
            await self._answer(answer, scope, receive)

    async def _answer(self, answer: "_Answer", scope: Scope, receive: Receive) -> None:
        try:
            if b"%00" in scope.get("raw_path", b"") or b"%00" in scope["query_string"]:
                await answer.refuse(BadRequest("The character U+0000 is not allowed in a URL."))
            else:
                async with answer.within(self._seconds):
                    await self._app(scope, receive, answer.send)
        except Exception as error:  # the last resort: logged whole, told in general
            late = answer.late and isinstance(error, TimeoutError)
            if late:
                log.warning("request_timed_out", seconds=self._seconds)
            else:
                log.exception("request_crashed", error=type(error).__name__)
            if answer.status == 0:
                await answer.refuse(_LATE if late else _FAILURE)
        finally:
            answer.finish()


class _Answer:
    """Watches one answer on its way out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.request_id = encode_id("request", new_id())
        self.status = 0
        self._scope = scope
        self._receive = receive
        self._send = send
        self._replaced = False
        self._deadline: asyncio.Timeout | None = None
        self._began = time.perf_counter()
        scope.setdefault("state", {})["request_id"] = self.request_id

    def within(self, seconds: float | None) -> asyncio.Timeout:
        """The time for an answer to begin: whoever sends or waits longer is let go. A route that takes large bodies
        sets its own by `request.state.deadline`."""
        self._deadline = self._scope["state"]["deadline"] = asyncio.timeout(seconds)
        return self._deadline

    @property
    def late(self) -> bool:
        return self._deadline is not None and self._deadline.expired()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._deadline is not None and not self.late:
                self._deadline.reschedule(None)
            headers = MutableHeaders(scope=message)
            known = _PLAIN.get(message["status"])
            if known is not None and headers.get("content-type", "").startswith("text/plain"):
                self._replaced = True
                await self.refuse(known)
                return
            self._dress(message["status"], headers)
        elif self._replaced:
            return
        await self._send(message)

    async def refuse(self, error: AppError) -> None:
        """Sends a problem document instead of anything else."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(message["status"], MutableHeaders(scope=message))
            await self._send(message)

        await problem_response(error, self.request_id)(self._scope, self._receive, send)

    def _dress(self, status: int, headers: MutableHeaders) -> None:
        self.status = status
        headers["Request-Id"] = self.request_id
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        for name, value in self._scope["state"].get("rate_limit", {}).items():
            headers[name] = value

    def finish(self) -> None:
        seconds = time.perf_counter() - self._began
        route: Any = self._scope.get("route")
        template = getattr(route, "path", "") or "unknown"
        method = _method(self._scope)
        metrics.REQUESTS.labels(method, template, str(self.status)).inc()
        metrics.SECONDS.labels(method, template).observe(seconds)
        if self._scope["path"] not in _QUIET:
            known = structlog.contextvars.get_contextvars()
            ids = {name: known[name] for name in ("request_id", "tenant_id") if name in known}
            telemetry.request_answered(method, template, self.status, **ids)
            log.info(
                "request",
                method=method,
                path=self._scope["path"],
                status=self.status,
                milliseconds=round(seconds * 1000, 1),
            )


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


_FAILURE = InternalError("The failure is logged under this request id; try again later.")
_LATE = RequestTimedOut("Send it again, with the same Idempotency-Key: nothing is done twice.").with_headers(
    Retry_After="1"
)
_PLAIN: dict[int, AppError] = {413: BodyTooLarge("Send less in one request."), 500: _FAILURE}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
