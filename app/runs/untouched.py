"""Which records nobody touched at the destination since they were last read: a delta need not read these again.

The vendor is asked once per module for what changed since the last reconciliation of the load; what is not among it,
and was found then as we meant it, still is as we meant it.
"""

from collections.abc import Collection, Sequence
from math import ceil

from app.domain.mapping import Load, LoadMode
from app.runs import findings, readings
from app.runs.items import Item
from app.runs.repeating import repeated
from app.runs.work import Work

_ASKING = 2
"""Calls that asking costs at least: what changed, and what was deleted."""
# a record that had not arrived when the load was last read was not among what was read then
_AS_MEANT = """
    SELECT r.source_id, r.record_id FROM readings r
    JOIN ledger l ON l.engagement_id = $1 AND l.destination_id = $2 AND l.source_object = $4
         AND l.source_id = r.source_id AND l.target_object = $5 AND l.part = $6 AND l.record_id = r.record_id
    WHERE r.engagement_id = $1 AND r.destination_id = $2 AND r.load = $3 AND r.found = r.meant
      AND l.outcome IN ('created', 'updated', 'unchanged') AND r.source_id = ANY($7)
"""


class Untouched:
    """The records of one load. `reads`: calls that reading all of them back would take."""

    def __init__(self, work: Work, load: Load, reads: int) -> None:
        self._work = work
        self._load = load
        self._reads = reads
        self._asked = False
        self._changed: set[str] | None = None

    async def among(self, items: Sequence[Item], decided: Collection[str] = ()) -> frozenset[str]:
        """Source ids of those that stand as they were last read; without proof a record is not among them.

        Records with a finding of an earlier merge, or `decided` about since, are never: what people keep there is not
        what we meant.
        """
        if not self._asked:
            self._asked = True
            self._changed = await repeated(self._work, self._ask)
        if self._changed is None:
            return frozenset()
        run, load = self._work.run, self._load
        ids = [item.source_id for item in items if item.source_id not in decided]
        async with self._work.transaction() as connection:
            rows = await connection.fetch(
                *(_AS_MEANT, run.engagement_id, run.destination_id, load.key, load.source_object),
                *(load.target_object, load.part, ids),
            )
            theirs = await findings.left_alone(connection, self._work, [load.key], ids)
        read = {row["source_id"]: row["record_id"] for row in rows}
        return frozenset(
            item.source_id
            for item in items
            if item.record_id is not None
            and read.get(item.source_id) == item.record_id
            and item.record_id not in self._changed
            and item.source_id not in theirs
        )

    async def _ask(self) -> set[str] | None:
        """Ids that changed since; None where nobody can tell, or where the answer would cost what it saves."""
        if self._load.mode is not LoadMode.CREATE or self._reads <= _ASKING:
            return None
        since = await readings.mark_of(self._work, self._load.key)
        if since is None or not self._work.destination_platform.capabilities.modified_since:
            return None
        destination = await self._work.destination()
        pages = await destination.changed_since(self._work.object_name(self._load.target_object), since)
        if pages is None:
            return None
        changed: set[str] = set()
        asked = 0
        async for page in pages:
            asked += 1
            if asked >= self._reads:  # most of the module changed: reading back is cheaper than asking on
                return None
            changed.update(page)
        return changed


def reads_for(records: int, per_call: int, fields: int, fields_per_call: int) -> int:
    """Calls that reading `records` with `fields` each takes."""
    return ceil(records / max(1, per_call)) * max(1, ceil(fields / max(1, fields_per_call)))
