"""One JSON object as rows: nested objects become columns `a.b`, nested lists of objects rows of child tables."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from connectors.table_rows import TableDraft
from connectors.table_shape import clean_heading
from connectors.unpacking import Drafts

MAX_DEPTH = 32
PARENT, POSITION, ROW = "_parent", "_position", "_row"
_IDS = frozenset({"id", "uuid", "guid"})
_PLAIN = re.compile(r"[^a-z0-9]")
_REMEMBERED = 200
"""Characters of a name that is kept in mind; a hostile file has longer ones, and no id is called so."""


class RecordRefused(Exception):
    """A record that becomes no row; `code` is that of the reject."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Fields(list[tuple[str, Any]]):
    """The members of a JSON object in order, so that a name that comes twice loses nothing."""


class RecordTables:
    """Writes records, each to the draft of its list and of the lists that are nested in it."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts

    def add(self, draft: TableDraft, line: int, record: Fields) -> None:
        """Raises RecordRefused before anything of the record is written, Unreadable for what ends the file."""
        _check_depth(record)
        self._write(draft, line, record, {}, f"#{line}")

    def _write(self, draft: TableDraft, line: int, record: Fields, before: dict[str, str], place: str) -> None:
        cells, lists = dict(before), list[tuple[str, list[Any]]]()
        self._flatten(draft, record, "", cells, lists)
        key = _key(record, draft.stem) if lists else ""
        if lists and not key:
            key = cells[_unused(ROW, cells)] = place
        draft.mapping(line, cells)
        for path, items in lists:
            child = self._drafts.open(f"{draft.name}.{path}", stem=f"{draft.stem}.{path}", parent=draft.name, path=path)
            for position, item in enumerate(items, start=1):
                begin = {PARENT: key, POSITION: str(position)}
                self._write(child, line, item, begin, f"{key}/{position}")

    def _flatten(
        self, draft: TableDraft, record: Fields, prefix: str, cells: dict[str, str], lists: list[tuple[str, list[Any]]]
    ) -> None:
        for key, value in record:
            name = prefix + (_heading(key) if len(key) <= _REMEMBERED else clean_heading(key) or "column")
            kind = value.__class__
            if kind is str and name not in cells:
                cells[name] = value
            elif kind is Fields and value:
                self._flatten(draft, value, f"{name}.", cells, lists)
            elif kind is list and value and all(one.__class__ is Fields and one for one in value):
                lists.append((_unused(name, {path for path, _ in lists}), value))
            else:
                if kind is list and any(isinstance(one, list) for one in value):
                    draft.noticed["lists-as-json"] += 1
                unused = _unused(name, cells)
                if unused != name:
                    draft.noticed["keys-doubled"] += 1
                cells[unused] = cell_text(value)


def _unused(name: str, taken: Iterable[str]) -> str:
    given, number = name, 1
    while given in taken:
        number += 1
        given = f"{name}_{number}"
    return given


def _key(record: Fields, stem: str) -> str:
    """The record's own id: a member called id, _id or uuid, or by its table: bookingId in bookings."""
    own, found = _own_ids(stem), ""
    for name, value in record:
        if value.__class__ is str and value and len(name) <= _REMEMBERED:
            folded = _folded(name)
            if folded in _IDS:
                return str(value)
            if not found and folded in own:
                found = value
    return found


@lru_cache(maxsize=2048)
def _heading(key: str) -> str:
    return clean_heading(key) or "column"


@lru_cache(maxsize=2048)
def _folded(name: str) -> str:
    return _PLAIN.sub("", name.lower())


@lru_cache(maxsize=256)
def _own_ids(stem: str) -> frozenset[str]:
    """What a table's own id may be called: bookingId, booking_no in bookings."""
    single = _folded(stem.rpartition(".")[2])
    singles = {single, single.removesuffix("s"), single.removesuffix("es"), single.removesuffix("ies") + "y"}
    return frozenset(f"{one}{end}" for one in singles if one for end in ("id", "uuid", "number", "no"))


def cell_text(value: Any) -> str:
    """A value as a cell: texts and numbers as written, null as a blank, lists of values as JSON."""
    if value is None:
        return ""
    if value.__class__ is str:
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not value:
        return ""  # an empty object or list
    return orjson.dumps(plain(value)).decode()


def plain(value: Any) -> Any:
    """Members back as objects, for JSON; a name that comes twice gets a number."""
    if isinstance(value, Fields):
        found: dict[str, Any] = {}
        for name, one in value:
            found[_unused(name, found)] = plain(one)
        return found
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _check_depth(record: Fields) -> None:
    level: list[Any] = [value for _, value in record if isinstance(value, list)]
    if not level:
        return
    for _ in range(MAX_DEPTH - 1):
        level = [
            inner
            for one in level
            for inner in ([value for _, value in one] if one.__class__ is Fields else one)
            if isinstance(inner, list)
        ]
        if not level:
            return
    raise RecordRefused("too-deep")
