"""Which century a year of two digits is in: by what its column tells of, or a question where two are plausible.

A day of birth may lie a hundred and ten years back, so 24 may be 1924 as well as 2024. Days of business lie near the
export: at most twenty years ahead, what expires sixty. One reading alone is plausible there, and told as a finding.
"""

import re
from collections.abc import Collection
from enum import StrEnum

from app.domain.schema import Frozen

OLDEST = 110
"""Years that a living person can be old, generously."""
_AHEAD, _FAR_AHEAD = 20, 60
_LONG_AGO = 60
_BORN = re.compile(
    r"\b(birth\w*|dob|d o b|born|bday|b ?day|geb|geburt\w*|geboren|naissance|née?|nee|nacim\w*|nascita|nato|nata"
    r"|nascim\w*|geboorte\w*|urodz\w*|f[öo]dels\w*|f[øo]dsels\w*|syntym\w*|do[ğg]um\w*|naroz\w*)\b"
)
_EXPIRES = re.compile(
    r"\b(expir\w*|valid\w*|until|renew\w*|maturity|warranty|retire\w*|ablauf\w*|g[üu]ltig\w*|verfall\w*|caduc\w*"
    r"|scaden\w*|verval\w*|vencim\w*|wa[żz]n\w*)\b"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Century(StrEnum):
    """A person's answer."""

    THIS = "this-century"
    LAST = "last-century"


class ShortYears(Frozen):
    """How years of two digits are read: below `pivot` in this century, others in the last one.

    `doubtful` are years for which the other reading is as plausible; `lowest` is the pivot where a person says that
    those are of the last century.
    """

    pivot: int
    lowest: int
    doubtful: tuple[str, ...] = ()

    def examples(self) -> list[str]:
        """For a question; years alone, since the dates are people's data."""
        return [f"{year}: 19{year} or 20{year}" for year in self.doubtful[:5]]


def short_years(name: str, years: Collection[int], now: int) -> ShortYears | None:
    """The reading of a column in an export of the year `now`; None where no year has two digits.

    `years` are all that occur, 0 to 99.
    """
    if not years:
        return None
    heading = re.sub(r"[\W_]+", " ", _HUMP.sub(" ", name)).lower()
    at = now % 100
    if _EXPIRES.search(heading):
        return ShortYears(pivot=min(100, at + _FAR_AHEAD + 1), lowest=0)
    # years that neither lie ahead nor in the life of a business are those in which people were born
    born = _BORN.search(heading) or any(at + _AHEAD < year < 100 + at - _LONG_AGO for year in years)
    if not born:
        return ShortYears(pivot=at + _AHEAD + 1, lowest=0)
    lowest = max(0, now - OLDEST - 1900)
    doubtful = tuple(f"{year:02d}" for year in sorted(years) if lowest <= year <= at)
    return ShortYears(pivot=at + 1, lowest=min(lowest, at + 1), doubtful=doubtful)
