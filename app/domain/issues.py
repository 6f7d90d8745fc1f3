"""What happened to a value on its way: closed codes with a severity, never the value itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Severity(StrEnum):
    """INFO: the meaning is intact. WARNING: something was lost, added or guessed and a person should look."""

    INFO = "info"
    WARNING = "warning"


class IssueCode(StrEnum):
    """Every way in which what is written can differ from what was read."""

    NORMALISED = "normalised"
    DEFAULT_USED = "default_used"
    HTML_REMOVED = "html_removed"
    TIME_DROPPED = "time_dropped"
    TIME_ASSUMED = "time_assumed"
    COLLAPSED = "collapsed"
    VALUE_ADDED = "value_added"
    OWNER_FALLBACK = "owner_fallback"
    OWNER_UNRESOLVED = "owner_unresolved"
    TRUNCATED = "truncated"
    TOO_LONG = "too_long"
    ROUNDED = "rounded"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_DATE = "not_a_date"
    NOT_A_BOOLEAN = "not_a_boolean"
    INVALID_EMAIL = "invalid_email"
    INVALID_URL = "invalid_url"
    PHONE_NOT_PARSED = "phone_not_parsed"
    SENTINEL_BLANKED = "sentinel_blanked"
    CONTROL_CHARACTERS_REMOVED = "control_characters_removed"
    UNMAPPED_VALUE = "unmapped_value"
    MISSING_REQUIRED = "missing_required"
    LOOKUP_MISSING = "lookup_missing"
    SHARED_VALUE = "shared_value"
    SOURCE_GONE = "source_gone"


_INFO = frozenset(
    {
        IssueCode.NORMALISED,
        IssueCode.DEFAULT_USED,
        IssueCode.HTML_REMOVED,
        IssueCode.TIME_DROPPED,
        IssueCode.TIME_ASSUMED,
        IssueCode.OWNER_FALLBACK,
    }
)
SEVERITY: Mapping[IssueCode, Severity] = MappingProxyType(
    {code: Severity.INFO if code in _INFO else Severity.WARNING for code in IssueCode}
)


class Issue(NamedTuple):
    """One finding on one field of one record; `field` is the rule's logical key. It holds no value by design."""

    field: str
    code: IssueCode
    severity: Severity


class Verdict(StrEnum):
    """Why a record is not written: a person has to decide something, or the destination would refuse it."""

    HELD = "held"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Noted:
    """A converted value with something to report. `value` None is a blank; `verdict` stops the whole record."""

    value: Any
    codes: tuple[IssueCode, ...] = ()
    verdict: Verdict | None = None


def note(value: Any, *codes: IssueCode) -> Any:
    """`value` carrying `codes` on top of those it may carry already; without codes the value as it is."""
    if not codes:
        return value
    if isinstance(value, Noted):
        return Noted(value.value, tuple(dict.fromkeys((*codes, *value.codes))), value.verdict)
    return Noted(value, codes)


def chain(value: Any, step: Any) -> Any:
    """Feeds a value that may be noted into `step` and keeps what both had to say; a blank or a stop is not fed."""
    if not isinstance(value, Noted):
        return None if value is None else step(value)
    if value.value is None or value.verdict is not None:
        return value
    return note(step(value.value), *value.codes)
