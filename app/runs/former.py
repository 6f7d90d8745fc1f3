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

from app.domain.mapping import Load
from app.domain.schema import Record
from app.runs.ledger import Book
from app.runs.resolved import ResolvedIds
from app.runs.staging import Scope, StagedRow, Staging
from app.runs.work import Work
from app.security import DataKey

_SHARED = ("compiled:", "linked:", "target_inventory", "source_inventory", "owners")
_BEFORE = """
    FROM staged s LEFT JOIN (
        SELECT source_id, (array_agg(kind ORDER BY batch))[1] AS kind,
               (array_agg(former ORDER BY batch) FILTER (WHERE former IS NOT NULL))[1] AS former,
               bool_or(kind IN ('deleted', 'merged')) AS ended, bool_or(kind = 'merged') AS merged
        FROM staged_changes WHERE engagement_id = $1 AND object = $2 AND batch = ANY($3::int[]) AND kind <> 'related'
              AND ($4::text[] IS NULL OR source_id = ANY($4)) GROUP BY source_id) c ON c.source_id = s.source_id
    WHERE s.engagement_id = $1 AND s.object = $2 AND c.kind IS DISTINCT FROM 'created'
"""
_LIVED = "(s.deleted_at IS NULL OR c.ended)"


class FormerStaging(Staging):
    """Staged records as they were before these deltas, which are all since then. Every method works inside the caller's
    transaction.
    """

    def __init__(self, engagement_id: UUID, tenant_id: UUID, key: DataKey, batches: Sequence[int]) -> None:
        super().__init__(engagement_id, tenant_id, key)
        self._batches = list(batches)

    async def page(
        self,
        connection: "asyncpg.Connection[Any]",
        object_name: str,
        after: str,
        upto: str | None,
        limit: int,
        scope: Scope,  # noqa: ARG002  everything that lived, whatever the run is about
        *,
        gone_too: bool = False,  # noqa: ARG002  what lived then
    ) -> list[StagedRow]:
        """Records that lived before these deltas, in key order."""
        rows = await connection.fetch(
            f"SELECT s.source_id, coalesce(c.former, s.payload) AS payload {_BEFORE} AND {_LIVED}"
            " AND coalesce(c.former, s.payload) IS NOT NULL"
            " AND s.source_id > $5 AND ($6::text IS NULL OR s.source_id <= $6) ORDER BY s.source_id LIMIT $7",
            *(self._engagement_id, object_name, self._batches, None, after, upto, limit),
        )
        return [self._open(object_name, row["source_id"], row["payload"]) for row in rows]

    async def by_ids(
        self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str], *, gone_too: bool = False
    ) -> dict[str, Record]:
        rows = await connection.fetch(
            f"SELECT s.source_id, coalesce(c.former, s.payload) AS payload {_BEFORE} AND ($5 OR {_LIVED})"
            " AND coalesce(c.former, s.payload) IS NOT NULL AND s.source_id = ANY($4)",
            *(self._engagement_id, object_name, self._batches, list(ids), gone_too),
        )
        return {row["source_id"]: self._open(object_name, row["source_id"], row["payload"]).record for row in rows}

    async def survivors(
        self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str]
    ) -> dict[str, str]:
        rows = await connection.fetch(
            f"SELECT s.source_id, s.merged_into {_BEFORE} AND s.source_id = ANY($4) AND s.merged_into IS NOT NULL"
            " AND c.merged IS NOT TRUE",
            *(self._engagement_id, object_name, self._batches, list(ids)),
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
        view.staging = FormerStaging(work.run.engagement_id, work.run.tenant_id, work.key, [batch])
        work.cache["former"] = view
    former: Work = work.cache["former"]
    return former
