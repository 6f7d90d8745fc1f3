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
    TableField("person2_first", "Second person, given name"),
    TableField("person2_last", "Second person, family name"),
    TableField("person3", "Third person"),
    TableField("person3_first", "Third person, given name"),
    TableField("person3_last", "Third person, family name"),
    TableField("spare_email", "Spare e-mail", FieldType.EMAIL),
    TableField("other_channels", "Other e-mails and phones", FieldType.TEXTAREA),
    TableField("main_phone", "Main phone", FieldType.PHONE),
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
    others = {number: (_text(record, f"first_name{number}"), _text(record, f"last_name{number}")) for number in "23"}
    full = " ".join(part for part in (first, last) if part)
    named = _text(record, "business_name") or full or given or _text(record, "email") or f"Customer {record['id']}"
    made = {
        "display_name": named,
        **_names("1", first, last),
        "main_phone": _text(record, "phone") or _text(record, "mobile"),
        "street_address": _street(record),
        **_spare(record, [number for number, parts in others.items() if not any(parts)]),
    }
    for number, parts in others.items():
        made |= {f"person{number}": " ".join(part for part in parts if part), **_names(number, *parts)}
    record.update({name: value for name, value in made.items() if value})


def _spare(record: Record, numbers: Iterable[str]) -> dict[str, str]:
    emails = [text for number in numbers if (text := _text(record, f"email{number}"))]
    phones = [text for number in numbers for name in ("mobile", "phone") if (text := _text(record, f"{name}{number}"))]
    return {"spare_email": emails[0] if emails else "", "other_channels": "\n".join([*emails[1:], *phones])}


def _street(record: Record) -> str:
    number = "/".join(text for name in ("unit", "street_number") if (text := _text(record, name)))
    return " ".join(text for text in (number, _text(record, "street")) if text)


def _names(number: str, first: str, last: str) -> dict[str, str]:
    """One word alone is a family name: every contact needs one."""
    return {f"person{number}_first": first if last else "", f"person{number}_last": last or first}


def _text(record: Record, name: str) -> str:
    return str(record.get(name) or "").strip()
