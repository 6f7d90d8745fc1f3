"""How a number is written: its decimal mark, groups of thousands, money and percent signs, and Indian units."""

import re
from enum import StrEnum

from app.domain.numerals import unit_of, without_rupees
from connectors.cell_signs import without_currency

_LONGEST_NUMBER = 15
_GROUPED = re.compile(
    r"-?(?:[1-9]\d{0,2}(?:([.,'’ \u00a0\u202f])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d{2})+,\d{3}|0|[1-9]\d*)"
    r"(?:([.,])(\d+))?",
    re.ASCII,
)
_MONEY = "$€£¥₹₽₩₺₪฿ \u00a0\u202f"


class DecimalMark(StrEnum):
    """How decimals are marked; NONE where no value has any."""

    NONE = "none"
    POINT = "point"
    COMMA = "comma"
    AMBIGUOUS = "ambiguous"
    CONTRADICTORY = "contradictory"


def means_money(value: str) -> bool:
    """Whether a number with an Indian unit is certain to be an amount: "5 L" alone could be litres."""
    return "₹" in value or without_rupees(value) != value or value[-1:] not in "lL"


def bare_number(value: str) -> str:
    """A number's text without money and percent signs, with a leading minus instead of brackets or one at the end."""
    text = without_rupees(without_currency(value.strip().removesuffix("%")).strip(_MONEY))
    if text.startswith("(") and text.endswith(")"):
        text = "-" + text[1:-1].strip(_MONEY)
    elif text.endswith("-") and len(text) > 1:
        text = "-" + text[:-1]
    if text.startswith("-"):
        text = "-" + text[1:].strip(_MONEY)
    return text


def number_mark(value: str) -> DecimalMark | None:
    """Which decimal mark a number shows: AMBIGUOUS for one like 1.234, NONE without any sign, None for no number.

    Leading zeros and plus signs, and more than fifteen digits, are those of identifiers and phones.
    """
    text, _ = unit_of(bare_number(value))
    found = _GROUPED.fullmatch(text)
    if found is None or sum(map(str.isdigit, text)) > _LONGEST_NUMBER:
        return None
    signs = [sign for sign in text if sign in ".,"]
    if not signs:
        return DecimalMark.NONE
    if len(set(signs)) == 2:
        return (DecimalMark.POINT if signs[-1] == "." else DecimalMark.COMMA) if found[2] else None
    if len(signs) > 1:
        return DecimalMark.COMMA if signs[0] == "." else DecimalMark.POINT
    whole, _, rest = text.lstrip("-").partition(signs[0])
    if len(rest) == 3 and len(whole) <= 3 and whole.isdigit() and whole != "0":
        return DecimalMark.AMBIGUOUS
    return DecimalMark.POINT if signs[0] == "." else DecimalMark.COMMA
