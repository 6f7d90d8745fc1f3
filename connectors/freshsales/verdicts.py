"""Verdicts on single records: what an accepted or refused write of one record says about it (section 15)."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.answers import Answer
from connectors.base import WriteResult, WriteStatus
from connectors.errors import Ambiguous, ConnectorError
from connectors.freshsales import wire
from connectors.freshsales.refusals import NOT_FOUND, classify, messages, named_label

REFUSED = frozenset({400, 404, 409, 422})
"""Statuses that are about the record and not about the call."""
_NAMED = {
    "email": "email", "emails": "email", "mobilenumber": "mobile_number", "sales_accounts": "sales_account",
    "account": "sales_account", "targetable": "targetable_id", "source": "lead_source_id",
}  # fmt: skip


def accepted(answer: Answer, singular: str, status: WriteStatus) -> WriteResult:
    """The record an answer holds: wrapped in its singular name, or bare."""
    body = answer.decode(wire.OBJECT)
    row = body.get(singular, body)
    key = row.get("id") if isinstance(row, dict) else None
    if not isinstance(key, int | str) or not str(key).isdigit():
        raise answer.unreadable("it names no id")
    assert isinstance(row, dict)
    changed = row.get("updated_at")
    return WriteResult(status, str(key), changed if isinstance(changed, str) else None)


def refused(answer: Answer, labels: Mapping[str, str]) -> WriteResult:
    """The refusal of one record; `labels` are field names by label in lower case."""
    try:
        body = answer.json()
    except ConnectorError as error:
        if isinstance(error, Ambiguous) and answer.status not in REFUSED:
            raise
        body = None
    code = body.get("error_code") if isinstance(body, dict) else None
    return refusal(messages(body), labels, answer.status, code)


def refusal(texts: Sequence[str], labels: Mapping[str, str], status: int = 400, error_code: Any = None) -> WriteResult:
    """A refusal by its words. Texts name labels and never values, so they may be shown."""
    code = classify(list(texts), status, error_code)
    field = ""
    for text in texts:
        label = named_label(text).casefold()
        field = labels.get(label) or _NAMED.get(label) or (label if label.replace("_", "").isalnum() else "")
        if field in labels.values() or field in _NAMED.values():
            break
        field = ""
    return WriteResult(WriteStatus.REFUSED, code=code, field=field[:100], message="; ".join(texts)[:200])


def unknown_name(field: str) -> WriteResult:
    """A dropdown that does not offer the value: nothing was sent."""
    return WriteResult(
        WriteStatus.REFUSED, code="UNKNOWN_OPTION", field=field, message="the account has no such option"
    )


def gone(identifier: str) -> WriteResult:
    return WriteResult(WriteStatus.UPDATED, identifier)


def missing(identifier: str) -> WriteResult:
    return WriteResult(WriteStatus.REFUSED, identifier, code=NOT_FOUND, message="there is no such record")
