"""Checks and stored forms of field values, one function per data type (Zoho fact sheet section 10)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.zoho_crm.sandbox.answers import Json, invalid
from connectors.zoho_crm.sandbox.catalogue import RELATED_TO
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.times import parse_date, parse_datetime, stored

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[\w-]*\.)+[A-Za-z][A-Za-z0-9-]+")
_PHONE = re.compile(r"(?=.*\w)[\w+()./,;#\- ]+")
_WEBSITE = re.compile(r"(?:(?:https?|ftp)://)?[^\s/.]+(?:\.[^\s/.]+)+(?:[/?#:]\S*)?", re.IGNORECASE)
_DURATION = re.compile(r"\d{1,4}:[0-5]\d")
_INTEGER_LIMIT = 10**18


@dataclass(slots=True)
class Batch:
    """What the values of one request share: the module, records they point at, external lookup fields."""

    crm: Crm
    module: Module
    known: Mapping[int, tuple[str, str | None]] = field(default_factory=dict)
    # lookup API name -> field of the target module named by X-EXTERNAL (Zoho fact sheet section 12)
    external_lookups: Mapping[str, Field] = field(default_factory=dict)


Checker = Callable[[Batch, Field, Any, str], Any]


def wrong_type(item: Field, path: str, kind: str) -> Exception:
    return invalid(item.api_name, path, expected_data_type=kind)


def too_long(item: Field, path: str, limit: int) -> Exception:
    return invalid(item.api_name, path, maximum_length=limit)


def _text(_: Batch, item: Field, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(item, path, item.data_type)
    if item.length and len(value) > item.length:
        raise too_long(item, path, item.length)
    return value


def _pattern(pattern: "re.Pattern[str]") -> Checker:
    def check(batch: Batch, item: Field, value: Any, path: str) -> str:
        text = _text(batch, item, value, path)
        if not pattern.fullmatch(text):
            raise wrong_type(item, path, item.data_type)
        return text

    return check


def _integer(_: Batch, item: Field, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(item, path, "integer")
    if len(str(abs(value))) > (item.length or 9):
        raise too_long(item, path, item.length or 9)
    return value


def _bigint(_: Batch, item: Field, value: Any, path: str) -> str:
    """A text of up to 18 digits; a JSON number is taken as well, since the official SDK sends numbers (section 1)."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise wrong_type(item, path, "bigint")
    text = str(value)
    if not re.fullmatch(r"-?\d+", text):
        raise wrong_type(item, path, "bigint")
    if abs(int(text)) >= _INTEGER_LIMIT:
        raise too_long(item, path, 18)
    return text


def _decimal(_: Batch, item: Field, value: Any, path: str) -> float | int:
    """Up to 16 digits before the point and 9 after it; percent up to 5 digits in all."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(item, path, "double")
    number = Decimal(repr(value))
    digits, exponent = number.as_tuple()[1:]
    if not isinstance(exponent, int):
        raise wrong_type(item, path, "double")
    after = max(0, -exponent)
    before = max(0, len(digits) + exponent)
    if item.data_type == "percent":
        if before > 5:
            raise too_long(item, path, 5)
    elif before > 16:
        raise too_long(item, path, 16)
    elif number != number.to_integral_value() and after > 9:
        raise invalid(item.api_name, path, expected_data_type="double", maximum_decimal_place=9)
    return value


def _boolean(_: Batch, item: Field, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(item, path, "boolean")
    return value


def _date(_: Batch, item: Field, value: Any, path: str) -> str:
    try:
        return parse_date(value).isoformat()
    except (ValueError, TypeError) as error:
        raise wrong_type(item, path, "date") from error


def _datetime(_: Batch, item: Field, value: Any, path: str) -> str:
    try:
        return stored(parse_datetime(value))
    except (ValueError, TypeError) as error:
        raise wrong_type(item, path, "datetime") from error


def _picklist(batch: Batch, item: Field, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(item, path, "picklist")
    return _option(batch, item, value, path)


def _option(batch: Batch, item: Field, value: str, path: str) -> str:
    """The option's stored text; an unlisted one is added unless the switch says reject (sections 10 and 19)."""
    if len(value) > 120:
        raise too_long(item, path, 120)
    found = item.option(value)
    if found is not None:
        return found.actual
    closed = batch.module.api_name == "Deals" and item.api_name in ("Stage", "Pipeline")
    if closed or item.api_name == "Call_Type" or batch.crm.options.unlisted_picklist == "reject":
        names = [option.actual for option in item.options if option.used]
        raise invalid(item.api_name, path, supported_values=names)
    batch.crm.schema.add_unlisted(batch.module, item, value)
    return value


def _multi_picklist(batch: Batch, item: Field, value: Any, path: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise wrong_type(item, path, "jsonarray")
    return [_option(batch, item, entry, f"{path}[{n}]") for n, entry in enumerate(value)]


def as_id(value: Any) -> int | None:
    """A record id given as text or number; None for anything else (both occur, Zoho fact sheet section 1)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 < value < 2**63 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        return int(value) if int(value) < 2**63 else None
    return None


def lookup_id(value: Any) -> int | None:
    """The id inside a lookup value."""
    return as_id(value.get("id")) if isinstance(value, dict) else None


def _lookup(batch: Batch, item: Field, value: Any, path: str) -> str:
    """The record must exist in the module the lookup points at."""
    if not isinstance(value, dict):
        raise wrong_type(item, path, "jsonobject")
    outer = batch.external_lookups.get(item.api_name)
    if outer is not None and outer.api_name in value:
        return str(_by_external(batch, outer, value[outer.api_name], path))
    target = lookup_id(value)
    if target is None:
        raise invalid("id", f"{path}.id", expected_data_type="bigint")
    found = batch.known.get(target)
    if found is None or not _fits(batch, item, found[0]):
        raise invalid(item.api_name, f"{path}.id", message="the id given seems to be invalid", id=str(target))
    return str(target)


def _fits(batch: Batch, item: Field, module: str) -> bool:
    if item.lookup == "se_module":
        return module in RELATED_TO or batch.crm.schema.modules[module].kind == "custom"
    return item.lookup == module or (item.api_name == "Who_Id" and module == "Leads")


def _by_external(batch: Batch, outer: Field, value: Any, path: str) -> int:
    found = batch.crm.store.keyed(outer.id, [fold(value)]) if isinstance(value, str) else {}
    if not found:
        message = "The value of the external field is invalid."
        raise invalid(outer.api_name, f"{path}.{outer.api_name}", message=message)
    return next(iter(found.values()))


def fold(value: Any) -> str:
    """How key values are compared: without case (`unique: {case_sensitive: false}`, Zoho fact sheet section 7)."""
    return str(value).casefold()


def _user(batch: Batch, item: Field, value: Any, path: str) -> str:
    """An active user by id or e-mail; anybody else is refused with `owner_status` (Zoho fact sheet section 13)."""
    if not isinstance(value, dict):
        raise wrong_type(item, path, "jsonobject")
    people = batch.crm.people
    user_id = lookup_id(value)
    if user_id is None and isinstance(value.get("email"), str):
        by_mail = people.by_email(value["email"])
        user_id = by_mail.id if by_mail else None
    user = people.users.get(user_id) if user_id is not None else None
    if user is None or user.status != "active":
        status = "not_crm_user" if user is None else user.status
        message = "the id given seems to be invalid"
        raise invalid(item.api_name, path, message=message, owner_status=status)
    return str(user.id)


def _multi_user(batch: Batch, item: Field, value: Any, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise wrong_type(item, path, "jsonarray")
    entries = [entry.get(item.api_name) if isinstance(entry, dict) else None for entry in value]
    return [
        {item.api_name: {"id": _user(batch, item, entry, f"{path}[{n}]")}} for n, entry in enumerate(entries)
    ]  # fmt: skip


def _multi_lookup(batch: Batch, item: Field, value: Any, path: str) -> list[Json]:
    """Rows `{"<link field>": {"id"}}`; each id must exist in the connected module."""
    if not isinstance(value, list):
        raise wrong_type(item, path, "jsonarray")
    rows = []
    for number, entry in enumerate(value):
        inner = (
            next((part for part in entry.values() if isinstance(part, dict)), None) if isinstance(entry, dict) else None
        )
        rows.append({item.api_name: {"id": _lookup(batch, item, inner, f"{path}[{number}]")}})
    return rows


def _files(batch: Batch, item: Field, value: Any, path: str) -> list[Json]:
    """Rows `{"File_Id__s": "<ZFS id>"}` of files uploaded before (Zoho fact sheet sections 10 and 17)."""
    if not isinstance(value, list):
        raise wrong_type(item, path, "jsonarray")
    limit = item.length or 5
    if len(value) > limit:
        raise too_long(item, path, limit)
    rows = []
    for number, entry in enumerate(value):
        key = entry.get("File_Id__s") if isinstance(entry, dict) else None
        kept = batch.crm.store.document("file", key) if isinstance(key, str) else None
        if kept is None:
            raise invalid("File_Id__s", f"{path}[{number}].File_Id__s")
        rows.append({"File_Id__s": key, "File_Name__s": kept["name"], "Size__s": kept["size"]})
    return rows


def _tags(item: Field, value: Any, path: str) -> list[str]:
    """`[{"name"}]`, at most ten per record, each at most 25 characters without `<>,` (Zoho fact sheet section 16)."""
    if not isinstance(value, list):
        raise wrong_type(item, path, "jsonarray")
    if len(value) > 10:
        raise too_long(item, path, 10)
    names = []
    for number, entry in enumerate(value):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not tag_name_fits(name):
            raise invalid("name", f"{path}[{number}].name", maximum_length=25)
        names.append(name)
    return list(dict.fromkeys(names))


def tag_name_fits(name: str) -> bool:
    return 0 < len(name) <= 25 and not set(name) & set("<>,") and all(ord(c) < 0x1F000 for c in name)


def _participants(_: Batch, item: Field, value: Any, path: str) -> list[Json]:
    """At most fifty; each a contact, lead, user or e-mail (Zoho fact sheet section 16)."""
    if not isinstance(value, list):
        raise wrong_type(item, path, "jsonarray")
    if len(value) > 50:
        raise too_long(item, path, 50)
    for number, entry in enumerate(value):
        if not isinstance(entry, dict) or entry.get("type") not in ("contact", "lead", "user", "email"):
            raise invalid("type", f"{path}[{number}].type", supported_values=["contact", "lead", "user", "email"])
        person = entry.get("participant")
        if not isinstance(person, str | int) or (entry["type"] == "email" and not _EMAIL.fullmatch(str(person))):
            raise invalid("participant", f"{path}[{number}].participant")
    return [{**entry, "participant": str(entry["participant"])} for entry in value]


def _shape(kind: type, name: str) -> Checker:
    def check(_: Batch, item: Field, value: Any, path: str) -> Any:
        if not isinstance(value, kind):
            raise wrong_type(item, path, name)
        return value

    return check


def _pricing(_: Batch, item: Field, value: Any, path: str) -> list[Json]:
    if not isinstance(value, list) or not value:
        raise wrong_type(item, path, "jsonarray")
    for number, entry in enumerate(value):
        for key in ("from_range", "to_range", "discount"):
            if (
                not isinstance(entry, dict)
                or isinstance(entry.get(key), bool)
                or not isinstance(entry.get(key), int | float)
            ):
                raise invalid(key, f"{path}[{number}].{key}", expected_data_type="double")
    return value


def duration_fits(text: Any) -> bool:
    """`HH:mm` (Zoho fact sheet section 16, Calls)."""
    return isinstance(text, str) and _DURATION.fullmatch(text) is not None


CHECKERS: dict[str, Checker] = {
    "text": _text, "textarea": _text, "email": _pattern(_EMAIL), "phone": _pattern(_PHONE),
    "website": _pattern(_WEBSITE),
    "integer": _integer, "bigint": _bigint, "double": _decimal, "currency": _decimal, "percent": _decimal,
    "boolean": _boolean, "date": _date, "datetime": _datetime, "picklist": _picklist,
    "multiselectpicklist": _multi_picklist, "lookup": _lookup, "ownerlookup": _user, "userlookup": _user,
    "multiuserlookup": _multi_user, "multiselectlookup": _multi_lookup, "fileupload": _files, "imageupload": _files,
    "participants": _participants, "multireminder": _shape(list, "jsonarray"), "ALARM": _shape(dict, "jsonobject"),
    "RRULE": _shape(dict, "jsonobject"), "pricing": _pricing, "address": _text,
}  # fmt: skip


def check_value(batch: Batch, item: Field, value: Any, path: str) -> Any:
    """The stored form of `value`; raises ItemProblem with the vendor's code and details."""
    if item.api_name == "Tag":
        return _tags(item, value, path)
    return CHECKERS[item.data_type](batch, item, value, path)
