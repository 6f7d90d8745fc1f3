"""Merkle reconciliation of one load: reads back, sums both sides up in ranges, and remembers the hashes.

Asked to `recheck`, it reads only what changed since the last check: what the destination says it changed, and what we
mean differently now. The rest stands as it was read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.digest import record_hash
from app.domain.mapping import Load, LoadMode
from app.domain.reconciling import Pairing, object_roots
from app.domain.schema import FieldSpec
from app.runs import readings
from app.runs.expecting import Written, checked_specs, written
from app.runs.hiding import hidden_fields
from app.runs.readings import OVERLAP, Reading
from app.runs.schema_lost import demand_all
from app.runs.stages.verify import Tally, compare_files, exact, keep_readback, owner_field, read_back
from app.runs.work import StageRow, Work


async def reconcile(work: Work, stage: StageRow) -> None:
    """Checks every record of a load; counts, roots and differences end up in the stage and in a sealed report."""
    rule = work.mapping().load(stage.load)
    mark = work.now() - OVERLAP
    tally = Tally(keep_values=False, owner=owner_field(work, rule), hidden=hidden_fields(work, rule))
    check = _Check(work, rule, tally, await _changed(work, rule))
    await check.run()
    if tally.differing:
        await demand_all(work, rule)
    ranges = check.pairing.finish()
    meant, found = object_roots(ranges)
    stage.counts = {**tally.counts(), "read_again": check.read_again, "read_before": check.read_before}
    stage.counts["checked_records"] = check.pairing.records
    stage.detail = {
        "fields": tally.fields,
        "owners": tally.owned,
        "differences": tally.listed[:200],
        "mark": mark.isoformat(),
        "roots": {
            "load": rule.key,
            "source_object": rule.source_object,
            "target_object": rule.target_object,
            "records": check.pairing.records,
            "fields": tally.checked,
            "different_records": check.pairing.different,
            "missing_records": check.pairing.missing,
            "meant": meant,
            "found": found,
            "ranges": [one.model_dump() for one in ranges],
        },
    }
    await keep_readback(work, stage, rule, tally)


async def _changed(work: Work, rule: Load) -> set[str] | None:
    """Destination ids that changed since the last check; None when everything has to be read."""
    again = work.options.get("recheck") or work.run.kind == "repair"
    if not again or rule.mode is not LoadMode.CREATE:
        return None
    since = await readings.mark_of(work, rule.key)
    if since is None:
        return None
    return await changed_since(work, work.object_name(rule.target_object), since)


async def changed_since(work: Work, object_name: str, since: datetime) -> set[str] | None:
    """Ids of records that the destination changed or deleted since; None where it cannot tell."""
    if not work.destination_platform.capabilities.modified_since:
        return None
    destination = await work.destination()
    pages = await destination.changed_since(object_name, since)
    if pages is None:
        return None
    ids: set[str] = set()
    async for page in pages:
        ids.update(page)
    return ids


class _Check:
    """One load on its way through; `changed` as in `_changed`."""

    def __init__(self, work: Work, rule: Load, tally: Tally, changed: set[str] | None) -> None:
        self._work = work
        self._rule = rule
        self._tally = tally
        self._changed = changed
        self.pairing = Pairing()
        self.read_again = 0
        self.read_before = 0

    async def run(self) -> None:
        rule = self._rule
        specs = await checked_specs(self._work, rule)
        async for page in written(self._work, rule, this_run=False, theirs=False):
            fresh = await self._page(page, specs)
            async with self._work.transaction() as connection:
                await self._work.lease.guard(connection)
                await readings.store(connection, self._work, rule.key, fresh)

    async def _page(self, page: list[Written], specs: Mapping[str, FieldSpec]) -> list[Reading]:
        """Pairs a page; returns what was read of it now."""
        files = self._rule.mode is LoadMode.FILE
        meant = {one.source_id: self._hash(exact(one).sent, specs) for one in page}
        before = await self._before(page)
        asked = [one for one in page if not self._stands(one, meant[one.source_id], before.get(one.source_id))]
        if files:
            found = await compare_files(self._work, self._rule, asked, self._tally)
        else:
            found = await self._compare(asked, specs)
        fresh = []
        for one in page:
            source_id = one.source_id
            if one.source_id not in found and (known := before.get(source_id)) is not None:
                self.read_before += 1
                self.pairing.add(source_id, known.meant, known.found)
                continue
            self.read_again += 1
            got = found.get(source_id)
            seen = None if got is None else meant[source_id] if got is True else self._hash(got, specs)
            if seen == meant[source_id] and got is not True:
                seen = bytes(16)  # a difference that the canonical form does not show is a difference all the same
            self.pairing.add(source_id, meant[source_id], seen)
            fresh.append(Reading(source_id, one.record_id, meant[source_id], seen))
        return fresh

    async def _before(self, page: list[Written]) -> dict[str, Reading]:
        if self._changed is None:
            return {}
        async with self._work.transaction() as connection:
            return await readings.known(connection, self._work, self._rule.key, [one.source_id for one in page])

    def _stands(self, one: Written, meant: bytes, before: Reading | None) -> bool:
        """Whether the last reading still holds: nobody changed the record, and we mean what we meant."""
        if self._changed is None or before is None:
            return False
        same = before.meant == meant and before.found == meant and before.record_id == one.record_id
        return same and one.record_id not in self._changed

    async def _compare(self, asked: list[Written], specs: Mapping[str, FieldSpec]) -> dict[str, Any]:
        """Per source id: True when all fields are as meant, the record when not, None when it is gone."""
        if not asked:
            return {}
        names = sorted({field for one in asked for field in one.sent if field in specs})
        got = await read_back(self._work, self._rule, asked, names)
        found: dict[str, Any] = {}
        for one in asked:
            record = got.get(one.record_id)
            if record is None:
                self._tally.missing(one)
                found[one.source_id] = None
                continue
            equal = self._tally.compare(one, record, specs)
            found[one.source_id] = True if equal else {key: record.get(key) for key in one.sent}
        return found

    def _hash(self, values: Mapping[str, Any], specs: Mapping[str, FieldSpec]) -> bytes:
        return record_hash(
            values, {name: specs.get(name, FieldSpec(name=name)) for name in values}, self._work.key.hash_key
        )
