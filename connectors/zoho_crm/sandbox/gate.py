"""The door of the API: token, edition, credits, calls in flight and JSON reading, before any endpoint runs."""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandboxkit.bodies import BodyTooLarge, handed_on, read_body
from connectors.zoho_crm.sandbox.accounts import token_is_live
from connectors.zoho_crm.sandbox.answers import Json, Refusal, reply
from connectors.zoho_crm.sandbox.crm import Crm

_MAX_JSON = 64 * 1024 * 1024
_ID = re.compile(r"^\d{15,20}$")
_FIXED = frozenset({
    "actions", "settings", "upsert", "search", "coql", "deleted", "users", "org", "files", "upload", "fields",
    "modules", "layouts", "pipeline", "Attachments", "Notes", "photo", "add_tags", "remove_tags", "tags", "mass_delete",
    "count",
    "change_owner", "recycle_bin", "restore", "empty", "transfer", "pick_list_values", "global_picklists",
    "related_lists", "profiles", "roles", "__features", "write", "read", "result", "download", "bulk", "crm", "v8",
    "oauth", "v2", "token", "revoke", "mass_update", "fetch_full_data", "Contact_Roles",
})  # fmt: skip
_HEAVY_SEGMENTS = ("search", "coql")
_PER_IDS = {"add_tags": 50, "remove_tags": 50, "mass_delete": 100}


@dataclass(frozen=True, slots=True)
class Price:
    """What one call costs and whether it takes a place in the pool of heavy calls."""

    credits: int = 1
    heavy: bool = False


class Gate:
    """ASGI middleware around the endpoints; sits outside the fault switch so that a slow call counts as in flight."""

    def __init__(self, app: ASGIApp, crm: Crm) -> None:
        self._app = app
        self._crm = crm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(("/crm/", "/oauth/")):
            await self._app(scope, receive, send)
            return
        crm = self._crm
        crm.stats.requests[f"{scope['method']} {template(scope['path'], crm)}"] += 1
        if scope["path"].startswith("/oauth/"):
            await self._app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            authenticate(crm, headers, scope["path"])
            crm.meter.enter()
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        try:
            await self._admitted(scope, headers, receive, send)
        finally:
            crm.meter.in_flight -= 1

    async def _admitted(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        meter = self._crm.meter
        heavy = False
        try:
            if "multipart/" not in headers.get("content-type", ""):
                raw = await _body(receive)
                scope["zoho.raw"] = raw
                receive = handed_on(raw, receive)
            price = price_of(scope["method"], scope["path"], scope.get("zoho.raw", b""), scope, scope["query_string"])
            if price.heavy:
                meter.enter_sub()
                heavy = True
            if self._crm.faults.values.get("quota_gone"):
                self._crm.faults.injected["quota_gone"] += 1
                meter.seen.too_many += 1
                raise Refusal(429, "TOO_MANY_REQUESTS", "The request limit of the organization for the day is exceeded")
            meter.spend(price.credits)
            await self._app(scope, receive, self._with_credits(send))
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, send)
        finally:
            if heavy:
                meter.sub_in_flight -= 1

    def _with_credits(self, send: Send) -> Send:
        """Adds X-API-CREDITS-REMAINING once half of the day's credits are used (Zoho fact sheet section 4)."""
        left = self._crm.meter.remaining()
        if left * 2 > self._crm.meter.daily:
            return send

        async def wrapped(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-api-credits-remaining", str(left).encode())]
            await send(message)

        return wrapped

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        self._crm.stats.refused[refusal.code] += 1
        await reply(refusal.status, refusal.body())(scope, receive, send)


def authenticate(crm: Crm, headers: Headers, path: str) -> None:
    """Checks the token header and the edition's API access (Zoho fact sheet sections 2 and 3)."""
    text = headers.get("authorization", "")
    if not text:
        raise Refusal(401, "AUTHENTICATION_FAILURE", "Authentication failed")
    scheme, _, token = text.partition(" ")
    if crm.faults.draw("expire_tokens") or scheme != "Zoho-oauthtoken" or not token_is_live(crm, token.strip()):
        raise Refusal(401, "INVALID_TOKEN", "invalid oauth token")
    if not crm.options.api_access:
        message = "permission denied"
        raise Refusal(403, "NO_PERMISSION", message, {"permissions": ["Crm_Implied_Api_Access"]})
    denied = [group for group in crm.options.deny_scope.split(",") if group]
    if denied and _scope_group(path) in denied:
        raise Refusal(401, "OAUTH_SCOPE_MISMATCH", "Unauthorized")


def _scope_group(path: str) -> str:
    """The middle word of the scope a path needs: settings, users, org, bulk, coql, files or modules."""
    if "/bulk/" in path:
        return "bulk"
    first = path.removeprefix("/crm/v8/").split("/")[0]
    return first if first in ("settings", "users", "org", "coql", "files") else "modules"


async def _body(receive: Receive) -> bytes:
    try:
        return await read_body(receive, _MAX_JSON)
    except BodyTooLarge as error:
        raise Refusal(413, "BODY_SIZE_REACHED", "the size of the request body is too large") from error


def price_of(method: str, path: str, raw: bytes, scope: Scope, query: bytes) -> Price:
    """Credits and weight of a call by the cost table of the Zoho fact sheet section 4."""
    segments = path.split("/")[3:]
    if "/bulk/" in path:
        cost = {"write": 500, "read": 50}.get(segments[-1], 1) if method == "POST" else 1
        return Price(cost)
    if method == "GET":
        return _price_of_read(segments, query)
    return _price_of_write(method, segments, parsed(scope, raw))


def _price_of_write(method: str, segments: list[str], body: Any) -> Price:
    if segments == ["settings", "modules"] and method == "POST":
        return Price(500)
    if segments == ["coql"]:
        return Price(_coql_credits(body), heavy=True)
    if segments[-1] in _PER_IDS:
        return Price(-(-_count(body, "ids") // _PER_IDS[segments[-1]]) or 1)
    writes_records = len(segments) == 1 or (len(segments) == 2 and segments[-1] == "upsert")
    if method in ("POST", "PUT") and writes_records and segments[0] not in ("users", "files", "upload", "settings"):
        number = _count(body, "data")
        return Price(-(-number // 10) or 1, heavy=number > 10)
    return Price()


def _price_of_read(segments: list[str], query: bytes) -> Price:
    if len(segments) == 2 and segments[1] == "deleted":
        return Price(2)
    if len(segments) == 1 and b"cvid=" in query:
        return Price(3, heavy=True)
    return Price(heavy=segments[-1] in _HEAVY_SEGMENTS)


def parsed(scope: Scope, raw: bytes) -> Any:
    """The JSON body, parsed once; None where it is no JSON (the endpoint says so)."""
    if "zoho.json" not in scope:
        try:
            scope["zoho.json"] = orjson.loads(raw) if raw else None
        except orjson.JSONDecodeError:
            scope["zoho.json"] = None
            scope["zoho.json_error"] = True
    return scope["zoho.json"]


def _count(body: Any, key: str) -> int:
    items = body.get(key) if isinstance(body, dict) else None
    return len(items) if isinstance(items, list) else 1


def _coql_credits(body: Any) -> int:
    query = str(body.get("select_query", "")) if isinstance(body, dict) else ""
    limit = re.search(r"\blimit\s+(?:\d+\s*,\s*)?(\d+)", query, re.IGNORECASE)
    rows = int(limit[1][:9]) if limit else 200
    return 1 if rows <= 200 else 2 if rows <= 1000 else 3


def template(path: str, crm: Crm) -> str:
    """The path with ids and other values replaced, so that counters stay few."""
    return "/".join(_placeholder(part, crm) for part in path.split("/"))


def _placeholder(part: str, crm: Crm) -> str:
    if not part or part in _FIXED or part in crm.schema.modules:
        return part
    return "{id}" if _ID.match(part) else "{value}"


def json_object(scope: Scope) -> Json:
    """The request's JSON object; malformed JSON and other shapes are refused (Zoho fact sheet section 3)."""
    body = parsed(scope, scope.get("zoho.raw", b""))
    if scope.get("zoho.json_error"):
        raise Refusal(400, "JSON_PARSE_ERROR", "the request body is not a valid JSON")
    if not isinstance(body, dict):
        raise Refusal(400, "INVALID_DATA", "body", {"expected_data_type": "jsonobject"})
    return body
