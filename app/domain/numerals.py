"""Number conversions on decimal strings: reading, rounding to a field's scale, and the exact JSON form."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

import msgspec
from babel.numbers import NumberFormatError, parse_decimal

from app.domain.issues import IssueCode, Noted, Verdict, note

# Wide enough that no product or rounding below loses a digit of anything a CRM stores.
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN, Emin=-999, Emax=999)
_LONGEST = 100
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_SYMBOLS = re.compile(r"[\s\u00a0\u202f$€£¥₹₽₩₺₪฿]+|^[A-Z]{3}(?=[\s\d(+-])|(?<=[\d\s)])[A-Z]{3}$")
_RUPEES = re.compile(r"(-?)\s*(?:rs\b\.?|inr\b)[ \u00a0]*", re.IGNORECASE)
_UNIT = re.compile(r"(.*\d)[ \u00a0]*(l|lacs?|lakhs?|crs?|crores?)\.?", re.IGNORECASE | re.DOTALL)


def decimal_of(value: Any) -> Decimal | None:
    """The finite Decimal of a canonical number (text, int, Decimal, or a float through its shortest form), or None."""
    if isinstance(value, bool):
        return None
    text = repr(value) if isinstance(value, float) else str(value)
    text = text.strip()
    if len(text) > _LONGEST or not text.isascii() or not _PLAIN.fullmatch(text):
        return None
    number = Decimal(text)
    return number if number.is_finite() and abs(number.adjusted()) <= _LONGEST else None


def plain(number: Decimal) -> str:
    """Digits without exponent; zero has no sign."""
    return format(abs(number) if number.is_zero() else number, "f")


def read_number(value: Any, locale: str = "", symbols: bool = False) -> Any:
    """A decimal string from text. With `locale` its separators count, with `symbols` currency marks are dropped.

    An Indian locale reads "Rs. 1.5 L" and "2 Cr" as well.
    What is no finite number is blanked as NOT_A_NUMBER; 1e400 is a number nobody can hold: OUT_OF_RANGE.
    """
    text = text_of_number(value)
    if len(text) > _LONGEST:
        return Noted(None, (IssueCode.NOT_A_NUMBER,))
    if symbols:
        text = _SYMBOLS.sub("", text.strip())
        if text.startswith("(") and text.endswith(")"):
            text = f"-{text[1:-1]}"
    power = 0
    if locale.endswith("IN"):
        text, power = unit_of(without_rupees(text.strip()))
    number = decimal_of(text)
    if locale and not re.fullmatch(r"[+-]?\d+", text):
        try:
            number = decimal_of(str(parse_decimal(text.strip(), locale=locale, strict=True)))
        except NumberFormatError:
            number = None
    if number is not None:
        return plain(number.scaleb(power, _EXACT))
    code = IssueCode.OUT_OF_RANGE if _PLAIN.fullmatch(text.strip()) else IssueCode.NOT_A_NUMBER
    return Noted(None, (code,))


def without_rupees(text: str) -> str:
    """A number's text without "Rs." or "INR" before it and "/-" behind it."""
    bare = text.removesuffix("/-")
    found = _RUPEES.match(bare) if bare[:1] in "rRiI-" else None
    return found[1] + bare[found.end() :] if found else bare


def unit_of(text: str) -> tuple[str, int]:
    """A bare number without its Indian unit, and the power of ten that it stands for: 5 lakh, 7 crore, 0 none."""
    found = _UNIT.fullmatch(text) if text[-1:] > "9" or text[-1:] == "." else None
    if found is None:
        return text, 0
    return found[1], 5 if found[2][0] in "lL" else 7


def text_of_number(value: Any) -> str:
    """Text to read a number from; a boolean or a list has none."""
    return "" if isinstance(value, bool | list) else str(value)


def scaled(value: Any, factor: Decimal) -> Any:
    """`value` times `factor`, exact: hours to minutes, fractions to per cent. `value` is a canonical number."""
    number = decimal_of(value)
    if number is None:
        return Noted(None, (IssueCode.NOT_A_NUMBER,))
    return plain(_EXACT.multiply(number, factor))


def divided(value: Any, divisor: Decimal, places: int) -> Any:
    """`value` by `divisor` with `places` decimals; reports ROUNDED when that is not exact."""
    number = decimal_of(value)
    if number is None:
        return Noted(None, (IssueCode.NOT_A_NUMBER,))
    rounded = _EXACT.divide(number, divisor).quantize(Decimal(1).scaleb(-places), context=_EXACT)
    text = plain(_shortened(rounded))
    return text if _EXACT.multiply(rounded, divisor) == number else note(text, IssueCode.ROUNDED)


def _shortened(number: Decimal) -> Decimal:
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize(_EXACT)


def ready_number(digits: int | None, scale: int | None) -> Callable[[str], Any]:
    """A matcher of texts that are JSON numbers already and fit a field of this size (see `number_encoder`)."""
    before = rf"(?:0|[1-9]\d{{0,{(digits or 30) - 1}}})"
    after = "" if scale == 0 else rf"(?:\.\d{{1,{scale or 30}}})?"
    return re.compile(f"-?{before}{after}", re.ASCII).fullmatch


def number_encoder(digits: int | None, scale: int | None, as_number: bool) -> Callable[[Any], Any]:
    """A function from canonical number to what JSON carries: a msgspec.Raw (or text when not `as_number`).

    `digits` is how many the field takes before the point, `scale` after it. More decimals are rounded half to even
    and reported; more digits quarantine the record, since the destination would refuse it.
    """
    quick = ready_number(digits, scale)

    def encode(value: Any) -> Any:
        if value.__class__ is str and quick(value):
            return msgspec.Raw(value) if as_number else value
        number = decimal_of(value)
        if number is None:
            return Noted(None, (IssueCode.NOT_A_NUMBER,))
        rounded = _rounded(number, scale)
        if digits is not None and abs(rounded) >= 10**digits:
            return Noted(None, (IssueCode.OUT_OF_RANGE,), Verdict.QUARANTINED)
        text = plain(rounded)
        result = msgspec.Raw(text) if as_number else text
        return result if rounded == number else Noted(result, (IssueCode.ROUNDED,))

    return encode


def _rounded(number: Decimal, scale: int | None) -> Decimal:
    exponent = number.as_tuple().exponent
    if scale is None or not isinstance(exponent, int) or -exponent <= scale:
        return number
    try:
        return number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    except InvalidOperation:  # beyond two hundred digits: the range check refuses it
        return number
