"""Repair: records that the last reconciliation found with other values are corrected, only in the fields that differ.

What is gone at the destination is not made again here: it is counted, and a full run creates it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.domain.diffing import Verdict, diff_record
from app.domain.json_texts import json_text
from app.domain.mapping import LoadMode
from app.domain.provisioning import is_steering
from app.domain.schema import FieldSpec
from app.runs import readings
from app.runs.bookkeeping import commit_entries
from app.runs.expecting import Written, checked_specs, written
from app.runs.ledger import Entry, Outcome
from app.runs.preimages import preimages
from app.runs.repeating import repeated
from app.runs.stages.verify import exact, read_back
from app.runs.work import StageRow, Work
from connectors.base import WriteStatus, WriteTarget

_CALL = 100


async def repair(work: Work, stage: StageRow) -> None:
    """Corrects one load; counts `differing`, `repaired`, `refused`, `equal_now` and `fields` that were sent."""
    rule = work.mapping().load(stage.load)
    if rule.mode is LoadMode.FILE:
        return
    specs = await checked_specs(work, rule)
    after = stage.cursor
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            ids = await readings.differing(connection, work, rule.key, after)
        if not ids:
            return
        async for page in written(work, rule, this_run=False, only=ids, theirs=False):
            for start in range(0, len(page), _CALL):
                await _correct(work, stage, page[start : start + _CALL], specs)
        after = stage.cursor = ids[-1]
        async with work.transaction() as connection:
            await work.lease.guard(connection)
            await work.save_stage(connection, stage)


async def _correct(work: Work, stage: StageRow, chunk: list[Written], specs: Mapping[str, FieldSpec]) -> None:
    rule = work.mapping().load(stage.load)
    destination = await work.destination()
    facts = work.destination_platform.object_facts(rule.target_object)
    name = work.object_name(rule.target_object)
    names = sorted({field for one in chunk for field in one.sent if field in specs})
    now = await read_back(work, rule, chunk, names)
    differing: list[tuple[Written, dict[str, Any]]] = []
    for one in chunk:
        _count(stage, "differing")
        got = now.get(one.record_id)
        if got is None:
            _count(stage, "gone")
            continue
        wrong = _wrong(one, got, specs, facts.together)
        if wrong:
            differing.append((one, wrong))
        else:
            _count(stage, "equal_now")
    if not differing:
        return
    former = await preimages(work, rule)
    if former is not None:
        await former.complete([(one.record_id, fields) for one, fields in differing])
    bodies = [json_text({**fields, "id": one.record_id}) for one, fields in differing]
    results = await repeated(work, lambda: destination.update(WriteTarget(name), bodies))
    entries = []
    for (one, fields), result in zip(differing, results, strict=True):
        if result.status is WriteStatus.REFUSED:  # it stays as it is, and the next reconciliation names it again
            _count(stage, "refused")
            stage.detail.setdefault("refused", []).append({"source_id": one.source_id, "code": result.code})
            continue
        _count(stage, "repaired")
        _count(stage, "fields", len(fields))
        entries.append(Entry(one.source_id, Outcome.UPDATED, "repaired", one.record_id, owner_id=one.owner_id))
    await commit_entries(work, rule, entries, stage)


def _wrong(
    one: Written, got: Mapping[str, Any], specs: Mapping[str, FieldSpec], together: Iterable[Collection[str]]
) -> dict[str, Any]:
    """The fields that are not as meant, as they are to be sent, with those that belong to them."""
    to_send = dict(one.sent)
    sent = {key: value for key, value in exact(one).sent.items() if key in specs}
    verdicts = diff_record(sent, got, {key: specs[key] for key in sent})
    wrong = {diff.field for diff in verdicts if diff.verdict is not Verdict.EQUAL}
    for group in together:
        if wrong.intersection(group):
            wrong |= {name for name in group if name in to_send}
    if wrong:
        wrong |= {name for name in to_send if is_steering(name)}
    return {name: to_send[name] for name in sorted(wrong)}


def _count(stage: StageRow, name: str, number: int = 1) -> None:
    stage.counts[name] = stage.counts.get(name, 0) + number
