"""The door of the API: key, budget, body, and the bulk jobs that are due, before any endpoint runs."""

import hmac
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.freshsales.sandbox.answers import Json, Refusal, bad, malformed, reply
from connectors.freshsales.sandbox.bulk import settle_jobs
from connectors.freshsales.sandbox.crm import Crm
from connectors.sandboxkit.bodies import BodyTooLarge, handed_on, read_body

# The suite's API, the classic host's API, and the settings that also answer without `/api` (sections 1 and 19 item 10).
PREFIXES = ("/crm/sales/api", "/api")
BARE_SETTINGS = "/crm/sales/settings"
_MAX_JSON = 16 * 1024 * 1024
_DIGITS = re.compile(r"^\d+$")
_SCHEMES = ("Token token=", "Token ")


class Gate:
    """ASGI middleware around the endpoints."""

    def __init__(self, app: ASGIApp, crm: Crm) -> None:
        self._app = app
        self._crm = crm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settle_jobs(self._crm)
        if scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        crm, headers = self._crm, Headers(scope=scope)
        crm.stats.requests[f"{scope['method']} {template(scope['path'], crm)}"] += 1
        try:
            authenticate(crm, headers)
            self._book()
            if "multipart/" not in headers.get("content-type", ""):
                scope["fresh.raw"] = raw = await _body(receive)
                receive = handed_on(raw, receive)
        except Refusal as refusal:
            crm.stats.refused[str(refusal.status)] += 1
            gone = bool(crm.faults.values.get("quota_gone"))
            extra = {} if refusal.status == 401 else crm.quota.headers(refused=refusal.status == 429, gone=gone)
            await reply(refusal.status, refusal.body(), extra)(scope, receive, send)
            return
        await self._app(scope, receive, _with_headers(send, crm.quota.headers()))

    def _book(self) -> None:
        if self._crm.faults.values.get("quota_gone"):
            self._crm.faults.injected["quota_gone"] += 1
            self._crm.quota.seen.too_many += 1
            raise Refusal(429, "You have exceeded the limit of requests per hour")
        self._crm.quota.spend()


def _with_headers(send: Send, extra: Mapping[str, str]) -> Send:
    added = [(name.encode(), value.encode()) for name, value in extra.items()]

    async def wrapped(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return wrapped


def authenticate(crm: Crm, headers: Headers) -> None:
    """`Authorization: Token token=<key>`, also `Token <key>`; anything else, OAuth included, is a 401 (section 1)."""
    text = headers.get("authorization", "")
    scheme = next((each for each in _SCHEMES if text.startswith(each)), None)
    key = text[len(scheme) :].strip() if scheme else ""
    if not hmac.compare_digest(key.encode(), crm.options.api_key.encode()):
        raise Refusal(401, "Authentication failed: the API key is incorrect or expired")


async def _body(receive: Receive) -> bytes:
    try:
        return await read_body(receive, _MAX_JSON)
    except BodyTooLarge as error:
        raise Refusal(413, "The request body is too large") from error


def json_body(request: Request) -> Any:
    """The JSON body; no body is an empty object, text that is no JSON a 400."""
    raw: bytes = request.scope.get("fresh.raw", b"")
    if not raw.strip():
        return {}
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad("The request body is not valid JSON") from error


def json_object(request: Request) -> Json:
    """The JSON object of a request; another shape provokes the vendor's 500 (section 15)."""
    body = json_body(request)
    if not isinstance(body, dict):
        raise malformed()
    return body


def template(path: str, crm: Crm) -> str:
    """The path with ids replaced, so that counters stay few."""
    known = crm.schema.modules
    parts = path.split("/")[:12]
    return "/".join("{id}" if _DIGITS.match(part) and part not in known else part[:60] for part in parts)
