"""What the destination should hold: the payloads of a load recomputed from staging, its links included.

Nothing that was written is stored in the clear or twice; since the mapping and the staged records are kept, what we
wrote can be computed again for the sample's diff, for reconciliation and for rollback.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.domain.compiling import CompiledLoad
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec, Record
from app.runs import findings
from app.runs.stages.load import compile_rule, make_decider
from app.runs.work import Work


@dataclass(slots=True)
class Written:
    """One ledger row with what we expect behind it. `sent` is under API names; `source` is the staged record."""

    source_id: str
    record_id: str
    created: bool
    owner_id: str
    before: bytes | None
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
) -> AsyncIterator[list[Written]]:
    """Pages of what the ledger says stands at the destination, each with its expected payload.

    `only` narrows it to these source ids. Without `theirs` fields are left out that a delta found changed by people
    and left as they are: nobody expects our value there.
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
                " AND ($9 OR outcome IN ('created', 'updated', 'unchanged'))"
                " AND ($10::text[] IS NULL OR source_id = ANY($10))"
                " ORDER BY source_id LIMIT 500",
                *(work.run.engagement_id, work.run.destination_id, rule.source_object, rule.target_object, rule.part),
                *(after, not this_run, work.book.run_id, only_created, None if only is None else list(only)),
            )
            if not rows:
                return
            page = [Written(*tuple(row)[:-1]) for row in rows]
            hashes = {row["source_id"]: row["sent_hash"] for row in rows}
            gone = await work.staging.gone(connection, rule.source_object, list(hashes))
            left = {} if theirs else await findings.left_alone(connection, work, keys, list(hashes))
            records = await work.staging.by_ids(
                connection, rule.source_object, [one.source_id for one in page], gone_too=True
            )
            records = dict(await decider.completed(connection, records))
            context = await decider.gather(connection, list(records.values()))
            link_contexts = [await one.gather(connection, list(records.values())) for _, one in links]
        for one in page:
            record = records.get(one.source_id)
            if record is None:
                continue
            one.source = record
            one.sent = dict(decider.payload(one.source_id, record, context))
            if one.source_id in gone and work.key.hash(orjson.dumps(one.sent)) != hashes[one.source_id]:
                one.sent = {name: value for name, value in one.sent.items() if name not in borrowed}
            for (_, other), link_context in zip(links, link_contexts, strict=True):
                built = other.compiled.build(record, link_context)
                one.sent.update({name: value for name, value in built.payload.items() if name != "$id"})
            for name in left.get(one.source_id, ()):
                one.sent.pop(name, None)
        yield page
        after = rows[-1]["source_id"]
