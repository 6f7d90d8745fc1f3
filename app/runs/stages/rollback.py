"""Rollback: gives back what we changed, then deletes what we created, children first; people's edits stay.

Every step is booked in the ledger as it is done, so that a rollback interrupted anywhere goes on where it was.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from app.domain.diffing import Restore, Verdict, diff_record, edited
from app.domain.json_texts import json_text
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec
from app.domain.values import exact_json
from app.runs.bookkeeping import commit_entries
from app.runs.expecting import Written, field_specs, written
from app.runs.ledger import Entry, Outcome
from app.runs.mapping_versions import over_versions
from app.runs.proving import touched_specs
from app.runs.referring import known, look, reference_id
from app.runs.repeating import in_parts
from app.runs.stages.verify import read_back
from app.runs.undoing import DELETED, NOT_DELETED, NOT_RESTORED, RESTORED, Undo
from app.runs.whose import doubtful, further_values
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
    specs = await over_versions(work, rule, touched_specs) if create else {}
    name = work.object_name(rule.target_object)
    trial = _rehearsing(work)
    async for page in written(work, rule, this_run=trial, undoing=not trial):
        touched = [one for one in page if not one.created and one.before is not None]
        for one in page:  # a person entered it while we wrote: what it held before nobody has read
            if not one.created and one.before is None and create:
                unread = {"source_id": one.source_id, "fields": sorted(specs.keys() & one.sent.keys())}
                stage.detail.setdefault("kept", []).append(unread)
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
    back: dict[str, bytes] = {}
    given: set[str] = set()
    undone = []
    sides = {one.source_id: await _sides(work, one, now, specs) for one in chunk}
    # of a record that is gone nothing can be given back
    doubts = {one: names for one, of_it in sides.items() if of_it[2] and (names := doubtful(*of_it, specs))}
    further = await further_values(work, rule, doubts, chunk)
    for one in chunk:
        assert one.before is not None
        held, ours, there = sides[one.source_id]
        verdicts = edited(held, ours, there, specs, further.get(one.source_id, {}))
        values = {key: held.get(key) for key, verdict in verdicts.items() if verdict is Restore.RESTORE}
        kept = sorted(key for key, verdict in verdicts.items() if verdict is Restore.KEEP)
        if values:
            back[one.source_id] = json_text({**values, "id": one.record_id})
        # counted by what we had changed: the call of a worker that died before it could book is not made again
        changed = {key for key, verdict in edited(held, ours, ours, specs).items() if verdict is Restore.RESTORE}
        given.update([one.source_id] if changed.union(values).difference(kept) else [])
        stage.counts["kept_edits"] = stage.counts.get("kept_edits", 0) + len(kept)
        if kept:
            stage.detail.setdefault("kept", []).append({"source_id": one.source_id, "fields": kept})
        undone.append(Undo(one.source_id, one.record_id, RESTORED, kept, one.before))
    refused = await _give_back(work, stage, rule, back)
    stage.counts["restored"] = stage.counts.get("restored", 0) + len(given.difference(refused))
    # the id stays known: files and notes that hang on these records are found through it until they are deleted
    entries = [
        Entry(one.source_id, Outcome.QUARANTINED, f"{NOT_RESTORED}:{refused[one.source_id]}", record_id=one.record_id)
        if one.source_id in refused
        else Entry(one.source_id, Outcome.SKIPPED, "rolled_back", record_id=one.record_id)
        for one in chunk
    ]
    await commit_entries(work, rule, entries, stage, undone=undone)


async def _sides(
    work: Work, one: Written, now: Mapping[str, dict[str, Any]], specs: Mapping[str, FieldSpec]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What a record of theirs held before us, what we wrote last, and what it holds now."""
    assert one.before is not None
    held, there = work.open_before(one.source_id, one.before), now.get(one.record_id, {})
    ours = exact_json(json_text({key: value for key, value in one.sent.items() if key in specs}))
    return held, ours | await _links_of_ours(work, held, ours, there, specs), there


async def _give_back(work: Work, stage: StageRow, rule: Load, back: Mapping[str, bytes]) -> dict[str, str]:
    """Sends former values by source id; why the destination refused some. Those keep their former values in the ledger,
    so that the next rollback tries again.
    """
    if not back:
        return {}
    destination = await work.destination()
    target = WriteTarget(work.object_name(rule.target_object))
    results = await in_parts(work, lambda bodies: destination.update(target, bodies), list(back.values()))
    refused = {}
    for source_id, result in zip(back, results, strict=True):
        if result.status is WriteStatus.REFUSED:
            refused[source_id] = _refusal(stage, rule, source_id, "restore", result)
    return refused


def _refusal(stage: StageRow, rule: Load, source_id: str, what: str, result: WriteResult) -> str:
    """Counts and lists what the destination will not do; its word for that."""
    code = result.code or "refused"
    stage.counts["refused"] = stage.counts.get("refused", 0) + 1
    listed = {"source_id": source_id, "load": rule.key, "what": what, "code": code, "field": result.field}
    stage.detail.setdefault("refused", []).append(listed)
    return f"{code}:{result.field}" if result.field else code


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
    compared = rule.mode in (LoadMode.CREATE, LoadMode.NOTE)
    specs = await over_versions(work, rule, field_specs) if compared else {}
    held_back = await _held_back(work)
    trial = _rehearsing(work)
    async for page in written(work, rule, this_run=trial, only_created=True, undoing=not trial):
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
            removed = await _delete_chunk(work, stage, rule, destination, gone)
            entries += removed
            undone = [
                Undo(one.source_id, str(one.record_id), DELETED) for one in removed if one.reason == "rolled_back"
            ]
            for name, number in (("deleted", len(undone)), ("kept_edits", len(kept)), ("kept_referred", len(bound))):
                stage.counts[name] = stage.counts.get(name, 0) + number
            await commit_entries(work, rule, entries, stage, forget=True, undone=undone)
    await _let_go(work, rule)


_KEPT = """
    SELECT source_id, target_object, before FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND reason = 'kept_edited' AND created AND before IS NOT NULL
"""


async def _held_back(work: Work) -> dict[str, list[str]]:
    """Our records that records of the customer refer to, as the restoring stage found them, and those on which a note
    or the like hangs that people edited: it would go with them.
    """
    async with work.transaction() as connection:
        found = await connection.fetchval(
            "SELECT detail -> 'held_back' FROM run_stages WHERE run_id = $1 AND kind = 'restore'", work.run.id
        )
        kept = await connection.fetch(_KEPT, work.run.engagement_id, work.run.destination_id)
    held: dict[str, list[str]] = dict(found or {})
    for row in kept:
        place = work.open_before(row["source_id"], row["before"])
        if "object" in place and "id" in place:
            held.setdefault(str(place["id"]), []).append(row["target_object"])
    return held


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
    if not specs:
        return chunk, []
    now = await read_back(work, rule, chunk, sorted(specs))
    free, kept = [], []
    for one in chunk:
        got = now.get(one.record_id)
        if got is None or not one.sent:
            free.append(one)
            continue
        sent = exact_json(json_text({key: value for key, value in one.sent.items() if key in specs}))
        compared = {key: spec for key, spec in specs.items() if key in sent and not _own_link(spec, got, key)}
        diffs = diff_record({key: sent[key] for key in compared}, got, compared)
        changed = [diff.field for diff in diffs if diff.verdict is not Verdict.EQUAL]
        if changed:
            kept.append((one, changed))
        else:
            free.append(one)
    further = await further_values(work, rule, {one.source_id: names for one, names in kept}, [one for one, _ in kept])
    edits = [(one, _not_ours(names, further[one.source_id], now[one.record_id], specs)) for one, names in kept]
    return [*free, *[one for one, names in edits if not names]], [edit for edit in edits if edit[1]]


def _not_ours(
    names: list[str], further: Mapping[str, list[Any]], got: Mapping[str, Any], specs: Mapping[str, FieldSpec]
) -> list[str]:
    """The fields that hold none of these values of ours."""
    return [
        name
        for name in names
        if not any(
            diff.verdict is Verdict.EQUAL
            for value in further[name]
            for diff in diff_record({name: value}, got, {name: specs[name]})
        )
    ]


def _own_link(spec: FieldSpec, got: dict[str, Any], name: str) -> bool:
    """A reference that is empty now: its other end was ours and has just been deleted."""
    return bool(spec.references) and not got.get(name)


async def _delete_chunk(
    work: Work, stage: StageRow, rule: Load, destination: Destination, chunk: list[Written]
) -> list[Entry]:
    """Deletes these and says how each ended. What the vendor has no call for stays (ruling 24); anything else that it
    refuses is listed, and keeps its place in the ledger for the next rollback.
    """
    if not chunk:
        return []
    facts = work.destination_platform.object_facts(rule.target_object)
    if rule.mode is LoadMode.FILE:
        results = await _delete_files(work, rule, destination, chunk)
    else:
        remove = partial(destination.delete, work.object_name(rule.target_object))
        results = await in_parts(work, remove, [one.record_id for one in chunk])
    entries = []
    for one, result in zip(chunk, results, strict=True):
        if result.status is not WriteStatus.REFUSED:
            entries.append(Entry(one.source_id, Outcome.SKIPPED, "rolled_back", record_id=one.record_id))
            continue
        why = _refusal(stage, rule, one.source_id, "delete", result) if facts.deletable else _left(stage, result)
        entries.append(Entry(one.source_id, Outcome.QUARANTINED, f"{NOT_DELETED}:{why}", record_id=one.record_id))
    return entries


async def _delete_files(work: Work, rule: Load, destination: Destination, chunk: list[Written]) -> list[WriteResult]:
    """Files go one by one, through their parents."""
    name = work.object_name(rule.target_object)
    facts = work.destination_platform.object_facts(rule.target_object)
    results: list[WriteResult] = []
    for one in chunk:
        if not one.sent and facts.deletable:  # its parent is not known any more, so neither is the way to it
            results.append(WriteResult(WriteStatus.REFUSED, one.record_id, code="parent_unknown"))
            continue
        parent = {}
        if one.sent:
            parent_object, parent_id = parent_of(one.sent, facts.parent_field, facts.parent_object_field)
            parent = {"parent_object": parent_object, "parent_id": parent_id}
        results += await in_parts(work, partial(destination.delete, name, **parent), [one.record_id])
    return results


def _left(stage: StageRow, result: WriteResult) -> str:
    """Counts what no call of the vendor takes away; its word for that."""
    stage.counts["left_behind"] = stage.counts.get("left_behind", 0) + 1
    return result.code
