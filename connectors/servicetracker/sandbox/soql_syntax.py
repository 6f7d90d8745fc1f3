"""Reads SOQL text into a tree: the subset of the language that extraction needs, refused in the vendor's words."""

import re
from dataclasses import dataclass
from typing import NoReturn

from connectors.servicetracker.sandbox.errors import malformed_query

LONGEST_QUERY = 100_000
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"|(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),])"
    r")",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_SIGNS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a condition; `kind` is string, number, date, datetime, boolean or null."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    path: str
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    part: "Condition"


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by AND or by OR."""

    word: str
    parts: "tuple[Condition, ...]"


Condition = Comparison | Negation | Junction


@dataclass(frozen=True, slots=True)
class Sorting:
    path: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Select:
    """One query. `count` is "" for COUNT(), a path for COUNT(path), None otherwise; `every` is the word in FIELDS()."""

    paths: tuple[str, ...]
    sobject: str
    alias: str | None
    where: Condition | None
    order: tuple[Sorting, ...]
    limit: int | None
    offset: int | None
    count: str | None = None
    count_name: str = "expr0"
    every: str | None = None


def parse(text: str) -> Select:
    """Parses one SELECT; raises ApiError 400 MALFORMED_QUERY."""
    if len(text) > LONGEST_QUERY:
        raise malformed_query(f"SOQL statement is too long: {len(text)} characters, the limit is {LONGEST_QUERY}")
    return _Parser(_tokens(text)).select()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            sign = text[position:].lstrip()[:1]
            raise malformed_query(f"unexpected token: '{sign}' (position {position})")
        kind = match.lastgroup or ""
        found.append(Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    found.append(Token("end", "<EOF>", end))
    return found


def _unescape(quoted: str, *, pattern: bool) -> str:
    """The text of a string literal; in a LIKE pattern an escaped wildcard keeps its backslash."""

    def one(match: re.Match[str]) -> str:
        sign = match.group(1)
        if pattern and sign in "%_\\":
            return match.group(0)
        return _ESCAPES.get(sign, sign)

    return re.sub(r"\\(.)", one, quoted[1:-1], flags=re.DOTALL)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _refuse(self) -> NoReturn:
        token = self._now
        raise malformed_query(f"unexpected token: '{token.text}' (position {token.start})")

    def _take(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _is(self, *words: str) -> bool:
        """Whether the next tokens are these keywords or signs."""
        ahead = self._tokens[self._at : self._at + len(words)]
        return [one.text.upper() for one in ahead if one.kind in {"name", "sign"}] == list(words)

    def _skip(self, *words: str) -> bool:
        if self._is(*words):
            self._at += len(words)
            return True
        return False

    def _need(self, *words: str) -> None:
        if not self._skip(*words):
            self._refuse()

    def _name(self) -> str:
        if self._now.kind != "name":
            self._refuse()
        return self._take().text

    def select(self) -> Select:
        self._need("SELECT")
        count: str | None = None
        every: str | None = None
        paths: tuple[str, ...] = ()
        label = "expr0"
        if self._skip("COUNT", "("):
            count = "" if self._is(")") else self._name()
            self._need(")")
            if count and self._now.kind == "name" and not self._is("FROM"):
                label = self._name()
        elif self._skip("FIELDS", "("):
            every = self._name().upper()
            self._need(")")
        else:
            paths = self._names()
        self._need("FROM")
        sobject, alias = self._from()
        where = self._condition() if self._skip("WHERE") else None
        order = self._sortings() if self._skip("ORDER", "BY") else ()
        limit = self._whole() if self._skip("LIMIT") else None
        offset = self._whole() if self._skip("OFFSET") else None
        if self._now.kind != "end":
            self._refuse()
        return Select(paths, sobject, alias, where, order, limit, offset, count, label, every)

    def _names(self) -> tuple[str, ...]:
        names = [self._name()]
        while self._skip(","):
            names.append(self._name())
        return tuple(names)

    def _from(self) -> tuple[str, str | None]:
        sobject = self._name()
        words = {"WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "WITH", "FOR", "USING", "ALL"}
        alias = None
        if self._now.kind == "name" and self._now.text.upper() not in words:
            alias = self._name()
        return sobject, alias

    def _whole(self) -> int:
        if self._now.kind != "number" or not self._now.text.isdigit():
            self._refuse()
        return int(self._take().text)

    def _condition(self) -> Condition:
        """AND and OR do not mix without brackets, as the vendor refuses it too."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse()
        parts = [self._term()]
        word = "AND" if self._is("AND") else "OR"
        while self._skip(word):
            parts.append(self._term())
        if self._is("AND") or self._is("OR"):
            self._refuse()
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _term(self) -> Condition:
        if self._skip("NOT"):
            self._depth += 1
            if self._depth > _DEEPEST:
                self._refuse()
            part = self._term()
            self._depth -= 1
            return Negation(part)
        if self._skip("("):
            inner = self._condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        path = self._name()
        if self._skip("NOT", "IN"):
            return Comparison(path, "NOT IN", self._list())
        if self._skip("IN"):
            return Comparison(path, "IN", self._list())
        if self._skip("LIKE"):
            return Comparison(path, "LIKE", (self._literal(pattern=True),))
        if self._now.text not in _SIGNS:
            self._refuse()
        operator = _SIGNS[self._take().text]
        return Comparison(path, operator, (self._literal(),))

    def _list(self) -> tuple[Literal, ...]:
        self._need("(")
        values = [self._literal()]
        while self._skip(","):
            values.append(self._literal())
        self._need(")")
        return tuple(values)

    def _literal(self, *, pattern: bool = False) -> Literal:
        token = self._now
        if token.kind == "string":
            self._at += 1
            return Literal("string", _unescape(token.text, pattern=pattern))
        if token.kind in {"number", "date", "datetime"}:
            self._at += 1
            return Literal(token.kind, token.text)
        word = token.text.lower()
        if token.kind == "name" and word in {"true", "false", "null"}:
            self._at += 1
            return Literal("null" if word == "null" else "boolean", word)
        return self._refuse()

    def _sortings(self) -> tuple[Sorting, ...]:
        found = [self._sorting()]
        while self._skip(","):
            found.append(self._sorting())
        return tuple(found)

    def _sorting(self) -> Sorting:
        path = self._name()
        descending = self._skip("DESC")
        if not descending:
            self._skip("ASC")
        nulls_last = self._skip("NULLS", "LAST")
        if not nulls_last:
            self._skip("NULLS", "FIRST")
        return Sorting(path, descending, nulls_last)
