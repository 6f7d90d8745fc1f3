"""Calls whose end nobody knows although their run is over: what they made is found and booked before anybody writes on.

A run that was cancelled or that failed keeps its open intents. What they announced is computed as that run did it,
looked for at the destination, and booked under that run's number; what is not found was never made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid5

import structlog

from app.domain.compiling import MappingInvalid
from app.domain.diffing import Verdict, diff_record
from app.domain.ids import encode_id
from app.domain.json_texts import json_text
from app.domain.mapping import Load, MappingDocument
from app.domain.ordering import with_deferred_links
from app.domain.values import exact_json
from app.runs.bookkeeping import book
from app.runs.clearing_up import Clearing, held
from app.runs.deciders import make_decider
from app.runs.ends import Ends
from app.runs.expecting import field_specs
from app.runs.following_parents import levels
from app.runs.items import Item
from app.runs.ledger import Book, Entry, OpenIntent, Outcome
from app.runs.repeating import pause, repeated
from app.runs.resolved import ResolvedIds
from app.runs.stages.load import writer_for
from app.runs.staging import StagedRow
from app.runs.trial import REHEARSAL, TrialWork
from app.runs.work import RunRow, Work
from connectors.base import Found, WriteResult, WriteStatus

log = structlog.get_logger()

_SETTLING = frozenset({"sample", "full", "delta", "replay", "rollback"})
_ENDED = """
    SELECT id, tenant_id, engagement_id, kind, destination_id, mapping_id, parent_run_id, options, started_at,
           finished_at
    FROM runs WHERE engagement_id = $1 AND destination_id = $2 AND id <> $3 AND mapping_id IS NOT NULL
      AND state IN ('cancelled', 'failed', 'completed') ORDER BY created_at
"""
_OPEN = """
    SELECT i.id, i.after_id, i.upto_id, i.existing, i.committed_at, s.load, s.detail FROM intents i
    JOIN run_stages s ON s.run_id = $2 AND s.key = i.stage WHERE i.run_id = $1 ORDER BY s.ordinal, i.after_id
"""
_ANY = "SELECT EXISTS (SELECT 1 FROM intents WHERE engagement_id = $1 AND destination_id = $2 AND run_id <> ALL($3))"


class EndedWork(TrialWork):
    """An ended run as it saw things, under the number of its ends; calls and lease are those of `parent`."""

    number: UUID

    @property
    def book(self) -> Book:
        assert self.run.destination_id is not None
        return Book(self.run.tenant_id, self.run.engagement_id, self.run.destination_id, self.number)


@dataclass(frozen=True, slots=True)
class _Block:
    """An announced block of an ended run. `detail` is its stage's: whether anything stood there before, which level."""

    intent: OpenIntent
    rule: Load
    detail: Mapping[str, Any]


async def settle_left_open(work: Work) -> None:
    """Closes the intents of ended runs at the destination of `work`; only for runs that write or take back."""
    run = work.run
    if run.kind not in _SETTLING or run.destination_id is None:
        return
    own = [run.id, uuid5(run.id, REHEARSAL)]
    async with work.transaction() as connection:
        if not await connection.fetchval(_ANY, run.engagement_id, run.destination_id, own):
            return
        ended = await connection.fetch(_ENDED, run.engagement_id, run.destination_id, run.id)
    for row in ended:
        for number in (row["id"], uuid5(row["id"], REHEARSAL)):
            async with work.transaction() as connection:
                found = await connection.fetch(_OPEN, number, row["id"])
            if found:
                await _settle_run(work, row, number, found)


async def _settle_run(work: Work, row: Mapping[str, Any], number: UUID, found: Sequence[Mapping[str, Any]]) -> None:
    settings, limits = work.runtime.settings, work.destination_platform.limits
    quiet = row["finished_at"] + timedelta(seconds=settings.call_timeout_seconds + limits.settle_seconds)
    await pause(work, max(0.0, (quiet - work.now()).total_seconds()), 0)
    view = await _as_it_was(work, row, number)
    for one in found:
        intent = OpenIntent(*(one[name] for name in ("id", "after_id", "upto_id", "existing", "committed_at")))
        try:
            await _settle_block(work, view, _Block(intent, view.mapping().load(one["load"]), one["detail"]))
        except MappingInvalid as problem:  # its load does not fit any more: nobody can tell what it announced
            log.warning("intent_stays_open", load=problem.load, run_id=encode_id("run", row["id"]))


async def _as_it_was(work: Work, row: Mapping[str, Any], number: UUID) -> EndedWork:
    async with work.transaction() as connection:
        document = await connection.fetchval("SELECT document FROM mappings WHERE id = $1", row["mapping_id"])
    view = EndedWork(**{one.name: getattr(work, one.name) for one in fields(Work)})
    view.parent, view.number = work, number
    names = [one.name for one in fields(RunRow) if one.name != "started_at"]
    view.run = RunRow(**{name: row[name] for name in names}, started_at=row["started_at"] or work.run.started_at)
    view.document = with_deferred_links(MappingDocument.model_validate(document))[0]
    view.cache, view.resolved = {}, ResolvedIds()
    return view


async def _settle_block(work: Work, view: EndedWork, block: _Block) -> None:
    decider, committed_at = await make_decider(view, block.rule), block.intent.committed_at
    order = await levels(view, block.rule, decider)
    rows = await _announced(view, block)
    if order is not None:
        decider.rings = order.rings
        rows = [row for row in rows if order.holds(int(block.detail.get("level", 0)), row.source_id)]
    async with view.transaction() as connection:
        gathered = await decider.gather_page(connection, rows, fresh=False)
    decided = (await decider.decide(gathered)).items
    items = [item for item in decided if item.record_id is None]
    replacing = [item for item in decided if item.record_id is not None]
    facts = view.destination_platform.object_facts(block.rule.target_object)
    writer = await writer_for(view, block.rule, decider, facts)
    clearing = Clearing(view, block.rule, writer, Ends(decider.key_field, writer.keyless, virgin=True))
    made = await clearing.probe(items, committed_at)
    told, doubtful = await clearing.by_values([item for item in items if item.source_id not in made], committed_at)
    finished = await repeated(work, partial(writer.finish, replacing)) if replacing else {}
    if not block.detail.get("virgin", True):  # a record of theirs may stand there under our key
        made = await _as_sent(view, block, [item for item in items if item.source_id in made], made)
    made = {**made, **told}
    entries = [_created(item, made[item.source_id]) for item in items if item.source_id in made]
    entries += [held(item, committed_at) for item in items if item.source_id in doubtful]
    entries += [_replaced(item, result) for item in replacing if (result := finished.get(item.source_id)) is not None]
    async with work.transaction() as connection:
        await view.book.bring(connection, entries)
        await work.lease.guard(connection)
        await book(view, connection, block.rule, entries)
        await view.book.close_intent(connection, block.intent.id)
    work.advanced += 1


async def _announced(view: EndedWork, block: _Block) -> list[StagedRow]:
    """What the block was about, also where the source has let it go since: its call was made all the same."""
    name, intent = block.rule.source_object, block.intent
    limit = view.runtime.settings.flush_rows
    rows: list[StagedRow] = []
    after = intent.after_id
    while True:
        async with view.transaction() as connection:
            scope = view.scope(name)
            page = await view.staging.page(connection, name, after, intent.upto_id, limit, scope, gone_too=True)
        if not page:
            return rows
        rows += page
        after = page[-1].source_id


async def _as_sent(
    view: EndedWork, block: _Block, items: Sequence[Item], found: Mapping[str, Found]
) -> dict[str, Found]:
    """Those that hold what we sent, field by field; the others are met as records of theirs."""
    mine = [item for item in items if item.source_id not in block.intent.existing]
    if not mine:
        return {}
    specs = await field_specs(view, block.rule)
    destination = await view.destination()
    name, ids = view.object_name(block.rule.target_object), [found[item.source_id].id for item in mine]
    held = await repeated(view, lambda: destination.fetch(name, ids, sorted(specs)))
    same = {}
    for item in mine:
        hit = found[item.source_id]
        sent = {key: value for key, value in exact_json(json_text(item.payload)).items() if key in specs}
        diffs = diff_record(sent, held.get(hit.id, {}), {key: specs[key] for key in sent})
        if all(diff.verdict is Verdict.EQUAL for diff in diffs):
            same[item.source_id] = hit
    return same


def _created(item: Item, hit: Found) -> Entry:
    return Entry(
        *(item.source_id, Outcome.CREATED.value, "", hit.id, True, item.sent_hash, item.before, item.issues),
        owner_id=item.owner_id,
    )


def _replaced(item: Item, result: WriteResult) -> Entry:
    if result.status is WriteStatus.REFUSED:  # the former one has to stay, and so it does
        return Entry(item.source_id, Outcome.QUARANTINED, result.code or "refused", issues=item.issues)
    return Entry(
        *(item.source_id, Outcome.UPDATED.value, "", result.id, None, item.sent_hash, item.before, item.issues),
        owner_id=item.owner_id,
    )
