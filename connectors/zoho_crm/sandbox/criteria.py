"""Search criteria `((Field:operator:value)and(...))` as conditions (Zoho fact sheet section 14)."""

import re

from connectors.zoho_crm.sandbox.answers import Refusal
from connectors.zoho_crm.sandbox.conditions import Condition, Group, Test
from connectors.zoho_crm.sandbox.schema import Module

_MAX_TESTS = 10
_MAX_IN = 100
_MAX_DEPTH = 20
_OPS = {
    "equals": "=", "not_equal": "!=", "starts_with": "starts_with", "in": "in", "greater_than": ">", "less_than": "<",
    "greater_equal": ">=", "less_equal": "<=", "between": "between",
}  # fmt: skip
_TEXTUAL = frozenset({"text", "email", "phone", "website", "picklist"})


def bad_criteria(near: str) -> Refusal:
    return Refusal(400, "INVALID_QUERY", "Invalid query formed", {"near": near[:50]})


class _Parser:
    def __init__(self, text: str, module: Module) -> None:
        self._text = text
        self._at = 0
        self._module = module
        self.tests = 0

    def whole(self) -> Condition:
        tree = self._group(0)
        if self._at != len(self._text):
            raise bad_criteria(self._text[self._at :])
        return tree

    def _group(self, depth: int) -> Condition:
        """One bracket: a single test, or brackets joined by and/or."""
        if depth > _MAX_DEPTH or not self._take("("):
            raise bad_criteria(self._text[self._at :])
        if not self._text.startswith("(", self._at):
            return self._test()
        parts = [self._group(depth + 1)]
        joiners: set[str] = set()
        while not self._take(")"):
            joiner = "and" if self._take("and") else "or" if self._take("or") else None
            if joiner is None:
                raise bad_criteria(self._text[self._at :])
            joiners.add(joiner)
            parts.append(self._group(depth + 1))
        if len(joiners) > 1:
            raise bad_criteria(self._text)
        return parts[0] if len(parts) == 1 else Group(joiners.pop(), tuple(parts))

    def _test(self) -> Test:
        match = re.compile(r"([\w.]+):(\w+):((?:\\.|[^\\()])*)\)").match(self._text, self._at)
        if match is None or match[2] not in _OPS or match[1] not in self._module.fields:
            raise bad_criteria(self._text[self._at :])
        self._at = match.end()
        self.tests += 1
        if self.tests > _MAX_TESTS:
            raise Refusal(400, "LIMIT_EXCEEDED", "the limit of criteria is exceeded", {"limit": _MAX_TESTS})
        return self._made(match[1], match[2], match[3])

    def _made(self, name: str, word: str, raw: str) -> Test:
        values = tuple(re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\),", raw))
        kind = self._module.fields[name].data_type
        if word == "in":
            if len(values) > _MAX_IN:
                raise Refusal(400, "LIMIT_EXCEEDED", "the limit of values is exceeded", {"limit": _MAX_IN})
            return Test(name, "in", values)
        if word == "between":
            if len(values) != 2:
                raise bad_criteria(raw)
            return Test(name, "between", values)
        single = re.sub(r"\\(.)", r"\1", raw)
        # equals finds texts that merely contain the value
        op = "contains" if word == "equals" and kind in _TEXTUAL else _OPS[word]
        return Test(name, op, (single,))

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False


def parse(text: str, module: Module) -> Condition:
    """The condition in `text`; INVALID_QUERY or LIMIT_EXCEEDED otherwise. A single test may stand in one bracket."""
    return _Parser(text.strip(), module).whole()


def by_word(module: Module, word: str) -> Condition:
    """`word=`: any text field contains it."""
    names = [f.api_name for f in module.fields.values() if f.data_type in _TEXTUAL]
    return Group("or", tuple(Test(name, "contains", (word,)) for name in names))


def by_kind(module: Module, kind: str, value: str) -> Condition | None:
    """`email=` or `phone=`: any field of that type equals the value; None where the module has no such field."""
    names = [f.api_name for f in module.fields.values() if f.data_type == kind]
    return Group("or", tuple(Test(name, "=", (value,)) for name in names)) if names else None
