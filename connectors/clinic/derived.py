"""What can be told from a clinic's record without looking at others: states, moments, amounts. Pure functions."""

import re
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.schema import Record

_NO = frozenset({"", "no", "n", "false", "f", "0", "off", "active"})
_STATES = {
    "active": "Active", "yes": "Active", "y": "Active", "true": "Active", "1": "Active", "current": "Active",
    "inactive": "Inactive", "no": "Inactive", "n": "Inactive", "false": "Inactive", "0": "Inactive",
    "deceased": "Deceased", "dead": "Deceased", "archived": "Archived", "deleted": "Archived",
}  # fmt: skip
_OPEN_VISITS = frozenset(
    {"booked", "scheduled", "pending", "confirmed", "planned", "tentative", "open", "new", "waiting"}
)
_DENIED = ("denied", "reject", "declin")
_VOID = ("void", "cancel", "written off", "write off", "delete", "credited", "reversed")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?\s*([ap]\.?m\.?)?", re.IGNORECASE)
HISTORY_LINES = 100


def is_yes(value: Any) -> bool:
    """Whether a flag is set; a date in a column such as "Archived at" sets it."""
    return value is True or (isinstance(value, str) and value.strip().casefold() not in _NO)


def patient_state(record: Record) -> str:
    """Deceased, Archived, Inactive, Active, or the clinic's own word."""
    if record.get("death_date") or is_yes(record.get("deceased")):
        return "Deceased"
    if is_yes(record.get("archived")):
        return "Archived"
    status = record.get("status", True)
    if isinstance(status, bool):
        return "Active" if status else "Inactive"
    return _STATES.get(str(status).strip().casefold(), str(status).strip())


def visit_times(record: Record, zone: tzinfo | None) -> tuple[str, str, Decimal]:
    """Beginning, end and minutes of a visit; "" and 0 for what the record does not tell.

    The beginning is a day alone where no time of day is given.
    """
    begins = str(record.get("start") or "")
    if "T" not in begins:
        begins = _combined(begins or str(record.get("date") or ""), str(record.get("time") or ""), zone)
    finishes = str(record.get("end") or "")
    minutes = _minutes(record.get("duration"))
    if "T" not in begins:
        return begins, "", minutes
    first = datetime.fromisoformat(begins)
    if "T" in finishes:
        return begins, finishes, minutes or _between(first, datetime.fromisoformat(finishes))
    if minutes:
        finishes = (first + timedelta(minutes=float(minutes))).isoformat()
    return begins, finishes if "T" in finishes else "", minutes


def _combined(day: str, clock: str, zone: tzinfo | None) -> str:
    found = _CLOCK.fullmatch(clock.strip())
    if not found or not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return day
    hour, half = int(found[1]), (found[4] or "").lower().replace(".", "")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        moment = datetime.combine(date.fromisoformat(day), time(hour, int(found[2]), int(found[3] or 0)), zone)
    except ValueError:
        return day
    return moment.astimezone(_UTC).isoformat() if zone else day


_UTC = datetime.fromisoformat("2000-01-01T00:00:00+00:00").tzinfo


def _minutes(value: Any) -> Decimal:
    text = str(value or "").strip()
    clock = _CLOCK.fullmatch(text)
    if clock and not clock[4] and ":" in text:
        return Decimal(int(clock[1]) * 60 + int(clock[2]))
    return amount(text) or Decimal(0)


def _between(first: datetime, last: datetime) -> Decimal:
    return max(Decimal(0), Decimal(round((last - first).total_seconds())) / 60)


def is_done(record: Record) -> bool:
    """Whether a visit is over: only words for a booking say that it is not."""
    return str(record.get("status") or "").strip().casefold() not in _OPEN_VISITS


def amount(value: Any) -> Decimal | None:
    """An exact amount; None for a blank and for what is no number."""
    try:
        found = Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def shown(value: Decimal | None) -> str | None:
    """The canonical text of an amount."""
    if value is None:
        return None
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def denial_state(record: Record) -> str:
    """The column's own words; "Denied" where a flag, a reason or the status says so; "" otherwise."""
    own = record.get("denial_status")
    if isinstance(own, str) and own.strip().casefold() not in {*_NO, "yes", "y", "true", "1"}:
        return own.strip()
    status = str(record.get("status") or "").casefold()
    if is_yes(own) or record.get("denial_reason") or any(word in status for word in _DENIED):
        return "Denied"
    return ""


def billing_state(record: Record, billed: Decimal | None, paid: Decimal | None, balance: Decimal | None) -> str:
    """Paid, Partly paid, Open, Denied or Void: by the words of the status, then by the amounts."""
    status = str(record.get("status") or "").casefold()
    if any(word in status for word in _VOID):
        return "Void"
    if denial_state(record) and not paid:
        return "Denied"
    if balance is not None and balance <= 0 and (billed or paid or "paid" in status or "closed" in status):
        return "Paid"
    if status.strip() in ("paid", "closed", "settled") and balance is None:
        return "Paid"
    return "Partly paid" if paid and paid > 0 else "Open"


def history(payments: list[tuple[str, str, str]]) -> str:
    """Payments as lines of date, amount and method, the earliest first; many are cut with a line that says so."""
    lines = [" · ".join(part for part in one if part) for one in sorted(payments)]
    if len(lines) > HISTORY_LINES:
        lines = [*lines[:HISTORY_LINES], f"… and {len(lines) - HISTORY_LINES} more in the file of payments"]
    return "\n".join(lines)


def only_text(record: Record) -> bool:
    """Whether a result has no value to put into a field: a report in prose."""
    return not record.get("value") and bool(record.get("text"))
