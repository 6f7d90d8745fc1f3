"""What a rollback takes back where the source has gone on since: our last write, computed again from replaced payloads.

A delta stages what the source says now before it writes it. Where that write was refused, held or never made, the
destination still holds what an earlier run wrote. The ledger's keyed hash says which former state that was.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import orjson

from app.domain.mapping import Load
from app.runs.deciders import make_decider
from app.runs.former import FormerStaging, FormerWork
from app.runs.resolved import ResolvedIds
from app.runs.staging import StagedRow
from app.runs.work import Work

_STEPS = 20  # deltas to go back at the most
_KEPT = ("compiled:", "target_inventory", "source_inventory", "owners")
_BATCHES = "SELECT DISTINCT batch FROM staged_changes WHERE engagement_id = $1 ORDER BY batch DESC LIMIT $2"


async def as_written(work: Work, load: Load, hashes: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Source id → the payload that one of these ledger hashes proves, ids aside; absent where no delta replaced it."""
    found: dict[str, dict[str, Any]] = {}
    for batch in await _batches(work):
        left = [source_id for source_id in hashes if source_id not in found]
        if not left:
            break
        view = _before(work, batch)
        decider = await make_decider(view, load)
        async with work.transaction() as connection:
            records = await view.staging.by_ids(connection, load.source_object, left, gone_too=True)
            rows = [StagedRow(one, records[one]) for one in left if one in records]
            page = await decider.gather_page(connection, rows, fresh=True)
        for row in page.rows:
            meant = decider.meant(row, page)
            if meant is not None and meant[1] == hashes[row.source_id]:
                found[row.source_id] = meant[0]
    return found


def proves(work: Work, payload: Mapping[str, Any], sent_hash: bytes | None) -> bool:
    """Whether the ledger knows this very payload. Without a hash nobody can tell, and it is taken for true."""
    return sent_hash is None or work.key.hash(orjson.dumps(payload)) == sent_hash


async def _batches(work: Work) -> list[int]:
    """Deltas of the engagement, the newest first."""
    async with work.transaction() as connection:
        return [row["batch"] for row in await connection.fetch(_BATCHES, work.run.engagement_id, _STEPS)]


def _before(work: Work, batch: int) -> Work:
    """The engagement as it was before one delta was read, made once per worker."""
    name = f"before:{batch}"
    if name not in work.cache:
        view = FormerWork(**{one.name: getattr(work, one.name) for one in fields(Work)})
        view.cache = {key: value for key, value in work.cache.items() if key.startswith(_KEPT)}
        view.resolved = ResolvedIds()
        view.staging = FormerStaging(work.run.engagement_id, work.run.tenant_id, work.key, batch)
        work.cache[name] = view
    made: Work = work.cache[name]
    return made
