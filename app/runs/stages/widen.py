"""Widens a delta: records that did not change themselves but follow, by lookup or by field, records that did.

A part used carries the number of its work order, a task the account of its asset; a record held because its parent was
missing may find it now. Comparing hashes later costs no call for those that stay as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from app.domain.collecting import collected_needs
from app.domain.compiling import CompiledLoad
from app.domain.mapping import Load, LoadMode
from app.domain.schema import Record
from app.runs import findings
from app.runs.compiled import compile_rule, target_object
from app.runs.deciders import make_decider
from app.runs.plans import forecast_again
from app.runs.sharing import kept_apart
from app.runs.staging import Scope
from app.runs.work import StageRow, Work

_PAGE = 2000
_UNFINISHED = """
    INSERT INTO staged_changes (engagement_id, batch, object, source_id, tenant_id, kind)
    SELECT DISTINCT ON (c.object, c.source_id) $1, $2, c.object, c.source_id, c.tenant_id,
           CASE WHEN c.kind IN ('deleted', 'merged') THEN c.kind ELSE 'related' END
    FROM runs r JOIN staged_changes c ON c.engagement_id = $1 AND c.batch = (r.options ->> 'batch')::int
    WHERE r.engagement_id = $1 AND r.id <> $4 AND c.batch <> $2
      AND r.created_at > (SELECT max(created_at) FROM runs WHERE engagement_id = $1 AND destination_id = $3
                          AND kind IN ('full', 'delta') AND state = 'completed')
    ORDER BY c.object, c.source_id, c.batch DESC
    ON CONFLICT DO NOTHING
"""


async def widen(work: Work, stage: StageRow) -> None:
    """Adds rows of kind `related` to the delta's changes, and forecasts the run anew now that these are known."""
    await _widen(work, stage)
    await forecast_again(work)


async def _widen(work: Work, stage: StageRow) -> None:
    await _add_unfinished(work, stage)
    await _add_decided(work, stage)
    changed = await _changed(work)
    if not changed:
        return
    for rule in work.mapping().loads:
        if not rule.enabled:
            continue
        compiled, _ = await compile_rule(work, rule)
        watched = _watched(work, compiled, changed)
        if watched:
            await _scan(work, stage, rule, watched)
        if await _hangs_together(work, rule, changed):
            await _scan(work, stage, rule, None)


async def _add_unfinished(work: Work, stage: StageRow) -> None:
    """What other deltas have staged since this destination was last brought up to date: one that was cancelled, say, or
    one to another destination. It is staged already, so this delta's own reading did not take it for a change.
    """
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        status = await connection.execute(
            _UNFINISHED, work.run.engagement_id, int(work.options["batch"]), work.run.destination_id, work.run.id
        )
    if number := int(status.rsplit(" ", 1)[1]):
        stage.counts["unfinished"] = stage.counts.get("unfinished", 0) + number


async def _add_decided(work: Work, stage: StageRow) -> None:
    """Records with a conflict that a person has decided for the source's value since the last delta."""
    for rule in work.mapping().loads:
        if not rule.enabled:
            continue
        standing = await findings.standing(work, rule.key)
        ids = [one for one, fields in standing.items() if findings.SOURCE in fields.values()]
        if ids:
            async with work.transaction() as connection:
                await work.lease.guard(connection)
                stage.counts["decided"] = stage.counts.get("decided", 0) + await _add(work, connection, rule, ids)


async def _changed(work: Work) -> dict[str, set[str]]:
    """Object → ids that this delta brought."""
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT object, source_id FROM staged_changes WHERE engagement_id = $1 AND batch = $2",
            *(work.run.engagement_id, int(work.options["batch"])),
        )
    changed: dict[str, set[str]] = {}
    for row in rows:
        changed.setdefault(row["object"], set()).add(row["source_id"])
    return changed


def _watched(work: Work, compiled: CompiledLoad, changed: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Reference field → ids whose change matters to records of this load."""
    watched: dict[str, set[str]] = {}
    for reference, name in compiled.related_needs:
        watched.setdefault(reference, set()).update(changed.get(name, ()))
    for path, loads in compiled.reference_needs:
        for key in loads:
            ids = changed.get(work.mapping().load(key).source_object, ())
            watched.setdefault(path.partition(".")[0], set()).update(ids)
    return {reference: ids for reference, ids in watched.items() if ids and reference != "Id"}


async def _hangs_together(work: Work, rule: Load, changed: Mapping[str, set[str]]) -> bool:
    """Whether any record of the load may be meant otherwise now: a text it gathers lost or won a record, or a value
    that several share may have another keeper. Nobody knows whose parent a moved child was, so all are looked at.
    """
    if any(changed.get(name) for name, _ in collected_needs(rule)):
        return True
    if rule.mode is LoadMode.LINK and any(one.target == "$id" for one in rule.fields):
        return bool(changed.get(rule.source_object))  # another record may be the first to set the link now
    others = (one for one in work.mapping().loads if one.enabled and one.target_object == rule.target_object)
    if not rule.unique or not any(changed.get(one.source_object) for one in others):
        return False
    target = await target_object(work, rule)
    return any(one.first for one in await kept_apart(work, rule, target, make_decider))


async def _scan(work: Work, stage: StageRow, rule: Load, watched: Mapping[str, set[str]] | None) -> None:
    """Adds the records that follow what changed; all of them without `watched`."""
    after = ""
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            rows = await work.staging.page(connection, rule.source_object, after, None, _PAGE, Scope())
            if not rows:
                return
            found = [row.source_id for row in rows if watched is None or _follows(row.record, watched)]
            if found:
                await work.lease.guard(connection)
                stage.counts["related"] = stage.counts.get("related", 0) + await _add(work, connection, rule, found)
        after = rows[-1].source_id


def _follows(record: Record, watched: Mapping[str, set[str]]) -> bool:
    return any(record.get(reference) in ids for reference, ids in watched.items())


async def _add(work: Work, connection: "asyncpg.Connection[Any]", rule: Load, source_ids: Sequence[str]) -> int:
    status = await connection.execute(
        "INSERT INTO staged_changes (engagement_id, batch, object, source_id, tenant_id, kind)"
        " SELECT $1, $2, $3, unnest($4::text[]), $5, 'related' ON CONFLICT DO NOTHING",
        *(work.run.engagement_id, int(work.options["batch"]), rule.source_object, list(source_ids)),
        work.run.tenant_id,
    )
    return int(status.rsplit(" ", 1)[1])
