"""What stands at both ends, from the ledger and the staged records: the counts of a reconciliation."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from app.runs.ledger import Outcome
from app.runs.work import Work

_STANDING = """
    SELECT l.source_object, l.target_object, l.part, l.outcome, l.reason, l.created,
           l.record_id IS NOT NULL AS there, s.source_id IS NULL OR s.deleted_at IS NOT NULL AS gone, count(*) AS n
    FROM ledger l
    LEFT JOIN staged s ON s.engagement_id = $1 AND s.object = l.source_object AND s.source_id = l.source_id
    WHERE l.engagement_id = $1 AND l.destination_id = $2
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3
"""
_WRITTEN = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED})
_SUMMED = ("planned", "at_destination", "created", "taken_over", "skipped", "quarantined", "held", "gone_at_source")


async def both_ends(work: Work, connection: "asyncpg.Connection[Any]") -> list[dict[str, Any]]:
    """Per source object and target: live records at the source, and what became of every planned write in all runs.

    `at_destination` is `created` (by us) plus `taken_over` (theirs, filled by us); `reasons` breaks down the rest by
    outcome and reason; `gone_at_source` counts those among the planned whose source record is deleted or merged away.
    """
    live = await work.staging.counts(connection)
    rows = await connection.fetch(_STANDING, work.run.engagement_id, work.run.destination_id)
    return summed(live, rows)


def summed(live: Mapping[str, int], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per source object, target and part."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["source_object"], row["target_object"], row["part"])
        one = found.setdefault(
            key,
            {
                **dict(zip(("object", "target", "part"), key, strict=True)),
                "at_source": live.get(key[0], 0),
                **dict.fromkeys(_SUMMED, 0),
                "reasons": {},
            },
        )
        number = row["n"]
        one["planned"] += number
        one["gone_at_source"] += number if row["gone"] else 0
        if row["outcome"] in _WRITTEN and row["there"]:
            one["at_destination"] += number
            one["created" if row["created"] else "taken_over"] += number
            continue
        if row["outcome"] not in _WRITTEN:
            one[row["outcome"]] += number
        why = f"{row['outcome']}:{row['reason']}"
        one["reasons"][why] = one["reasons"].get(why, 0) + number
    return list(found.values())
