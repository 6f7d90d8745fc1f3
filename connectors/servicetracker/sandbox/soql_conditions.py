"""Turns the WHERE tree of a query into SQL: every literal is checked against the type of its field and bound."""

from collections.abc import Callable
from datetime import date

from connectors.servicetracker.sandbox.errors import ApiError, invalid_field
from connectors.servicetracker.sandbox.fields import NUMBER_TYPES, Field
from connectors.servicetracker.sandbox.ids import full_id
from connectors.servicetracker.sandbox.soql_syntax import Comparison, Condition, Junction, Literal, Negation
from connectors.servicetracker.sandbox.values import moment_text, read_moment

Lookup = Callable[[str], tuple[Field, str]]
_ORDERED = frozenset({"<", ">", "<=", ">="})
_ID_TYPES = frozenset({"id", "reference"})
_WANTED = {"boolean": "boolean", "date": "date", "datetime": "datetime", "int": "number"} | dict.fromkeys(
    NUMBER_TYPES, "number"
)
_SPOKEN = {"datetime": "dateTime", "string": "string", "number": "double", "date": "date", "boolean": "boolean"}


def condition_sql(condition: Condition, lookup: Lookup) -> tuple[str, list[str | int]]:
    """SQL that is always true or false, never unknown, and its parameters.

    `lookup` gives field and SQL of a path and raises where it cannot be filtered.
    """
    values: list[str | int] = []
    return _sql(condition, lookup, values), values


def _sql(condition: Condition, lookup: Lookup, values: list[str | int]) -> str:
    if isinstance(condition, Junction):
        return _joined([_sql(part, lookup, values) for part in condition.parts], condition.word)
    if isinstance(condition, Negation):
        return f"(NOT {_sql(condition.part, lookup, values)})"
    return _comparison(condition, lookup, values)


def _joined(parts: list[str], word: str) -> str:
    """Joins by halves: SQLite refuses an expression a thousand levels deep, which a flat chain would become."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)} {word} {_joined(parts[middle:], word)})"


def _comparison(one: Comparison, lookup: Lookup, values: list[str | int]) -> str:
    field, column = lookup(one.path)
    if field.type == "boolean" and (one.operator in _ORDERED or one.operator == "LIKE"):
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on boolean field {one.path}")
    if one.operator == "LIKE":
        return _like(one, field, column, values)
    key = f"CAST({column} AS REAL)" if field.type in NUMBER_TYPES else column
    bound = [_bind(literal, field, one.path) for literal in one.values]
    given = [value for value in bound if value is not None]
    if one.operator in {"IN", "NOT IN"}:
        return _membership(key, one.operator, given, len(bound) > len(given), values)
    if not given:
        if one.operator in _ORDERED:
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator for null on field {one.path}")
        return f"({key} IS {'' if one.operator == '=' else 'NOT '}NULL)"
    values.append(given[0])
    if one.operator == "!=":
        # Unlike SQL, a null differs from any value.
        return f"({key} IS NOT {_mark(field)})"
    return f"({key} {one.operator} {_mark(field)} AND {key} IS NOT NULL)"


def _mark(field: Field) -> str:
    return "CAST(? AS REAL)" if field.type in NUMBER_TYPES else "?"


def _membership(key: str, operator: str, given: list[str | int], with_null: bool, values: list[str | int]) -> str:
    marks = ", ".join("CAST(? AS REAL)" if key.startswith("CAST(") else "?" for _ in given)
    values.extend(given)
    if operator == "IN":
        return f"(({key} IN ({marks}) AND {key} IS NOT NULL)" + (f" OR {key} IS NULL)" if with_null else ")")
    kept = f"({key} IS NULL OR {key} NOT IN ({marks}))"
    return f"({kept} AND {key} IS NOT NULL)" if with_null else kept


def _like(one: Comparison, field: Field, column: str, values: list[str | int]) -> str:
    if field.type in _WANTED or field.type in _ID_TYPES:
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field {one.path}")
    literal = one.values[0]
    if literal.kind != "string":
        raise _mistyped(one.path, "string", quoted=True)
    values.append(literal.text)
    return f"({column} LIKE ? ESCAPE '\\' AND {column} IS NOT NULL)"


def _bind(literal: Literal, field: Field, path: str) -> str | int | None:
    """The stored form of a literal; None for null and for the empty string, which cannot be told apart."""
    if literal.kind == "null" or (literal.kind == "string" and not literal.text):
        return None
    wanted = _WANTED.get(field.type, "string")
    if literal.kind != wanted:
        raise _mistyped(path, wanted, quoted=wanted == "string")
    if literal.kind == "boolean":
        return int(literal.text == "true")
    if literal.kind == "datetime":
        try:
            return moment_text(read_moment(literal.text))
        except (ValueError, OverflowError):
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid dateTime: {literal.text}") from None
    if literal.kind == "date":
        try:
            return date.fromisoformat(literal.text).isoformat()
        except ValueError:
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid date: {literal.text}") from None
    if field.type in _ID_TYPES:
        whole = full_id(literal.text)
        if whole is None:
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.text}")
        return whole
    return literal.text


def _mistyped(path: str, wanted: str, *, quoted: bool) -> ApiError:
    return invalid_field(
        f"value of filter criterion for field '{path}' must be of type {_SPOKEN[wanted]} and should "
        f"{'' if quoted else 'not '}be enclosed in quotes"
    )
