"""The accounts server: access tokens from a refresh token or a code, and their revocation."""

import secrets
from collections import deque
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import Json, reply
from connectors.zoho_crm.sandbox.crm import Crm

_TOKEN_WINDOW = 600
_MAX_LIVE = 30
_SCOPE = (
    "ZohoCRM.modules.ALL ZohoCRM.settings.ALL ZohoCRM.users.ALL ZohoCRM.org.READ ZohoCRM.bulk.ALL ZohoCRM.coql.READ"
)


def token_is_live(crm: Crm, token: str) -> bool:
    """Whether `token` was given out, has not expired and was not revoked."""
    found = crm.store.document("token", token)
    return found is not None and found["expires"] > crm.seconds()


async def _parameters(request: Request) -> dict[str, str]:
    """Form fields and query parameters together: both are accepted (Zoho fact sheet section 2)."""
    values = dict(request.query_params)
    raw = await request.body()
    if "multipart/" in request.headers.get("content-type", ""):
        async with request.form() as form:
            values.update({key: value for key, value in form.items() if isinstance(value, str)})
    else:
        values.update(parse_qsl(raw.decode("utf-8", "replace")))
    return values


async def token(crm: Crm, request: Request) -> Response:
    """POST /oauth/v2/token (Zoho fact sheet section 2)."""
    values = await _parameters(request)
    options = crm.options
    if values.get("client_id") != options.client_id or values.get("client_secret") != options.client_secret:
        return reply(200, {"error": "invalid_client"})
    kind = values.get("grant_type")
    root = str(request.base_url).rstrip("/")
    if kind == "refresh_token":
        revoked = crm.store.document("revoked", options.refresh_token) is not None
        if values.get("refresh_token") != options.refresh_token or revoked:
            return reply(200, {"error": "invalid_code"})
        return _issue(crm, root)
    if kind == "authorization_code":
        if values.get("code") != options.code or not values.get("redirect_uri"):
            return reply(200, {"error": "invalid_code"})
        return _issue(crm, root, refresh_token=options.refresh_token)
    return reply(200, {"error": "unsupported_grant_type"})


def _issue(crm: Crm, root: str, **more: str) -> Response:
    """One more access token, at most ten per refresh token in ten minutes (Zoho fact sheet section 2)."""
    now = crm.seconds()
    recent = _recent(crm, now)
    if len(recent) >= crm.options.token_limit:
        return reply(400, {
            "error": "Access Denied",
            "error_description": "You have made too many requests continuously. Please try again after some time.",
            "status": "failure",
        })  # fmt: skip
    access = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
    recent.append(now)
    with crm.store.transaction():
        crm.store.save_document("token", access, {"expires": now + crm.options.token_ttl, "issued": now})
        crm.store.save_document("token_times", "all", {"times": list(recent)})
        _drop_surplus(crm)
    body: Json = {
        "access_token": access, "scope": _SCOPE, "api_domain": root, "token_type": "Bearer",
        "expires_in": crm.options.token_ttl, **more,
    }  # fmt: skip
    return reply(200, body)


def _recent(crm: Crm, now: float) -> deque[float]:
    kept = crm.store.document("token_times", "all") or {"times": []}
    return deque(moment for moment in kept["times"] if moment > now - _TOKEN_WINDOW)


def _drop_surplus(crm: Crm) -> None:
    """At most thirty live access tokens: the oldest goes (Zoho fact sheet section 2)."""
    crm.store.run(
        "DELETE FROM documents WHERE kind = 'token' AND id NOT IN (SELECT id FROM documents WHERE kind = 'token' "
        "ORDER BY json_extract(body, '$.issued') DESC LIMIT ?)",
        (_MAX_LIVE,),
    )


async def revoke(crm: Crm, request: Request) -> Response:
    """POST /oauth/v2/token/revoke?token= for a refresh token or an access token."""
    values = await _parameters(request)
    given = values.get("token", "")
    if given == crm.options.refresh_token:
        crm.store.save_document("revoked", given, {})
        crm.store.run("DELETE FROM documents WHERE kind = 'token'")
    elif crm.store.document("token", given) is not None:
        crm.store.drop_document("token", given)
    else:
        return reply(400, {"error": "invalid_token"})
    return reply(200, {"status": "success"})
