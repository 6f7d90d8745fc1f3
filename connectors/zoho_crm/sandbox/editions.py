"""What each Zoho CRM edition allows: credits, concurrency, custom fields and modules."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edition:
    """Limits of one edition (Zoho fact sheet sections 4, 6 and 7).

    `custom_modules` is our own assumption: the sources give no number (section 21); 0 means "edition refuses".
    """

    name: str
    paid_type: str
    base_credits: int
    credits_per_user: int
    credit_cap: int | None
    concurrency: int
    custom_fields: int
    custom_modules: int

    def daily_credits(self, users: int) -> int:
        """Credits of a rolling day for `users` licences."""
        allowed = self.base_credits + users * self.credits_per_user
        return allowed if self.credit_cap is None else min(allowed, self.credit_cap)


SUB_CONCURRENCY = 10
UNIQUE_FIELDS_PER_MODULE = 2
WINDOW_SECONDS = 24 * 3600

_ALL = (
    Edition("Free", "free", 5_000, 0, 5_000, 5, 10, 0),
    Edition("Standard", "standard", 50_000, 250, 100_000, 10, 10, 0),
    Edition("Professional", "professional", 50_000, 500, 3_000_000, 15, 155, 0),
    Edition("Enterprise", "enterprise", 50_000, 1_000, 5_000_000, 20, 300, 200),
    Edition("Ultimate", "ultimate", 50_000, 2_000, None, 25, 500, 500),
)
EDITIONS = {edition.name.lower(): edition for edition in _ALL}


def edition(name: str | None) -> Edition:
    """The edition called `name` in any case, Enterprise by default; ValueError names the known ones."""
    found = EDITIONS.get((name or "Enterprise").lower())
    if found is None:
        raise ValueError(f"unknown Zoho CRM edition {name!r}; known: {', '.join(e.name for e in _ALL)}")
    return found
