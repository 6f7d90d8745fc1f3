"""The ledger: what became of every planned write, and the intents committed before any call (rulings 1, 2, 9).

Results arrive in blocks by COPY; each block also closes its intent and appends to the audit log, in one transaction
that holds only while the fence does.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg

from app.domain.mapping import Load


class Outcome(StrEnum):
    """The six ends of a planned write."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"
    HELD = "held"


@dataclass(slots=True)
class Entry:
    """One planned write and its end. `ours`: we created the destination record (None: keep what the ledger says)."""

    source_id: str
    outcome: str
    reason: str = ""
    record_id: str | None = None
    ours: bool | None = None
    sent_hash: bytes | None = None
    before: bytes | None = None
    issues: str = ""
    owner_id: str = ""
    modified_at: str = ""


@dataclass(frozen=True, slots=True)
class Prior:
    """What an earlier run left for the same planned write."""

    outcome: str
    record_id: str | None
    created: bool
    sent_hash: bytes | None
    run_id: UUID


@dataclass(frozen=True, slots=True)
class OpenIntent:
    id: UUID
    after_id: str
    upto_id: str
    existing: list[str]
    committed_at: datetime


_NOT_ARRIVED = frozenset({Outcome.SKIPPED.value, Outcome.QUARANTINED.value, Outcome.HELD.value})
_REASONS, _CHANGES = 50, 100
_TEMPORARY = """
    CREATE TEMPORARY TABLE IF NOT EXISTS ledger_in (
        source_id text, outcome text, reason text, record_id text, ours boolean, sent_hash bytea, before bytea,
        issues text, owner_id text, modified_at text
    ) ON COMMIT DELETE ROWS
"""
_COLUMNS = (
    *("source_id", "outcome", "reason", "record_id", "ours", "sent_hash", "before"),
    *("issues", "owner_id", "modified_at"),
)
# One descent of the key per id whatever the statistics say: on a table that grew since it was last analysed the planner
# prefers to read a whole object for `= ANY`, which makes a large run quadratic.
_EACH = """
    FROM unnest($6::text[]) AS wanted(id) CROSS JOIN LATERAL (
        SELECT * FROM ledger WHERE engagement_id = $1 AND destination_id = $2 AND source_object = $3
        AND source_id = wanted.id AND target_object = $4 AND part = $5 OFFSET 0) l
"""
_as_row = attrgetter(*_COLUMNS)
_INSERT = """
    INSERT INTO ledger AS old (engagement_id, destination_id, source_object, source_id, target_object, part, tenant_id,
        run_id, outcome, reason, record_id, created, sent_hash, before, issues, owner_id, modified_at, written_at)
    SELECT $1, $2, $3, source_id, $4, $5, $6, $7, outcome, reason, record_id, coalesce(ours, false), sent_hash, before,
           issues, owner_id, modified_at, $8
    FROM ledger_in
"""
_RENEW = """
    ON CONFLICT (engagement_id, destination_id, source_object, source_id, target_object, part) DO UPDATE
    SET run_id = excluded.run_id, outcome = excluded.outcome, reason = excluded.reason,
        record_id = coalesce(excluded.record_id, old.record_id),
        created = old.created OR excluded.created,
        sent_hash = coalesce(excluded.sent_hash, old.sent_hash),
        before = CASE WHEN old.created THEN coalesce(excluded.before, old.before)
                      ELSE coalesce(old.before, excluded.before) END,
        issues = CASE WHEN excluded.outcome = 'unchanged' THEN old.issues ELSE excluded.issues END,
        owner_id = CASE WHEN excluded.owner_id = '' THEN old.owner_id ELSE excluded.owner_id END,
        modified_at = CASE WHEN excluded.modified_at = '' THEN old.modified_at ELSE excluded.modified_at END,
        written_at = excluded.written_at
"""
_RECORD = _INSERT + _RENEW


class Book:
    """The ledger of one engagement at one destination. Every method works inside the caller's transaction."""

    def __init__(self, tenant_id: UUID, engagement_id: UUID, destination_id: UUID, run_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.engagement_id = engagement_id
        self.destination_id = destination_id
        self.run_id = run_id

    async def bring(self, connection: "asyncpg.Connection[Any]", entries: Sequence[Entry]) -> None:
        """Copies a block of ends to the server, once in a transaction; `record` writes them.

        Before any lock is taken: a worker that is stopped while it copies is not idle for PostgreSQL, so that nothing
        would end its lock, and nobody could take the run over.
        """
        if entries:
            await connection.execute(_TEMPORARY)
            await connection.copy_records_to_table("ledger_in", columns=_COLUMNS, records=map(_as_row, entries))

    async def record(
        self, connection: "asyncpg.Connection[Any]", load: Load, at: datetime, *, fresh: bool = False
    ) -> None:
        """Writes the ends that `bring` copied in this transaction (its end empties the temporary table).

        `fresh` promises that none of them is in the ledger; UniqueViolationError where one is.
        """
        await connection.execute(
            _INSERT if fresh else _RECORD,
            *(self.engagement_id, self.destination_id, load.source_object, load.target_object, load.part),
            *(self.tenant_id, self.run_id, at),
        )

    async def priors(
        self, connection: "asyncpg.Connection[Any]", load: Load, source_ids: Sequence[str]
    ) -> dict[str, Prior]:
        """What earlier runs (or an earlier try of this one) left for these records."""
        rows = await connection.fetch(
            f"SELECT l.source_id, outcome, record_id, created, sent_hash, run_id {_EACH}",
            *(self.engagement_id, self.destination_id, load.source_object, load.target_object, load.part),
            list(source_ids),
        )
        return {row["source_id"]: Prior(*tuple(row)[1:]) for row in rows}

    async def any_prior(self, connection: "asyncpg.Connection[Any]", load: Load) -> bool:
        """Whether the ledger knows anything of this load yet."""
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM ledger WHERE engagement_id = $1 AND destination_id = $2"
                " AND source_object = $3 AND target_object = $4 AND part = $5)",
                *(self.engagement_id, self.destination_id, load.source_object, load.target_object, load.part),
            )
        )

    async def record_ids(
        self, connection: "asyncpg.Connection[Any]", load: Load, source_ids: Sequence[str]
    ) -> dict[str, str]:
        """Destination ids behind source ids, for lookups."""
        rows = await connection.fetch(
            f"SELECT l.source_id, record_id {_EACH} WHERE record_id IS NOT NULL",
            *(self.engagement_id, self.destination_id, load.source_object, load.target_object, load.part),
            sorted(source_ids),
        )
        return dict(rows)

    async def commit_intent(
        self,
        connection: "asyncpg.Connection[Any]",
        intent_id: UUID,
        stage: str,
        *,
        after_id: str,
        upto_id: str,
        size: int,
        existing: Sequence[str],
        now: datetime,
    ) -> None:
        """Announces a block: from here on its records may be on the wire."""
        await connection.execute(
            "INSERT INTO intents (id, tenant_id, engagement_id, destination_id, run_id, stage, after_id, upto_id, size,"
            " existing, committed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            *(intent_id, self.tenant_id, self.engagement_id, self.destination_id, self.run_id, stage),
            *(after_id, upto_id, size, list(existing), now),
        )

    async def close_intent(self, connection: "asyncpg.Connection[Any]", intent_id: UUID) -> None:
        await connection.execute("DELETE FROM intents WHERE id = $1", intent_id)

    async def open_intents(self, connection: "asyncpg.Connection[Any]", stage: str) -> list[OpenIntent]:
        """Blocks whose results nobody recorded: their calls may or may not have been executed."""
        rows = await connection.fetch(
            "SELECT id, after_id, upto_id, existing, committed_at FROM intents WHERE run_id = $1 AND stage = $2"
            " ORDER BY after_id",
            *(self.run_id, stage),
        )
        return [OpenIntent(*tuple(row)) for row in rows]

    async def account(self, connection: "asyncpg.Connection[Any]", load: Load) -> "Account":
        """This run's ends from the raw rows, in one look. The rest of the transaction goes without sorting."""
        # few distinct ends of many rows: statistics that are behind would have all of them sorted for it
        await connection.execute("SET LOCAL enable_sort = off")
        rows = await connection.fetch(
            "SELECT outcome, reason, issues, count(*) AS n FROM ledger WHERE run_id = $1 AND target_object = $2"
            " AND part = $3 AND source_object = $4 GROUP BY 1, 2, 3",
            *(self.run_id, load.target_object, load.part, load.source_object),
        )
        return account_of([tuple(row) for row in rows])


@dataclass(frozen=True, slots=True)
class Account:
    """`counts` per outcome. `reasons` of what did not arrive, e.g. {"held:unmapped_value:Stage": 3}.

    `changes`: how many values changed on their way, by "field:code"; the records concerned carry the same words.
    """

    counts: dict[str, int]
    reasons: dict[str, int]
    changes: dict[str, int]


def account_of(rows: Iterable[tuple[str, str, str, int]]) -> Account:
    """Sums (outcome, reason, issues, records); the most frequent reasons and changes are kept."""
    counts, reasons, changes = Counter[str](), Counter[str](), Counter[str]()
    for outcome, reason, issues, records in rows:
        counts[outcome] += records
        if outcome in _NOT_ARRIVED:
            reasons[f"{outcome}:{reason}"] += records
        for change in issues.split():
            changes[change] += records
    return Account(
        {outcome.value: counts[outcome.value] for outcome in Outcome},
        dict(reasons.most_common(_REASONS)),
        dict(changes.most_common(_CHANGES)),
    )
