"""A load stage: compiles its mapping, chooses how to write, runs the loader, and closes only when the sums agree."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from app.domain.mapping import Load, LoadMode
from app.runs import findings
from app.runs.compiled import compile_rule, target_inventory, target_object
from app.runs.deciders import make_decider
from app.runs.deciding import Decider
from app.runs.following_parents import Levels, levels
from app.runs.loading import Loader, Merging
from app.runs.pages import Pages
from app.runs.placing import Placing
from app.runs.preimages import Completing, preimages
from app.runs.repeating import pause
from app.runs.staging import Scope
from app.runs.streaming import Stream, StreamBroken
from app.runs.work import StageRow, Work
from app.runs.writers import NoteWriter, RecordWriter, Writer, is_keyless, is_repeatable, style_for
from connectors.base import ObjectFacts, WriteStyle, WriteTarget

_WRITTEN_AND_GONE = """
    SELECT count(*) FROM ledger l
    JOIN staged s ON s.engagement_id = $2 AND s.object = $3 AND s.source_id = l.source_id AND s.deleted_at IS NOT NULL
    WHERE l.run_id = $1 AND l.source_object = $3 AND l.target_object = $4 AND l.part = $5
"""


class CountsDisagree(Exception):
    """Records read and records ended differ: the run may not finish (conservation)."""


async def load(work: Work, stage: StageRow) -> None:
    """Runs one load to its end, beside the extraction of its object where that is still going on.

    Raises what the loader raises, and CountsDisagree.
    """
    rule = work.mapping().load(stage.load)
    stream = Stream(work, rule.source_object) if work.handover.flows(rule.source_object) else None
    if stream is not None:
        with suppress(StreamBroken):
            await stream.beyond("")  # nobody is kept waiting for a load that has nothing to send yet
    sending = work.hurry()
    try:
        await _load(work, stage, rule, stream, sending)
    finally:
        sending()


async def _load(work: Work, stage: StageRow, rule: Load, stream: Stream | None, sending: Callable[[], None]) -> None:
    counting = asyncio.create_task(_count(work, stage, rule, stream))
    try:
        at_hand = work.handover.holds(rule.source_object)
        if not at_hand:  # else there are records: counting them can take its time
            if stream is not None:
                sending()  # what is counted is still to be read
            await counting
        if at_hand or stage.total or stage.cursor:  # nothing to write is nothing to ask the destination about either
            await _write(work, stage, rule, stream, sending)
        await counting
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
    await close_counts(work, stage, rule)
    if (stage.total or stage.cursor) and work.run.kind == "delta":
        await findings.conclude_load(work, stage, rule)


async def _count(work: Work, stage: StageRow, rule: Load, stream: Stream | None) -> None:
    if stream is not None:
        await stream.ended()
        if not stream.broken:  # from here on all is staged, and who goes on goes on from the cursor
            stage.detail.pop("followed", None)
    scope = work.scope(rule.source_object)
    stage.total = work.handover.count(rule.source_object) if scope == Scope() else None
    if stage.total is None:
        async with work.transaction() as connection:
            stage.total = await work.staging.count(connection, rule.source_object, scope)


async def _write(work: Work, stage: StageRow, rule: Load, stream: Stream | None, sending: Callable[[], None]) -> None:
    decider = await make_decider(work, rule)
    if stream is not None and any(name == rule.source_object for _, name in decider.compiled.related_needs):
        sending()
        await stream.ended()  # a record that takes something from another of its kind finds it staged
        stream = None
    facts = work.destination_platform.object_facts(rule.target_object)
    writer = await writer_for(work, rule, decider, facts)
    work.cache[f"linked:{rule.key}"] = await _adopted_fields(work, rule)
    if "virgin" not in stage.detail:
        stage.detail["virgin"] = await _is_virgin(work, rule, decider.key_field, facts)
    followed = bool(stage.detail.get("followed"))
    stage.detail["followed"] = followed or (stream is not None and stream.unsettled)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await work.save_stage(connection, stage)
    order = await levels(work, rule, decider)
    if order is not None:
        decider.rings = order.rings
        work.handover.drop(rule.source_object)
    merging = await _merger(work, stage, rule, facts)
    former = await preimages(work, rule)
    if former is not None:
        merging = Completing(former, merging)
    loader = partial(
        Loader,
        work,
        stage,
        rule,
        decider=decider,
        writer=writer,
        concurrency=await _concurrency(work),
        call_timeout=work.runtime.settings.call_timeout_seconds,
        settle_seconds=work.destination_platform.limits.settle_seconds,
        virgin=bool(stage.detail["virgin"]),
        sending=sending,
        merger=merging,
    )
    if not followed:
        await _write_levels(work, stage, rule, order, stream, loader)
    if stream is not None:
        sending()
        await stream.ended()
    if followed or (stream is not None and stream.broken):
        await _look_again(work, stage, rule, decider, loader)
    stage.detail.pop("followed", None)


async def _write_levels(
    work: Work,
    stage: StageRow,
    rule: Load,
    order: Levels | None,
    stream: Stream | None,
    loader: Callable[..., Loader],
) -> None:
    for level in range(int(stage.detail.get("level", 0)), (order.deepest if order else 0) + 1):
        among = partial(order.holds, level) if order else None
        await loader(pages=Pages(work, rule.source_object, among=among, stream=stream)).run()
        if order is not None and level < order.deepest:
            await _descend(work, stage, level + 1)


async def _look_again(work: Work, stage: StageRow, rule: Load, decider: Decider, loader: Callable[..., Loader]) -> None:
    """From the first record on once more: what was written while it was read may not be all, nor the last word."""
    pages = Pages(work, rule.source_object)
    await loader(pages=pages, recovering=True).run()
    await _start_over(work, stage)
    decider.restated = True
    await loader(pages=pages).run()
    async with work.transaction() as connection:  # what was written stays this run's, whatever it has become since
        gone = await connection.fetchval(
            _WRITTEN_AND_GONE, work.run.id, work.run.engagement_id, rule.source_object, rule.target_object, rule.part
        )
    stage.counts["taken"] += gone + decider.left_out


async def _start_over(work: Work, stage: StageRow) -> None:
    stage.cursor, stage.counts["taken"], stage.counts["settled"] = "", 0, 0
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await work.save_stage(connection, stage)


async def _descend(work: Work, stage: StageRow, level: int) -> None:
    """The next level of records that must find their parents begins; what was written of the last one is booked."""
    stage.cursor, stage.detail["level"] = "", level
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await work.save_stage(connection, stage)


async def _merger(work: Work, stage: StageRow, rule: Load, facts: ObjectFacts) -> Merging | None:
    """In a delta whatever can be changed there is merged with what people changed meanwhile; everywhere else an update
    leaves alone what a record of theirs held in fields that we never filled.
    """
    if work.run.kind != "delta" and rule.mode is LoadMode.CREATE:
        from app.runs.whose import Sparing

        return Sparing(work, rule)
    if work.run.kind != "delta" or not (facts.deletable if rule.mode is LoadMode.FILE else facts.updatable):
        return None
    if rule.mode is LoadMode.FILE:
        from app.runs.merging_files import file_merger

        return await file_merger(work, rule)
    from app.runs.merging import merger

    return await merger(work, rule, stage.total or 0)


async def _adopted_fields(work: Work, rule: Load) -> tuple[str, ...]:
    """API names of all fields that this load, now or in a later delta, and links set on its records: what a record that
    was there before us is asked for before we touch it.
    """
    compiled, target = await compile_rule(work, rule)
    unreadable = work.destination_platform.object_facts(rule.target_object).unreadable
    names = dict.fromkeys(name for name in compiled.fields.values() if target.field(name) and name not in unreadable)
    for other in work.mapping().loads:
        if other.enabled and other.mode is LoadMode.LINK and other.base == rule.key:
            linking, _ = await compile_rule(work, other)
            names.update(dict.fromkeys(name for name in linking.fields.values() if not name.startswith("$")))
    return tuple(names)


async def close_counts(work: Work, stage: StageRow, rule: Load) -> None:
    """Counts the ends from the raw rows; what was taken from staging must have ended, each exactly once."""
    async with work.transaction() as connection:
        account = await work.book.account(connection, rule)
    ended, taken = sum(account.counts.values()), stage.counts.get("taken", 0)
    if taken != ended:
        raise CountsDisagree(f"load {rule.key}: {taken} records were taken, {ended} ended")
    stage.counts = {"read": taken, "taken": taken, **account.counts}
    stage.detail["reasons"] = account.reasons
    stage.detail["changes"] = account.changes


async def writer_for(work: Work, rule: Load, decider: Decider, facts: ObjectFacts) -> Writer:
    """What brings a load's records to the destination and finds them again."""
    destination = await work.destination()
    target = await target_object(work, rule)
    name = work.object_name(rule.target_object)
    spec = target.field(decider.key_field) if decider.key_field else None
    unique = spec is not None and (spec.unique or spec.external_id)
    where = WriteTarget(name, decider.key_field if unique else "", style_for(facts, key_is_unique=unique))
    if rule.mode is LoadMode.FILE:
        from app.runs.artifacts import OversizeFiles
        from app.runs.filing import FileWriter

        return FileWriter(
            await work.source(),
            destination,
            where,
            facts.parent_field,
            facts.parent_object_field,
            work.destination_platform.limits.file_bytes,
            OversizeFiles(work),
            Placing(work, rule),
            facts.deletable,
        )
    if is_keyless(facts):
        return NoteWriter(
            destination,
            where,
            facts.parent_field,
            facts.parent_object_field,
            facts.marker_field,
            Placing(work, rule),
            facts.batch,
            facts.deletable,
        )
    batch = facts.insert_batch if where.style is WriteStyle.INSERT and facts.insert_batch else facts.batch
    repeatable = is_repeatable(facts, where)
    return RecordWriter(destination, where, decider.key_field, batch, facts.batch, repeatable=repeatable)


async def _is_virgin(work: Work, rule: Load, key: str, facts: ObjectFacts) -> bool:
    """Whether only records that the ledger knows carry our key: then nothing has to be looked up before writing."""
    if rule.mode is not LoadMode.CREATE or not key or is_keyless(facts):
        return True
    async with work.transaction() as connection:
        known = await connection.fetchval(
            "SELECT count(DISTINCT record_id) FROM ledger WHERE engagement_id = $1 AND destination_id = $2"
            " AND target_object = $3",
            *(work.run.engagement_id, work.run.destination_id, rule.target_object),
        )
    await _indexed(work)
    destination = await work.destination()
    return await destination.count(work.object_name(rule.target_object), filled=key) <= int(known)


async def _indexed(work: Work) -> None:
    """Waits until the destination's index shows what people entered up to the start of the run: a record of theirs that
    it hides would be taken for ours, and a rollback would delete it.
    """
    shown = work.run.started_at + timedelta(seconds=work.destination_platform.limits.index_seconds)
    await pause(work, max(0.0, (shown - work.now()).total_seconds()), 0)


async def _concurrency(work: Work) -> int:
    """Calls at once: what the account's edition allows, at most ten (the sub-concurrency of writes)."""
    inventory = await target_inventory(work)
    platform = work.destination_platform
    edition = platform.editions.get(inventory.edition or "")
    return max(1, min(10, (edition.concurrency if edition else None) or platform.limits.concurrency))
