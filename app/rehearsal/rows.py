"""Raw rows of one engagement, read past the service as the database's owner: what judges a rehearsal (ruling 32)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from app.db import plain_url

_GONE = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError)
_TRIES = 100
_PAUSE = 0.1
_CONDITIONS = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


class Rows:
    """Asks one database, again where it is on its way down or up."""

    def __init__(self, database_url: str) -> None:
        self._url = plain_url(database_url)

    def fetch(self, query: str, *arguments: object) -> "list[asyncpg.Record]":
        """Rows. Raises asyncpg.PostgresError; OSError when the database stays away for ten seconds."""

        async def ask(connection: "asyncpg.Connection[Any]") -> "list[asyncpg.Record]":
            return list(await connection.fetch(query, *arguments))

        found: list[asyncpg.Record] = self._run(ask)
        return found

    def value(self, query: str, *arguments: object) -> Any:
        """The one value of the first row."""
        return self.fetch(query, *arguments)[0][0]

    def end_sessions(self) -> int:
        """Ends every other session of the database, as an administrator or a failover would; how many there were."""
        query = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
        """
        return int(self.value(query))

    def _run(self, ask: "Callable[[asyncpg.Connection[Any]], Awaitable[list[asyncpg.Record]]]") -> Any:
        async def run() -> Any:
            for attempt in range(_TRIES):
                try:
                    connection = await asyncpg.connect(self._url, timeout=5)
                    try:
                        return await ask(connection)
                    finally:
                        await connection.close(timeout=2)
                except (*_GONE, *_CONDITIONS, TimeoutError):
                    if attempt == _TRIES - 1:
                        raise
                    await asyncio.sleep(_PAUSE)
            raise AssertionError  # the loop returns or raises

        return asyncio.run(run())


# ── what must hold ────────────────────────────────────────────────────────────────────────────────────────────────────

_OPEN_INTENTS = "SELECT count(*) FROM intents WHERE engagement_id = $1"
_WITHOUT_END = """
    SELECT count(*) FROM staged s
    WHERE s.engagement_id = $1 AND s.deleted_at IS NULL AND s.merged_into IS NULL
      AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.engagement_id = $1 AND l.destination_id = $2
                      AND l.source_object = s.object AND l.source_id = s.source_id)
"""
_UNNAMED = """
    SELECT count(*) FROM ledger WHERE engagement_id = $1 AND (
        outcome NOT IN ('created', 'updated', 'unchanged', 'skipped', 'quarantined', 'held')
        OR (outcome IN ('skipped', 'quarantined', 'held') AND reason = ''))
"""
_STAGES = """
    SELECT r.kind, s.key, s.state, s.counts FROM run_stages s JOIN runs r ON r.id = s.run_id
    WHERE r.engagement_id = $1 AND r.state = 'completed' AND s.kind IN ('load', 'link', 'note', 'file')
"""
_DOUBLED = """
    SELECT coalesce(sum(n - 1), 0) FROM (
        SELECT count(*) AS n FROM ledger
        WHERE engagement_id = $1 AND destination_id = $2 AND created AND record_id IS NOT NULL
        GROUP BY target_object, record_id HAVING count(*) > 1
    ) AS shared
"""
_QUARANTINED = """
    SELECT reason, count(*) AS n FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND outcome = 'quarantined' GROUP BY 1 ORDER BY 2 DESC
"""
_OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined", "held")


def open_intents(rows: Rows, engagement_id: UUID) -> int:
    """Announced writes whose end nobody knows."""
    return int(rows.value(_OPEN_INTENTS, engagement_id))


def without_end(rows: Rows, engagement_id: UUID, destination_id: UUID) -> int:
    """Living source records that no ledger row speaks of."""
    return int(rows.value(_WITHOUT_END, engagement_id, destination_id))


def unnamed(rows: Rows, engagement_id: UUID) -> int:
    """Ledger rows without one of the six outcomes, or left out without a reason."""
    return int(rows.value(_UNNAMED, engagement_id))


def shared_records(rows: Rows, engagement_id: UUID, destination_id: UUID) -> int:
    """Destination records that more than one source record claims to have created."""
    return int(rows.value(_DOUBLED, engagement_id, destination_id))


def unbalanced(rows: Rows, engagement_id: UUID) -> list[str]:
    """Loading stages of completed runs in which what was read is not what ended."""
    found = []
    for row in rows.fetch(_STAGES, engagement_id):
        counts = row["counts"] if isinstance(row["counts"], dict) else json.loads(row["counts"])
        ended = sum(counts.get(name, 0) for name in _OUTCOMES)
        if row["state"] == "done" and counts.get("read", 0) != ended:
            found.append(f"{row['kind']} {row['key']}: {counts.get('read', 0)} read, {ended} ended")
    return found


def quarantined(rows: Rows, engagement_id: UUID, destination_id: UUID) -> dict[str, int]:
    """Refused records that are still refused, by reason."""
    return {row["reason"]: row["n"] for row in rows.fetch(_QUARANTINED, engagement_id, destination_id)}
