"""Objects that have no file of their own: lists inside the rows of another table, and records derived from records."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import orjson

from app.domain.schema import ObjectSpec, Record
from connectors.column_votes import ColumnVote, vote_columns
from connectors.errors import ContractBroken
from connectors.exportkit.catalogue import TableObject, fold
from connectors.exportkit.tables import PARENT, POSITION, ExportTable, Hooks, field_spec, open_table, typed
from connectors.table_files import KeyedTable, StoredTable, TableProfile, TableShelf
from connectors.tabular import Row

Completer = Callable[[str, Record], None]
"""Fills the fields of a record that a platform computes."""


@dataclass(frozen=True)
class DerivedObject:
    """An object made of the records of another. `rows` gives canonical records that hold the key fields of `spec`."""

    spec: TableObject
    base: str
    rows: Callable[[Record], Iterable[Record]]


class DerivedTable:
    """The records of a derived object in the order of their keys; of equal keys the first counts."""

    def __init__(self, derived: DerivedObject, base: ExportTable, shelf: TableShelf, complete: Completer) -> None:
        self.derived = derived
        self.base = base
        self._complete = complete
        (self._primary,) = derived.spec.key
        self.keyed = KeyedTable(shelf, base.stored, lambda cells: cells[0], None, self._rows)
        fields = [field_spec(one, primary=one.name == self._primary) for one in derived.spec.fields]
        self.spec = ObjectSpec(name=derived.spec.name, label=derived.spec.label, fields=tuple(fields))

    @property
    def name(self) -> str:
        return self.derived.spec.name

    def record(self, cells: list[str]) -> Record:
        found: Record = orjson.loads(cells[1])
        return found

    async def _rows(self) -> AsyncIterator[list[Row]]:
        async for block in self.base.rows():
            made: list[Row] = []
            for row in block:
                if not self.base.key(row.cells):
                    continue
                record = self.base.record(row.cells)
                self._complete(self.base.name, record)
                for one in self.derived.rows(record):
                    key = str(one.get(self._primary) or "")
                    made.append(Row(row.line, [key, orjson.dumps(one).decode()]))
            yield made


class NestedLists:
    """The lists that stand under one heading of a JSON table, as rows of an own table."""

    def __init__(self, parent: ExportTable, obj: TableObject) -> None:
        """Raises ContractBroken when the parent's file has no such heading."""
        self._parent = parent
        self._obj = obj
        heading = next(
            (one for one in parent.stored.profile.columns if fold(one.label or one.name) == fold(obj.path)), None
        )
        self.present = heading is not None
        self._at = heading.index if heading else 0
        owner = next((one for one in obj.fields if one.references == parent.name), None)
        self._owner = owner.name if owner else f"{parent.name}_id"
        self._names: list[str] = []
        self._places: dict[str, int] = {}

    async def table(self, shelf: TableShelf, zone: tzinfo | None, hooks: Hooks) -> ExportTable:
        """Surveys the lists in one pass, then opens them as a table."""
        stored = await self._survey()
        return open_table(self._obj, stored, shelf, zone, hooks, rows=self.rows)

    async def rows(self) -> AsyncIterator[list[Row]]:
        async for line, parent_key, items in self._lists():
            made = []
            for number, item in enumerate(items, start=1):
                cells = [parent_key, str(number), *[""] * (len(self._names) - 2)]
                for name, value in item.items():
                    if (place := self._places.get(name)) is not None:
                        cells[place] = value
                made.append(Row(line, cells))
            yield made

    async def _survey(self) -> StoredTable:
        votes = [ColumnVote(PARENT, PARENT, 0), ColumnVote(POSITION, POSITION, 1)]
        self._names, self._places = [PARENT, POSITION], {}
        rows = 0
        async for _, parent_key, items in self._lists():
            for name in dict.fromkeys(name for item in items for name in item):
                if name not in self._places and fold(name) != fold(self._owner):
                    self._places[name] = len(self._names)
                    votes.append(ColumnVote(name, name, len(self._names)))
                    self._names.append(name)
            rest = self._names[2:]
            block = [
                [parent_key, str(number), *(item.get(name, "") for name in rest)]
                for number, item in enumerate(items, start=1)
            ]
            rows += len(block)
            if block:
                vote_columns(votes, block)
        columns = tuple(vote.profile() for vote in votes)
        parent = self._parent.stored
        profile = TableProfile(
            dialect=parent.profile.dialect, rows=rows, columns=columns, parent=parent.name, path=self._obj.path
        )
        return StoredTable(f"{parent.name}: {self._obj.path}", parent.size, parent.uploaded_at, profile)

    async def _lists(self) -> AsyncIterator[tuple[int, str, list[dict[str, str]]]]:
        """(line, parent's key, items) of every row that has a list."""
        async for block in self._parent.rows():
            for row in block:
                cell, key = row.cells[self._at], self._parent.key(row.cells)
                if cell.strip() and key:
                    yield row.line, key, self._items(cell, row.line)

    def _items(self, cell: str, line: int) -> list[dict[str, str]]:
        try:
            found: Any = json.loads(cell, parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            raise self._broken(line) from None
        if isinstance(found, dict):
            found = [found]
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._broken(line)
        return [{name: _cell(value) for name, value in one.items()} for one in found]

    def _broken(self, line: int) -> ContractBroken:
        where = f"{self._parent.stored.name}, line {line}, column {self._obj.path}"
        return ContractBroken(f"{where}: not a list of records in JSON", code="BAD_LIST")


def _cell(value: Any) -> str:
    if isinstance(value, list) and all(not isinstance(one, dict | list) for one in value):
        return ";".join(typed(one) for one in value if one is not None)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else typed(value)
