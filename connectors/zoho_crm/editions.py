"""Zoho CRM's editions as data (Zoho fact sheet sections 4, 6, 7 and 21)."""

from connectors.base import Edition

SUB_CONCURRENCY = 10
"""Heavy calls in flight, one pool for every edition (section 4)."""
UNIQUE_FIELDS_PER_MODULE = 2
"""In every edition (section 7)."""


def _edition(
    name: str, base: int, per_user: int, cap: int | None, concurrency: int, fields: int, modules: bool
) -> Edition:
    """`credits_*` per rolling day and `concurrency` from section 4, `custom_fields` per module from section 7.

    Custom modules need Enterprise (section 6); how many an edition allows is not known (section 21) and read from the
    org's features.
    """
    return Edition(
        name=name,
        concurrency=concurrency,
        facts={
            "credits_base": base,
            "credits_per_user": per_user,
            "credits_cap": cap,
            "custom_fields": fields,
            "custom_modules": modules,
            "sub_concurrency": SUB_CONCURRENCY,
            "unique_fields": UNIQUE_FIELDS_PER_MODULE,
        },
    )


EDITIONS = {
    # Free: no custom-field figure in the sources; the smallest of the others is assumed.
    "free": _edition("Free", 5_000, 0, 5_000, 5, 10, modules=False),
    "standard": _edition("Standard", 50_000, 250, 100_000, 10, 10, modules=False),
    "professional": _edition("Professional", 50_000, 500, 3_000_000, 15, 155, modules=False),
    "enterprise": _edition("Enterprise", 50_000, 1_000, 5_000_000, 20, 300, modules=True),
    "ultimate": _edition("Ultimate", 50_000, 2_000, None, 25, 500, modules=True),
}
_ALIASES = {
    "starter": "standard",
    "zohoone": "enterprise",
    "zoho one": "enterprise",
    "crmplus": "ultimate",
    "crm plus": "ultimate",
}


def edition_slug(paid_type: str | None) -> str | None:
    """Our slug for `license_details.paid_type`; None for one we do not know."""
    text = (paid_type or "").strip().lower()
    slug = _ALIASES.get(text, text)
    return slug if slug in EDITIONS else None


def daily_credits(slug: str | None, users: int) -> int:
    """Credits of a rolling day: base plus a share per licensed user, capped. The smallest edition when unknown."""
    facts = EDITIONS[slug or "free"].facts
    base, per_user, cap = facts["credits_base"], facts["credits_per_user"], facts["credits_cap"]
    assert isinstance(base, int)
    assert isinstance(per_user, int)
    allowed = base + per_user * max(users, 0)
    return min(allowed, cap) if isinstance(cap, int) else allowed
