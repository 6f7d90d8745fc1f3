"""Conditions over records as a small tree, and their translation to SQL over the record table."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from connectors.zoho_crm.sandbox.changes import key_fields
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.store import marks
from connectors.zoho_crm.sandbox.times import parse_datetime, stored
from connectors.zoho_crm.sandbox.values import as_id, fold

_SYSTEM = {
    "id": "id", "Created_Time": "created", "Modified_Time": "modified", "Created_By": "creator",
    "Modified_By": "modifier",
}  # fmt: skip
_NUMBERS = frozenset({"integer", "double", "currency", "percent"})
_LINKS = frozenset({"lookup", "ownerlookup", "userlookup"})
_CLOSED_TO_CRITERIA = frozenset({"textarea", "subform", "multiselectlookup", "fileupload", "imageupload"})
_ORDERED = {"=": "=", "!=": "IS NOT", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class BadCondition(ValueError):
    """A condition that names an unknown column or compares it in a way that is not offered."""


@dataclass(frozen=True, slots=True)
class Test:
    """`column op values`; op is = != < > <= >= in, not in, like, not like, between, is null, is not null, contains,
    starts_with."""

    column: str
    op: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by `and` or `or`."""

    joiner: str
    parts: tuple["Condition", ...]


Condition: TypeAlias = Test | Group


@dataclass(slots=True)
class Sql:
    """SQL text with its values."""

    text: str
    values: list[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column resolved to SQL: the expression, its field and how many lookups it crosses."""

    sql: str
    field: Field
    joins: int


def columns_of(tree: Condition) -> list[str]:
    return [tree.column] if isinstance(tree, Test) else [name for part in tree.parts for name in columns_of(part)]


def resolve(crm: Crm, module: Module, path: str) -> Column:
    """`Field` or `Lookup.Field`, at most two lookups deep (Zoho fact sheet section 14); BadCondition otherwise."""
    parts = path.split(".")
    if len(parts) > 3:
        raise BadCondition(path)
    return _resolve(crm, module, parts, "r", 0)


def _resolve(crm: Crm, module: Module, parts: list[str], alias: str, depth: int) -> Column:
    found = module.fields.get(parts[0])
    if found is None:
        raise BadCondition(parts[0])
    own = expression(found, alias)
    if len(parts) == 1 or (parts[1:] == ["id"] and found.data_type in _LINKS):
        return Column(own, found, depth)
    target = crm.schema.modules.get(found.lookup or "")
    if found.data_type != "lookup" or target is None:
        raise BadCondition(".".join(parts))
    inner = f"j{depth}"
    joined = _resolve(crm, target, parts[1:], inner, depth + 1)
    sql = f"(SELECT {joined.sql} FROM records {inner} WHERE {inner}.id = CAST({own} AS INTEGER))"  # noqa: S608
    return Column(sql, joined.field, joined.joins)


def expression(item: Field, alias: str = "r") -> str:
    """SQL for a field's stored value; names come from the schema, never from the request."""
    if item.api_name in _SYSTEM:
        return f"{alias}.{_SYSTEM[item.api_name]}"
    return f"json_extract({alias}.data, '$.\"{item.api_name}\"')"


def to_sql(crm: Crm, module: Module, tree: Condition) -> Sql:
    """SQL for a whole condition over `records r`."""
    if isinstance(tree, Group):
        parts = [to_sql(crm, module, part) for part in tree.parts]
        joiner = " AND " if tree.joiner == "and" else " OR "
        return Sql("(" + joiner.join(part.text for part in parts) + ")", [v for part in parts for v in part.values])
    column = resolve(crm, module, tree.column)
    if column.field.data_type in _CLOSED_TO_CRITERIA:
        raise BadCondition(tree.column)
    return _keyed(module, tree, column) or _compared(tree, column)


def _keyed(module: Module, test: Test, column: Column) -> Sql | None:
    """Equality over key fields and lookups answers from the key and link tables, not by a scan."""
    if test.op not in ("=", "in") or column.joins:
        return None
    item = column.field
    if item.data_type == "lookup":
        ids = [as_id(value) for value in test.values]
        if any(found is None for found in ids):
            raise BadCondition(test.column)
        return Sql(f"r.id IN (SELECT source FROM links WHERE slot = ? AND target IN ({marks(ids)}))", [item.id, *ids])  # noqa: S608
    if item in key_fields(module):
        folded = [fold(value) for value in test.values]
        return Sql(f"r.id IN (SELECT id FROM keys WHERE slot = ? AND value IN ({marks(folded)}))", [item.id, *folded])  # noqa: S608
    return None


def _compared(test: Test, column: Column) -> Sql:
    sql, kind = column.sql, column.field.data_type
    if test.op in ("is null", "is not null"):
        return Sql(f"{sql} {test.op.upper()}", [])
    if kind == "multiselectpicklist" or column.field.api_name == "Tag":
        return _in_array(test, sql)
    values = [convert(column.field, value) for value in test.values]
    collate = "" if kind in _NUMBERS or column.field.api_name in _SYSTEM else " COLLATE NOCASE"
    if test.op in _ORDERED:
        return Sql(f"{sql} {_ORDERED[test.op]} ?{collate}", values)
    if test.op in ("in", "not in"):
        return Sql(
            f"{sql} {test.op.upper()} ({marks(values)})" if not collate else _any_of(test.op, sql, values), values
        )
    if test.op == "between":
        return Sql(f"{sql} BETWEEN ? AND ?{collate}", values)
    return _like(test, sql, values)


def _any_of(op: str, sql: str, values: list[Any]) -> str:
    return f"({sql} COLLATE NOCASE) {op.upper()} ({marks(values)})"


def _like(test: Test, sql: str, values: list[Any]) -> Sql:
    text = str(values[0])
    escaped = text.replace("\\", "\\\\").replace("_", "\\_")
    if test.op in ("like", "not like"):
        return Sql(f"{sql} {test.op.upper()} ? ESCAPE '\\'", [escaped])
    escaped = escaped.replace("%", "\\%")
    pattern = f"{escaped}%" if test.op == "starts_with" else f"%{escaped}%"
    return Sql(f"{sql} LIKE ? ESCAPE '\\'", [pattern])


def _in_array(test: Test, sql: str) -> Sql:
    if test.op not in ("=", "!=", "in", "not in", "contains", "like"):
        raise BadCondition(test.column)
    wanted = [str(value).strip("%") for value in test.values]
    inner = f"EXISTS (SELECT 1 FROM json_each({sql}) e WHERE e.value COLLATE NOCASE IN ({marks(wanted)}))"  # noqa: S608
    return Sql(f"NOT {inner}" if test.op in ("!=", "not in") else inner, wanted)


def convert(item: Field, value: Any) -> Any:
    """A literal in the form the field is stored in."""
    try:
        return _convert(item, value)
    except (ValueError, TypeError) as error:
        raise BadCondition(item.api_name) from error


def _convert(item: Field, value: Any) -> Any:
    kind = item.data_type
    if item.api_name == "id" or item.api_name in ("Created_By", "Modified_By"):
        return int(value)
    if kind == "datetime":
        moment = parse_datetime(str(value))
        return int(moment.timestamp()) if item.api_name in _SYSTEM else stored(moment)
    if kind in _NUMBERS:
        return float(value)
    if kind == "boolean":
        return {"true": 1, "false": 0}[str(value).lower()] if str(value).lower() in ("true", "false") else int(value)
    return str(value)
