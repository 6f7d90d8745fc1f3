"""Who is who in a generated clinic: every row of every file is a function of the seed and of its own number."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from connectors.clinic.generator import words

LATEST = datetime(2026, 6, 30, tzinfo=UTC)
SMALLEST, LARGEST = 10, 1_000_000
MOST_DOCUMENTS = 20_000
_FAMILY = 9
"""Every ninth patient begins a family: the next one lives there too and uses the same e-mail address."""


@dataclass(frozen=True, slots=True)
class Cast:
    """A clinic group of `scale` patients."""

    scale: int
    seed: int

    def __post_init__(self) -> None:
        if not SMALLEST <= self.scale <= LARGEST:
            raise ValueError(f"the scale is {SMALLEST} to {LARGEST} patients")

    def random(self, what: str, place: int = 0) -> Random:
        return Random(f"{self.seed}:{what}:{place}")  # noqa: S311

    @property
    def clinics(self) -> int:
        return max(2, min(40, self.scale // 2_000))

    @property
    def providers(self) -> int:
        return max(6, min(400, self.scale // 400))

    @property
    def referrers(self) -> int:
        return max(5, self.scale // 40)

    def patient(self, place: int) -> str:
        return f"P{place + 1:07d}"

    def clinic(self, place: int) -> str:
        return f"LOC-{place % self.clinics + 1:02d}"

    def provider(self, place: int) -> str:
        return f"DR{place % self.providers + 1:03d}"

    def payer(self, place: int) -> str:
        return f"PAY-{place % len(words.PAYERS) + 1}"

    def referrer(self, place: int) -> str:
        return f"REF{place % self.referrers + 1:05d}"

    def names(self, place: int) -> tuple[str, str, str]:
        """First, middle and last name of a patient; members of a family share the last one."""
        first = words.GIVEN[(place * 7 + self.seed) % len(words.GIVEN)]
        middle = words.GIVEN[(place * 13 + 5) % len(words.GIVEN)] if place % 3 == 0 else ""
        head = self.head(place)
        last = words.FAMILY[(head * 11 + self.seed + head // 41) % len(words.FAMILY)]
        if place % 53 == 17:
            first, last = words.ODD_NAMES[place % len(words.ODD_NAMES)]
        return first, middle, last

    def head(self, place: int) -> int:
        """The patient whose household somebody belongs to, often the patient's own number."""
        return place - 1 if place % _FAMILY == 1 else place

    def email(self, place: int) -> str:
        if place % 10 == 6:
            return ""
        number = self.head(place)
        return f"patient.{number + 1}@{('example.com', 'example.org', 'example.net')[number % 3]}"

    def moment(self, rng: Random, days: int = 900) -> datetime:
        """A quarter of an hour in the opening hours of the last `days` days."""
        day = LATEST - timedelta(days=rng.randrange(days))
        return day.replace(hour=8 + rng.randrange(9), minute=15 * rng.randrange(4))


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def day(moment: datetime) -> str:
    """Day first, as the export writes dates."""
    return moment.strftime("%d/%m/%Y")


def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
