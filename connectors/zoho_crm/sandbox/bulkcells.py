"""CSV cells of a bulk write as the JSON values the record endpoints take (Zoho fact sheet section 18)."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json
from connectors.zoho_crm.sandbox.conditions import expression
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.values import as_id, fold

_DATE = "MM/dd/yyyy"
_DATE_TIME = "MM/dd/yyyy HH:mm:ss"
_MARKS = (
    ("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"), ("XXX", "%z"), ("'T'", "T"),
)  # fmt: skip


def cell_value(crm: Crm, item: Field, text: str, mapping: Json) -> Any:
    """The JSON value of one cell; ItemProblem INVALID_DATA when it cannot be one."""
    try:
        return _value(crm, item, text, mapping)
    except (ValueError, KeyError) as error:
        raise ItemProblem("INVALID_DATA", "invalid data", {"api_name": item.api_name}) from error


def _value(crm: Crm, item: Field, text: str, mapping: Json) -> Any:
    reader = _READERS.get(item.data_type)
    return text if reader is None else reader(crm, item, text, mapping)


def _date(_: Crm, __: Field, text: str, mapping: Json) -> str:
    return _moment(text, mapping.get("format") or _DATE, UTC).date().isoformat()


def _datetime(crm: Crm, _: Field, text: str, mapping: Json) -> str:
    return _moment(text, mapping.get("format") or _DATE_TIME, crm.zone).replace(microsecond=0).isoformat()


def _lookup(crm: Crm, item: Field, text: str, mapping: Json) -> Json:
    return {"id": _target(crm, item, text, mapping.get("find_by"))}


def _user(_: Crm, __: Field, text: str, ___: Json) -> Json:
    return {"email": text} if "@" in text else {"id": text}


def _number(_: Crm, __: Field, text: str, ___: Json) -> float:
    return float(text)


_READERS: dict[str, Callable[[Crm, Field, str, Json], Any]] = {
    "integer": lambda _, __, text, ___: int(text),
    "double": _number,
    "currency": _number,
    "percent": _number,
    "boolean": lambda _, __, text, ___: {"true": True, "false": False, "1": True, "0": False}[text.lower()],
    "date": _date,
    "datetime": _datetime,
    "multiselectpicklist": lambda _, __, text, ___: [part for part in text.split(";") if part],
    "ownerlookup": _user,
    "userlookup": _user,
    "lookup": _lookup,
}


def _moment(text: str, form: str, zone: tzinfo) -> datetime:
    for mark, sign in _MARKS:
        form = form.replace(mark, sign)
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - a zone is set below where the text has none
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _target(crm: Crm, item: Field, text: str, find_by: str | None) -> str:
    """The record a lookup cell means: an id, or the value of a unique or display field of the target module."""
    target = crm.schema.modules.get(item.lookup or "")
    if find_by is None or find_by == "id" or target is None:
        return text
    field = target.fields[find_by]
    held = crm.store.keyed(field.id, [fold(text)])
    if held:
        return str(next(iter(held.values())))
    return str(_by_display(crm, target, field, text))


def _by_display(crm: Crm, target: Module, field: Field, text: str) -> int:
    if field.api_name != target.name_field:
        raise ValueError(text)
    found = crm.store.one(
        f"SELECT r.id FROM records r WHERE r.module = ? AND {expression(field)} = ? COLLATE NOCASE ORDER BY r.id",  # noqa: S608
        (target.api_name, text),
    )
    if found is None:
        raise ValueError(text)
    return int(found[0])


def row_item(crm: Crm, module: Module, cells: list[str], mappings: list[Json], *, ignore_empty: bool) -> Json:
    """One CSV row as a record item."""
    item: Json = {}
    for mapping in mappings:
        name, index = mapping["api_name"], mapping.get("index")
        text = cells[index] if isinstance(index, int) and index < len(cells) else ""
        if text == "" and isinstance(mapping.get("default_value"), dict):
            text = str(mapping["default_value"].get("value", ""))
        if name == "id":
            item["id"] = text if as_id(text) is not None else "0"
        elif text == "":
            if not ignore_empty:
                item[name] = None
        elif name in module.fields:
            item[name] = cell_value(crm, module.fields[name], text, mapping)
    return item
