"""Findings of the three-way merge: fields that a delta left as people have them, and what was decided about them.

Both sides' values are kept sealed, so that a person can look at them and nobody else can.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg
import orjson

from app.domain.mapping import Load
from app.domain.merging import Side
from app.runs.work import StageRow, Work
from app.security import DataKey

OPEN, KEPT, SOURCE, DONE = "open", "kept", "source", "done"

_STORE = """
    INSERT INTO merge_findings (engagement_id, destination_id, load, source_id, field, tenant_id, run_id, record_id,
                                state, sides, found_at)
    SELECT $1, $2, $3, f.source_id, f.field, $4, $5, f.record_id, f.state, f.sides, $6
    FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[])
         AS f(source_id, field, record_id, state, sides)
    ON CONFLICT (engagement_id, destination_id, load, source_id, field)
    DO UPDATE SET run_id = excluded.run_id, record_id = excluded.record_id, state = excluded.state,
                  sides = excluded.sides, found_at = excluded.found_at, settled_at = NULL
"""
_STANDING = """
    SELECT source_id, field, state FROM merge_findings
    WHERE engagement_id = $1 AND destination_id = $2 AND load = $3 AND state IN ('open', 'source')
"""
_SETTLE = """
    UPDATE merge_findings SET state = 'done', settled_at = $4
    WHERE engagement_id = $1 AND destination_id = $2 AND load = $3 AND state = 'source'
      AND source_id IN (SELECT source_id FROM ledger WHERE run_id = $5 AND outcome IN ('updated', 'unchanged')
                        AND source_object = $6 AND target_object = $7 AND part = $8)
"""
_FOUND = """
    SELECT field, state, count(*) AS records FROM merge_findings
    WHERE engagement_id = $1 AND destination_id = $2 AND load = $3 AND run_id = $4 AND state IN ('open', 'kept')
    GROUP BY field, state ORDER BY field
"""


class Finding(NamedTuple):
    """One field of one record; `sides` sealed."""

    source_id: str
    field: str
    record_id: str
    state: str
    sides: bytes


def place(load: str, source_id: str, field: str) -> bytes:
    """What the sealed sides are bound to."""
    return f"merge\x00{load}\x00{source_id}\x00{field}".encode()


def seal_sides(key: DataKey, load: str, source_id: str, field: str, sides: dict[str, Any]) -> bytes:
    return key.seal(orjson.dumps(sides, default=str), place(load, source_id, field))


def open_sides(key: DataKey, load: str, source_id: str, field: str, sealed: bytes) -> dict[str, Any]:
    """{"written", "source", "destination"} of one field. Raises SealBroken."""
    sides: dict[str, Any] = orjson.loads(key.unseal(sealed, place(load, source_id, field)))
    return sides


async def store(connection: "asyncpg.Connection[Any]", work: Work, load: str, found: Sequence[Finding]) -> None:
    """Remembers findings in the caller's transaction; the latest of a field counts."""
    if found:
        columns = [list(column) for column in zip(*found, strict=True)]
        await connection.execute(
            _STORE,
            *(work.run.engagement_id, work.run.destination_id, load, work.run.tenant_id, work.run.id, work.now()),
            *columns,
        )


async def book(work: Work, load: str, found: Sequence[Finding], looked_at: Sequence[str]) -> None:
    """Findings of records that a merge has just looked at: committed before any call, so that they are known even when
    the worker dies right after.
    """
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await forget_kept(connection, work, load, looked_at)
        await store(connection, work, load, found)


async def left_alone(
    connection: "asyncpg.Connection[Any]", work: Work, loads: Sequence[str], source_ids: Sequence[str]
) -> dict[str, list[str]]:
    """Source id → fields of these loads that stand as people have them, decided or not."""
    rows = await connection.fetch(
        "SELECT source_id, field FROM merge_findings WHERE engagement_id = $1 AND destination_id = $2"
        " AND load = ANY($3) AND state IN ('open', 'kept') AND source_id = ANY($4)",
        *(work.run.engagement_id, work.run.destination_id, list(loads), list(source_ids)),
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["source_id"], []).append(row["field"])
    return found


async def forget_kept(connection: "asyncpg.Connection[Any]", work: Work, load: str, source_ids: Sequence[str]) -> None:
    """Records that are looked at again: what people still keep there is found again."""
    await connection.execute(
        "DELETE FROM merge_findings WHERE engagement_id = $1 AND destination_id = $2 AND load = $3"
        " AND state = 'kept' AND source_id = ANY($4)",
        *(work.run.engagement_id, work.run.destination_id, load, list(source_ids)),
    )


async def standing(work: Work, load: str) -> dict[str, dict[str, str]]:
    """Source id → field → `open`, or `source` where a person wants the source's value and no run has written it."""
    async with work.transaction() as connection:
        rows = await connection.fetch(_STANDING, work.run.engagement_id, work.run.destination_id, load)
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["source_id"], {})[row["field"]] = row["state"]
    return found


async def conclude_load(work: Work, stage: StageRow, load: Load) -> None:
    """At the end of a delta's load: decisions that were carried out are done, new conflicts become questions.

    The stage counts `conflicts` and `kept_edits` in fields.
    """
    here = (work.run.engagement_id, work.run.destination_id, load.key)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        ledger = (work.run.id, load.source_object, load.target_object, load.part)
        await connection.execute(_SETTLE, *here, work.now(), *ledger)
        found = await connection.fetch(_FOUND, *here, work.run.id)
    for name, state in (("conflicts", OPEN), ("kept_edits", KEPT)):
        if number := sum(row["records"] for row in found if row["state"] == state):
            stage.counts[name] = number
    rows = [row for row in found if row["state"] == OPEN]
    if not rows:
        return
    # the database layer of the slices is heavy to import, and a fresh load has no conflicts
    from app.engagements.questions import MERGE_CONFLICT, ask
    from app.models.engagement import Engagement

    async with work.runtime.db.transaction(work.run.tenant_id) as session:
        engagement = await session.get_one(Engagement, work.run.engagement_id)
        for row in rows:
            await ask(
                session,
                engagement,
                subject=f"merge:{work.run.id}:{load.key}:{row['field']}",
                code=MERGE_CONFLICT,
                detail={
                    "text": f"{row['records']} records of {load.key} have another {row['field']} in both systems than "
                    "was last written. Which side wins? Single records can be decided otherwise under `records`.",
                    "run_id": str(work.run.id),
                    "destination_id": str(work.run.destination_id),
                    "load": load.key,
                    "field": row["field"],
                    "records": row["records"],
                },
                options={"choices": [Side.SOURCE.value, Side.DESTINATION.value]},
                at=work.now(),
            )
