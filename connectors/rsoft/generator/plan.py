"""How many records of each kind there are, how values are drawn, and how India writes money, phones and times."""

from datetime import datetime, timedelta
from random import Random

START = datetime(2023, 4, 3, 9, 0)  # noqa: DTZ001  wall time in India, as the export writes it
DAYS = 900
_SHARES = {"companies": 0.14, "contacts": 0.24, "leads": 0.18, "deals": 0.14, "activities": 0.20, "tickets": 0.05}
_LAKH, _CRORE = 100_000, 10_000_000


class Plan:
    """The counts of one export. Values of row `place` depend on seed, table and place alone."""

    def __init__(self, scale: int, seed: int) -> None:
        if scale < 1:
            raise ValueError("an export has at least one record")
        self.seed = seed
        self.counts = {name: max(3, round(scale * share)) for name, share in _SHARES.items()}

    def random(self, table: str, place: int = 0) -> Random:
        return Random(f"{self.seed}:{table}:{place}")  # noqa: S311  repeatable on purpose


def rupees(whole: int) -> str:
    """Digits in lakh grouping: 12,34,567."""
    digits = str(whole)
    head, tail = digits[:-3], digits[-3:]
    groups: list[str] = []
    while head:
        head, last = head[:-2], head[-2:]
        groups.insert(0, last)
    return ",".join((*groups, tail))


def amount(rng: Random, whole: int) -> str:
    """An amount of whole rupees in one of the spellings that people type."""
    style = rng.randrange(7)
    if style == 0 and whole % _CRORE % (_CRORE // 10) == 0:
        return f"{whole / _CRORE:g} Cr"
    if style <= 1 and whole % (_LAKH // 10) == 0:
        return f"{whole / _LAKH:g} L"
    grouped = rupees(whole)
    return (grouped, f"₹{grouped}.00", f"Rs. {grouped}", f"INR {grouped}.00", f"₹ {grouped}/-", str(whole), grouped)[
        style
    ]


def mobile(rng: Random) -> str:
    """Ten digits that a mobile phone can have in India."""
    return f"{rng.choice('6789')}{rng.randrange(10**8, 10**9)}"


def phone(rng: Random, digits: str) -> str:
    """A number in one of the spellings that people type."""
    style = rng.randrange(6)
    spaced = f"{digits[:5]} {digits[5:]}"
    return (digits, f"0{digits}", f"+91 {spaced}", f"91{digits}", f"{digits[:5]}-{digits[5:]}", f"+91-{digits}")[style]


def moment(rng: Random, after: int = 0) -> datetime:
    """A time in business hours, at least `after` days into the export's span."""
    day = rng.randrange(after, DAYS) if after < DAYS else DAYS
    return START + timedelta(days=day, minutes=rng.randrange(9 * 60))


def stamp(at: datetime) -> str:
    return at.strftime("%d/%m/%Y %I:%M %p")


def day(at: datetime) -> str:
    return at.strftime("%d-%m-%Y")
