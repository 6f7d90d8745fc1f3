"""Completes staged records with what other records say of them (see `mapping.Collect`), page by page.

Which records refer to which is known from one pass over the referring object: ids only, so that the memory it takes
does not depend on what they hold.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import asyncpg

from app.domain.collecting import add_collected, collected_needs
from app.domain.mapping import Load
from app.domain.schema import Record
from app.runs.staged_pages import staged_pages
from app.runs.staging import StagedRow, Staging
from app.runs.work import Work

Children = Mapping[str, tuple[str, ...]]


class Gatherer:
    """Adds the gathered fields of one load. `children`: (object, reference field) → parent id → ids of children."""

    def __init__(self, staging: Staging, load: Load, children: Mapping[tuple[str, str], Children]) -> None:
        self._staging = staging
        self._load = load
        self._children = children

    async def rows(self, connection: "asyncpg.Connection[Any]", rows: Iterable[StagedRow]) -> list[StagedRow]:
        """The same rows with further fields."""
        given = list(rows)
        found = await self._found(connection, [row.source_id for row in given])
        return [StagedRow(row.source_id, self._added(row.source_id, row.record, found)) for row in given]

    async def records(self, connection: "asyncpg.Connection[Any]", records: Mapping[str, Record]) -> dict[str, Record]:
        """The same records by id with further fields. One that the source has let go gets none: those that referred to
        it have gone as well, or were given to another, so nobody knows any more what was written of them.
        """
        live = await self._staging.by_ids(connection, self._load.source_object, list(records))
        found = await self._found(connection, live)
        return {
            source_id: self._added(source_id, record, found) if source_id in live else record
            for source_id, record in records.items()
        }

    async def _found(
        self, connection: "asyncpg.Connection[Any]", ids: Collection[str]
    ) -> dict[tuple[str, str], dict[str, Record]]:
        found: dict[tuple[str, str], dict[str, Record]] = {}
        for need in collected_needs(self._load):
            wanted = [child for parent in ids for child in self._children[need].get(parent, ())]
            found[need] = await self._staging.by_ids(connection, need[0], wanted) if wanted else {}
        return found

    def _added(self, source_id: str, record: Record, found: Mapping[tuple[str, str], Mapping[str, Record]]) -> Record:
        mine = {
            need: [(child, rows[child]) for child in self._children[need].get(source_id, ()) if child in rows]
            for need, rows in found.items()
        }
        return add_collected(record, self._load, mine)


async def gatherer(work: Work, load: Load) -> Gatherer | None:
    """What completes the records of a load; None for a load that gathers nothing."""
    if not load.collect:
        return None
    return Gatherer(work.staging, load, {need: await _children(work, *need) for need in collected_needs(load)})


async def _children(work: Work, object_name: str, via: str) -> Children:
    """Parent id → ids of its live children, read once per run."""
    key = f"children:{object_name}.{via}"
    if key not in work.cache:
        made: dict[str, tuple[str, ...]] = {}
        async for rows in staged_pages(work, object_name):
            for row in rows:
                parent = row.record.get(via)
                if isinstance(parent, str):
                    made[parent] = (*made.get(parent, ()), row.source_id)
        work.cache[key] = made
    children: Children = work.cache[key]
    return children
