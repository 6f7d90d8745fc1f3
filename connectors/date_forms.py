"""Forms of dates: in digits, with the month in letters in many languages, and with years of two digits."""

import re
from datetime import date
from functools import cache

from babel.dates import get_month_names

LOCALES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "hu", "ro", "tr")
PIVOT = 30
"""Years of two digits where nobody looked at the whole column: 00 to 29 are of this century, as Excel reads them."""
_WORD = r"[^\W\d_]{3,12}\.?"
_TIME = r"(?:(?:T|,? )(\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\.?)?))?"
_DAY_FIRST = re.compile(
    rf"(?:{_WORD},? )?(\d{{1,2}})(?:st|nd|rd|th|\.|º|er)?(?: de|\.)?[ -]({_WORD})(?: de| del)?,?[ -]"
    rf"(\d{{4}}|\d\d){_TIME}"
)
_MONTH_FIRST = re.compile(rf"(?:{_WORD},? )?({_WORD})[ -](\d{{1,2}})(?:st|nd|rd|th)?,?[ -](\d{{4}}){_TIME}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})[ -]({_WORD})[ -](\d{{1,2}}){_TIME}")
_DAY = re.compile(
    r"(\d{1,4})([/.\-])(\d{1,2})\2(\d{1,4})(?:(?:T| |, )(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?"
    r" ?([AaPp]\.?[Mm]\.?)?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_SHORT = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d\d)(?=$|[ T,])", re.ASCII)


@cache
def _months() -> dict[str, int]:
    """Months by name and abbreviation; a word that is another month elsewhere is left out."""
    found: dict[str, set[int]] = {"sept": {9}}
    for locale in LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    found.setdefault(_fold(name), set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and not name.isdigit()}


def _fold(name: str) -> str:
    return name.casefold().rstrip(".")


def spelled_out(value: str, pivot: int = PIVOT) -> str | None:
    """ "31. Dez 2024 10:00" as "2024-12-31 10:00"; None for what names no month."""
    if not 8 <= len(value) <= 60 or value.isdigit():
        return None
    for form, places in ((_DAY_FIRST, (3, 2, 1)), (_MONTH_FIRST, (3, 1, 2)), (_YEAR_FIRST, (1, 2, 3))):
        found = form.fullmatch(value)
        if found:
            year, month, day = (found[place] for place in places)
            number = _months().get(_fold(month))
            if number:
                time = f" {found[4]}" if found[4] else ""
                return f"{whole_year(year, pivot)}-{number:02d}-{int(day):02d}{time}"
    return None


def whole_year(year: str, pivot: int = PIVOT) -> str:
    """A year of two digits in the century that the pivot says: years below it are of this one."""
    return year if len(year) == 4 else f"{'20' if int(year) < pivot else '19'}{year}"


def short_year(value: str) -> int | None:
    """The year of a date that gives two digits of it; None for any other."""
    if found := _SHORT.match(value):
        return int(found[4])
    found = _DAY_FIRST.fullmatch(value)
    return int(found[3]) if found is not None and len(found[3]) == 2 else None


def in_digits(value: str, pivot: int = PIVOT) -> str:
    """A date's text with digits alone and a year of four; any other text as it is."""
    found = _SHORT.match(value)
    if found and int(found[1]) <= 31:
        return f"{found[1]}{found[2]}{found[3]}{found[2]}{whole_year(found[4], pivot)}{value[found.end() :]}"
    if value[:1].isdigit() and not any(sign.isalpha() for sign in value[:8]):
        return value
    return spelled_out(value, pivot) or value


def date_order(found: "re.Match[str]") -> str:
    """year | day | month | either | same for a match of a date (`same`: day and month are one number).

    "" when there is no such day or the year has two digits.
    """
    first, last = found[1], found[4]
    one, second = int(first), int(found[3])
    year_first = len(first) == 4
    if not _time_is_real(found) or (len(last) > 2 if year_first else len(last) != 4 or len(first) > 2):
        return ""
    try:
        if year_first:
            date(one, second, int(last))
            return "year"
        date(int(last), *((second, one) if one > 12 else (one, second)))
    except ValueError:
        return ""
    if one > 12 or second > 12:
        return "day" if one > 12 else "month"
    return "same" if one == second else "either"


def _time_is_real(found: "re.Match[str]") -> bool:
    if found[5] is None:
        return True
    hour = int(found[5])
    return (1 <= hour <= 12 if found[9] else hour < 24) and int(found[6]) < 60 and int(found[7] or 0) < 60


def is_midnight(found: "re.Match[str]") -> bool:
    """Whether a date's time is the first moment of the day."""
    hour = 0 if found[9] and found[9][0] in "aA" and found[5] == "12" else int(found[5])
    return (
        not hour
        and not int(found[6])
        and not int(found[7] or 0)
        and not int(found[8] or 0)
        and not (found[9] and found[9][0] in "pP")
    )


def day_parts(value: str, pivot: int = PIVOT) -> "re.Match[str] | None":
    """The parts of a date or date-time in any of the forms that votes accept."""
    return _DAY.fullmatch(in_digits(value.strip(), pivot))
