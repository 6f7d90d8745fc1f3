"""The readings of a load: stored hashes of what was meant and found, and since when they can be relied on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from app.runs.work import Work

OVERLAP = timedelta(minutes=5)
"""Clocks of two companies differ; what changed in the minutes before a check is read again at the next."""

_LAST = """
    SELECT s.detail ->> 'mark' AS mark FROM run_stages s JOIN runs r ON r.id = s.run_id
    WHERE r.engagement_id = $1 AND r.destination_id = $2 AND s.kind = 'reconcile' AND s.load = $3 AND s.state = 'done'
      AND r.id <> $4 AND s.detail ? 'mark'
    ORDER BY s.finished_at DESC LIMIT 1
"""
_KNOWN = """
    SELECT source_id, record_id, meant, found FROM readings
    WHERE engagement_id = $1 AND destination_id = $2 AND load = $3 AND source_id = ANY($4)
"""
_STORE = """
    INSERT INTO readings (engagement_id, destination_id, load, source_id, tenant_id, record_id, meant, found, read_at)
    SELECT $1, $2, $3, r.source_id, $4, r.record_id, r.meant, r.found, $5
    FROM unnest($6::text[], $7::text[], $8::bytea[], $9::bytea[]) AS r(source_id, record_id, meant, found)
    ON CONFLICT (engagement_id, destination_id, load, source_id)
    DO UPDATE SET record_id = excluded.record_id, meant = excluded.meant, found = excluded.found,
                  read_at = excluded.read_at
"""
_DIFFERING = """
    SELECT r.source_id FROM readings r
    WHERE r.engagement_id = $1 AND r.destination_id = $2 AND r.load = $3 AND r.source_id > $4
      AND r.found IS NOT NULL AND r.found <> r.meant
    ORDER BY r.source_id LIMIT 500
"""


class Reading(NamedTuple):
    """One record as it was last read; `found` is None when the destination did not have it."""

    source_id: str
    record_id: str
    meant: bytes
    found: bytes | None


async def mark_of(work: Work, load: str) -> datetime | None:
    """From when on changes at the destination have not been seen; None when this load was never checked."""
    async with work.transaction() as connection:
        mark = await connection.fetchval(_LAST, work.run.engagement_id, work.run.destination_id, load, work.run.id)
    return datetime.fromisoformat(mark) if mark else None


async def known(connection: "asyncpg.Connection[Any]", work: Work, load: str, ids: Sequence[str]) -> dict[str, Reading]:
    """The readings of these source ids."""
    rows = await connection.fetch(_KNOWN, work.run.engagement_id, work.run.destination_id, load, list(ids))
    return {row["source_id"]: Reading(*tuple(row)) for row in rows}


async def store(connection: "asyncpg.Connection[Any]", work: Work, load: str, rows: Sequence[Reading]) -> None:
    """Remembers readings, the latest of a record only."""
    if rows:
        await connection.execute(
            _STORE,
            *(work.run.engagement_id, work.run.destination_id, load, work.run.tenant_id, work.now()),
            *([row.source_id for row in rows], [row.record_id for row in rows]),
            *([row.meant for row in rows], [row.found for row in rows]),
        )


async def differing(connection: "asyncpg.Connection[Any]", work: Work, load: str, after: str) -> list[str]:
    """Up to 500 source ids, ascending, whose record is there with other values than meant."""
    rows = await connection.fetch(_DIFFERING, work.run.engagement_id, work.run.destination_id, load, after)
    return [row["source_id"] for row in rows]
