"""The one form each value is stored in, and how REST JSON and Bulk CSV write it.

Datetimes are stored as `2024-01-31T09:15:00.000Z` (the Bulk form), numbers as decimal text, booleans as 0 or 1
(source fact sheet section 1.3).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from connectors.servicetracker.sandbox.fields import NUMBER_TYPES, Field
from connectors.servicetracker.sandbox.ids import full_id

Stored = str | int | None
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BARE_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class BadValueError(ValueError):
    """A value that its field cannot take; `code` is the vendor's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def moment_text(when: datetime) -> str:
    """The stored form of an aware datetime, to the millisecond."""
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def rest_moment(stored: str) -> str:
    return stored[:-1] + "+0000"


def read_moment(value: str) -> datetime:
    """Reads an ISO datetime; one without an offset counts as UTC. Raises ValueError."""
    when = datetime.fromisoformat(value)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def number_text(value: Decimal, scale: int) -> str:
    """Decimal text without needless zeros, always with a decimal point, as the vendor writes numbers."""
    plain = format(value.quantize(Decimal(1).scaleb(-scale)), "f").rstrip("0")
    return plain + "0" if plain.endswith(".") else plain if "." in plain else plain + ".0"


def renderer(field: Field) -> Callable[[Any], Any] | None:
    """How a stored value of `field` becomes a REST JSON value; None where it is written as it is."""
    if field.type == "boolean":
        return bool
    if field.type == "datetime":
        return rest_moment
    if field.type in NUMBER_TYPES or field.type == "address":
        return _fragment
    return None


def _fragment(stored: str) -> orjson.Fragment:
    return orjson.Fragment(stored)


def store_form(field: Field, value: object) -> Stored:
    """Checks a JSON value for `field` and gives the form to store; raises BadValueError.

    Blank text becomes null: the platform knows no empty strings (source fact sheet section 1.4).
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and not _is_unicode(value):
        raise BadValueError("JSON_PARSER_ERROR", f"{field.title}: the text holds half of a surrogate pair")
    reader = _READERS.get(field.type, _text)
    return reader(field, value)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise _mistyped(field, value)
    if len(value) > field.length:
        raise BadValueError(
            "STRING_TOO_LONG", f"{field.title}: data value too large: {value[:80]} (max length={field.length})"
        )
    return value


def _email(field: Field, value: object) -> str:
    text = _text(field, value)
    if not _EMAIL.fullmatch(text):
        raise BadValueError("INVALID_EMAIL_ADDRESS", f"{field.title}: invalid email address: {text}")
    return text


def _multi(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise _mistyped(field, value)
    return ";".join(part for part in value.split(";") if part)


def _reference(field: Field, value: object) -> str:
    whole = full_id(value) if isinstance(value, str) else None
    if whole is None:
        raise BadValueError("MALFORMED_ID", f"{field.title}: id value of incorrect type: {value}")
    return whole


def _boolean(field: Field, value: object) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lower() in {"true", "false", "1", "0"}:
        return int(value.lower() in {"true", "1"})
    raise _mistyped(field, value)


def _decimal(field: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise _mistyped(field, value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _mistyped(field, value) from None
    if not number.is_finite() or (number and number.adjusted() >= field.precision - field.scale):
        raise BadValueError("NUMBER_OUTSIDE_VALID_RANGE", f"{field.title}: value outside of valid range: {value}")
    return number


def _number(field: Field, value: object) -> str:
    return number_text(_decimal(field, value), field.scale)


def _whole(field: Field, value: object) -> int:
    number = _decimal(field, value)
    if number != number.to_integral_value():
        raise _mistyped(field, value)
    return int(number)


def _day(field: Field, value: object) -> str:
    if isinstance(value, str) and _BARE_DAY.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise _mistyped(field, value) from None
    raise _mistyped(field, value)


def _moment(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise _mistyped(field, value)
    try:
        return moment_text(read_moment(value))
    except (ValueError, OverflowError):
        raise _mistyped(field, value) from None


def _mistyped(field: Field, value: object) -> BadValueError:
    kind = type(value).__name__ if not isinstance(value, str) else "string"
    return BadValueError("JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from {kind} value {value}")


_READERS: dict[str, Callable[[Field, object], Stored]] = {
    "email": _email,
    "multipicklist": _multi,
    "reference": _reference,
    "id": _reference,
    "boolean": _boolean,
    "currency": _number,
    "percent": _number,
    "double": _number,
    "int": _whole,
    "date": _day,
    "datetime": _moment,
}
