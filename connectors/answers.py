"""What a platform answered, and the table that turns a refusal into the error that says what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from connectors.errors import (
    Ambiguous,
    BatchRefused,
    ConnectorError,
    ContractBroken,
    CredentialsRejected,
    QuotaExhausted,
    Transient,
)

T = TypeVar("T")
_JSON: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_LONGEST_DETAIL = 400


class Verdict(StrEnum):
    """What a refused call means; each value names one error of `connectors.errors`."""

    TRANSIENT = "transient"
    QUOTA = "quota"
    CREDENTIALS = "credentials"
    CONTRACT = "contract"
    BATCH = "batch"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer. `writing` is whether the call could have changed something."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    writing: bool = False
    purpose: str = ""

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body by a typed decoder. Raises ContractBroken (on a write Ambiguous) when it has another shape."""
        try:
            return decoder.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.unreadable(f"{error}"[:120]) from None

    def json(self) -> Any:
        """The body as plain JSON values; errors as in `decode`."""
        return self.decode(_JSON)

    def unreadable(self, why: str) -> ConnectorError:
        """The error for an answer that says nothing we can trust."""
        kind = self.headers.get("content-type", "no content type").split(";")[0][:60]
        detail = f"unreadable answer to {self.purpose}: {why} (status {self.status}, {kind}, {len(self.body)} bytes)"
        error = Ambiguous if self.writing else ContractBroken
        return error(detail, code="UNREADABLE", status=self.status)

    def retry_after(self) -> float | None:
        """Seconds from a Retry-After header, None without a usable one; a date counts from the server's own clock."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(min(int(text[:9]), 86_400))
        try:
            wait = (parsedate_to_datetime(text) - parsedate_to_datetime(self.headers.get("date", ""))).total_seconds()
        except (TypeError, ValueError):
            return None
        return min(max(wait, 0.0), 86_400.0)


def _no_code(_answer: Answer) -> tuple[str, str]:
    return "", ""


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """How one platform says no. `read` finds code and message in an answer and raises nothing.

    A code decides before a status, a status before its class. `advice` adds to a code's message what a person can
    do; `stale_token` lists the codes of a 401 after which a fresh token is worth one more try; `quotes` lists codes
    whose message is about names and not values, so it may be shown.
    """

    read: Callable[[Answer], tuple[str, str]] = _no_code
    codes: Mapping[str, Verdict] = field(default_factory=dict)
    statuses: Mapping[int, Verdict] = field(default_factory=dict)
    advice: Mapping[str, str] = field(default_factory=dict)
    stale_token: frozenset[str] = frozenset()

    def verdict(self, answer: Answer, code: str) -> Verdict:
        """What a refusal means. An unknown 5xx to a write may have been executed; a read has no batch to halve."""
        found = self.codes.get(code) or self.statuses.get(answer.status)
        if found is None:
            found = _by_class(answer.status)
        if found is Verdict.AMBIGUOUS and not answer.writing:
            return Verdict.TRANSIENT
        if found is Verdict.BATCH and not answer.writing:
            return Verdict.CONTRACT
        return found

    def error(self, answer: Answer, clean: Callable[[str], str]) -> ConnectorError:
        """The error for a refused call; `clean` removes secrets from what the platform said."""
        code, message = self.read(answer)
        code = code[:60]
        if 300 <= answer.status < 400 and not code:
            message = "it redirects elsewhere, which is not followed; check the base URL of the connection"
        text = clean(f"{answer.purpose}: {answer.status} {code} {message}".strip())[:_LONGEST_DETAIL]
        if code in self.advice:
            text = f"{text} — {self.advice[code]}"
        return build_error(self.verdict(answer, code), text, answer, code)


def build_error(verdict: Verdict, text: str, answer: Answer, code: str = "") -> ConnectorError:
    """The error of `connectors.errors` that `verdict` names."""
    match verdict:
        case Verdict.TRANSIENT:
            return Transient(text, retry_after=answer.retry_after(), code=code, status=answer.status)
        case Verdict.QUOTA:
            return QuotaExhausted(text, code=code, status=answer.status)
        case Verdict.CREDENTIALS:
            return CredentialsRejected(text, code=code, status=answer.status)
        case Verdict.BATCH:
            return BatchRefused(text, code=code, status=answer.status)
        case Verdict.AMBIGUOUS:
            return Ambiguous(text, code=code, status=answer.status)
        case Verdict.CONTRACT:
            return ContractBroken(text, code=code, status=answer.status)


def _by_class(status: int) -> Verdict:
    if status >= 500:
        return Verdict.AMBIGUOUS
    if status in (401, 403, 407):
        return Verdict.CREDENTIALS
    if status in (408, 425, 429):
        return Verdict.TRANSIENT
    if status in (413,):
        return Verdict.BATCH
    return Verdict.CONTRACT
