"""Tokens of a Zoho org, and Zoho's way of saying no (Zoho fact sheet sections 2 to 4)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from connectors.answers import Answer, ErrorTable, Verdict
from connectors.base import Clock, TokenStore
from connectors.errors import ConnectorError, CredentialsRejected, Transient
from connectors.http import ApiClient
from connectors.tokens import TokenAuth
from connectors.zoho_crm.settings import ZohoCredentials, secret_texts

_TOKEN_WINDOW = 600.0


class Named(msgspec.Struct):
    """What a refusal is about: missing rights, or the part of the request."""

    permissions: list[str] = []
    api_name: Any = None


class Fault(msgspec.Struct):
    """One refusal, bare or as an item of an envelope; sources disagree on which (section 19 item 3)."""

    code: str = ""
    message: str = ""
    details: Named = msgspec.field(default_factory=Named)


class _Envelope(Fault):
    data: list[Fault] = []


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read_error(answer: Answer) -> tuple[str, str]:
    """Code and message of a refusal; the message of a 429 tells which limit it was."""
    try:
        envelope = answer.decode(_ENVELOPE)
    except ConnectorError:  # a refusal that is no JSON has no code; its status speaks
        return "", ""
    fault: Fault = envelope.data[0] if not envelope.code and envelope.data else envelope
    code, message = fault.code, fault.message
    if code == "NO_PERMISSION" and any("api_access" in right.lower() for right in fault.details.permissions):
        code = "API_NOT_SUPPORTED"
    if fault.details.api_name == "duplicate_check_fields":  # of no record: what was the key is none any more
        code = "KEY_REFUSED"
    if answer.status == 429 and any(word in message.lower() for word in ("credit", "day", "daily")):
        code = "DAILY_LIMIT"
    return code, message


ERRORS = ErrorTable(
    read=read_error,
    codes={
        "INVALID_TOKEN": Verdict.CREDENTIALS,
        "AUTHENTICATION_FAILURE": Verdict.CREDENTIALS,
        "OAUTH_SCOPE_MISMATCH": Verdict.CREDENTIALS,
        "NO_PERMISSION": Verdict.CREDENTIALS,
        "AUTHORIZATION_FAILED": Verdict.CREDENTIALS,
        "API_NOT_SUPPORTED": Verdict.CONTRACT,
        "NOT_SUPPORTED": Verdict.CONTRACT,
        "FEATURE_NOT_SUPPORTED": Verdict.CONTRACT,
        "INVALID_MODULE": Verdict.CONTRACT,
        "INVALID_URL_PATTERN": Verdict.CONTRACT,
        "INVALID_REQUEST_METHOD": Verdict.CONTRACT,
        "REQUIRED_PARAM_MISSING": Verdict.CONTRACT,
        "STORAGE_SPACE_EXCEEDED": Verdict.CONTRACT,
        "KEY_REFUSED": Verdict.CONTRACT,
        "TOO_MANY_REQUESTS": Verdict.TRANSIENT,
        "DAILY_LIMIT": Verdict.QUOTA,
        "JSON_PARSE_ERROR": Verdict.BATCH,
        "REQUEST_BODY_NOT_READABLE": Verdict.BATCH,
        "REQUEST_BODY_IS_EMPTY": Verdict.BATCH,
        "BODY_SIZE_REACHED": Verdict.BATCH,
        "LIMIT_EXCEEDED": Verdict.BATCH,
        "INVALID_DATA": Verdict.BATCH,
        "MANDATORY_NOT_FOUND": Verdict.BATCH,
    },
    advice={
        "INVALID_TOKEN": "the connection must be authorised again",
        "OAUTH_SCOPE_MISMATCH": "authorise again with the scopes that the connection page lists",
        "NO_PERMISSION": "the integration user's profile lacks a permission for this",
        "AUTHORIZATION_FAILED": "the integration user's profile lacks a permission for this",
        "API_NOT_SUPPORTED": "this edition has no API access: a higher edition or a trial of one is needed",
        "NOT_SUPPORTED": "this edition or module does not offer the call",
        "STORAGE_SPACE_EXCEEDED": "the org's storage is full: free or buy storage, then resume",
        "DAILY_LIMIT": "the org's API credits of the rolling day are spent; the run goes on as they come back",
    },
    stale_token=frozenset({"INVALID_TOKEN", "AUTHENTICATION_FAILURE"}),
)
TOKEN_ERRORS = ErrorTable(statuses={400: Verdict.CREDENTIALS, 401: Verdict.CREDENTIALS})


class _Token(msgspec.Struct):
    access_token: str = ""
    expires_in: int = 3600
    api_domain: str = ""
    error: str = ""
    error_description: str = ""


_TOKEN = msgspec.json.Decoder(_Token)
_REASONS = {
    "invalid_code": "the refresh token is not valid (any more): authorise the connection again",
    "invalid_client": "client id and client secret do not belong together, or to this data centre",
}


class ZohoAuth(TokenAuth):
    """Access tokens live an hour; ten may be asked for in ten minutes per refresh token (section 2)."""

    scheme = "Zoho-oauthtoken"

    def __init__(self, credentials: ZohoCredentials, endpoint: ApiClient, tokens: TokenStore, clock: Clock) -> None:
        super().__init__(tokens, clock)
        self._credentials = credentials
        self._endpoint = endpoint

    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets(), *secret_texts(self._credentials))

    async def fetch(self) -> dict[str, str]:
        """A refusal often comes with status 200: only an access token means success."""
        secret, refresh = secret_texts(self._credentials)
        form = {
            "grant_type": "refresh_token",
            "client_id": self._credentials.client_id,
            "client_secret": secret,
            "refresh_token": refresh,
        }
        answer = await self._endpoint.request(
            "POST",
            "/oauth/v2/token",
            purpose="token",
            content=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            credits=0,
            max_bytes=64 * 1024,
            accept=frozenset({400, 401}),
        )
        token = answer.decode(_TOKEN)
        if token.access_token:
            ends = self._clock() + timedelta(seconds=min(max(token.expires_in, 60), 86_400))
            return {"access_token": token.access_token, "expires_at": ends.isoformat()}
        if "too many requests" in token.error_description.lower():
            detail = "Zoho gives out no more access tokens for now (ten in ten minutes)"
            raise Transient(detail, retry_after=_TOKEN_WINDOW, code="TOKEN_LIMIT", status=answer.status)
        reason = _REASONS.get(token.error, "no access token was given")
        raise CredentialsRejected(f"Zoho Accounts: {reason}", code=token.error[:60], status=answer.status)
