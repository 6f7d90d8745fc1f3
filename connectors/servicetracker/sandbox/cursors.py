"""Query results in pages: the ids are fixed when the query starts, the rows are read page by page.

Source fact sheet section 1.4.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.servicetracker.sandbox.errors import ApiError
from connectors.servicetracker.sandbox.ids import IdMaker
from connectors.servicetracker.sandbox.soql_sql import Column, Plan
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.values import renderer

LARGEST_BATCH, SMALLEST_BATCH = 2_000, 200
_ID_LENGTH = 18
_FETCH = 10_000


@dataclass(slots=True)
class _Node:
    """How one (nested) record is assembled from a result row; `id_at` is the column of its id."""

    type: str
    id_at: int
    plain: list[tuple[str, int, Callable[[Any], Any] | None]] = field(default_factory=list)
    nested: "dict[str, _Node]" = field(default_factory=dict)


@dataclass(slots=True)
class Cursor:
    """The open end of a query."""

    made: Plan
    ids: bytes
    batch: int
    base: str
    opened: datetime

    @property
    def total(self) -> int:
        return len(self.ids) // _ID_LENGTH


class Cursors:
    """Open cursors: at most `most` at a time, the oldest is dropped; each lives for `lifetime`."""

    def __init__(self, store: Store, clock: Callable[[], datetime], *, most: int = 10, lifetime: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._most = most
        self._lifetime = lifetime
        self._open: OrderedDict[str, Cursor] = OrderedDict()
        self._lock = threading.Lock()
        self._number = 0
        self._maker = IdMaker("0r8")

    def start(self, made: Plan, batch: int, base: str) -> dict[str, Any]:
        """Runs a query and gives its first page; `base` is the versioned data path."""
        if made.count is not None:
            return self._counted(made)
        cursor = Cursor(made, self._ids(made), batch, base, self._clock())
        locator = None
        if cursor.total > batch:
            locator = self._keep(cursor)
        return self._page(cursor, locator, 0)

    def more(self, locator: str, base: str) -> dict[str, Any]:
        """The page at `{locator}-{offset}`; raises ApiError 400 INVALID_QUERY_LOCATOR."""
        name, _, offset = locator.rpartition("-")
        with self._lock:
            cursor = self._open.get(name)
            if cursor is not None and self._clock() - cursor.opened >= self._lifetime:
                del self._open[name]
                cursor = None
        if cursor is None or not offset.isdecimal() or int(offset) >= cursor.total:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        cursor.base = base
        return self._page(cursor, name, int(offset))

    def clear(self) -> None:
        with self._lock:
            self._open.clear()

    def _counted(self, made: Plan) -> dict[str, Any]:
        total = int(self._store.reading.execute(made.count_sql, made.values).fetchone()[0])
        if made.count == "":
            return {"totalSize": total, "done": True, "records": []}
        record = {"attributes": {"type": "AggregateResult"}, made.count_name: total}
        return {"totalSize": 1, "done": True, "records": [record]}

    def _ids(self, made: Plan) -> bytes:
        found = bytearray()
        rows = self._store.reading.execute(made.ids_sql, made.values)
        while block := rows.fetchmany(_FETCH):
            found += "".join(row[0] for row in block).encode("ascii")
        return bytes(found)

    def _keep(self, cursor: Cursor) -> str:
        with self._lock:
            self._number += 1
            locator = self._maker(self._number)
            self._open[locator] = cursor
            while len(self._open) > self._most:
                self._open.popitem(last=False)
        return locator

    def _page(self, cursor: Cursor, locator: str | None, offset: int) -> dict[str, Any]:
        end = min(offset + cursor.batch, cursor.total)
        records = self._records(cursor, offset, end)
        page: dict[str, Any] = {"totalSize": cursor.total, "done": end >= cursor.total}
        if not page["done"]:
            page["nextRecordsUrl"] = f"{cursor.base}/query/{locator}-{end}"
        page["records"] = records
        return page

    def _records(self, cursor: Cursor, start: int, end: int) -> list[dict[str, Any]]:
        if start >= end:
            return []
        packed = cursor.ids[start * _ID_LENGTH : end * _ID_LENGTH].decode("ascii")
        ids = [packed[place : place + _ID_LENGTH] for place in range(0, len(packed), _ID_LENGTH)]
        selected, root = _assembly(cursor.made, cursor.base)
        rows = self._store.reading.execute(cursor.made.page_sql(selected, len(ids)), ids)
        by_id = {row[0]: row for row in rows}
        prefix = f"{cursor.base}/sobjects/"
        return [_record(root, row, prefix) for row in map(by_id.get, ids) if row is not None]


def _assembly(made: Plan, base: str) -> tuple[list[str], _Node]:
    """The SQL columns a page selects behind the id, and how its records are put together."""
    selected: list[str] = []

    def place(sql: str) -> int:
        selected.append(sql)
        return len(selected)

    root = _Node(made.sobject.name, 0)
    for column in made.columns:
        node = root
        for depth, step in enumerate(column.walk, 1):
            if step not in node.nested:
                alias, target = made.joins[column.walk[:depth]]
                node.nested[step] = _Node("Name" if target is None else target.name, place(_id_sql(alias, target)))
            node = node.nested[step]
        node.plain.append((column.field.name, place(column.sql), _rendering(column, base)))
    return selected, root


def _id_sql(alias: str, target: object) -> str:
    """A polymorphic walk keeps the SQL of the reference itself where a join keeps its alias."""
    return alias if target is None else f"{alias}.Id"


def _rendering(column: Column, base: str) -> Callable[[Any], Any] | None:
    if column.field.type != "base64":
        return renderer(column.field)
    assert column.owner is not None
    url, name = f"{base}/sobjects/{column.owner.name}", column.field.name
    return lambda record_id: f"{url}/{record_id}/{name}"


def _record(node: _Node, row: tuple[Any, ...], prefix: str) -> dict[str, Any]:
    made: dict[str, Any] = {"attributes": {"type": node.type, "url": f"{prefix}{node.type}/{row[node.id_at]}"}}
    for name, at, render in node.plain:
        value = row[at]
        made[name] = value if render is None or value is None else render(value)
    for name, child in node.nested.items():
        made[name] = None if row[child.id_at] is None else _record(child, row, prefix)
    return made
