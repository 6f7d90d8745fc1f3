"""What calls without an answer have stored: looked for by our key, and where this was lost meanwhile by the values.

Somebody may take the field of our key away while an answer is on its way: the record then stands without it. Nothing is
sent again before the records that nobody has, entered since the call with a blank key, were looked at. What may be ours
and may be a person's is held under `may_be_written`: a question, never a guess.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg

from app.domain.json_texts import json_text
from app.domain.mapping import Load
from app.domain.recognising import Recognised, recognise
from app.domain.values import exact_json
from app.runs.ends import Ends
from app.runs.expecting import field_specs
from app.runs.items import Decided, Item
from app.runs.ledger import Entry, Outcome
from app.runs.placing import Placing
from app.runs.repeating import in_parts, repeated
from app.runs.work import Work
from app.runs.writers import Writer
from connectors.base import Found, WriteResult, WriteStatus
from connectors.errors import Ambiguous

MAY_BE_WRITTEN = "may_be_written"
"""The reason under which a record is held that may stand at the destination without its key."""
_BEHIND, _FAR_BEHIND = timedelta(minutes=2), timedelta(minutes=15)
"""How far the vendor's clock may be behind ours: where everything entered since has to be looked at, and where not."""
_CALL = 100
_HELD = """
    SELECT source_id, modified_at FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND source_object = $3 AND target_object = $4 AND part = $5
      AND outcome = 'held' AND reason = $6
"""


class Clearing:
    """Clears up lost answers of one load."""

    def __init__(self, work: Work, load: Load, writer: Writer, ends: Ends) -> None:
        self._work = work
        self._load = load
        self._writer = writer
        self._ends = ends
        native = work.destination_platform.object_facts(load.target_object).key_field  # nobody can take that away
        self._key = "" if writer.keyless or native else ends.key_field
        self._held: dict[str, datetime] = {}
        self._taken: set[str] = set()

    async def probe(self, items: Sequence[Item], since: datetime | None = None) -> dict[str, Found]:
        """What of these stands at the destination, made `since` where that tells anything; waits out hiccups, because
        nothing may be concluded from silence.
        """
        after = None if since is None else since - _FAR_BEHIND
        return await repeated(self._work, partial(self._writer.probe, items, after)) if items else {}

    async def clear_up(self, items: Sequence[Item], since: datetime) -> tuple[dict[str, Found], set[str]]:
        """What of these calls made `since` have stored, as far as that has to be known before they are sent again; and
        the source ids of those of which nobody can tell.
        """
        items = [item for item in items if item.record_id is None]
        found = {} if self._writer.repeatable else await self.probe(items, since)
        told, doubtful = await self.by_values([item for item in items if item.source_id not in found], since)
        return {**found, **told}, doubtful

    async def look(self, items: Sequence[Item], since: datetime) -> dict[str, Found]:
        """The same while other calls are on their way. Raises Ambiguous where records without our key would have to be
        told apart: that is for the next worker, who finds the wire quiet.
        """
        if self._writer.repeatable:
            return {}
        found = await self.probe(items, since)
        told = await self._recognised([item for item in items if item.source_id not in found], since)
        if told.found or told.doubtful:
            raise Ambiguous("records stand there without our key", code="KEY_LOST")
        return found

    async def by_values(self, items: Sequence[Item], since: datetime) -> tuple[dict[str, Found], set[str]]:
        """The records that hold what was sent, by source id: they get their key back. And what stays in doubt."""
        told = await self._recognised(items, since)
        self._taken.update(told.found.values())
        await self._key_again({told.found[item.source_id]: item for item in items if item.source_id in told.found})
        return {source_id: Found(record_id) for source_id, record_id in told.found.items()}, set(told.doubtful)

    async def _recognised(self, items: Sequence[Item], since: datetime) -> Recognised:
        items = [item for item in items if item.record_id is None]
        standing = await self._unkeyed(since) if items and self._key else {}
        if not standing:
            return Recognised({}, frozenset())
        specs = {name: one for name, one in (await field_specs(self._work, self._load)).items() if name != self._key}
        sent = {item.source_id: exact_json(json_text(item.payload)) for item in items}
        return await asyncio.to_thread(recognise, sent, standing, specs)  # many times many: the lease has to be kept

    async def _unkeyed(self, since: datetime) -> dict[str, Mapping[str, Any]]:
        """Records entered since then that are nobody's and have no key, by id with the fields that we write."""
        work, name = self._work, self._work.object_name(self._load.target_object)
        destination = await work.destination()

        async def listed() -> list[str]:
            pages = await destination.created_since(name, since - _BEHIND, blank=self._key)
            return [] if pages is None else [one async for page in pages for one in page]

        ids = await repeated(work, listed)
        ours = await Placing(work, self._load).owned(ids) | self._taken if ids else set()
        open_ids = [one for one in dict.fromkeys(ids) if one not in ours]
        names = [*await field_specs(work, self._load), self._key]
        standing: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(open_ids), _CALL):
            part = open_ids[start : start + _CALL]
            rows = await repeated(work, partial(destination.fetch, name, part, names))
            standing |= {one: exact_json(json_text(row)) for one, row in rows.items() if not row.get(self._key)}
        return standing

    async def _key_again(self, items: Mapping[str, Item]) -> None:
        """Enters our key into records of ours, by their ids. One that is refused is for a repair: its end is known."""
        target, destination = self._writer.target, await self._work.destination()
        bodies = [json_text({"id": one, self._key: item.payload[self._key]}) for one, item in items.items()]
        for start in range(0, len(bodies), _CALL):
            await in_parts(self._work, partial(destination.update, target), bodies[start : start + _CALL])

    # ── what is held ──────────────────────────────────────────────────────────────────────────────────────────────

    async def recall(self, connection: "asyncpg.Connection[Any]", *, fresh: bool) -> None:
        """Reads what earlier runs held of a load that is not `fresh`: it is looked for once more before it is sent."""
        if fresh or not self._key:
            return
        run, load = self._work.run, self._load
        place = (load.source_object, load.target_object, load.part, MAY_BE_WRITTEN)
        rows = await connection.fetch(_HELD, run.engagement_id, run.destination_id, *place)
        self._held = {row["source_id"]: datetime.fromisoformat(row["modified_at"]) for row in rows}

    async def look_again(self, decided: Decided) -> None:
        """Settles what was held and stands there now, and holds what is in doubt as before. The rest is sent: what a
        person has cleared up at the destination, and what a replay names, since that says that none of it is ours.
        """
        if not self._held:
            return
        items = [item for item in decided.items if item.source_id in self._held and item.record_id is None]
        if not items:
            return
        since = min(self._held[item.source_id] for item in items)
        found, doubtful = await self.clear_up(items, since)
        if self._work.run.kind == "replay":
            doubtful = set()
        for item in items:
            if item.source_id in found:
                made = WriteResult(WriteStatus.CREATED, id=found[item.source_id].id)
                decided.entries.append(self._ends.entry(item, made))
            elif item.source_id in doubtful:
                decided.entries.append(held(item, self._held[item.source_id]))
        decided.items = [one for one in decided.items if one.source_id not in found and one.source_id not in doubtful]


def held(item: Item, since: datetime) -> Entry:
    """The end of a write of which nobody can tell whether it happened; the next look goes back to `since`."""
    at = since.astimezone(UTC).isoformat()
    return Entry(item.source_id, Outcome.HELD, MAY_BE_WRITTEN, issues=item.issues, modified_at=at)
