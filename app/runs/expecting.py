"""What the destination should hold: the payloads of a load recomputed from staging, its links included.

Nothing that was written is stored in the clear or twice; since the mapping and the staged records are kept, what we
wrote can be computed again for the sample's diff, for reconciliation and for rollback.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.compiling import CompiledLoad, PageContext
from app.domain.json_texts import json_text
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec, Record
from app.runs import findings
from app.runs.compiled import compile_rule, key_field, target_object
from app.runs.deciders import make_decider
from app.runs.deciding import DONE
from app.runs.ledger import Prior
from app.runs.work import Work


@dataclass(slots=True)
class Written:
    """One ledger row with what we expect behind it. `sent` is under API names; `source` is the staged record."""

    source_id: str
    record_id: str
    created: bool
    owner_id: str
    before: bytes | None
    sent_hash: bytes | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    source: Record | None = None


def link_loads(work: Work, rule: Load) -> list[Load]:
    """Loads that set links on the records of this one from the same source record."""
    return [
        other
        for other in work.mapping().loads
        if other.enabled
        and other.mode is LoadMode.LINK
        and other.base == rule.key
        and other.source_object == rule.source_object
    ]


async def field_specs(work: Work, rule: Load) -> dict[str, FieldSpec]:
    """The destination's fields that we write and that can be read back as written, by API name."""
    specs: dict[str, FieldSpec] = {}
    unreadable = {*work.destination_platform.object_facts(rule.target_object).unreadable, *computed_anew(work, rule)}
    for one in (rule, *link_loads(work, rule)):
        compiled, target = await compile_rule(work, one)
        for name in compiled.fields.values():
            found = target.field(name)
            if found is not None and name not in unreadable:
                specs[name] = found
    return specs


async def checked_specs(work: Work, rule: Load) -> dict[str, FieldSpec]:
    """These and our key: without it nobody finds the record again, and vendors drop its value without a word where its
    field is gone.
    """
    specs = await field_specs(work, rule)
    target = await target_object(work, rule)
    key = target.field(await key_field(work, rule, target)) if rule.mode is LoadMode.CREATE else None
    return specs if key is None else {**specs, key.name: key}


def computed_anew(work: Work, rule: Load) -> dict[str, str]:
    """Fields that the platform computes anew from records which this mapping writes: field to their object.

    What we wrote there cannot stand; the mapping keeps the source's value in a field of its own (ruling 22).
    """
    targets = {one.target_object for one in work.mapping().loads if one.enabled}
    computed = work.destination_platform.object_facts(rule.target_object).computed_from
    return {name: other for name, other in computed.items() if other in targets}


def _borrowed(rule: Load, compiled: CompiledLoad) -> frozenset[str]:
    """API names of fields that take their value from other records.

    A record that the source let go is not written again when those change afterwards: what was written of them then
    cannot be computed any more, so they are left out for such a record.
    """
    if rule.mode is not LoadMode.CREATE:
        return frozenset()
    gathered = {one.field for one in rule.collect}
    shared = {name for one in rule.unique for name in (one.target, one.into)}
    return frozenset(
        compiled.fields[one.target]
        for one in rule.fields
        if one.target in compiled.fields
        and (
            one.lookup is not None
            or one.target in shared
            or any("." in source or source in gathered for source in one.sources)
        )
    )


async def written(
    work: Work,
    rule: Load,
    *,
    this_run: bool,
    only_created: bool = False,
    only: Sequence[str] | None = None,
    theirs: bool = True,
    undoing: bool = False,
) -> AsyncIterator[list[Written]]:
    """Pages of what the ledger says stands at the destination, each with its expected payload.

    `only` narrows it to these source ids. Without `theirs` fields are left out that a delta found changed by people
    and left as they are: nobody expects our value there. A file that people changed is left out as a whole.
    `undoing` (a rollback) takes records of theirs along that a later run could not write again, except those that this
    run has settled, and payloads as they were last written, wherever the source has gone on since.
    """
    decider = await make_decider(work, rule)
    links = [(one, await make_decider(work, one)) for one in link_loads(work, rule)]
    keys = [rule.key, *(one.key for one, _ in links)]
    facts = work.destination_platform.object_facts(rule.target_object)
    borrowed = _borrowed(rule, decider.compiled) - {facts.parent_field, facts.parent_object_field}
    after = ""
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            rows = await connection.fetch(
                "SELECT source_id, record_id, created, owner_id, before, sent_hash FROM ledger WHERE engagement_id = $1"
                " AND destination_id = $2 AND source_object = $3 AND target_object = $4 AND part = $5"
                " AND record_id IS NOT NULL AND source_id > $6 AND ($7 OR run_id = $8) AND (NOT $9 OR created)"
                # what we created and could not write again later (its parent is gone, say) stands there all the same
                " AND ($9 OR outcome IN ('created', 'updated', 'unchanged')"
                " OR ($11 AND before IS NOT NULL AND NOT created AND run_id <> $8))"
                " AND ($10::text[] IS NULL OR source_id = ANY($10))"
                " ORDER BY source_id LIMIT 500",
                *(work.run.engagement_id, work.run.destination_id, rule.source_object, rule.target_object, rule.part),
                *(after, not this_run, work.book.run_id, only_created, None if only is None else list(only), undoing),
            )
            if not rows:
                return
            page = [Written(*tuple(row)) for row in rows]
            hashes = {row["source_id"]: row["sent_hash"] for row in rows}
            gone = await work.staging.gone(connection, rule.source_object, list(hashes))
            left = {} if theirs else await findings.left_alone(connection, work, keys, list(hashes))
            records = await work.staging.by_ids(
                connection, rule.source_object, [one.source_id for one in page], gone_too=True
            )
            records = dict(await decider.completed(connection, records))
            context = await decider.gather(connection, list(records.values()))
            link_contexts = [await one.gather(connection, list(records.values())) for _, one in links]
            ends = [await work.book.priors(connection, one, list(hashes)) for one, _ in links]
        for one in page:
            record = records.get(one.source_id)
            if record is None:
                continue
            one.source = record
            one.sent = dict(decider.payload(one.source_id, record, context))
            if one.source_id in gone and work.key.hash(json_text(one.sent)) != hashes[one.source_id]:
                one.sent = {name: value for name, value in one.sent.items() if name not in borrowed}
        if undoing:
            await _rewind(work, rule, page, hashes)
        for (link, other), link_context, ended in zip(links, link_contexts, ends, strict=True):
            await _add_link(work, link, other.compiled, link_context, page, ended, undoing=undoing)
        for one in page:
            for name in left.get(one.source_id, ()):
                one.sent.pop(name, None)
        yield [one for one in page if one.source_id not in left] if rule.mode is LoadMode.FILE else page
        after = rows[-1]["source_id"]


async def _rewind(work: Work, rule: Load, page: Sequence[Written], hashes: Mapping[str, bytes | None]) -> None:
    """Gives records that the source has changed since our last write the payload of that write, as far as provable."""
    from app.runs.last_written import as_written, proves

    known = {one.source_id: one for one in page if one.source is not None}
    stale = {
        source_id: sent_hash
        for source_id, one in known.items()
        if (sent_hash := hashes[source_id]) is not None and not proves(work, one.sent, sent_hash)
    }
    for source_id, payload in (await as_written(work, rule, stale)).items() if stale else ():
        known[source_id].sent = payload


async def _add_link(
    work: Work,
    link: Load,
    compiled: CompiledLoad,
    context: PageContext,
    page: Sequence[Written],
    ends: Mapping[str, Prior],
    *,
    undoing: bool,
) -> None:
    """Adds what a link load sets on these records. A link that the destination refused, say, is not expected: its own
    row in the ledger tells of it.
    """
    from app.runs.last_written import as_written, proves

    payloads: dict[str, dict[str, Any]] = {}
    stale: dict[str, bytes] = {}
    for one in page:
        end = ends.get(one.source_id)
        if one.source is None or (end is not None and end.outcome not in DONE):
            continue
        built = compiled.build(one.source, context).payload
        payload = payloads[one.source_id] = {name: value for name, value in built.items() if name != "$id"}
        sent_hash = end.sent_hash if undoing and end is not None else None
        if sent_hash is not None and not proves(work, {**payload, "id": one.record_id}, sent_hash):
            stale[one.source_id] = sent_hash
    if stale:
        payloads |= await as_written(work, link, stale)
    for one in page:
        one.sent.update(payloads.get(one.source_id, {}))
