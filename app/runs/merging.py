"""Three-way merge of a delta's updates: reads the touched records once, and sends only what the source changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.domain.json_texts import json_text
from app.domain.mapping import Load
from app.domain.masking import masked
from app.domain.merging import Merged, Side, merge_fields
from app.domain.schema import FieldSpec
from app.domain.values import exact_json
from app.runs import findings
from app.runs.expecting import field_specs
from app.runs.findings import Finding
from app.runs.held import Place, held_now
from app.runs.hiding import hidden_fields
from app.runs.items import Item
from app.runs.ledger import Entry, Outcome
from app.runs.merge_base import Base, former_base
from app.runs.placing import Placing
from app.runs.untouched import Untouched, reads_for
from app.runs.work import Work
from app.runs.writers import marker_of, parent_of


class Merger:
    """Merges the updates of one load; made by `merger`.

    Records that hang on a parent are looked for where the ledger says that they hang. One whose parent changed is
    taken away there and written anew (see `writers`), so it carries along what people changed in it.
    """

    def __init__(
        self,
        work: Work,
        load: Load,
        base: Base,
        specs: Mapping[str, FieldSpec],
        standing: Mapping[str, Mapping[str, str]],
        hidden: Collection[str],
        untouched: Untouched,
    ) -> None:
        """`standing` as in `findings.standing`; values of `hidden` fields are kept masked."""
        self._work = work
        self._load = load
        self._base = base
        self._facts = work.destination_platform.object_facts(load.target_object)
        self._place_fields = {self._facts.parent_field, self._facts.parent_object_field} - {""}
        self._specs = {name: spec for name, spec in specs.items() if name not in self._place_fields}
        self._standing = standing
        self._hidden = hidden
        self._untouched = untouched

    async def merge(self, items: Sequence[Item], *, resumed: bool = False) -> tuple[list[Item], list[Entry]]:
        """What is left to send, its payload narrowed to what changed, and the ends of what needs no call.

        `resumed`: an earlier worker may have sent these. Raises what the destination's reading raises.
        """
        updates = [item for item in items if item.known_hash is not None and item.record_id is not None]
        if not updates:
            return list(items), []
        wrote = await self._base.wrote(updates)
        places = await self._places(updates)
        now = await self._now(updates, wrote, places)
        left = [item for item in items if item.known_hash is None or item.record_id is None]
        ends: list[Entry] = []
        found: list[Finding] = []
        for item in updates:
            there = now.get(str(item.record_id))
            moved = self._moved(item, places)
            if there is None and not (moved and resumed):  # a worker that was lost may have moved it already
                ends.append(Entry(item.source_id, Outcome.QUARANTINED, "gone_at_destination", issues=item.issues))
                continue
            if there is None:
                left.append(item)
                continue
            merged, sides = self._merge_one(item, wrote.get(item.source_id), there)
            found += self._findings(item, merged, sides)
            if moved or merged.send:
                self._narrow(item, merged, there, moved=moved)
                left.append(item)
            else:
                reason = "conflict" if merged.conflicts else "kept_edits" if merged.kept else ""
                ends.append(unchanged(item, reason))
        await findings.book(self._work, self._load.key, found, [item.source_id for item in updates])
        return left, ends

    async def _places(self, items: Sequence[Item]) -> dict[str, Place]:
        if not self._place_fields:
            return {}
        return await Placing(self._work, self._load).known([item.source_id for item in items])

    def _parent(self, item: Item) -> Place | None:
        """Where the item is to hang; None for records that hang nowhere."""
        if self._facts.parent_field not in item.payload:
            return None
        return parent_of(item.payload, self._facts.parent_field, self._facts.parent_object_field)

    def _moved(self, item: Item, places: Mapping[str, Place]) -> bool:
        return places.get(item.source_id, self._parent(item)) != self._parent(item)

    async def _now(
        self, items: Sequence[Item], wrote: Mapping[str, tuple[dict[str, Any], bytes]], places: Mapping[str, Place]
    ) -> dict[str, dict[str, Any]]:
        """What the destination holds of these now, by its ids; read only as far as anybody may have touched it."""
        proved = [one for one in items if one.source_id in wrote and wrote[one.source_id][1] == one.known_hash]
        as_written = await self._untouched.among(proved, self._standing)
        now = {str(one.record_id): wrote[one.source_id][0] for one in proved if one.source_id in as_written}
        asked = [one for one in items if one.source_id not in as_written]
        names = sorted({name for item in asked for name in item.payload if name in self._specs})
        records = {str(one.record_id): places.get(one.source_id) or self._parent(one) for one in asked}
        return now | (await held_now(self._work, self._load, records, names) if records else {})

    def _narrow(self, item: Item, merged: Merged, there: Mapping[str, Any], *, moved: bool) -> None:
        """Leaves what is to be sent in the payload: what changed, or for a move all, with people's values in it."""
        steering = {name: item.payload[name] for name in self._place_fields if name in item.payload}
        if moved:
            theirs = {name: there.get(name) for name in (*merged.kept, *merged.conflicts)}
            marker = self._facts.marker_field
            if marker in theirs:  # by which it is found again
                theirs[marker] = _marked(str(theirs[marker] or ""), str(item.payload.get(marker) or ""))
            item.payload = {**item.payload, **theirs}
        else:
            item.payload = {**{name: item.payload[name] for name in merged.send}, **steering, "id": item.record_id}
        item.encoded = json_text(item.payload)

    def _merge_one(
        self, item: Item, wrote: tuple[dict[str, Any], bytes] | None, there: Mapping[str, Any]
    ) -> tuple[Merged, dict[str, dict[str, Any]]]:
        aside = {"id", *self._place_fields}
        meant = exact_json(json_text({name: value for name, value in item.payload.items() if name not in aside}))
        before = wrote[0] if wrote else None
        standing = self._standing.get(item.source_id, {})
        merged = merge_fields(
            meant,
            before,
            there,
            self._specs,
            certain=wrote is not None and wrote[1] == item.known_hash,
            together=self._facts.together,
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


def unchanged(item: Item, reason: str) -> Entry:
    """The end of an update that needs no call, or gets none."""
    return Entry(
        *(item.source_id, Outcome.UNCHANGED, reason, item.record_id), sent_hash=item.sent_hash, owner_id=item.owner_id
    )


def _marked(text: str, ours: str) -> str:
    """A text of people's with the marker of ours at its end."""
    marker = marker_of(ours)
    return text if not marker or marker in text else f"{text}\n\n{marker}"


async def merger(work: Work, load: Load, records: int) -> Merger:
    """What merges the updates of a load in a delta of so many `records`."""
    specs = await field_specs(work, load)
    facts, limits = work.destination_platform.object_facts(load.target_object), work.destination_platform.limits
    reads = reads_for(records, facts.read_batch, len(specs), limits.fields_per_read)
    return Merger(
        work,
        load,
        await former_base(work, load),
        specs,
        await findings.standing(work, load.key),
        hidden_fields(work, load).sent,
        Untouched(work, load, reads),
    )
