"""How Freshsales says no, and when a spent budget comes back (Freshsales fact sheet sections 1, 15 and 16)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answers import Answer, ErrorTable, Verdict
from connectors.base import Clock, TokenStore
from connectors.errors import ConnectorError, CredentialsRejected, QuotaExhausted, Transient
from connectors.tokens import TokenAuth

JOBS_BUSY = "JOBS_BUSY"
DUPLICATE = "DUPLICATE_DATA"
MANDATORY = "MANDATORY_NOT_FOUND"
INVALID = "INVALID_DATA"
TOO_LONG = "TOO_LONG"
NOT_FOUND = "NOT_FOUND"
KEY_NOT_UNIQUE = "KEY_NOT_UNIQUE"
LIMIT = "LIMIT_EXCEEDED"
_SHORT_WAIT = 60.0
_EPOCH = 1_000_000_000  # a reset above this is a moment, below it a number of seconds: sources do not say which
# Words of the messages that are known; the vendor translates some of them (section 15).
_WORDS = (
    (KEY_NOT_UNIQUE, re.compile(r"unique[ _](field|identifier)", re.I)),
    (DUPLICATE, re.compile(r"already been taken|not unique|ya existe|existiert bereits|existe déjà", re.I)),
    (MANDATORY, re.compile(r"can'?t be (empty|blank)|need to fill|fill at least|is required", re.I)),
    (TOO_LONG, re.compile(r"too long", re.I)),
    (LIMIT, re.compile(r"maximum number|cannot be more than", re.I)),
    (INVALID, re.compile(r"invalid|not valid", re.I)),
)
_LABEL = re.compile(
    r"^(?:The type for |The attribute )?(.{1,100}?) "
    r"(?:can'?t be|is|has already|are|cannot be|must|may|ya existe)\b",
)


def messages(body: Any) -> list[str]:
    """The texts of a refusal in any of its shapes: a list, a text, nested `errors`, or a top-level `message`."""
    if isinstance(body, str):
        return [body]
    if isinstance(body, list):
        return [text for item in body for text in messages(item)]
    if not isinstance(body, dict):
        return []
    for name in ("errors", "message", "description", "error"):
        found = messages(body.get(name))
        if found:
            return found
    return []


def classify(texts: list[str], status: int = 400, error_code: Any = None) -> str:
    """Our code for the words of a refusal."""
    if error_code == 3002:
        return DUPLICATE
    for text in texts:
        for code, words in _WORDS:
            if words.search(text):
                return code
    return NOT_FOUND if status == 404 else f"HTTP_{status}"


def named_label(text: str) -> str:
    """The label of the field that a message starts with, empty when it names none."""
    found = _LABEL.match(text)
    return found.group(1).strip() if found else ""


def read_error(answer: Answer) -> tuple[str, str]:
    """Code and words of a refusal."""
    try:
        body = answer.json()
    except ConnectorError:  # a refusal that is no JSON has no code; its status speaks
        return ("", "")
    texts = messages(body)
    if answer.status == 405:
        return JOBS_BUSY if answer.purpose.startswith("bulk") else "", "; ".join(texts)
    if answer.status != 400 or not isinstance(body, dict):
        return "", "; ".join(texts)
    return classify(texts, answer.status, body.get("error_code")), "; ".join(texts)


def resets_in(answer: Answer, now: datetime) -> float | None:
    """Seconds until the budget comes back by `x-ratelimit-reset`, None where the answer does not say."""
    text = answer.headers.get("x-ratelimit-reset", "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        return None
    value = float(text)
    return max(value - now.timestamp(), 0.0) if value > _EPOCH else value


def header_count(answer: Answer, name: str) -> int | None:
    """A whole number from a header of the rate limit."""
    text = answer.headers.get(f"x-ratelimit-{name}", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class FreshsalesErrors(ErrorTable):
    """The table, which also knows how long a 429 lasts: `Retry-After` or `x-ratelimit-reset`, whichever is there.

    A 429 while calls are left is a limit per minute and passes (section 16); otherwise the hour has to turn.
    """

    clock: Clock | None = None

    def error(self, answer: Answer, clean: Callable[[str], str]) -> ConnectorError:
        if answer.status != 429:
            return ErrorTable.error(self, answer, clean)
        now = self.clock() if self.clock else datetime.now(UTC)
        wait, left = answer.retry_after(), header_count(answer, "remaining")
        if wait is None:
            wait = resets_in(answer, now) if left == 0 else None
        text = f"{answer.purpose}: 429 the account's calls of this hour are spent"
        if wait is None or (wait <= _SHORT_WAIT and left != 0):
            return Transient(f"{answer.purpose}: 429 too many calls", retry_after=wait, status=429)
        return QuotaExhausted(text, until=now + timedelta(seconds=wait), code="HOURLY_LIMIT", status=429)


def error_table(clock: Clock) -> FreshsalesErrors:
    """403 names a missing right or a plan that lacks the feature; the text is in the user's language (section 15)."""
    return FreshsalesErrors(
        read=read_error,
        codes={
            JOBS_BUSY: Verdict.TRANSIENT,
            DUPLICATE: Verdict.BATCH,
            MANDATORY: Verdict.BATCH,
            TOO_LONG: Verdict.BATCH,
            INVALID: Verdict.BATCH,
            KEY_NOT_UNIQUE: Verdict.BATCH,
        },
        statuses={400: Verdict.BATCH, 401: Verdict.CREDENTIALS, 403: Verdict.CREDENTIALS, 422: Verdict.BATCH},
        advice={KEY_NOT_UNIQUE: "the key field has to be made unique by an administrator before records are upserted"},
        clock=clock,
    )


class KeyAuth(TokenAuth):
    """The API key as it is: it does not expire, and there is nothing to renew (section 1)."""

    def __init__(self, key: str, tokens: TokenStore, clock: Clock) -> None:
        super().__init__(tokens, clock)
        self._key = key

    def secrets(self) -> tuple[str, ...]:
        return (self._key,)

    async def current(self) -> str:
        return f"Token token={self._key}"

    async def renew(self, refused: str) -> None:  # noqa: ARG002
        raise CredentialsRejected("Freshsales does not accept the API key any more: enter a current one")
