"""Three-way merge of a delta's updates: reads the touched records once, and sends only what the source changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from app.domain.mapping import Load
from app.domain.masking import masked
from app.domain.merging import Merged, Side, merge_fields
from app.domain.schema import FieldSpec
from app.domain.values import exact_json
from app.runs import findings
from app.runs.deciding import Decider, Item
from app.runs.expecting import field_specs
from app.runs.findings import Finding
from app.runs.former import former_work
from app.runs.ledger import Entry, Outcome
from app.runs.repeating import repeated
from app.runs.stages.load import make_decider
from app.runs.stages.verify import hidden_fields
from app.runs.staging import StagedRow
from app.runs.work import Work

_CALL = 100


class Merger:
    """Merges the updates of one load; made by `merger`."""

    def __init__(
        self,
        work: Work,
        load: Load,
        former: Decider,
        specs: Mapping[str, FieldSpec],
        standing: Mapping[str, Mapping[str, str]],
        hidden: Collection[str] = (),
    ) -> None:
        """`standing` as in `findings.standing`; values of `hidden` fields are kept masked."""
        self._work = work
        self._load = load
        self._former = former
        self._specs = specs
        self._standing = standing
        self._hidden = hidden

    async def merge(self, items: Sequence[Item]) -> tuple[list[Item], list[Entry]]:
        """What is left to send, its payload narrowed to what changed, and the ends of what needs no call.

        Raises what the destination's reading raises.
        """
        updates = [item for item in items if item.known_hash is not None and item.record_id is not None]
        if not updates:
            return list(items), []
        wrote = await self._wrote(updates)
        now = await self._now(updates)
        left = [item for item in items if item.known_hash is None or item.record_id is None]
        ends: list[Entry] = []
        found: list[Finding] = []
        for item in updates:
            there = now.get(str(item.record_id))
            if there is None:
                ends.append(Entry(item.source_id, Outcome.QUARANTINED, "gone_at_destination", issues=item.issues))
                continue
            merged, sides = self._merge_one(item, wrote.get(item.source_id), there)
            found += self._findings(item, merged, sides)
            if merged.send:
                item.payload = {**{name: item.payload[name] for name in merged.send}, "id": item.record_id}
                item.encoded = orjson.dumps(item.payload)
                left.append(item)
            else:
                reason = "conflict" if merged.conflicts else "kept_edits" if merged.kept else ""
                ends.append(
                    Entry(
                        *(item.source_id, Outcome.UNCHANGED, reason, item.record_id),
                        sent_hash=item.sent_hash,
                        owner_id=item.owner_id,
                    )
                )
        await self._book(found, [item.source_id for item in updates])
        return left, ends

    async def _wrote(self, items: Sequence[Item]) -> dict[str, tuple[dict[str, Any], bytes]]:
        """Source id → what the former state comes to, exact, and its keyed hash; absent where nothing was known."""
        ids = [item.source_id for item in items]
        name = self._load.source_object
        view = former_work(self._work)
        async with self._work.transaction() as connection:
            records = await view.staging.by_ids(connection, name, ids, gone_too=True)
            rows = [StagedRow(one, records[one]) for one in ids if one in records]
            page = await self._former.gather_page(connection, rows, fresh=True)
        made: dict[str, tuple[dict[str, Any], bytes]] = {}
        for row in page.rows:
            meant = self._former.meant(row, page)
            if meant is not None:
                made[row.source_id] = (exact_json(orjson.dumps(meant[0])), meant[1])
        return made

    async def _now(self, items: Sequence[Item]) -> dict[str, dict[str, Any]]:
        """What the destination holds of these now, by its ids."""
        destination = await self._work.destination()
        target = self._work.object_name(self._load.target_object)
        names = sorted({name for item in items for name in item.payload if name in self._specs})
        held: dict[str, dict[str, Any]] = {}
        ids = [str(item.record_id) for item in items]
        for start in range(0, len(ids), _CALL):
            part = ids[start : start + _CALL]
            held |= await repeated(self._work, lambda part=part: destination.fetch(target, part, names))  # type: ignore[misc]
        return held

    def _merge_one(
        self, item: Item, wrote: tuple[dict[str, Any], bytes] | None, there: Mapping[str, Any]
    ) -> tuple[Merged, dict[str, dict[str, Any]]]:
        facts = self._work.destination_platform.object_facts(self._load.target_object)
        meant = exact_json(orjson.dumps({name: value for name, value in item.payload.items() if name != "id"}))
        before = wrote[0] if wrote else None
        standing = self._standing.get(item.source_id, {})
        merged = merge_fields(
            meant,
            before,
            there,
            self._specs,
            certain=wrote is not None and wrote[1] == item.known_hash,
            together=facts.together,
            chosen={name: Side.SOURCE for name, state in standing.items() if state == findings.SOURCE},
        )
        waiting = [name for name in merged.kept if standing.get(name) == findings.OPEN]
        merged.conflicts += waiting  # nobody has decided about it yet
        merged.kept = [name for name in merged.kept if name not in waiting]
        held = {"written": before or {}, "source": meant, "destination": there}
        sides = {
            name: {side: self._shown(name, values.get(name)) for side, values in held.items()}
            for name in (*merged.conflicts, *merged.kept)
        }
        return merged, sides

    def _shown(self, name: str, value: Any) -> Any:
        return masked(value) if name in self._hidden else value

    def _findings(self, item: Item, merged: Merged, sides: Mapping[str, dict[str, Any]]) -> list[Finding]:
        states = [(name, findings.OPEN) for name in merged.conflicts]
        states += [(name, findings.KEPT) for name in merged.kept]
        key, load = self._work.key, self._load.key
        return [
            Finding(
                *(item.source_id, name, str(item.record_id), state),
                findings.seal_sides(key, load, item.source_id, name, sides[name]),
            )
            for name, state in states
        ]

    async def _book(self, found: Sequence[Finding], looked_at: Sequence[str]) -> None:
        """Before any call: a finding is known even when the worker dies right after."""
        async with self._work.transaction() as connection:
            await self._work.lease.guard(connection)
            await findings.forget_kept(connection, self._work, self._load.key, looked_at)
            await findings.store(connection, self._work, self._load.key, found)


async def merger(work: Work, load: Load) -> Merger:
    """What merges the updates of a load in a delta."""
    former = await make_decider(former_work(work), load)
    standing = await findings.standing(work, load.key)
    hidden = hidden_fields(work, load).sent
    return Merger(work, load, former, await field_specs(work, load), standing, hidden)
