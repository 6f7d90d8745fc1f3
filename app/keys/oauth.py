"""The client credentials grant of RFC 6749: how a client shows who it is, and the refusals in the shape it expects.

A refusal is a problem document and an OAuth error at once: `error` and `error_description` stand beside `code` and
`detail`, and the media type is the one that section 5.2 prescribes.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import unquote_plus

from app.errors import AppError, BadRequest, Unauthenticated

GRANT = "client_credentials"
CLIENT_SCHEME = "client"
JSON = "application/json"
NO_CACHE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_ONCE = ("grant_type", "client_id", "client_secret", "scope")
SCOPE_PATTERN = r"[!#-\[\]-~]+( [!#-\[\]-~]+)*"
_NOT_TEXT = re.compile(r'[^\x20-\x7e]|["\\]')  # what section 5.2 keeps out of error_description


class InvalidTokenRequest(BadRequest):
    """`error` is the protocol's word for the refusal."""

    title = "The token request is not well formed"
    error: ClassVar[str] = "invalid_request"
    media_type = JSON

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail, **extra)
        _speak(self, self.error)


class UnsupportedGrantType(InvalidTokenRequest):
    title = "Only the grant type client_credentials is offered"
    error = "unsupported_grant_type"


class InvalidScope(InvalidTokenRequest):
    title = "The key lacks a scope that was asked for"
    error = "invalid_scope"


class InvalidClient(Unauthenticated):
    title = "The client is not known or its secret is wrong"
    media_type = JSON

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail, **extra)
        _speak(self, "invalid_client")
        self.headers["WWW-Authenticate"] = 'Basic realm="tranship", charset="UTF-8"'

    def about(self, refusal: Unauthenticated) -> Self:
        """The same, keeping for the logs what was wrong with whose key."""
        self.reason, self.key_id, self.tenant_id = refusal.reason, refusal.key_id, refusal.tenant_id
        return self


def _speak(refusal: AppError, error: str) -> None:
    """Adds section 5.2's members and headers."""
    said = _NOT_TEXT.sub("'", refusal.detail)
    refusal.extra = {"error": error, "error_description": said, **refusal.extra}
    refusal.headers = {**NO_CACHE}


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client asks for: a key's id, the key itself, and scopes ("" for all that the key has)."""

    client_id: str
    client_secret: str
    scope: str


def read_request(form: Sequence[tuple[str, str]], authorization: str) -> TokenRequest:
    """The request in a form's fields and the Authorization header (sections 2.3.1, 3.2 and 4.4.2).

    A field without a value counts as absent, one that is not known is passed over. Raises InvalidTokenRequest,
    UnsupportedGrantType, InvalidClient.
    """
    given: dict[str, str] = {}
    for name, value in form:
        if name not in _ONCE or value == "":
            continue
        if name in given:
            raise InvalidTokenRequest(f"Send {name} once.")
        given[name] = value
    grant = given.get("grant_type")
    if grant is None:
        raise InvalidTokenRequest("Send grant_type=client_credentials.")
    if grant != GRANT:
        raise UnsupportedGrantType("Send grant_type=client_credentials.")
    client_id, client_secret = _client(given, authorization)
    scope = given.get("scope", "")
    if scope and not re.fullmatch(SCOPE_PATTERN, scope):
        raise InvalidScope("Separate scopes by single spaces.")
    return TokenRequest(client_id, client_secret, scope)


def _client(given: dict[str, str], authorization: str) -> tuple[str, str]:
    """Either HTTP Basic or the body, never both (section 2.3)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":  # a bearer token is nothing that a client authenticates with here
        if "client_id" not in given or "client_secret" not in given:
            raise InvalidClient("Authenticate by HTTP Basic, or send client_id and client_secret.")
        return given["client_id"], given["client_secret"]
    if "client_secret" in given:
        raise InvalidTokenRequest("Authenticate by HTTP Basic or in the body, not both.")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise InvalidClient("The credentials of HTTP Basic cannot be read.") from None
    name, secret = unquote_plus(name), unquote_plus(secret)
    if not colon or given.get("client_id", name) != name:
        raise InvalidClient("The credentials of HTTP Basic cannot be read, or the body names another client.")
    return name, secret
