"""Where our notes and files hang: kept sealed in the ledger, so that one whose parent changed can be taken away there.

Vendors neither move a note or file to another parent nor tell of one alone where it hangs.
"""

from collections.abc import Sequence

from app.domain.mapping import Load
from app.runs.items import Item
from app.runs.work import Work

Place = tuple[str, str]
"""(object, id) of a parent at the destination."""

_KNOWN = """
    SELECT source_id, before FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND source_object = $3 AND target_object = $4 AND part = $5
      AND created AND before IS NOT NULL AND source_id = ANY($6)
"""

_OWNED = """
    SELECT DISTINCT record_id FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND target_object = $3 AND record_id = ANY($4)
"""


class Placing:
    """The places of one load's records."""

    def __init__(self, work: Work, rule: Load) -> None:
        self._work = work
        self._rule = rule

    def remember(self, item: Item, place: Place) -> None:
        """Lets the item's ledger entry say where it hangs."""
        item.before = self._work.seal_before(item.source_id, {"object": place[0], "id": place[1]})

    async def known(self, source_ids: Sequence[str]) -> dict[str, Place]:
        """Where these hang, as far as we made them and noted it."""
        rule = self._rule
        async with self._work.transaction() as connection:
            rows = await connection.fetch(
                _KNOWN,
                *(self._work.run.engagement_id, self._work.run.destination_id, rule.source_object, rule.target_object),
                *(rule.part, list(source_ids)),
            )
        found: dict[str, Place] = {}
        for row in rows:
            values = self._work.open_before(row["source_id"], row["before"])
            if "object" in values and "id" in values:
                found[row["source_id"]] = (str(values["object"]), str(values["id"]))
        return found

    async def owned(self, record_ids: Sequence[str]) -> set[str]:
        """Which of these destination records the ledger has for a source record already."""
        run, rule = self._work.run, self._rule
        async with self._work.transaction() as connection:
            rows = await connection.fetch(
                _OWNED, run.engagement_id, run.destination_id, rule.target_object, list(record_ids)
            )
        return {row["record_id"] for row in rows}
