"""The transform for a pair of fields, chosen from types and samples, and what it would lose, counted on the samples."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from app.domain.matching.columns import Column
from app.domain.matching.options import map_options
from app.domain.schema import FieldType as T

Loss = dict[str, Any]
MAX_EXAMPLES = 3

_BY_TARGET = {
    T.EMAIL: "email", T.PHONE: "phone", T.URL: "url", T.INTEGER: "integer", T.DECIMAL: "number", T.CURRENCY: "currency",
    T.PERCENT: "percent", T.BOOLEAN: "boolean", T.DATE: "date", T.DATETIME: "datetime", T.PICKLIST: "picklist",
    T.MULTIPICKLIST: "multipicklist",
}  # fmt: skip
_NUMBERS = frozenset({T.INTEGER, T.DECIMAL, T.CURRENCY, T.PERCENT})
_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_SEPARATORS = (";", "|", ",", "/")


def convert(source: Column, target: Column) -> tuple[dict[str, Any], dict[str, str | None] | None]:
    """({"name", "args", "loss"}, value map or None) for a source and a destination field."""
    kind = target.type
    args: dict[str, Any] = {}
    name = _BY_TARGET.get(kind, "text") if kind else "copy"
    table: dict[str, str | None] | None = None
    if kind in {T.LOOKUP, T.USER}:
        name, args = "lookup", {"by": "email" if kind is T.USER else "external_id"}
        if target.reference:
            args["object"] = target.reference
    elif kind in {T.DATE, T.DATETIME}:
        args = _date_arguments(source, kind)
    elif kind in _NUMBERS:
        args = {"locale": locale} if (locale := decimal_locale(source.samples)) else {}
    elif kind in {T.PICKLIST, T.MULTIPICKLIST}:
        if kind is T.MULTIPICKLIST and (separator := separator_of(source)):
            args["separator"] = separator
        table = _value_map(source, target, args.get("separator"))
    elif kind in {T.TEXT, T.TEXTAREA, None} and source.type is T.MULTIPICKLIST:
        name, args = "join", {"separator": "; "}
    elif name == "text" and source.type == kind:
        name = "copy"
    return {"name": name, "args": args, "loss": losses(source, target, table)}, table


def _date_arguments(source: Column, kind: T) -> dict[str, Any]:
    order = date_order(source.samples)
    if kind is T.DATE and order:
        return {"formats": _formats(source.samples, order)} if order != "ambiguous" else {"ask": "day or month first"}
    return {"ask": "day or month first"} if order == "ambiguous" else {}


def date_order(samples: Sequence[str]) -> str:
    """ "day", "month" or "ambiguous" for dates such as 03/04/2026; "" where there are none of the kind."""
    found = [match for one in samples if (match := _DAY.match(one.strip()[:40]))]
    if not found:
        return ""
    if any(match[2] == "." for match in found) or any(int(match[1]) > 12 for match in found):
        return "day"
    return "month" if any(int(match[3]) > 12 for match in found) else "ambiguous"


def _formats(samples: Sequence[str], order: str) -> list[str]:
    made = []
    for one in samples:
        match = _DAY.match(one.strip()[:40])
        if match:
            parts = ("%d", "%m") if order == "day" else ("%m", "%d")
            year = "%Y" if len(match[4]) == 4 else "%y"
            made.append(match[2].join((*parts, year)))
    return list(dict.fromkeys(made))


def decimal_locale(samples: Sequence[str]) -> str:
    """ "de_DE" where a comma stands before the decimals, "en_US" where a comma groups thousands, else ""."""
    comma = sum(bool(re.search(r"\d,\d{1,2}(?!\d)", one)) for one in samples)
    grouped = sum(bool(re.search(r"\d,\d{3}(?!\d)", one)) for one in samples)
    dotted = sum(bool(re.search(r"\d\.\d{3},\d", one)) for one in samples)
    if dotted or (comma and comma > grouped):
        return "de_DE"
    return "en_US" if grouped else ""


def separator_of(column: Column) -> str:
    """What stands between several choices of one value."""
    if column.type is T.MULTIPICKLIST:
        return next((one for one in _SEPARATORS[:2] if any(one in value for value in column.samples)), "")
    values = [one for one in column.samples if one.strip()]
    return next((one for one in _SEPARATORS if values and sum(one in value for value in values) * 3 >= len(values)), "")


def _value_map(source: Column, target: Column, separator: str | None) -> dict[str, str | None] | None:
    values = list(source.picklist)
    if not values and source.samples:
        seen = [part.strip() for one in source.samples for part in (one.split(separator) if separator else [one])]
        distinct = list(dict.fromkeys(one for one in seen if one))
        values = distinct if len(distinct) <= 60 else []
    if not values or not target.picklist:
        return None
    return {one.source: one.target for one in map_options(values, target.picklist)}


def losses(source: Column, target: Column, table: dict[str, str | None] | None) -> list[Loss]:
    """What would be lost: {"kind", "count", "of", "examples"} per kind of loss; empty where nothing would."""
    out: list[Loss] = []
    if table:
        missing = [key for key, value in table.items() if value is None]
        _add(out, "unmapped", missing, len(table))
        reached = [value for value in table.values() if value is not None]
        doubled = [key for key, value in table.items() if value is not None and reached.count(value) > 1]
        _add(out, "collapsed", doubled, len(table))
    values = [one.strip() for one in source.samples if one.strip()]
    checks: list[tuple[str, Callable[[str], bool]]] = []
    if target.length and target.type in {T.TEXT, T.TEXTAREA, T.EMAIL, T.PHONE, T.URL, T.PICKLIST}:
        longest = target.length
        checks.append(("truncated", lambda one: len(one) > longest))
    if target.type is T.INTEGER:
        checks.append(("rounded", lambda one: bool(re.fullmatch(r"-?\d+[.,]\d*[1-9]\d*", one))))
    elif target.type in _NUMBERS and target.scale is not None:
        places = target.scale
        checks.append(("rounded", lambda one: len(re.sub(r"0+$", "", [*re.split(r"[.,]", one), ""][1])) > places))
    if target.type in _NUMBERS:
        checks.append(("not_a_number", lambda one: not re.search(r"\d", one) or bool(re.search(r"[A-Za-z]{4,}", one))))
    if target.type is T.DATE:
        checks.append(("time_dropped", lambda one: bool(re.search(r"\d[T ](?!00:00)\d\d:\d\d", one))))
    if target.type is T.EMAIL:
        checks.append(("invalid_email", lambda one: "@" not in one))
    if target.type in {T.TEXT, T.PICKLIST} and source.type is T.TEXTAREA and any("\n" in one for one in values):
        checks.append(("lines_joined", lambda one: "\n" in one))
    for kind, lost in checks:
        _add(out, kind, [one for one in values if lost(one)], len(values))
    if target.length and source.length and source.length > target.length and not values:
        out.append(
            {"kind": "truncated", "count": None, "of": None, "examples": [], "from": source.length, "to": target.length}
        )
    return out


def _add(out: list[Loss], kind: str, lost: Sequence[str], total: int) -> None:
    if lost:
        out.append(
            {"kind": kind, "count": len(lost), "of": total, "examples": [one[:80] for one in lost[:MAX_EXAMPLES]]}
        )
