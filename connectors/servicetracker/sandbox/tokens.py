"""The token endpoint: three grants, answers without `expires_in`, refusals as an object.

Source fact sheet section 1.1.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from connectors.servicetracker.sandbox.errors import TokenError

ORG_ID = "00D5g000000SbxOEAS"
_SCOPES = "api refresh_token"


class TokenBook:
    """Credentials of the account and the access tokens in force; a token dies `ttl` seconds after its issue."""

    def __init__(self, options: Mapping[str, str], clock: Callable[[], datetime], user_id: str) -> None:
        self._client_id = options.get("client_id", "sandbox-client")
        self._client_secret = options.get("client_secret", "sandbox-secret")
        self._refresh_token = options.get("refresh_token", "sandbox-refresh")
        self._username = options.get("username", "integration@example.net")
        self._password = options.get("password", "sandbox-password")
        self._ttl = timedelta(seconds=float(options.get("token_ttl", "7200")))
        self._rotates = options.get("rotate_refresh_token") == "on"
        self._clock = clock
        self._user_id = user_id
        self._issued: dict[str, datetime] = {}

    def alive(self, token: str) -> bool:
        """Whether a bearer token is in force now."""
        issued = self._issued.get(token)
        if issued is None:
            return False
        if self._clock() - issued >= self._ttl:
            del self._issued[token]
            return False
        return True

    def revoke_all(self) -> None:
        self._issued.clear()

    def grant(self, form: Mapping[str, str], authorization: str | None, root: str) -> dict[str, Any]:
        """Answers a token request; raises TokenError. `root` is our own URL, which becomes `instance_url`."""
        kind = form.get("grant_type")
        check = {
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh,
            "password": self._resource_owner,
        }.get(kind or "")
        if check is None:
            raise TokenError("unsupported_grant_type", "grant type not supported")
        client_id, client_secret = _client(form, authorization)
        if not _same(client_id, self._client_id):
            raise TokenError("invalid_client_id", "client identifier invalid")
        extra = check(form, client_secret)
        return {**self._answer(root), **extra}

    def _client_credentials(self, _form: Mapping[str, str], secret: str | None) -> dict[str, str]:
        self._check_secret(secret)
        return {}

    def _refresh(self, form: Mapping[str, str], secret: str | None) -> dict[str, str]:
        if secret is not None:
            self._check_secret(secret)
        if not _same(form.get("refresh_token"), self._refresh_token):
            raise TokenError("invalid_grant", "expired access/refresh token")
        if not self._rotates:
            return {}
        self._refresh_token = secrets.token_urlsafe(48)
        return {"refresh_token": self._refresh_token}

    def _resource_owner(self, form: Mapping[str, str], secret: str | None) -> dict[str, str]:
        self._check_secret(secret)
        if not (_same(form.get("username"), self._username) and _same(form.get("password"), self._password)):
            raise TokenError("invalid_grant", "authentication failure")
        return {}

    def _check_secret(self, secret: str | None) -> None:
        if not _same(secret, self._client_secret):
            raise TokenError("invalid_client", "invalid client credentials")

    def _answer(self, root: str) -> dict[str, Any]:
        token = f"{ORG_ID[:15]}!{secrets.token_urlsafe(72)}"
        now = self._clock()
        self._issued[token] = now
        stamp = str(int(now.timestamp() * 1000))
        identity = f"{root}/id/{ORG_ID}/{self._user_id}"
        sign = hmac.new(self._client_secret.encode(), (identity + stamp).encode(), hashlib.sha256).digest()
        return {
            "access_token": token,
            "signature": base64.b64encode(sign).decode(),
            "scope": _SCOPES,
            "instance_url": root,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": stamp,
            "api_instance_url": root,
        }


def _same(given: str | None, wanted: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())


def _client(form: Mapping[str, str], authorization: str | None) -> tuple[str | None, str | None]:
    """Client id and secret from HTTP Basic or from the form."""
    if authorization and authorization.lower().startswith("basic "):
        try:
            plain = base64.b64decode(authorization[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise TokenError("invalid_client", "invalid client credentials") from None
        name, _, secret = plain.partition(":")
        return unquote_plus(name), unquote_plus(secret)
    return form.get("client_id"), form.get("client_secret")
