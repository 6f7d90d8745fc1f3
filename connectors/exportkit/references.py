"""References told by id, then by name: indexes of the tables that are referred to, built when first needed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from app.domain.schema import Record
from connectors.exportkit.names import Found, NameIndex
from connectors.exportkit.nested import DerivedTable
from connectors.exportkit.tables import ExportTable, Resolve


class References:
    """One index per referenced object and way of naming it, shared by all columns that refer to it so."""

    def __init__(self) -> None:
        self._tables: Mapping[str, ExportTable | DerivedTable] = {}
        self._indexes: dict[tuple[str, str], NameIndex] = {}
        self._turn = asyncio.Lock()

    def attach(self, tables: Mapping[str, ExportTable | DerivedTable]) -> None:
        self._tables = tables

    async def prepare(self, table: ExportTable) -> None:
        """Gives the table's reference columns what they need to be told; a target without a file tells nothing."""
        async with self._turn:
            for column in table.references:
                target = self._tables.get(column.field.references)
                if column.spec.name in table.resolvers or not isinstance(target, ExportTable):
                    continue
                ways = _ways(column.field.match_on)
                index = await self._index(target, column.field.match_on, ways)
                table.resolvers[column.spec.name] = _resolver(index, len(ways))

    async def tally(self, table: ExportTable) -> dict[str, Counter[Found]]:
        """How the references of a table are told, by field: one pass over its rows."""
        async with self._turn:
            looks = {}
            for column in table.references:
                target = self._tables.get(column.field.references)
                if isinstance(target, ExportTable) and column.read is not None:
                    ways = _ways(column.field.match_on)
                    index = await self._index(target, column.field.match_on, ways)
                    looks[column.spec.name] = (column.index, index, len(ways))
        told: dict[str, Counter[Found]] = {name: Counter() for name in looks}
        if looks:
            async for block in table.rows():
                for row in block:
                    for name, (at, index, ranks) in looks.items():
                        if row.cells[at].strip():
                            told[name][index.look(row.cells[at], ranks)[0]] += 1
        return told

    async def names(self, object_name: str, match_on: str) -> tuple[NameIndex, int] | None:
        """An object's ids and names, and how many kinds of names there are; None when it has no file."""
        async with self._turn:
            target = self._tables.get(object_name)
            if not isinstance(target, ExportTable):
                return None
            ways = _ways(match_on)
            return await self._index(target, match_on, ways), len(ways)

    async def _index(self, target: ExportTable, match_on: str, ways: Sequence[Sequence[str]]) -> NameIndex:
        made = self._indexes.get((target.name, match_on))
        if made is None:
            made = NameIndex()
            named = {name for fields in ways for name in fields}
            async for record in target.records(resolved=False, only=named):
                made.add(record[target.primary], [_name(record, fields) for fields in ways])
            self._indexes[target.name, match_on] = made
        return made


def _ways(match_on: str) -> list[list[str]]:
    """ "email,first_name+last_name" → [["email"], ["first_name", "last_name"]]"""
    return [way.split("+") for way in match_on.replace(" ", "").split(",") if way]


def _name(record: Record, fields: Sequence[str]) -> str:
    return " ".join(str(record[name]) for name in fields if name in record)


def _resolver(index: NameIndex, ranks: int) -> Resolve:
    def resolve(raw: str) -> tuple[str, bool]:
        found, record_id = index.look(raw, ranks)
        # What is not told keeps its text as a reference to nothing: it is counted as an orphan, and can be held.
        return (record_id, True) if record_id else (raw, found is Found.ID)

    return resolve
