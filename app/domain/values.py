"""Canonical typed values: the one form in which a source's, our own and a destination's value compare.

Blanks of every kind are None. Text is NFC, numbers are exact Decimals, instants are in UTC, multi-picklists are
frozen sets, references are ids. A value that is not what its field says compares as text, so nothing is lost.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.json_texts import json_text
from app.domain.moments import date_of, instant_of
from app.domain.numerals import decimal_of, plain
from app.domain.schema import FieldSpec, FieldType
from app.domain.transforms import NUMBERS

CanonicalValue = None | bool | str | Decimal | datetime | frozenset[str]

_REFERENCES = frozenset({FieldType.LOOKUP, FieldType.USER, FieldType.ID})


def exact_json(data: bytes | str) -> Any:
    """JSON with numbers as Decimal, so that no cent is lost on the way to a comparison. Raises ValueError."""
    return json.loads(data, parse_float=Decimal, parse_int=_integer)


def _integer(text: str) -> int | Decimal:
    """Long integers as Decimal: Python refuses to turn more than 4,300 digits into an int."""
    return int(text) if len(text) <= 100 else Decimal(text)


def canonical(value: Any, field: FieldSpec) -> CanonicalValue:
    """`value` as JSON holds it (a msgspec.Raw too) in canonical form; idempotent.

    A date-time without offset is taken as UTC. `{"id": x}` and `x` are the same reference. Trailing blanks, cents and
    milliseconds count; an empty text, list or object is a blank, False is not.
    """
    if isinstance(value, msgspec.Raw):
        value = exact_json(json_text(value))
    if isinstance(value, dict) and "id" in value:
        value = value["id"]
    if value is None or (value.__class__ in {str, list, dict, tuple, set, frozenset} and not value):
        return None
    if field.type in NUMBERS:
        number = decimal_of(_text(value))
        return _text(value) or None if number is None else _normal(number)
    if field.type in _REFERENCES:
        return _text(value) or None
    made = _SPECIAL.get(field.type, _text)(value)
    return None if made == "" else made


def _normal(number: Decimal) -> Decimal:
    text = plain(number)
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, bool):
        return "true" if value else "false"
    number = decimal_of(value) if isinstance(value, int | float | Decimal) else None
    if number is not None:
        return plain(number)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return "; ".join(sorted(_text(item) for item in value))
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, dict) else str(value)


def _boolean(value: Any) -> CanonicalValue:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(_text(value).lower(), _text(value))


def _datetime(value: Any) -> CanonicalValue:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return instant_of(_text(value)) or _text(value)


def _date(value: Any) -> CanonicalValue:
    day = date_of(_text(value))
    return _text(value) if day is None else day.isoformat()


def _time(value: Any) -> CanonicalValue:
    text = _text(value)
    if len(text) == 5 and text[2] == ":":
        return f"{text}:00"
    head, dot, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{head}.{fraction}" if dot and fraction else head if dot and len(head) == 8 else text


def _set(value: Any) -> CanonicalValue:
    items = value.split(";") if isinstance(value, str) else value
    if not isinstance(items, list | tuple | set | frozenset):
        items = [items]
    kept = frozenset(text for item in items if (text := _text(item).strip()))
    return kept or None


_SPECIAL: Mapping[FieldType, Callable[[Any], CanonicalValue]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.DATETIME: _datetime,
    FieldType.DATE: _date,
    FieldType.TIME: _time,
    FieldType.MULTIPICKLIST: _set,
}


def canonical_record(record: Mapping[str, Any], fields: Mapping[str, FieldSpec]) -> dict[str, CanonicalValue]:
    """The filled values of `record` among `fields`, canonical, in the order of the field names."""
    made = ((name, canonical(record.get(name), fields[name])) for name in sorted(fields))
    return {name: value for name, value in made if value is not None}
