"""Rollback: gives back what we changed, then deletes what we created, children first; people's edits stay.

Every step is booked in the ledger as it is done, so that a rollback interrupted anywhere goes on where it was.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from app.domain.diffing import Restore, Verdict, diff_record, edited
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec
from app.domain.values import exact_json
from app.runs.bookkeeping import commit_entries
from app.runs.expecting import Written, field_specs, written
from app.runs.ledger import Entry, Outcome
from app.runs.proving import linked_specs
from app.runs.referring import known, look, reference_id
from app.runs.repeating import repeated
from app.runs.undoing import DELETED, RESTORED, Undo
from app.runs.work import StageRow, Work
from app.runs.writers import parent_of
from connectors.base import Destination, WriteResult, WriteStatus, WriteTarget

_CALL = 100


async def restore(work: Work, stage: StageRow) -> None:
    """Puts back what the customer's records held before us, field by field, unless a person edited it since.

    Then it looks which records of theirs refer to ours: those stay, and so does the reference.
    """
    for rule in work.mapping().loads:
        if rule.enabled and rule.mode is not LoadMode.LINK:
            await _restore_load(work, stage, rule)
    if _rehearsing(work):
        return
    theirs = await look(work)
    stage.detail |= {"held_back": theirs.held_back, "not_asked": theirs.not_asked}
    stage.counts["carried_back"] = theirs.listed


def _rehearsing(work: Work) -> bool:
    """A sample takes back what it has just written itself and nothing else; nobody works with that yet."""
    return work.run.kind != "rollback"


async def _restore_load(work: Work, stage: StageRow, rule: Load) -> None:
    destination = await work.destination()
    create = rule.mode is LoadMode.CREATE
    specs = {**await linked_specs(work, rule), **await field_specs(work, rule)} if create else {}
    name = work.object_name(rule.target_object)
    async for page in written(work, rule, this_run=_rehearsing(work)):
        touched = [one for one in page if not one.created and one.before is not None]
        for start in range(0, len(touched), _CALL):
            chunk = touched[start : start + _CALL]
            now = await destination.fetch(name, [one.record_id for one in chunk], sorted(specs))
            await _restore_chunk(work, stage, rule, chunk, now, specs)


async def _restore_chunk(
    work: Work,
    stage: StageRow,
    rule: Load,
    chunk: list[Written],
    now: dict[str, dict[str, Any]],
    specs: dict[str, FieldSpec],
) -> None:
    destination = await work.destination()
    bodies, entries, undone = [], [], []
    for one in chunk:
        assert one.before is not None
        held = work.open_before(one.source_id, one.before)
        ours = exact_json(orjson.dumps({key: value for key, value in one.sent.items() if key in specs}))
        ours |= await _links_of_ours(work, held, ours, now.get(one.record_id, {}), specs)
        verdicts = edited(held, ours, now.get(one.record_id, {}), specs)
        back = {key: held.get(key) for key, verdict in verdicts.items() if verdict is Restore.RESTORE}
        kept = sorted(key for key, verdict in verdicts.items() if verdict is Restore.KEEP)
        if back:
            bodies.append(orjson.dumps({**back, "id": one.record_id}))
        stage.counts["restored"] = stage.counts.get("restored", 0) + bool(back)
        stage.counts["kept_edits"] = stage.counts.get("kept_edits", 0) + len(kept)
        if kept:
            stage.detail.setdefault("kept", []).append({"source_id": one.source_id, "fields": kept})
        undone.append(Undo(one.source_id, one.record_id, RESTORED, kept, one.before))
        entries.append(Entry(one.source_id, Outcome.SKIPPED, "rolled_back", record_id=one.record_id))
    if bodies:
        target = WriteTarget(work.object_name(rule.target_object))
        await repeated(work, lambda: destination.update(target, bodies))
    # the id stays known: files and notes that hang on these records are found through it until they are deleted
    await commit_entries(work, rule, entries, stage, undone=undone)


async def _links_of_ours(
    work: Work, held: Mapping[str, Any], ours: Mapping[str, Any], now: Mapping[str, Any], specs: Mapping[str, FieldSpec]
) -> dict[str, Any]:
    """Links that other source records set on this one and that still lead to a record which we created."""
    names = [name for name in held if name not in ours and name in specs and specs[name].references and now.get(name)]
    found: dict[str, Any] = {}
    for name in names:
        if await known(work, [reference_id(now[name])], adopted=False):
            found[name] = now[name]
    return found


async def delete(work: Work, stage: StageRow) -> None:
    """Deletes what we created; what people edited since, or refer to from records of theirs, stays and is listed."""
    rule = work.mapping().load(stage.load)
    destination = await work.destination()
    specs = await field_specs(work, rule) if rule.mode is LoadMode.CREATE else {}
    held_back = await _held_back(work)
    async for page in written(work, rule, this_run=_rehearsing(work), only_created=True):
        for start in range(0, len(page), _CALL):
            chunk = page[start : start + _CALL]
            bound = [one for one in chunk if one.record_id in held_back]
            for one in bound:
                kept_for = {"source_id": one.source_id, "fields": [], "referred_by": held_back[one.record_id]}
                stage.detail.setdefault("kept", []).append(kept_for)
            gone, kept = await _split(work, rule, [one for one in chunk if one not in bound], specs)
            for one, fields in kept:
                stage.detail.setdefault("kept", []).append({"source_id": one.source_id, "fields": fields})
            entries = [Entry(one.source_id, Outcome.SKIPPED, "kept_edited", record_id=one.record_id) for one, _ in kept]
            entries += [
                Entry(one.source_id, Outcome.SKIPPED, "kept_referred", record_id=one.record_id) for one in bound
            ]
            removed = await _delete_chunk(work, rule, destination, gone)
            entries += removed
            undone = [
                Undo(one.source_id, str(one.record_id), DELETED) for one in removed if one.reason == "rolled_back"
            ]
            for name, number in (("deleted", len(undone)), ("kept_edits", len(kept)), ("kept_referred", len(bound))):
                stage.counts[name] = stage.counts.get(name, 0) + number
            await commit_entries(work, rule, entries, stage, forget=True, undone=undone)
    await _let_go(work, rule)


async def _held_back(work: Work) -> dict[str, list[str]]:
    """Our records that records of the customer refer to, as the restoring stage found them."""
    async with work.transaction() as connection:
        found = await connection.fetchval(
            "SELECT detail -> 'held_back' FROM run_stages WHERE run_id = $1 AND kind = 'restore'", work.run.id
        )
    return dict(found or {})


_RESTORED = """
    UPDATE ledger SET record_id = NULL, created = false, sent_hash = NULL, before = NULL
    WHERE engagement_id = $1 AND destination_id = $2 AND source_object = $3 AND target_object = $4 AND part = $5
      AND reason = 'rolled_back' AND record_id IS NOT NULL
"""
_LINKED = """
    UPDATE ledger l SET record_id = NULL, sent_hash = NULL, outcome = 'skipped', reason = 'rolled_back', run_id = $9
    WHERE engagement_id = $1 AND destination_id = $2 AND source_object = $6 AND target_object = $7 AND part = $8
      AND record_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ledger b WHERE b.engagement_id = $1 AND b.destination_id = $2
                      AND b.source_object = $3 AND b.target_object = $4 AND b.part = $5 AND b.record_id = l.record_id)
"""


async def _let_go(work: Work, rule: Load) -> None:
    """Forgets restored records and the links that were set on records which are gone or restored."""
    place = (work.run.engagement_id, work.run.destination_id, rule.source_object, rule.target_object, rule.part)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(_RESTORED, *place)
        for link in work.mapping().loads:
            if link.mode is LoadMode.LINK and link.base == rule.key:
                own = (link.source_object, link.target_object, link.part)
                await connection.execute(_LINKED, *place, *own, work.book.run_id)


async def _split(
    work: Work, rule: Load, chunk: list[Written], specs: dict[str, FieldSpec]
) -> tuple[list[Written], list[tuple[Written, list[str]]]]:
    """What may be deleted, and what a person changed since with the fields that differ."""
    if rule.mode is not LoadMode.CREATE:
        return chunk, []
    destination = await work.destination()
    name = work.object_name(rule.target_object)
    now = await destination.fetch(name, [one.record_id for one in chunk], sorted(specs))
    free, kept = [], []
    for one in chunk:
        got = now.get(one.record_id)
        if got is None or not one.sent:
            free.append(one)
            continue
        sent = exact_json(orjson.dumps({key: value for key, value in one.sent.items() if key in specs}))
        compared = {key: spec for key, spec in specs.items() if key in sent and not _own_link(spec, got, key)}
        diffs = diff_record({key: sent[key] for key in compared}, got, compared)
        changed = [diff.field for diff in diffs if diff.verdict is not Verdict.EQUAL]
        if changed:
            kept.append((one, changed))
        else:
            free.append(one)
    return free, kept


def _own_link(spec: FieldSpec, got: dict[str, Any], name: str) -> bool:
    """A reference that is empty now: its other end was ours and has just been deleted."""
    return bool(spec.references) and not got.get(name)


async def _delete_chunk(work: Work, rule: Load, destination: Destination, chunk: list[Written]) -> list[Entry]:
    if not chunk:
        return []
    name = work.object_name(rule.target_object)
    facts = work.destination_platform.object_facts(rule.target_object)
    results: list[WriteResult] = []
    if rule.mode is LoadMode.FILE:
        for one in chunk:
            if not one.sent and not facts.deletable:
                results += await repeated(work, partial(destination.delete, name, [one.record_id]))
                continue
            if not one.sent:  # its parent is not known any more, so neither is the way to it
                results.append(WriteResult(WriteStatus.REFUSED, one.record_id, code="parent_unknown"))
                continue
            parent_object, parent_id = parent_of(one.sent, facts.parent_field, facts.parent_object_field)
            remove = partial(
                destination.delete, name, [one.record_id], parent_object=parent_object, parent_id=parent_id
            )
            results += await repeated(work, remove)
    else:
        results = await repeated(work, lambda: destination.delete(name, [one.record_id for one in chunk]))
    entries = []
    for one, result in zip(chunk, results, strict=True):
        refused = result.status is WriteStatus.REFUSED
        reason = f"not_deleted:{result.code}" if refused else "rolled_back"
        outcome = Outcome.QUARANTINED if refused else Outcome.SKIPPED
        entries.append(Entry(one.source_id, outcome, reason, record_id=one.record_id))
    return entries
