"""Writes the Python source of one load's build function: straight-line code, a few lines a field.

Only local names made of a letter and a number stand in the source. Every field name, key and constant is bound in the
function's namespace, so no text of a mapping or a schema is ever compiled.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from app.domain.issues import SEVERITY, Issue, IssueCode, Noted, Verdict
from app.domain.resolving import FieldPlan, Kind, Read
from app.domain.schema import FieldType
from app.domain.texts import is_sound

_LOST = object()
_STOPPED = object()
_MEMO_SIZE = 16_384  # more than the days of forty years
_MEMO_TEXT = 64
_CAUSES = {
    Verdict.HELD: (IssueCode.UNMAPPED_VALUE, IssueCode.LOOKUP_MISSING),
    Verdict.QUARANTINED: (IssueCode.TOO_LONG, IssueCode.OUT_OF_RANGE),
}


class Memo(dict[str, Any]):
    """Remembers conversions of short texts; starts over when full, so that memory stays bounded."""

    __slots__ = ("convert",)

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self.convert = convert

    def __missing__(self, value: str) -> Any:
        made = self.convert(value)
        if len(value) <= _MEMO_TEXT:
            if len(self) >= _MEMO_SIZE:
                self.clear()
            self[value] = made
        return made


def follow(read: Read) -> Callable[[Any, Mapping[str, Mapping[str, Mapping[str, Any]]]], Any]:
    """A function (reference id, related records) → the value behind it, None for a blank, `_LOST` for an orphan."""
    leaf, objects = read.leaf, read.objects

    def value_behind(reference: Any, related: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Any:
        if reference.__class__ is not str or not reference:
            return None
        for name in objects:
            records = related.get(name)
            record = None if records is None else records.get(reference)
            if record is not None:
                return record.get(leaf)
        return _LOST

    return value_behind


@lru_cache(maxsize=4096)
def issues_of(key: str, codes: tuple[IssueCode, ...]) -> tuple[Issue, ...]:
    """What a field has to report: few distinct findings, met very often."""
    return tuple(Issue(key, code, SEVERITY[code]) for code in codes)


def tell(issues: list[Issue], key: str, noted: Noted) -> tuple[Verdict, str] | None:
    """Adds what a noted value reports; returns the verdict with its reason when it stops the record."""
    issues += issues_of(key, noted.codes)
    if noted.verdict is None:
        return None
    cause = next((code for code in _CAUSES[noted.verdict] if code in noted.codes), noted.codes[-1])
    return noted.verdict, f"{cause}:{key}"


class Writer:
    """Collects lines and the constants they refer to."""

    def __init__(self, built: type, key_field: str, prefix: str, part: str, primary: str, no_key: Any) -> None:
        self.names: dict[str, Any] = {
            "BUILT": built,
            "NEW": tuple.__new__,
            "NOTED": Noted,
            "NUMERIC": frozenset({bool, int, float}),
            "SOUND": is_sound,
            "RAW": msgspec.Raw,
            "TELL": tell,
            "LOST": _LOST,
            "STOPPED": _STOPPED,
            "QUIET": (),
            "NO_KEY": no_key,
        }
        self.lines: list[str] = []
        self.bound: dict[tuple[int, str], str] = {}
        self.key_field, self.prefix, self.part, self.primary = key_field, prefix, part, primary

    def bind(self, value: Any) -> str:
        """A name in the namespace that stands for `value`."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def put(self, depth: int, *lines: str) -> None:
        self.lines.extend("    " * depth + line for line in lines)

    def function(self, plans: list[FieldPlan], clearing: bool) -> Callable[[Any, Any], Any]:
        """Compiles the build function; `clearing` writes null for blanks, as an update needs."""
        self.lines = ["def build(record, page):"]
        self._head(plans)
        for plan in plans:
            self._field(plan, clearing)
        self.put(1, "if held is not None:", "    return NEW(BUILT, ({}, held[0], held[1], issues))")
        self.put(1, "return NEW(BUILT, (out, None, '', QUIET if issues is None else issues))")
        namespace = dict(self.names)
        exec(compile("\n".join(self.lines), "<load>", "exec"), namespace)  # noqa: S102 - see the module docstring
        function: Callable[[Any, Any], Any] = namespace["build"]
        return function

    def _head(self, plans: list[FieldPlan]) -> None:
        self.put(1, "get = record.get", "held = issues = None", f"key = get({self.bind(self.primary)})")
        self.put(1, "if key.__class__ is not str or not key:", "    return NO_KEY()")
        if self.key_field:
            end = f" + {self.bind(self.part)}" if self.part else ""
            self.put(1, f"out = {{{self.bind(self.key_field)}: {self.bind(self.prefix)} + key{end}}}")
        else:
            self.put(1, "out = {}")
        kinds = {plan.kind for plan in plans}
        if Kind.LOOKUP in kinds:
            self.put(1, "ids = page.ids")
        if Kind.OWNER in kinds:
            self.put(1, "users = page.users", "emails = page.emails")
        if any(read.objects for plan in plans for read in plan.reads):
            self.put(1, "related = page.related")

    def _field(self, plan: FieldPlan, clearing: bool) -> None:
        if plan.kind is Kind.CONST:
            self.put(1, f"out[{self.bind(plan.name)}] = {self._copied(plan.default)}")
            return
        {
            Kind.LOOKUP: self._lookup,
            Kind.OWNER: self._owner,
            Kind.MANY: self._many,
        }.get(plan.kind, self._one)(plan)
        self._tail(plan, clearing)

    def _copied(self, value: Any) -> str:
        return self.bind(value) + (".copy()" if isinstance(value, dict | list) else "")

    def _read(self, depth: int, plan: FieldPlan, read: Read) -> None:
        if not read.objects:
            self.put(depth, f"v = get({self.bind(read.head)})")
            return
        self.put(depth, f"v = {self.bind(follow(read))}(get({self.bind(read.head)}), related)", "if v is LOST:")
        self._report(depth + 1, plan, IssueCode.LOOKUP_MISSING)
        self.put(depth + 1, "v = None")

    def _report(self, depth: int, plan: FieldPlan, code: IssueCode) -> None:
        issue = self.bind(Issue(plan.key, code, SEVERITY[code]))
        self.put(depth, "if issues is None:", f"    issues = [{issue}]", "else:", f"    issues.append({issue})")

    def _stop(self, depth: int, plan: FieldPlan, verdict: Verdict, code: IssueCode) -> None:
        self._report(depth, plan, code)
        self.put(depth, "if held is None:", f"    held = {self.bind((verdict, f'{code}:{plan.key}'))}")

    def _noted(self, depth: int, plan: FieldPlan) -> None:
        self.put(depth, "if v.__class__ is NOTED:", "    if issues is None:", "        issues = []")
        self.put(depth + 1, f"stop = TELL(issues, {self.bind(plan.key)}, v)", "if stop is None:", "    v = v.value")
        self.put(depth + 1, "else:", "    v = STOPPED", "    if held is None:", "        held = stop")

    def _one(self, plan: FieldPlan) -> None:
        self._read(1, plan, plan.reads[0])
        convert = self.bind(plan.convert)
        self.put(1, "if v or v.__class__ in NUMERIC:")
        if plan.kind is Kind.TEXT:
            size = "" if plan.length is None else f"len(v) > {int(plan.length)} or "
            self.put(2, f"if v.__class__ is not str or {size}not (v.isprintable() or SOUND(v)):")
            self.put(3, f"v = {convert}(v)")
            self._noted(3, plan)
        elif plan.kind is Kind.NUMBER:
            self.put(2, f"if v.__class__ is str and {self.bind(plan.ready)}(v):", "    v = RAW(v)", "else:")
            self.put(3, f"v = {convert}(v)")
            self._noted(3, plan)
        else:
            memo = f"{self.bind(Memo(plan.convert))}[v] if v.__class__ is str else " if plan.memo else ""
            self.put(2, f"v = {memo}{convert}(v)")
            self._noted(2, plan)
        self.put(1, "else:", "    v = None")

    def _many(self, plan: FieldPlan) -> None:
        self.put(1, "values = []")
        for read in plan.reads:
            self._read(1, plan, read)
            self.put(1, "values.append(v)")
        self.put(1, f"v = {self.bind(plan.convert)}(values)")
        self._noted(1, plan)

    def _rendered(self, plan: FieldPlan) -> str:
        return {"object": "{'id': x}", "integer": "int(x)"}.get(plan.style, "x")

    def _lookup(self, plan: FieldPlan) -> None:
        self.put(1, "x = None", "seen = False")
        for number, read in enumerate(plan.reads):
            depth = 1 if number == 0 else 2
            if number:
                self.put(1, "if x is None:")
            self._read(depth, plan, read)
            self.put(depth, "if v.__class__ is str and v:", "    seen = True")
            for turn, load in enumerate(read.tries(plan.loads, plan.origins)):
                inner = depth + 1 if turn == 0 else depth + 2
                if turn:
                    self.put(depth + 1, "if x is None:")
                self.put(inner, f"m = ids.get({self.bind(load)})", "if m is not None:", "    x = m.get(v)")
                if plan.objects:
                    emitted = plan.objects[plan.loads.index(load)]
                    self.put(inner + 1, "if x is not None:", f"    x = {self.bind(emitted)}")
        value = "x" if plan.objects else self._rendered(plan)
        self.put(1, "if x is not None:", f"    v = {value}", "else:", "    v = None", "    if seen:")
        if plan.hold:
            self._stop(3, plan, Verdict.HELD, IssueCode.LOOKUP_MISSING)
            self.put(3, "v = STOPPED")
        else:
            self._report(3, plan, IssueCode.LOOKUP_MISSING)

    def _owner(self, plan: FieldPlan) -> None:
        self.put(1, "x = None")
        for number, read in enumerate(plan.reads):
            depth = 1 if number == 0 else 2
            if number:
                self.put(1, "if x is None:")
            self._read(depth, plan, read)
            by_id, by_mail = "users.get(v)", "emails.get(v.strip().lower())"
            found = {FieldType.EMAIL: by_mail, FieldType.USER: by_id, FieldType.LOOKUP: by_id}.get(
                read.type or FieldType.TEXT, f"{by_mail} if '@' in v else {by_id}"
            )
            self.put(depth, "if v.__class__ is str and v:", f"    x = {found}")
        self.put(1, "if x is None:", "    x = page.fallback_owner", "    if x is not None:")
        self._report(3, plan, IssueCode.OWNER_FALLBACK)
        self.put(2, "else:")
        self._report(3, plan, IssueCode.OWNER_UNRESOLVED)
        self.put(1, f"v = None if x is None else {self._rendered(plan)}")

    def _tail(self, plan: FieldPlan, clearing: bool) -> None:
        name = self.bind(plan.name)
        if plan.default is None and not plan.required and not clearing:
            self.put(1, "if v is not None:", f"    out[{name}] = v")
            return
        self.put(1, "if v is not None:", f"    out[{name}] = v", "else:")
        if plan.default is not None:
            self._report(2, plan, IssueCode.DEFAULT_USED)
            self.put(2, f"out[{name}] = {self._copied(plan.default)}")
        elif plan.required:
            self._stop(2, plan, Verdict.QUARANTINED, IssueCode.MISSING_REQUIRED)
        elif plan.kind is Kind.OWNER:  # a record always has an owner: there is nothing to clear
            self.put(2, "pass")
        else:
            self.put(2, f"out[{name}] = None")
