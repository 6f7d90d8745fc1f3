"""Signs of damage or of a meaning that a value does not say: garbled letters, apostrophes, sentinel dates, lost zeros.

What is found is told, never mended in silence. Rules: source fact sheet section 6.2.
"""

import re
from collections import Counter
from collections.abc import Iterable

SENTINELS = (
    "1900-01-01", "0001-01-01", "9999-12-31", "01/01/1900", "31/12/9999", "12/31/9999", "01.01.1900", "31.12.9999",
)  # fmt: skip
"""Days that systems write where there is none."""
CURRENCIES = (
    "USD", "EUR", "GBP", "INR", "AUD", "NZD", "CAD", "CHF", "JPY", "CNY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "RON", "BGN", "TRY", "ZAR", "BRL", "MXN", "SGD", "HKD", "AED", "SAR", "ILS", "THB", "KRW", "PHP", "MYR", "IDR",
)  # fmt: skip
_CODE = "|".join(CURRENCIES)
_CURRENCY = re.compile(
    rf"(-?)(?:(?:{_CODE}|A\$|US\$|C\$|NZ\$|Fr\.)[ \u00a0]?)?(.*?)(?:[ \u00a0]?(?:{_CODE}|zł|kr\.?|Kč|Ft|,-))?"
)
_NAMED = re.compile(rf"{_CODE}|[$€£¥₹₽₩₺₪฿]|zł|kr|Kč|Ft")
_GARBLED = re.compile("[ÃÂÅÄ][\u0080-\u00bf\u0152-\u0178\u02c6-\u2122]|â[€„\u0080][\u0080-\u2122]?|ðŸ")
_LENGTHS = 40


def without_currency(text: str) -> str:
    """A number's text without the code of a currency before or after it."""
    found = _CURRENCY.fullmatch(text)
    return found[1] + found[2] if found else text


def currency_of(text: str) -> str:
    """The sign or code in a number's text, "" without one."""
    found = _NAMED.search(text)
    return found[0] if found else ""


def repaired(text: str) -> str:
    """A text whose UTF-8 was once read as Windows-1252, as it was before; any other as it is."""
    if text.isascii() or not _GARBLED.search(text):
        return text
    try:
        # bytes that cp1252 leaves open come through as control characters
        body = b"".join(bytes([ord(sign)]) if ord(sign) in _OPEN else sign.encode("cp1252") for sign in text)
        return body.decode()
    except UnicodeError:
        return text


_OPEN = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})


class CellSigns:
    """Counts the signs in the distinct values of a column, a block of rows at a time."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lengths: Counter[int] | None = Counter()
        self._zeros = False

    def look(self, distinct: Iterable[str]) -> None:
        """The new values; a value that comes in several blocks counts in each."""
        text = "\n".join(distinct)
        if not text.isascii() and _GARBLED.search(text):
            self._count("mojibake", sum(1 for value in distinct if repaired(value) != value))
        if text.startswith("'") or "\n'" in text:
            self._count("leading-apostrophes", sum(1 for value in distinct if value.startswith("'")))
        if any(day in text for day in SENTINELS):
            self._count("sentinel-dates", sum(1 for value in distinct if value.startswith(SENTINELS)))
        if self._lengths is not None:
            self._measure(distinct)

    def counts(self, identifier: bool) -> Counter[str]:
        """By code: mojibake, leading-apostrophes, sentinel-dates and, of an identifier, leading-zeros-maybe-lost."""
        found = Counter(self._counts)
        if identifier and self._lengths and not self._zeros:
            usual, times = self._lengths.most_common(1)[0]
            shorter = sum(count for length, count in self._lengths.items() if length < usual)
            longer = sum(count for length, count in self._lengths.items() if length > usual)
            if usual > 3 and times >= 20 and 0 < shorter < times / 4 and not longer and self._lengths[usual - 1]:
                found["leading-zeros-maybe-lost"] = shorter
        return found

    def _count(self, code: str, count: int) -> None:
        if count:
            self._counts[code] += count

    def _measure(self, distinct: Iterable[str]) -> None:
        lengths = self._lengths
        assert lengths is not None
        for value in distinct:
            if not value.isdigit() or len(value) > _LENGTHS:
                self._lengths = None  # other texts stand there: lengths tell nothing
                return
            self._zeros = self._zeros or value[0] == "0"
            lengths[len(value)] += 1
