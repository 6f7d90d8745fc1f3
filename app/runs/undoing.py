"""The journal of a rollback: which records it took back, written with the ledger in one transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg

from app.runs.work import Work

DELETED, RESTORED = "deleted", "restored"
NOT_DELETED, NOT_RESTORED = "not_deleted", "not_restored"
"""How the reason of a ledger row begins that a rollback could not take back; the destination's word follows."""
_NOTE = """
    INSERT INTO undone (run_id, load, source_id, tenant_id, record_id, what, kept, before, proof)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')
    ON CONFLICT (run_id, load, source_id)
    DO UPDATE SET record_id = excluded.record_id, what = excluded.what, kept = excluded.kept, before = excluded.before
"""


class Undo(NamedTuple):
    """One record that was taken back."""

    source_id: str
    record_id: str
    what: str
    kept: Sequence[str] = ()
    before: bytes | None = None


async def note(connection: "asyncpg.Connection[Any]", work: Work, load: str, undone: Sequence[Undo]) -> None:
    """Writes the journal in the caller's transaction."""
    if undone:
        await connection.executemany(
            _NOTE,
            [
                (
                    work.run.id,
                    load,
                    one.source_id,
                    work.run.tenant_id,
                    one.record_id,
                    one.what,
                    list(one.kept),
                    one.before,
                )
                for one in undone
            ],
        )
