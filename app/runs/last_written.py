"""What a rollback takes back where the source has gone on since: our last write, computed again from replaced payloads.

A delta stages what the source says now before it writes it. Where that write was refused, held or never made, the
destination still holds what an earlier run wrote. The ledger's keyed hash says which former state that was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

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


class State(NamedTuple):
    """What our write of a record comes to by one state of the source: the payload without ids, and its keyed hash."""

    payload: dict[str, Any]
    digest: bytes


async def as_written(work: Work, load: Load, hashes: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Source id → the payload that one of these ledger hashes proves, ids aside; absent where no delta replaced it."""
    found: dict[str, dict[str, Any]] = {}
    for batch in await _batches(work):
        left = [source_id for source_id in hashes if source_id not in found]
        if not left:
            break
        made = await _meant(_before(work, batch), load, left)
        found |= {one: state.payload for one, state in made.items() if state.digest == hashes[one]}
    return found


async def states(work: Work, load: Load, ids: Iterable[str]) -> dict[str, list[State]]:
    """Source id → what we mean now and what we meant before each delta, the newest first and each once."""
    found: dict[str, list[State]] = {one: [] for one in ids}
    for view in (work, *[_before(work, batch) for batch in await _batches(work)]):
        for one, state in (await _meant(view, load, list(found))).items():
            if state.digest not in [known.digest for known in found[one]]:
                found[one].append(state)
    return found


async def _meant(view: Work, load: Load, ids: list[str]) -> dict[str, State]:
    """What a load writes of these records by one view of the source; absent where it writes nothing."""
    decider = await make_decider(view, load)
    async with view.transaction() as connection:
        records = await view.staging.by_ids(connection, load.source_object, ids, gone_too=True)
        rows = [StagedRow(one, records[one]) for one in ids if one in records]
        page = await decider.gather_page(connection, rows, fresh=True)
    meant = ((row.source_id, decider.meant(row, page)) for row in page.rows)
    return {source_id: State(*made) for source_id, made in meant if made is not None}


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
