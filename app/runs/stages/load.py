"""A load stage: compiles its mapping, chooses how to write, runs the loader, and closes only when the sums agree."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from app.domain.collecting import with_collected
from app.domain.compiling import CompiledLoad, compile_load
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec, Inventory, ObjectSpec
from app.runs import findings
from app.runs.deciding import Decider
from app.runs.filenames import safe_name
from app.runs.following_parents import levels
from app.runs.gathering import gatherer
from app.runs.loading import Loader, Merging
from app.runs.owning import owners
from app.runs.placing import Placing
from app.runs.repeating import pause
from app.runs.sharing import kept_apart, redirects
from app.runs.stages.extract import source_inventory
from app.runs.staging import Scope
from app.runs.work import StageRow, Work
from app.runs.writers import NoteWriter, RecordWriter, Writer, is_keyless, is_repeatable, style_for
from connectors.base import ObjectFacts, WriteStyle, WriteTarget


class CountsDisagree(Exception):
    """Records read and records ended differ: the run may not finish (conservation)."""


async def load(work: Work, stage: StageRow) -> None:
    """Runs one load to its end. Raises what the loader raises, and CountsDisagree."""
    sending = work.hurry()
    try:
        await _load(work, stage, sending)
    finally:
        sending()


async def _load(work: Work, stage: StageRow, sending: Callable[[], None]) -> None:
    rule = work.mapping().load(stage.load)
    async with work.transaction() as connection:
        stage.total = await work.staging.count(connection, rule.source_object, work.scope(rule.source_object))
    if stage.total == 0 and not stage.cursor:  # nothing to ask the destination about either
        await close_counts(work, stage, rule)
        return
    decider = await make_decider(work, rule)
    facts = work.destination_platform.object_facts(rule.target_object)
    writer = await _writer(work, rule, decider, facts)
    work.cache[f"linked:{rule.key}"] = await _adopted_fields(work, rule)
    if "virgin" not in stage.detail:
        stage.detail["virgin"] = await _is_virgin(work, rule, decider.key_field, facts)
    async with work.transaction() as connection:
        await work.save_stage(connection, stage)
    order = await levels(work, rule, decider)
    if order is not None:
        decider.rings = order.rings
        work.handover.drop(rule.source_object)
    merging = await _merger(work, stage, rule, facts)
    concurrency = await _concurrency(work)
    for level in range(int(stage.detail.get("level", 0)), (order.deepest if order else 0) + 1):
        loader = Loader(
            work,
            stage,
            rule,
            decider,
            writer,
            concurrency=concurrency,
            call_timeout=work.runtime.settings.call_timeout_seconds,
            settle_seconds=work.destination_platform.limits.settle_seconds,
            virgin=bool(stage.detail["virgin"]),
            sending=sending,
            merger=merging,
            among=partial(order.holds, level) if order else None,
        )
        await loader.run()
        if order is not None and level < order.deepest:
            await _descend(work, stage, level + 1)
    await close_counts(work, stage, rule)
    if work.run.kind == "delta":
        await findings.conclude_load(work, stage, rule)


async def _descend(work: Work, stage: StageRow, level: int) -> None:
    """The next level of records that must find their parents begins; what was written of the last one is booked."""
    stage.cursor, stage.detail["level"] = "", level
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await work.save_stage(connection, stage)


async def _merger(work: Work, stage: StageRow, rule: Load, facts: ObjectFacts) -> Merging | None:
    """In a delta whatever can be changed there is merged with what people changed meanwhile."""
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


async def make_decider(work: Work, rule: Load) -> Decider:
    """The compiled load with everything it needs to decide records."""
    compiled, target = await compile_rule(work, rule)
    owner_rule = next((one for one in rule.fields if one.owner), None)
    keyed = rule.mode is LoadMode.CREATE
    return Decider(
        document=work.mapping(),
        load=rule,
        compiled=compiled,
        staging=work.staging,
        book=work.book,
        key=work.key,
        owners=await owners(work, await target_inventory(work)),
        run_id=work.book.run_id,
        key_field=await key_field(work, rule, target) if keyed else "",
        owner_field=work.field_name(rule.target_object, owner_rule.target) if owner_rule else "",
        note=await _note(work, rule),
        doubles=await _doubles(work, rule),
        resolved=work.resolved,
        gatherer=await gatherer(work, rule),
        apart=await kept_apart(work, rule, target, make_decider),
        redirects=await redirects(work),
        again=await _again(work, rule),
        linked=await _linked_so_far(work, rule),
    )


async def _linked_so_far(work: Work, rule: Load) -> dict[str, str]:
    """Which records already have the link of this load in this run, and from whom: the first by id sets it."""
    if rule.mode is not LoadMode.LINK or not any(one.target == "$id" for one in rule.fields):
        return {}
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT record_id, source_id FROM ledger WHERE run_id = $1 AND source_object = $2 AND target_object = $3"
            " AND part = $4 AND record_id IS NOT NULL AND outcome IN ('created', 'updated', 'unchanged')",
            *(work.book.run_id, rule.source_object, rule.target_object, rule.part),
        )
    return dict(rows)


async def _again(work: Work, rule: Load) -> frozenset[str]:
    """Records about which a person has decided since: a delta looks at them although nothing changed at the source."""
    if work.run.kind != "delta":
        return frozenset()
    standing = await findings.standing(work, rule.key)
    return frozenset(one for one, fields in standing.items() if findings.SOURCE in fields.values())


async def _doubles(work: Work, rule: Load) -> frozenset[tuple[str, str]]:
    """For files: (parent, name) that more than one staged file has; their names get the source id."""
    if rule.mode is not LoadMode.FILE:
        return frozenset()
    if "doubles" not in work.cache:
        seen: set[tuple[str, str]] = set()
        double: set[tuple[str, str]] = set()
        after = ""
        async with work.transaction() as connection:
            while rows := await work.staging.page(connection, rule.source_object, after, None, 2000, Scope()):
                for row in rows:
                    name = safe_name(str(row.record.get(rule.file_name) or ""), f"{row.source_id}.bin")
                    pair = (str(row.record.get("ParentId")), name)
                    (double if pair in seen else seen).add(pair)
                after = rows[-1].source_id
        work.cache["doubles"] = frozenset(double)
    found: frozenset[tuple[str, str]] = work.cache["doubles"]
    return found


async def _note(work: Work, rule: Load) -> tuple[str, dict[str, str]] | None:
    """For notes and other records without a key: the field that carries the marker, and author names by source user
    id."""
    facts = work.destination_platform.object_facts(rule.target_object)
    if rule.mode not in (LoadMode.NOTE, LoadMode.CREATE) or not facts.marker_field:
        return None
    inventory: Inventory = await source_inventory(work)
    return facts.marker_field, {user.id: user.name for user in inventory.users}


async def compile_rule(work: Work, rule: Load) -> tuple[CompiledLoad, ObjectSpec]:
    """Compiles a load against what both sides look like now; kept for the run. Raises MappingInvalid."""
    cached = work.cache.get(f"compiled:{rule.key}")
    if cached is not None:
        return cached  # type: ignore[no-any-return]
    source: Inventory = await source_inventory(work)
    target = await target_object(work, rule)
    document = work.mapping()
    compiled = compile_load(
        rule,
        source=with_collected(source.object(rule.source_object) or ObjectSpec(name=rule.source_object), rule),
        target=target,
        names={name: api for (owner, name), api in work.names.items() if owner == rule.target_object and name},
        objects={other.key: work.object_name(other.target_object) for other in document.loads},
        encoding=work.destination_platform.encoding,
        value_maps=document.value_maps,
        platform=work.source_platform.slug,
        key_field=await key_field(work, rule, target) if rule.mode is LoadMode.CREATE else "",
        related={spec.name: spec for spec in source.objects},
        origins={other.key: other.source_object for other in document.loads},
    )
    work.cache[f"compiled:{rule.key}"] = (compiled, target)
    return compiled, target


async def target_inventory(work: Work) -> Inventory:
    """What the destination looked like after provisioning, read once per run."""
    if "target_inventory" not in work.cache:
        from app.runs.opening import newest_inventory

        assert work.run.destination_id is not None
        work.cache["target_inventory"] = await newest_inventory(work, work.run.destination_id)
    inventory: Inventory = work.cache["target_inventory"]
    return inventory


async def target_object(work: Work, rule: Load) -> ObjectSpec:
    """The destination's description of a load's object; an object the vendor does not describe is taken on trust."""
    inventory = await target_inventory(work)
    name = work.object_name(rule.target_object)
    found = inventory.object(name)
    if found is not None:
        return found
    return ObjectSpec(name=name, fields=tuple(FieldSpec(name=one.target) for one in rule.fields))


async def key_field(work: Work, rule: Load, target: ObjectSpec) -> str:
    """The API name of our external-id field on this object, "" where it has none."""
    facts = work.destination_platform.object_facts(rule.target_object)
    if facts.key_field is None:
        return ""
    name = facts.key_field or work.field_name(rule.target_object, work.mapping().external_id)
    return name if target.field(name) else ""


async def _writer(work: Work, rule: Load, decider: Decider, facts: ObjectFacts) -> Writer:
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
