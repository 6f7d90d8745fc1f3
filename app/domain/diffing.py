"""Field-level differences between what was sent and what is there, and who edited a field since."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from app.domain.schema import FieldSpec, FieldType
from app.domain.values import CanonicalValue, canonical


class Verdict(StrEnum):
    """How one field compares."""

    EQUAL = "equal"
    DIFFERENT = "different"
    MISSING = "missing"
    UNEXPECTED = "unexpected"


class DiffKind(StrEnum):
    """What kind of difference it is, "" for none: a hint for a person where to look."""

    NONE = ""
    TRUNCATED = "truncated"
    WHITESPACE = "whitespace"
    LINE_BREAKS = "line_breaks"
    CASE = "case"
    TEXT = "text"
    ROUNDED = "rounded"
    NUMBER = "number"
    BOOLEAN = "boolean"
    FRACTION = "fraction"
    TIME_SHIFT = "time_shift"
    DATE_SHIFT = "date_shift"
    TIME = "time"
    PICKLIST = "picklist"
    REFERENCE = "reference"
    TYPE = "type"
    BLANK = "blank"


class FieldDiff(NamedTuple):
    """One field; it holds no value, so it can be kept and counted in the clear."""

    field: str
    verdict: Verdict
    kind: DiffKind


class Restore(StrEnum):
    """What a rollback does with a field: put the old value back, keep a person's edit, or nothing."""

    RESTORE = "restore"
    KEEP = "keep"
    SAME = "same"


def diff_record(sent: Mapping[str, Any], got: Mapping[str, Any], fields: Mapping[str, FieldSpec]) -> list[FieldDiff]:
    """One entry per field of `fields` and per further key of `sent`, equal ones included, by field name.

    `sent` is a payload or the record it was parsed back to, `got` the destination's JSON; parse both with
    `values.exact_json` where numbers can have more than 15 digits. Keys only `got` has are the platform's own and not
    looked at. A checkbox we did not set reads False: that is not unexpected.
    """
    names = sorted(set(fields) | set(sent))
    return [_field(name, sent.get(name), got.get(name), fields.get(name) or FieldSpec(name=name)) for name in names]


def _field(name: str, sent: Any, got: Any, spec: FieldSpec) -> FieldDiff:
    ours, theirs = canonical(sent, spec), canonical(got, spec)
    if ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool):
        return FieldDiff(name, Verdict.EQUAL, DiffKind.NONE)
    if ours is None:
        if theirs is False and spec.type is FieldType.BOOLEAN:
            return FieldDiff(name, Verdict.EQUAL, DiffKind.NONE)
        return FieldDiff(name, Verdict.UNEXPECTED, DiffKind.BLANK)
    if theirs is None:
        return FieldDiff(name, Verdict.MISSING, DiffKind.BLANK)
    return FieldDiff(name, Verdict.DIFFERENT, _kind(ours, theirs, spec.type))


def _kind(ours: CanonicalValue, theirs: CanonicalValue, kind: FieldType) -> DiffKind:
    if isinstance(ours, Decimal) and isinstance(theirs, Decimal):
        return _number_kind(ours, theirs)
    if isinstance(ours, datetime) and isinstance(theirs, datetime):
        return _time_kind(theirs - ours)
    if type(ours) is not type(theirs):
        return DiffKind.TYPE
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if isinstance(ours, str) and isinstance(theirs, str):
        return _date_kind(ours, theirs) if kind is FieldType.DATE else _text_kind(ours, theirs)
    return DiffKind.TEXT


_BY_TYPE = {
    FieldType.BOOLEAN: DiffKind.BOOLEAN,
    FieldType.PICKLIST: DiffKind.PICKLIST,
    FieldType.MULTIPICKLIST: DiffKind.PICKLIST,
    FieldType.LOOKUP: DiffKind.REFERENCE,
    FieldType.USER: DiffKind.REFERENCE,
    FieldType.ID: DiffKind.REFERENCE,
}


def _number_kind(ours: Decimal, theirs: Decimal) -> DiffKind:
    exponent = theirs.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    unit = Decimal(1).scaleb(-max(places, 0))
    return DiffKind.ROUNDED if abs(ours - theirs) < unit and places < _places(ours) else DiffKind.NUMBER


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _time_kind(shift: timedelta) -> DiffKind:
    """Zones lie quarter hours apart, at most 14 hours from UTC: such a difference is a zone gone wrong."""
    if abs(shift) < timedelta(seconds=1):
        return DiffKind.FRACTION
    is_zone = not shift % timedelta(minutes=15) and abs(shift) <= timedelta(hours=26)
    return DiffKind.TIME_SHIFT if is_zone else DiffKind.TIME


def _date_kind(ours: str, theirs: str) -> DiffKind:
    try:
        days = abs((date.fromisoformat(theirs[:10]) - date.fromisoformat(ours[:10])).days)
    except ValueError:
        return DiffKind.TEXT
    return DiffKind.DATE_SHIFT if days == 1 else DiffKind.TIME


def _text_kind(ours: str, theirs: str) -> DiffKind:
    if "".join(ours.split()) == "".join(theirs.split()):
        breaks = ours.replace("\r\n", "\n").replace("\r", "\n") == theirs.replace("\r\n", "\n").replace("\r", "\n")
        return DiffKind.LINE_BREAKS if breaks else DiffKind.WHITESPACE
    if ours.casefold() == theirs.casefold():
        return DiffKind.CASE
    return DiffKind.TRUNCATED if ours.startswith(theirs) else DiffKind.TEXT


def edited(
    before: Mapping[str, Any],
    ours: Mapping[str, Any],
    now: Mapping[str, Any],
    fields: Mapping[str, FieldSpec],
    further: Mapping[str, Collection[Any]] = MappingProxyType({}),
) -> dict[str, Restore]:
    """Per field of `ours`: RESTORE when it still holds what we wrote, KEEP when a person changed it since, SAME when
    it already holds what it held before (or we wrote what was there). `before` and `now` are the destination's JSON.

    `further` are more values that we may have written, by field; an empty collection names a field that was not ours.
    """
    verdicts = {}
    for name in dict.fromkeys((*ours, *further)):
        spec = fields.get(name) or FieldSpec(name=name)
        mine = [*([ours[name]] if name in ours else []), *further.get(name, ())]
        held, found = canonical(before.get(name), spec), canonical(now.get(name), spec)
        verdicts[name] = _three_way(held, [canonical(value, spec) for value in mine], found)
    return verdicts


def _three_way(before: CanonicalValue, ours: Collection[CanonicalValue], now: CanonicalValue) -> Restore:
    if now == before:
        return Restore.SAME
    return Restore.RESTORE if now in ours else Restore.KEEP
