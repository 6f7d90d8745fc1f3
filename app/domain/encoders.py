"""From canonical values to what a destination field takes in JSON: one function per field, refusing what it cannot."""

from collections.abc import Callable
from sys import maxsize
from typing import Any

from app.domain.choices import encode_boolean, multipicklist_encoder, picklist_encoder
from app.domain.issues import IssueCode, Noted, Verdict, chain, note
from app.domain.moments import datetime_encoder, encode_date, encode_time
from app.domain.numerals import number_encoder
from app.domain.schema import Encoding, FieldSpec, FieldType
from app.domain.texts import clean, cut, text_of
from app.domain.transforms import NUMBERS

RENDERED = frozenset({FieldType.LOOKUP, FieldType.USER, FieldType.ID})
"""Types whose values are ids: written by lookup and owner rules, or as constants."""


def encoder(field: FieldSpec, encoding: Encoding, truncate: bool = False) -> Callable[[Any], Any]:
    """A function from canonical value to JSON value (or Noted) for `field`; `truncate` as in `text_encoder`."""
    if field.type in NUMBERS:
        scale = 0 if field.type is FieldType.INTEGER else field.scale
        return number_encoder(field.length, scale, encoding.number == "number")
    fixed: dict[FieldType, Callable[[Any], Any]] = {
        FieldType.BOOLEAN: encode_boolean,
        FieldType.DATE: encode_date,
        FieldType.TIME: encode_time,
        FieldType.DATETIME: datetime_encoder(encoding.datetime_offset, encoding.milliseconds),
    }
    if field.type in fixed:
        return fixed[field.type]
    if field.type is FieldType.PICKLIST:
        return _then_clean(picklist_encoder(field))
    if field.type is FieldType.MULTIPICKLIST:
        return multipicklist_encoder(field, encoding.multi)
    if field.type in RENDERED:
        return reference_encoder(encoding.user if field.type is FieldType.USER else encoding.reference)
    return text_encoder(field.length, truncate)


def text_encoder(length: int | None, truncate: bool) -> Callable[[Any], Any]:
    """Text of at most `length` characters. Longer ones are cut (TRUNCATED) when `truncate`, else quarantined."""

    most = maxsize if length is None else length

    def encode(value: Any) -> Any:
        if value.__class__ is str and len(value) <= most and value.isprintable():
            return value
        text = text_of(value)
        if length is not None and len(text) > length:
            if not truncate:
                return Noted(None, (IssueCode.TOO_LONG,), Verdict.QUARANTINED)
            return note(clean(cut(text, length)), IssueCode.TRUNCATED)
        return clean(text)

    return encode


def _then_clean(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: chain(step(value), lambda text: clean(text) if isinstance(text, str) else text)


def reference_encoder(style: str) -> Callable[[Any], Any]:
    """An id as the platform writes references (`Encoding.reference`); constants that are objects pass as they are."""

    def encode(value: Any) -> Any:
        if isinstance(value, dict):
            return value
        text = text_of(value)
        if style == "object":
            return {"id": text}
        if style == "string":
            return text
        is_number = text.isascii() and text.isdigit() and len(text) <= 19
        return int(text) if is_number else Noted(None, (IssueCode.NOT_A_NUMBER,))

    return encode
