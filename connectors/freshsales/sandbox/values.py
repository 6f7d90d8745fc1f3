"""Checks one written value against its field and turns it into its kept form (fact sheet sections 3, 12 and 14)."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from connectors.freshsales.sandbox.answers import Refusal, bad, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.schema import Field
from connectors.freshsales.sandbox.times import kept, parse_day, parse_moment

TEXTAREA_LIMIT = 10_000
MOBILE_LIMIT = 30
_MAX_ID = 2**63 - 1
Checker: TypeAlias = Callable[[Crm, Field, Any], Any]
_WHOLE_DIGITS = 11
_DECIMALS = 4


def as_id(value: Any) -> int | None:
    """An id given as an integer or a string of digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= _MAX_ID else None


def as_decimal(value: Any, label: str) -> Decimal:
    """A finite number of at most 11 digits and 4 decimals (section 14); 400 otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise bad(f"{label} is not a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise bad(f"{label} is not a number") from error
    if not number.is_finite():
        raise bad(f"{label} is not a number")
    if abs(number) >= Decimal(10) ** _WHOLE_DIGITS:
        raise bad(f"{label} is too long (maximum is {_WHOLE_DIGITS} digits)")
    return number.quantize(Decimal(10) ** -_DECIMALS)


def money(number: Decimal) -> str:
    """Money as the vendor writes it: `5600.0` (section 1)."""
    plain = f"{number:f}"
    if "." not in plain:
        return plain + ".0"
    whole, _, fraction = plain.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def check(crm: Crm, field: Field, value: Any) -> Any:
    """The kept form of `value`; None clears. Refusal 400 for anything the field cannot take."""
    if value is None or (value == "" and field.type not in ("text", "textarea")):
        return None
    if field.name == "tags":
        return _tags(value)
    if field.selector:
        return _selector(crm, field, value)
    checker: Checker = _CHECKS.get(field.type, _text)
    return checker(crm, field, value)


def _text(crm: Crm, field: Field, value: Any) -> str | None:
    if isinstance(value, bool | dict | list):
        raise wrong_type(field.name)
    text = str(value)
    limit = MOBILE_LIMIT if field.name in ("mobile_number", "work_number", "phone") else crm.options.text_limit
    if field.type == "textarea":
        limit = TEXTAREA_LIMIT
    if len(text) > limit:
        raise bad(f"{field.label} is too long (maximum is {limit} characters)")
    if field.name == "time_zone" and "/" in text:
        return None  # IANA names do not map (section 3)
    return text


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise wrong_type("tags")
    return list(dict.fromkeys(tag.strip() for tag in value if tag.strip()))


def _selector(crm: Crm, field: Field, value: Any) -> int:
    """System dropdowns take the numeric id, never the label (section 3)."""
    key = as_id(value)
    assert field.selector is not None
    if key is None or key not in crm.book.rows[field.selector]:
        raise bad(f"{field.label} is invalid")
    if field.selector == "users" and not crm.book.rows["users"][key]["is_active"]:
        raise bad(f"{field.label} is invalid")
    return key


def _choice(crm: Crm, field: Field, value: Any) -> Any:
    """Standard dropdowns keep the numeric id, custom ones the choice text (section 3)."""
    if isinstance(value, bool | dict | list):
        raise wrong_type(field.name)
    if not field.custom:
        if str(value) not in {choice["id"] for choice in field.choices}:
            raise bad(f"{field.label} is invalid")
        return int(value)
    text = str(value)
    if crm.options.unknown_choice == "reject" and text not in {choice["value"] for choice in field.choices}:
        raise bad(f"{field.label} is invalid")
    return text


def _choices(crm: Crm, field: Field, value: Any) -> str:
    """Several choices, as a `;`-joined text or a list; kept and shown joined (section 3)."""
    if isinstance(value, str):
        items: list[Any] = [item.strip() for item in value.split(";")]
    elif isinstance(value, list):
        items = value
    else:
        raise wrong_type(field.name)
    if not field.custom:
        return ";".join(str(item) for item in items if str(item))
    return ";".join(_choice(crm, field, item) for item in items if item != "")


def _number(_: Crm, field: Field, value: Any) -> Any:
    number = as_decimal(value, field.label)
    if field.name == "amount":
        return money(number)
    whole = number.to_integral_value()
    if number == whole:
        return int(whole)
    return float(number)


def _checkbox(_: Crm, field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "1"):
        return True
    if str(value).lower() in ("false", "0"):
        return False
    raise wrong_type(field.name)


def _date(crm: Crm, field: Field, value: Any) -> str:
    try:
        return parse_day(_moment_text(field, value), crm.zone)
    except ValueError as error:
        raise bad(f"{field.label} is invalid") from error


def moment(crm: Crm, field: Field, value: Any) -> str:
    """A date-time in its kept form; 400 when it cannot be read."""
    try:
        return kept(parse_moment(_moment_text(field, value), crm.zone))
    except ValueError as error:
        raise bad(f"{field.label} is invalid") from error


def _moment_text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type(field.name)
    return value.strip()


def _lookup(crm: Crm, field: Field, value: Any) -> int:
    """A lookup takes the integer id of a live target (section 11)."""
    key = as_id(value)
    if key is None:
        raise wrong_type(field.name)
    where, values = "id = ? AND deleted = 0", [key]
    if field.target:
        where, values = where + " AND module = ?", [*values, field.target]  # type: ignore[list-item]
    if not crm.store.count(f"SELECT count(*) FROM records WHERE {where}", values):  # noqa: S608
        raise bad(f"{field.label} is invalid")
    return key


_CHECKS: dict[str, Checker] = {
    "dropdown": _choice,
    "radio": _choice,
    "multi_select_dropdown": _choices,
    "number": _number,
    "checkbox": _checkbox,
    "date": _date,
    "date_time_split": moment,
    "lookup": _lookup,
}


def check_custom(crm: Crm, fields: dict[str, Field], given: Any) -> dict[str, Any]:
    """The `custom_field` object: unknown and read-only names are ignored, every value is checked (section 3)."""
    if not isinstance(given, dict):
        raise wrong_type("custom_field")
    found: dict[str, Any] = {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None or not field.custom or field.read_only:
            continue
        found[name] = check(crm, field, value)
        if field.required and found[name] in (None, ""):
            raise bad(f"{field.label} can't be empty")
    return found


def record_of(crm: Crm, module: str, value: Any, label: str) -> int:
    """The id of a live record of `module`; 400 for an unknown or wrongly typed one."""
    key = as_id(value)
    if key is None or not crm.store.live(module, [key]):
        raise Refusal(400, f"{label} is invalid")
    return key
