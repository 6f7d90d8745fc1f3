"""Freshsales' plans as data (Freshsales fact sheet section 16; article numbers are the vendor's help centre)."""

from pydantic import JsonValue

from connectors.base import Edition

_GB = 1024**3
QUOTA_WINDOW = 3600.0
"""Seconds: the budget is per hour and account, all keys together (50000005599)."""
RESERVE = 0.1
"""Share of the hourly budget left to the customer's other integrations unless the connection says otherwise (ours)."""
UNIQUE_FIELDS = {"contacts": 4, "sales_accounts": 2, "deals": 0, "*": 2}
"""Unique fields per module (50000002578, 50000002402); deals are not listed. Only an administrator sets them."""


def _fields(text: int, dropdown: int, area: int, multi: int, each: int, lookup: int, formula: int) -> JsonValue:
    """Custom fields per module by type (50000002390); dropdown and radio share theirs."""
    return {
        "text": text, "dropdown": dropdown, "textarea": area, "multi_select_dropdown": multi, "number": each,
        "checkbox": each, "date": each, "lookup": lookup, "formula": formula,
    }  # fmt: skip


def _edition(
    name: str, calls: int, storage: int, fields: int, by_type: JsonValue, *, modules: bool, catalogue: bool
) -> Edition:
    """`calls_per_window` (50000005599), bytes of files per user, pooled (50000002563), custom fields per module
    (50000002390), custom modules on Enterprise only (50000002402), catalogue and pipelines from Pro (50000002466)."""
    return Edition(
        name=name,
        facts={
            "calls_per_window": calls,
            "quota_window": QUOTA_WINDOW,
            "reserve": RESERVE,
            "storage_per_user": storage,
            "custom_fields": fields,
            "custom_fields_by_type": by_type,
            "custom_modules": modules,
            "unique_fields": None,  # an administrator's setting and no limit of ours: see `slots` of the account
            "catalogue": catalogue,
            "multiple_pipelines": catalogue,
            "multiple_currencies": catalogue,
            "custom_activity_types": modules,
        },
    )


EDITIONS = {
    "growth": _edition("Growth", 1_000, 2 * _GB, 150, _fields(20, 30, 5, 5, 30, 0, 0), modules=False, catalogue=False),
    "pro": _edition("Pro", 2_000, 5 * _GB, 250, _fields(30, 40, 10, 10, 50, 10, 40), modules=False, catalogue=True),
    "enterprise": _edition(
        "Enterprise", 5_000, 100 * _GB, 630, _fields(70, 250, 20, 30, 70, 50, 40), modules=True, catalogue=True
    ),
}


def edition_of(limit: int | None, stated: str = "") -> str | None:
    """The plan: as the connection states it, else by the hourly limit; None when it cannot be told.

    No call names the plan. Enterprise accounts may have a larger budget (section 16).
    """
    if stated:
        return stated
    if limit is None:
        return None
    for slug, edition in EDITIONS.items():
        if edition.facts["calls_per_window"] == limit:
            return slug
    return "enterprise" if limit > 5_000 else None
