"""COQL: the query language as far as a migration needs it, with the vendor's limits (Zoho fact sheet section 14)."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.zoho_crm.sandbox.answers import Json, Refusal
from connectors.zoho_crm.sandbox.conditions import (
    BadCondition,
    Column,
    Condition,
    Group,
    Test,
    columns_of,
    resolve,
    to_sql,
)
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.render import Renderer
from connectors.zoho_crm.sandbox.schema import Module
from connectors.zoho_crm.sandbox.store import ROW_COLUMNS, Row, as_row

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<number>-?\d+(?:\.\d+)?(?![\w:.-]))|(?P<word>[A-Za-z_$][\w.$]*)"
    r"|(?P<bare>\d[\w:+.-]*)|(?P<mark><=|>=|!=|<>|=|<|>|\(|\)|,))"
)
_MAX_COLUMNS = 50
_MAX_TESTS = 25
_MAX_IN = 50
_MAX_ROWS = 10_000
_MAX_LENGTH = 100_000
_MAX_DEPTH = 30
_HIDDEN = ("subform", "multiselectlookup")


@dataclass(slots=True)
class Query:
    """A parsed query."""

    columns: list[str]
    module: str
    where: Condition
    order: list[tuple[str, str]]
    limit: int = 200
    offset: int = 0


def syntax_error(near: str) -> Refusal:
    return Refusal(400, "SYNTAX_ERROR", "error occurred while parsing the query", {"near": near[:50]})


def invalid_query(reason: str, **details: Any) -> Refusal:
    return Refusal(400, "INVALID_QUERY", reason, details)


def limit_exceeded(limit: int, what: str) -> Refusal:
    return Refusal(400, "LIMIT_EXCEEDED", f"the limit of {what} is exceeded", {"limit": limit})


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        self._word("select")
        columns = [self._name()]
        while self._take("mark", ","):
            columns.append(self._name())
        self._word("from")
        module = self._name()
        self._word("where")
        where = self._condition()
        order = self._order()
        limit, offset = self._window()
        if self._at < len(self._tokens):
            raise syntax_error(self._tokens[self._at][1])
        return Query(columns, module, where, order, limit, offset)

    def _condition(self) -> Condition:
        """At most two conditions on one level: more need brackets in pairs."""
        left = self._operand()
        joiner = self._joiner()
        if joiner is None:
            return left
        right = self._operand()
        if self._peek_joiner():
            raise syntax_error(self._tokens[self._at][1])
        return Group(joiner, (left, right))

    def _operand(self) -> Condition:
        if self._take("mark", "("):
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise syntax_error("(")
            inner = self._condition()
            if not self._take("mark", ")"):
                raise syntax_error(self._near())
            self._depth -= 1
            return inner
        return self._test()

    def _test(self) -> Test:
        column = self._name()
        if self._take("word", "is"):
            negated = self._take("word", "not")
            self._word("null")
            return Test(column, "is not null" if negated else "is null")
        negated = self._take("word", "not")
        for word in ("in", "like", "between"):
            if self._take("word", word):
                return self._listed(column, word, negated=negated)
        kind, text = self._next()
        if negated or kind != "mark" or text not in ("=", "!=", "<>", "<", ">", "<=", ">="):
            raise syntax_error(text)
        return Test(column, "!=" if text == "<>" else text, (self._value(),))

    def _listed(self, column: str, word: str, *, negated: bool) -> Test:
        op = f"not {word}" if negated else word
        if word == "like":
            return Test(column, op, (self._value(),))
        if word == "between":
            if negated:
                raise syntax_error("not between")
            low = self._value()
            self._word("and")
            return Test(column, op, (low, self._value()))
        if not self._take("mark", "("):
            raise syntax_error(self._near())
        values = [self._value()]
        while self._take("mark", ","):
            values.append(self._value())
        if not self._take("mark", ")"):
            raise syntax_error(self._near())
        if len(values) > _MAX_IN:
            raise limit_exceeded(_MAX_IN, "values of in")
        return Test(column, op, tuple(values))

    def _order(self) -> list[tuple[str, str]]:
        if not self._take("word", "order"):
            return []
        self._word("by")
        order = [self._order_item()]
        while self._take("mark", ","):
            order.append(self._order_item())
        return order

    def _order_item(self) -> tuple[str, str]:
        name = self._name()
        if self._take("word", "desc"):
            return name, "DESC"
        self._take("word", "asc")
        return name, "ASC"

    def _window(self) -> tuple[int, int]:
        if not self._take("word", "limit"):
            return 200, 0
        first = self._integer()
        if self._take("mark", ","):
            return self._integer(), first
        return first, self._integer() if self._take("word", "offset") else 0

    def _integer(self) -> int:
        kind, text = self._next()
        if kind != "number" or not text.isdigit() or len(text) > 9:
            raise syntax_error(text)
        return int(text)

    def _value(self) -> Any:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1].replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")
        if kind == "number":
            return text
        if kind == "bare" or (kind == "word" and text.lower() in ("true", "false")):
            return text
        raise syntax_error(text)

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "word":
            raise syntax_error(text)
        return text

    def _word(self, word: str) -> None:
        if not self._take("word", word):
            raise syntax_error(self._near())

    def _take(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens):
            found = self._tokens[self._at]
            if found[0] == kind and found[1].lower() == text:
                self._at += 1
                return True
        return False

    def _joiner(self) -> str | None:
        for word in ("and", "or"):
            if self._take("word", word):
                return word
        return None

    def _peek_joiner(self) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][1].lower() in ("and", "or")

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise syntax_error("end of query")
        self._at += 1
        return self._tokens[self._at - 1]

    def _near(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else "end of query"


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise syntax_error(text[at:])
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def run(crm: Crm, text: str) -> Json | None:
    """The answer to a query; None when it finds nothing. Refuses with SYNTAX_ERROR, INVALID_QUERY or LIMIT_EXCEEDED."""
    if len(text) > _MAX_LENGTH:
        raise limit_exceeded(_MAX_LENGTH, "characters")
    query = _Parser(text).query()
    module = crm.schema.modules.get(query.module)
    if module is None or module.kind == "linking":
        raise invalid_query("the module name given seems to be invalid", module=query.module)
    _check_limits(crm, query)
    try:
        columns = [(name, resolve(crm, module, name)) for name in query.columns]
        where = to_sql(crm, module, query.where)
        order = ", ".join(f"{resolve(crm, module, name).sql} {way}" for name, way in query.order) or "r.id ASC"
    except BadCondition as error:
        raise invalid_query("column given seems to be invalid", column_name=str(error)) from error
    for name, column in columns:
        if column.field.data_type in _HIDDEN:
            raise invalid_query("column given seems to be invalid", column_name=name)
    joined = [column.sql for _, column in columns if column.joins]
    prefixed = ", ".join(f"r.{column}" for column in ROW_COLUMNS.split(", "))
    sql = (
        f"SELECT {', '.join([prefixed, *joined])} FROM records r WHERE r.module = ? AND ({where.text}) "  # noqa: S608
        f"ORDER BY {order} LIMIT ? OFFSET ?"
    )
    found = crm.store.all(sql, (module.api_name, *where.values, query.limit + 1, query.offset))
    if not found:
        return None
    page = found[: query.limit]
    return {
        "data": _shown(crm, module, columns, page),
        "info": {"count": len(page), "more_records": len(found) > query.limit},
    }


def _check_limits(crm: Crm, query: Query) -> None:
    if len(query.columns) > _MAX_COLUMNS:
        raise limit_exceeded(_MAX_COLUMNS, "columns")
    if len(columns_of(query.where)) > _MAX_TESTS:
        raise limit_exceeded(_MAX_TESTS, "criteria")
    if query.limit > crm.options.coql_row_limit or query.limit < 1:
        raise limit_exceeded(crm.options.coql_row_limit, "rows")
    if query.offset + query.limit > _MAX_ROWS:
        raise limit_exceeded(_MAX_ROWS, "rows")


def _shown(crm: Crm, module: Module, columns: list[tuple[str, Column]], page: list[tuple[Any, ...]]) -> list[Json]:
    renderer = Renderer(crm, module, [], bare_lookups=True)
    answer = []
    for raw in page:
        row, extra = as_row(raw), list(raw[8:])
        body: Json = {}
        for name, column in columns:
            if column.joins:
                body[name] = _joined_value(renderer, column, extra.pop(0))
            elif "." in name:
                body[name] = (
                    (row.data.get(column.field.api_name) or _system_user(row, column)) if name.endswith(".id") else None
                )
            else:
                body[name] = renderer.value(row, column.field)
        body["id"] = str(row.id)
        answer.append(body)
    return answer


def _system_user(row: Row, column: Column) -> str | None:
    users = {"Created_By": row.creator, "Modified_By": row.modifier}
    found = users.get(column.field.api_name)
    return str(found) if found is not None else None


def _joined_value(renderer: Renderer, column: Column, value: Any) -> Any:
    """A value read across a lookup goes through the same rendering as an own one."""
    item = column.field
    if value is None:
        return None
    if item.api_name == "id":
        return str(value)
    if item.data_type == "boolean":
        return bool(value)
    if item.data_type == "multiselectpicklist" or item.api_name == "Tag":
        value = orjson.loads(value)
    carrier = Row(0, "", None, {item.api_name: value}, 0, 0, 0, 0)
    if item.api_name in ("Created_Time", "Modified_Time"):
        carrier.created = carrier.modified = value
    return renderer.value(carrier, item)
