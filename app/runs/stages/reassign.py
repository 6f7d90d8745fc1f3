"""Re-assigns owners once users exist: what the decisions say now against who owns each record (ruling 19)."""

from app.runs.expecting import written
from app.runs.work import StageRow, Work

_CALL = 500


async def reassign(work: Work, stage: StageRow) -> None:
    """Changes owners in calls of up to 500 records; records whose owner is right already cost nothing."""
    rule = work.mapping().load(stage.load)
    owner_rule = next(one for one in rule.fields if one.owner)
    field = work.field_name(rule.target_object, owner_rule.target)
    destination = await work.destination()
    name = work.object_name(rule.target_object)
    async for page in written(work, rule, this_run=False):
        wanted: dict[str, list[str]] = {}
        source_ids: dict[str, str] = {}
        for one in page:
            owner = one.sent.get(field)
            user = str(owner["id"] if isinstance(owner, dict) else owner or "")
            if user and user != one.owner_id:
                wanted.setdefault(user, []).append(one.record_id)
                source_ids[one.record_id] = one.source_id
        for user, ids in wanted.items():
            for start in range(0, len(ids), _CALL):
                chunk = ids[start : start + _CALL]
                await work.lease.ready_to_send(work.runtime.settings.call_timeout_seconds)
                await destination.reassign(name, chunk, user)
                await _book(work, stage, rule.source_object, rule.target_object, rule.part, user, chunk, source_ids)


async def _book(
    work: Work,
    stage: StageRow,
    source_object: str,
    target_object: str,
    part: str,
    user: str,
    record_ids: list[str],
    source_ids: dict[str, str],
) -> None:
    stage.counts["reassigned"] = stage.counts.get("reassigned", 0) + len(record_ids)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(
            "UPDATE ledger SET owner_id = $6, sent_hash = NULL WHERE engagement_id = $1 AND destination_id = $2"
            " AND source_object = $3 AND target_object = $4 AND part = $5 AND source_id = ANY($7)",
            *(work.run.engagement_id, work.run.destination_id, source_object, target_object, part, user),
            [source_ids[record_id] for record_id in record_ids],
        )
        await work.save_stage(connection, stage)
