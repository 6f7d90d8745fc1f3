"""Three persons in one customer: who is who among numbered names, e-mails and phones (source fact sheet section 3)."""

from collections.abc import Iterable

from app.domain.schema import FieldType, Record
from app.domain.texts import name_parts
from connectors.exportkit.catalogue import TableField

EXTRA = (
    TableField("display_name", "Account name"),
    TableField("person1_first", "First person, given name"),
    TableField("person1_last", "First person, family name"),
    TableField("person2", "Second person"),
    TableField("person3", "Third person"),
    TableField("spare_email", "Spare e-mail", FieldType.EMAIL),
    TableField("other_channels", "Other e-mails and phones", FieldType.TEXTAREA),
    TableField("street_address", "Street address"),
)


def complete_customer(record: Record) -> None:
    """Adds who the customer's persons are. Numbered channels belong to the person of that number; without one they
    are spare: the first e-mail is the first person's second, everything else stays readable in `other_channels`.
    """
    first, last = _text(record, "first_name"), _text(record, "last_name")
    given = _text(record, "full_name_given")
    if not first and not last:
        first, last = name_parts(given) if given else ("", "")
    second, third = _name(record, "2"), _name(record, "3")
    full = " ".join(part for part in (first, last) if part)
    named = _text(record, "business_name") or full or given or _text(record, "email") or f"Customer {record['id']}"
    made = {
        "display_name": named,
        "person1_first": first,
        "person1_last": last or (first and ""),
        "person2": second,
        "person3": third,
        "street_address": _street(record),
        **_spare(record, [number for number, name in (("2", second), ("3", third)) if not name]),
    }
    record.update({name: value for name, value in made.items() if value})


def _spare(record: Record, numbers: Iterable[str]) -> dict[str, str]:
    emails = [text for number in numbers if (text := _text(record, f"email{number}"))]
    phones = [text for number in numbers for name in ("mobile", "phone") if (text := _text(record, f"{name}{number}"))]
    return {"spare_email": emails[0] if emails else "", "other_channels": "\n".join([*emails[1:], *phones])}


def _street(record: Record) -> str:
    number = "/".join(text for name in ("unit", "street_number") if (text := _text(record, name)))
    return " ".join(text for text in (number, _text(record, "street")) if text)


def _name(record: Record, number: str) -> str:
    parts = (_text(record, f"first_name{number}"), _text(record, f"last_name{number}"))
    return " ".join(part for part in parts if part)


def _text(record: Record, name: str) -> str:
    return str(record.get(name) or "").strip()
