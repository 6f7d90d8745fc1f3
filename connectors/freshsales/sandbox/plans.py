"""What each plan of Freshsales allows (Freshsales fact sheet section 16)."""

from collections.abc import Mapping
from dataclasses import dataclass

_GB = 1024**3


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits of one plan: calls per hour and account, bytes of files per user, custom fields per module and kind."""

    name: str
    calls_per_hour: int
    storage_per_user: int
    fields_total: int
    fields_by_kind: Mapping[str, int]
    custom_modules: bool
    catalogue: bool
    multiple_pipelines: bool
    multi_currency: bool
    custom_activities: bool


def _kinds(
    text: int, dropdown: int, textarea: int, multi: int, each: int, lookup: int, formula: int
) -> Mapping[str, int]:
    return {
        "text": text, "dropdown": dropdown, "textarea": textarea, "multi_select_dropdown": multi, "number": each,
        "checkbox": each, "date": each, "lookup": lookup, "formula": formula,
    }  # fmt: skip


_PLANS = {
    "growth": Plan(
        "growth", 1000, 2 * _GB, 150, _kinds(20, 30, 5, 5, 30, 0, 0),
        custom_modules=False, catalogue=False, multiple_pipelines=False, multi_currency=False, custom_activities=False,
    ),
    "pro": Plan(
        "pro", 2000, 5 * _GB, 250, _kinds(30, 40, 10, 10, 50, 10, 40),
        custom_modules=False, catalogue=True, multiple_pipelines=True, multi_currency=True, custom_activities=False,
    ),
    "enterprise": Plan(
        "enterprise", 5000, 100 * _GB, 630, _kinds(70, 250, 20, 30, 70, 50, 40),
        custom_modules=True, catalogue=True, multiple_pipelines=True, multi_currency=True, custom_activities=True,
    ),
}  # fmt: skip

# Other field types count against one of the listed kinds; dropdown and radio share theirs (section 16).
_COUNTS_AS = {"radio": "dropdown", "date_time_split": "date", "auto_number": "formula"}


def plan(name: str | None) -> Plan:
    """The named plan, Enterprise without a name; ValueError for an unknown one."""
    chosen = _PLANS.get((name or "enterprise").lower())
    if chosen is None:
        raise ValueError(f"unknown edition {name!r} of the Freshsales sandbox; known: {', '.join(_PLANS)}")
    return chosen


def kind_of(field_type: str) -> str:
    """The kind under which a custom field of this type counts."""
    return _COUNTS_AS.get(field_type, field_type)
