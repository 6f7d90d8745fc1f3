"""The base of a delta's merge: what we last wrote of a record, computed again."""

from collections.abc import Sequence
from typing import Any

from app.domain.json_texts import json_text
from app.domain.mapping import Load
from app.domain.values import exact_json
from app.runs.deciders import make_decider
from app.runs.deciding import Decider
from app.runs.former import former_work
from app.runs.items import Item
from app.runs.last_written import as_written
from app.runs.staging import StagedRow
from app.runs.work import Work


class Base:
    """The bases of one load's records; made by `former_base`."""

    def __init__(self, work: Work, load: Load, decider: Decider) -> None:
        self._work = work
        self._load = load
        self._decider = decider

    async def wrote(self, items: Sequence[Item]) -> dict[str, tuple[dict[str, Any], bytes]]:
        """Source id → what we wrote, exact, and its keyed hash; absent where nothing was known.

        Where the state before this delta is not what the ledger proves, an earlier one may be: of an older version of
        the mapping, say.
        """
        ids = [item.source_id for item in items]
        view = former_work(self._work)
        async with self._work.transaction() as connection:
            records = await view.staging.by_ids(connection, self._load.source_object, ids, gone_too=True)
            rows = [StagedRow(one, records[one]) for one in ids if one in records]
            page = await self._decider.gather_page(connection, rows, fresh=True)
        meant = {row.source_id: self._decider.meant(row, page) for row in page.rows}
        made = {one: found for one, found in meant.items() if found is not None}
        stale = {item.source_id: item.known_hash for item in items if item.known_hash is not None}
        stale = {one: known for one, known in stale.items() if one not in made or made[one][1] != known}
        earlier = await as_written(self._work, self._load, stale) if stale else {}
        made |= {one: (payload, stale[one]) for one, payload in earlier.items()}
        return {one: (exact_json(json_text(payload)), digest) for one, (payload, digest) in made.items()}


async def former_base(work: Work, load: Load) -> Base:
    """The base of a merge: proved where its hash is the ledger's."""
    return Base(work, load, await make_decider(former_work(work), load))
