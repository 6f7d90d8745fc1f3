"""The engagement as it was before a delta was read: what we last wrote, computed again.

Staged records are overlaid with the payloads that the delta replaced, and the ledger forgets what this run created, so
that references, gathered texts and shared values come out as they did when the record was written. Only the run's own
changes are kept twice; nothing is stored for a record that never changes.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.domain.mapping import Load
from app.domain.schema import Record
from app.domain.values import exact_json
from app.runs.deciders import make_decider
from app.runs.deciding import Decider, Item
from app.runs.ledger import Book
from app.runs.resolved import ResolvedIds
from app.runs.staging import Scope, StagedRow, Staging
from app.runs.work import Work
from app.security import DataKey

_SHARED = ("compiled:", "linked:", "target_inventory", "source_inventory", "owners")
_BEFORE = """
    FROM staged s LEFT JOIN staged_changes c ON c.engagement_id = s.engagement_id AND c.object = s.object
        AND c.source_id = s.source_id AND c.batch = $3
    WHERE s.engagement_id = $1 AND s.object = $2 AND c.kind IS DISTINCT FROM 'created'
"""
_LIVED = "(s.deleted_at IS NULL OR c.kind IN ('deleted', 'merged'))"


class FormerStaging(Staging):
    """Staged records as they were before one delta. Every method works inside the caller's transaction."""

    def __init__(self, engagement_id: UUID, tenant_id: UUID, key: DataKey, batch: int) -> None:
        super().__init__(engagement_id, tenant_id, key)
        self._batch = batch

    async def page(
        self,
        connection: "asyncpg.Connection[Any]",
        object_name: str,
        after: str,
        upto: str | None,
        limit: int,
        scope: Scope,  # noqa: ARG002  everything that lived, whatever the run is about
    ) -> list[StagedRow]:
        """Records that lived before the delta, in key order."""
        rows = await connection.fetch(
            f"SELECT s.source_id, coalesce(c.former, s.payload) AS payload {_BEFORE} AND {_LIVED}"
            " AND coalesce(c.former, s.payload) IS NOT NULL"
            " AND s.source_id > $4 AND ($5::text IS NULL OR s.source_id <= $5) ORDER BY s.source_id LIMIT $6",
            *(self._engagement_id, object_name, self._batch, after, upto, limit),
        )
        return [self._open(object_name, row["source_id"], row["payload"]) for row in rows]

    async def by_ids(
        self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str], *, gone_too: bool = False
    ) -> dict[str, Record]:
        rows = await connection.fetch(
            f"SELECT s.source_id, coalesce(c.former, s.payload) AS payload {_BEFORE} AND ($5 OR {_LIVED})"
            " AND coalesce(c.former, s.payload) IS NOT NULL AND s.source_id = ANY($4)",
            *(self._engagement_id, object_name, self._batch, list(ids), gone_too),
        )
        return {row["source_id"]: self._open(object_name, row["source_id"], row["payload"]).record for row in rows}

    async def survivors(
        self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str]
    ) -> dict[str, str]:
        rows = await connection.fetch(
            f"SELECT s.source_id, s.merged_into {_BEFORE} AND s.source_id = ANY($4) AND s.merged_into IS NOT NULL"  # noqa: S608
            " AND c.kind IS DISTINCT FROM 'merged'",
            *(self._engagement_id, object_name, self._batch, list(ids)),
        )
        return {row["source_id"]: row["merged_into"] for row in rows}


class FormerBook(Book):
    """The ledger without what this run created."""

    async def record_ids(
        self, connection: "asyncpg.Connection[Any]", load: Load, source_ids: Sequence[str]
    ) -> dict[str, str]:
        rows = await connection.fetch(
            "SELECT source_id, record_id FROM ledger WHERE engagement_id = $1 AND destination_id = $2"
            " AND source_object = $3 AND target_object = $4 AND part = $5 AND source_id = ANY($6)"
            " AND record_id IS NOT NULL AND NOT (run_id = $7 AND outcome = 'created')",
            *(self.engagement_id, self.destination_id, load.source_object, load.target_object, load.part),
            *(list(source_ids), self.run_id),
        )
        return dict(rows)


class FormerWork(Work):
    """The run's work with that view of staging and ledger; calls, lease and key are the run's own."""

    @property
    def book(self) -> Book:
        now = super().book
        return FormerBook(now.tenant_id, now.engagement_id, now.destination_id, now.run_id)


def former_work(work: Work) -> Work:
    """The view before the run's delta, made once per worker."""
    if "former" not in work.cache:
        batch = int(work.options["batch"])
        shared = {key: value for key, value in work.cache.items() if key.startswith(_SHARED)}
        view = FormerWork(**{one.name: getattr(work, one.name) for one in fields(Work)})
        view.cache, view.resolved = shared, ResolvedIds()
        view.staging = FormerStaging(work.run.engagement_id, work.run.tenant_id, work.key, batch)
        work.cache["former"] = view
    former: Work = work.cache["former"]
    return former


class Base:
    """What we last wrote of one load's records, computed again; made by `former_base`."""

    def __init__(self, work: Work, load: Load, decider: Decider) -> None:
        self._work = work
        self._load = load
        self._decider = decider

    async def wrote(self, items: Sequence[Item]) -> dict[str, tuple[dict[str, Any], bytes]]:
        """Source id → what the former state comes to, exact, and its keyed hash; absent where nothing was known."""
        ids = [item.source_id for item in items]
        view = former_work(self._work)
        async with self._work.transaction() as connection:
            records = await view.staging.by_ids(connection, self._load.source_object, ids, gone_too=True)
            rows = [StagedRow(one, records[one]) for one in ids if one in records]
            page = await self._decider.gather_page(connection, rows, fresh=True)
        made: dict[str, tuple[dict[str, Any], bytes]] = {}
        for row in page.rows:
            meant = self._decider.meant(row, page)
            if meant is not None:
                made[row.source_id] = (exact_json(orjson.dumps(meant[0])), meant[1])
        return made


async def former_base(work: Work, load: Load) -> Base:
    """The base of a merge: proved where its hash is the ledger's."""
    return Base(work, load, await make_decider(former_work(work), load))
