"""Books ends that were reached without the loader: in the ledger and in the audit log, guarded by the fence."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from app import audit_chain
from app.domain.mapping import Load, LoadMode
from app.runs.ledger import Entry
from app.runs.undoing import Undo, note
from app.runs.work import StageRow, Work


async def commit_entries(
    work: Work,
    rule: Load,
    entries: Sequence[Entry],
    stage: StageRow | None = None,
    *,
    forget: bool = False,
    undone: Sequence[Undo] = (),
) -> None:
    """One transaction: ledger, audit, stage, and what was `undone`. With `forget` rolled-back rows let go of their
    destination record.
    """
    if not entries:
        return
    async with work.transaction() as connection:
        await work.book.bring(connection, entries)
        await work.lease.guard(connection)
        await book(work, connection, rule, entries)
        await note(connection, work, rule.key, undone)
        if forget:
            await _forget(work, connection, rule, [one.source_id for one in entries if one.reason == "rolled_back"])
        if stage is not None:
            await work.save_stage(connection, stage)


async def book(
    work: Work, connection: "asyncpg.Connection[Any]", rule: Load, entries: Sequence[Entry], *, fresh: bool = False
) -> None:
    """Ledger rows and their audit block in the caller's transaction, which has brought the entries before its guard;
    `fresh` as in `Book.record`.
    """
    if not entries:
        return
    at = work.now()
    work.advanced += len(entries)
    await work.book.record(connection, rule, at, fresh=fresh)
    stamp = int(at.timestamp() * 1000)
    source, target, part = rule.source_object, rule.target_object, rule.part
    await audit_chain.append(
        connection,
        work.run.tenant_id,
        [(source, e.source_id, target, part, e.record_id, e.outcome, e.reason, e.owner_id, stamp) for e in entries],
        subject=f"{work.run.kind}:{rule.key}",
        at=at,
        engagement_id=work.run.engagement_id,
        run_id=work.run.id,
    )


async def _forget(work: Work, connection: "asyncpg.Connection[Any]", rule: Load, source_ids: list[str]) -> None:
    """A rolled-back record no longer stands at the destination; links made on it are gone with it."""
    links = [
        link.part
        for link in work.mapping().loads
        if link.mode is LoadMode.LINK and link.base == rule.key and link.source_object == rule.source_object
    ]
    await connection.execute(
        "UPDATE ledger SET record_id = NULL, created = false, sent_hash = NULL, before = NULL WHERE engagement_id = $1"
        " AND destination_id = $2 AND source_object = $3 AND target_object = $4"
        " AND part = ANY($5) AND source_id = ANY($6)",
        *(work.run.engagement_id, work.run.destination_id, rule.source_object, rule.target_object),
        *([rule.part, *links], source_ids),
    )
