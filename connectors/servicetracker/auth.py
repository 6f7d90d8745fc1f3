"""Tokens of a ServiceTracker account, and its way of saying no.

Source fact sheet sections 1.1 and 1.6.
"""

from urllib.parse import urlencode

from connectors.answers import Answer, ErrorTable, Verdict
from connectors.base import Clock, TokenStore
from connectors.errors import ConnectorError, ContractBroken, CredentialsRejected
from connectors.http import ApiClient
from connectors.servicetracker.settings import ServiceTrackerCredentials, secret_texts
from connectors.tokens import TokenAuth


def _read_error(answer: Answer) -> tuple[str, str]:
    """Code and message from the data API's array or the token endpoint's object; empty for anything else."""
    try:
        body = answer.json()
    except ConnectorError:  # a refusal that is no JSON has no code; its status speaks
        return "", ""
    entry = body[0] if isinstance(body, list) and body else body
    if not isinstance(entry, dict):
        return "", ""
    code = entry.get("errorCode") or entry.get("error")
    message = entry.get("message") or entry.get("error_description")
    found = str(code) if isinstance(code, str) else ""
    text = str(message)[:300] if isinstance(message, str) else ""
    if found == "REQUEST_LIMIT_EXCEEDED" and "concurrent" in text.lower():
        found = "CONCURRENT_REQUESTS"
    return found, text


ERRORS = ErrorTable(
    read=_read_error,
    codes={
        "INVALID_SESSION_ID": Verdict.CREDENTIALS,
        "INVALID_AUTH_HEADER": Verdict.CREDENTIALS,
        "INSUFFICIENT_ACCESS": Verdict.CREDENTIALS,
        "REQUEST_LIMIT_EXCEEDED": Verdict.QUOTA,
        "CONCURRENT_REQUESTS": Verdict.TRANSIENT,
        "API_DISABLED_FOR_ORG": Verdict.CONTRACT,
        "API_CURRENTLY_DISABLED": Verdict.CONTRACT,
        "FUNCTIONALITY_NOT_ENABLED": Verdict.CONTRACT,
        "QUERY_TIMEOUT": Verdict.TRANSIENT,
        "SERVER_UNAVAILABLE": Verdict.TRANSIENT,
        "UNKNOWN_EXCEPTION": Verdict.TRANSIENT,
    },
    advice={
        "API_DISABLED_FOR_ORG": "the edition has no API access: add it, or upload the vendor's CSV export instead",
        "API_CURRENTLY_DISABLED": "an administrator must switch API access on for this account",
        "INSUFFICIENT_ACCESS": "the integration user needs read access to the objects that move",
        "REQUEST_LIMIT_EXCEEDED": "the day's API requests are used up; the run goes on when the window turns",
    },
    stale_token=frozenset({"INVALID_SESSION_ID"}),
)
TOKEN_ERRORS = ErrorTable(
    read=_read_error,
    statuses={400: Verdict.CREDENTIALS},
    codes={"unsupported_grant_type": Verdict.CREDENTIALS, "temporarily_unavailable": Verdict.TRANSIENT},
    advice={
        "invalid_grant": "the refresh token has expired or was revoked: connect again",
        "invalid_client": "the client secret is wrong",
        "invalid_client_id": "the client id is wrong",
        "inactive_user": "the integration user is inactive",
    },
)


class ServiceTrackerAuth(TokenAuth):
    """Client credentials or refresh token grant; the token has no announced end, a 401 ends it."""

    def __init__(
        self, credentials: ServiceTrackerCredentials, endpoint: ApiClient, tokens: TokenStore, clock: Clock
    ) -> None:
        super().__init__(tokens, clock)
        self._credentials = credentials
        self._endpoint = endpoint
        self._rotated: str | None = None

    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets(), *secret_texts(self._credentials))

    async def fetch(self) -> dict[str, str]:
        answer = await self._endpoint.request(
            "POST",
            "/services/oauth2/token",
            purpose="token",
            content=urlencode(await self._form()).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            credits=0,
            max_bytes=64 * 1024,
        )
        body = answer.json()
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            raise ContractBroken("the token endpoint answered without an access token", status=answer.status)
        token = {"access_token": body["access_token"]}
        identity = body.get("id")
        if isinstance(identity, str) and identity.count("/") >= 2:
            token["account"] = identity.split("/")[-2][:18]
        rotated = body.get("refresh_token")
        if isinstance(rotated, str) and rotated:
            token["refresh_token"] = rotated
        elif self._rotated:
            token["refresh_token"] = self._rotated
        return token

    async def account(self) -> str:
        """The organisation's id as the token answer named it, empty when unknown."""
        cached = await self._tokens.load()
        return (cached or {}).get("account", "")

    async def _form(self) -> dict[str, str]:
        """A rotated refresh token lives beside the access token in the store, because the old one is dead."""
        given = self._credentials
        form = {"client_id": given.client_id}
        if given.client_secret:
            form["client_secret"] = given.client_secret.get_secret_value()
        if given.refresh_token is None:
            if not given.client_secret:
                raise CredentialsRejected("the connection has neither a client secret nor a refresh token")
            return {"grant_type": "client_credentials", **form}
        cached = await self._tokens.load()
        self._rotated = (cached or {}).get("refresh_token")
        refresh = self._rotated or given.refresh_token.get_secret_value()
        return {"grant_type": "refresh_token", "refresh_token": refresh, **form}
