"""What records of theirs held before us, completed where another version of the mapping sets further fields.

A record is read when a run takes it over, as far as the mapping of that run touches it. A later version may touch more:
its fields are read before the first call that sets them, since afterwards nobody could.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.mapping import Load, LoadMode
from app.runs.items import Item
from app.runs.ledger import Entry
from app.runs.loading import Merging
from app.runs.mapping_versions import other_versions
from app.runs.work import Work

_CALL = 100
_THEIRS = """
    SELECT record_id, source_object, source_id, part, before FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND target_object = $3 AND record_id IS NOT NULL
      AND NOT created AND before IS NOT NULL
"""
_COMPLETE = """
    UPDATE ledger SET before = $7 WHERE engagement_id = $1 AND destination_id = $2 AND target_object = $3
      AND source_object = $4 AND source_id = $5 AND part = $6 AND NOT created
"""
Values = Mapping[str, Any]


class Preimages:
    """The former values of the records of one object; made by `preimages`."""

    def __init__(self, work: Work, load: Load) -> None:
        self._work = work
        self._load = load
        self._theirs: dict[str, list[Any]] | None = None

    async def complete(self, updates: Sequence[tuple[str, Values]]) -> None:
        """Commits what is not known yet of the fields that these (record id, payload) are about to set."""
        if self._theirs is None:
            self._theirs = await self._read()
        open_fields: dict[str, set[str]] = {}
        for record_id, payload in updates:
            names = {name for name in payload if name != "id" and not name.startswith("$")}
            for row in self._theirs.get(record_id, ()):
                if missing := names - self._work.open_before(row["source_id"], row["before"]).keys():
                    open_fields.setdefault(record_id, set()).update(missing)
        ids = list(open_fields)
        for start in range(0, len(ids), _CALL):
            await self._keep({one: open_fields[one] for one in ids[start : start + _CALL]})

    async def _read(self) -> dict[str, list[Any]]:
        run = self._work.run
        async with self._work.transaction() as connection:
            rows = await connection.fetch(_THEIRS, run.engagement_id, run.destination_id, self._load.target_object)
        found: dict[str, list[Any]] = {}
        for row in rows:
            found.setdefault(row["record_id"], []).append(dict(row))
        return found

    async def _keep(self, open_fields: Mapping[str, set[str]]) -> None:
        work, run, target = self._work, self._work.run, self._load.target_object
        names = sorted({name for missing in open_fields.values() for name in missing})
        destination = await work.destination()
        held = await destination.fetch(work.object_name(target), list(open_fields), names)
        assert self._theirs is not None
        async with work.transaction() as connection:
            await work.lease.guard(connection)
            for record_id, there in held.items():
                for row in self._theirs.get(record_id, ()):
                    former = work.open_before(row["source_id"], row["before"])
                    more = {name: there.get(name) for name in open_fields[record_id] if name not in former}
                    row["before"] = work.seal_before(row["source_id"], {**former, **more})
                    place = (row["source_object"], row["source_id"], row["part"])
                    await connection.execute(
                        _COMPLETE, run.engagement_id, run.destination_id, target, *place, row["before"]
                    )


class Completing:
    """Completes them for what is left to send after a merge."""

    def __init__(self, former: Preimages, merging: Merging | None) -> None:
        self._former = former
        self._merging = merging

    async def merge(self, items: Sequence[Item], *, resumed: bool = False) -> tuple[list[Item], list[Entry]]:
        """As the merge has it."""
        left, ends = list(items), list[Entry]()
        if self._merging is not None:
            left, ends = await self._merging.merge(items, resumed=resumed)
        updates = [item for item in left if item.record_id is not None and item.ours is None]  # not just taken over
        await self._former.complete([(str(item.record_id), item.payload) for item in updates])
        return left, ends


async def preimages(work: Work, load: Load) -> Preimages | None:
    """What completes them; None where every run so far went by this version, which has read all it touches."""
    if load.mode not in (LoadMode.CREATE, LoadMode.LINK) or not await other_versions(work):
        return None
    return Preimages(work, load)
