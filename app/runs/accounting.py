"""Accounts for every source record: what no load took ends as skipped with a closed reason (ruling 2, conservation)."""

from typing import Any

import asyncpg

from app.domain.mapping import MappingDocument
from app.runs.work import Work

EXPORTED = "exported_to_file"
EXCLUDED = "excluded_by_mapping"

_REST = """
    INSERT INTO ledger AS old (engagement_id, destination_id, source_object, source_id, target_object, part, tenant_id,
        run_id, outcome, reason, created, issues, owner_id, modified_at, written_at)
    SELECT $1, $2, s.object, s.source_id, '', '', $3, $4, 'skipped', $6, false, '', '', '', $7
    FROM staged s
    WHERE s.engagement_id = $1 AND s.object = $5 AND s.deleted_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.engagement_id = $1 AND l.destination_id = $2
                      AND l.source_object = s.object AND l.source_id = s.source_id AND l.target_object <> '')
    ON CONFLICT (engagement_id, destination_id, source_object, source_id, target_object, part)
    DO UPDATE SET run_id = excluded.run_id, outcome = 'skipped', reason = excluded.reason,
                  written_at = excluded.written_at
"""
_UNENDED = """
    SELECT s.object, count(*) AS n FROM staged s
    WHERE s.engagement_id = $1 AND s.deleted_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.engagement_id = $1 AND l.destination_id = $2
                      AND l.source_object = s.object AND l.source_id = s.source_id)
    GROUP BY s.object
"""


def reason_for(document: MappingDocument, object_name: str) -> str:
    """Why records of an object that no load took stay: what the mapping says of the object as a whole."""
    for exclusion in document.exclusions:
        if exclusion.source_object == object_name and not exclusion.field:
            return EXPORTED if exclusion.export else exclusion.reason
    return EXCLUDED


async def account_for_rest(
    work: Work, connection: "asyncpg.Connection[Any]", *, unloaded: bool = False
) -> dict[str, dict[str, int]]:
    """Ends every staged record that no load planned for; returns {object: {reason: count}}. With `unloaded` only
    records of objects without a load, of which a delta may have found new ones.
    """
    loaded = {load.source_object for load in work.mapping().loads if load.enabled} if unloaded else set()
    counts = [name for name in await work.staging.counts(connection) if name not in loaded]
    rest: dict[str, dict[str, int]] = {}
    for name in counts:
        reason = reason_for(work.mapping(), name)
        status = await connection.execute(
            _REST,
            *(work.run.engagement_id, work.run.destination_id, work.run.tenant_id, work.run.id, name),
            *(reason, work.now()),
        )
        ended = int(status.rsplit(" ", 1)[1])
        if ended:
            rest[name] = {reason: ended}
    return rest


async def without_end(work: Work, connection: "asyncpg.Connection[Any]") -> dict[str, int]:
    """Source records that have no end at all, per object; anything here breaks conservation."""
    rows = await connection.fetch(_UNENDED, work.run.engagement_id, work.run.destination_id)
    return {row["object"]: row["n"] for row in rows}
