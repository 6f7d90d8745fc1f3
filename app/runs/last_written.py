"""What a rollback takes back where source or mapping have gone on since: our last write, computed again.

A delta stages what the source says now before it writes it, and a run writes by the mapping that is confirmed then.
Where that write was refused, held or never made, the destination still holds what an earlier run wrote. The ledger's
keyed hash says which of the states that runs went by that was.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import structlog

from app.domain.compiling import MappingInvalid
from app.domain.json_texts import json_text
from app.domain.mapping import Load
from app.runs.deciders import make_decider
from app.runs.mapping_versions import load_in, views
from app.runs.staging import StagedRow
from app.runs.work import Work

log = structlog.get_logger()


class State(NamedTuple):
    """What our write of a record comes to by one state of source and mapping: the payload without ids, and its keyed
    hash.
    """

    payload: dict[str, Any]
    digest: bytes


async def as_written(work: Work, load: Load, hashes: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Source id → the payload that one of these ledger hashes proves, ids aside; absent where no earlier state does."""
    found: dict[str, dict[str, Any]] = {}
    for view in (await views(work))[1:]:
        left = [source_id for source_id in hashes if source_id not in found]
        if not left:
            break
        made = await _meant(view, work, load, left)
        found |= {one: state.payload for one, state in made.items() if state.digest == hashes[one]}
    return found


async def states(work: Work, load: Load, ids: Iterable[str]) -> dict[str, list[State]]:
    """Source id → what we mean now and what we meant by earlier states, the newest first and each once."""
    found: dict[str, list[State]] = {one: [] for one in ids}
    for view in await views(work):
        for one, state in (await _meant(view, work, load, list(found))).items():
            if state.digest not in [known.digest for known in found[one]]:
                found[one].append(state)
    return found


async def _meant(view: Work, work: Work, load: Load, ids: list[str]) -> dict[str, State]:
    """What a load of `work` writes of these records by one view; absent where it writes nothing."""
    rule = load_in(view, work, load)
    if rule is None:
        return {}
    try:
        decider = await make_decider(view, rule)
    except MappingInvalid:
        if view is work:
            raise
        log.warning("version_does_not_fit", load=rule.key)  # both sides have changed since: nobody can compute it
        return {}
    async with view.transaction() as connection:
        records = await view.staging.by_ids(connection, rule.source_object, ids, gone_too=True)
        rows = [StagedRow(one, records[one]) for one in ids if one in records]
        page = await decider.gather_page(connection, rows, fresh=True)
    meant = ((row.source_id, decider.meant(row, page)) for row in page.rows)
    return {source_id: State(*made) for source_id, made in meant if made is not None}


def proves(work: Work, payload: Mapping[str, Any], sent_hash: bytes | None) -> bool:
    """Whether the ledger knows this very payload. Without a hash nobody can tell, and it is taken for true."""
    return sent_hash is None or work.key.hash(json_text(payload)) == sent_hash
