"""The demo's figures from SQL over the ledger (ruling 32), read as the service's own role and tenant."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg

from app.db import APP_ROLE, plain_url

OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined", "held")
STAYS = "(stays behind)"

# A record that is ours counts as created whichever run wrote it last: the sample's records are unchanged in the full
# run, and yet the destination has them from us.
_COUNTS = """
    SELECT source_object, target_object, part,
           CASE WHEN created AND outcome IN ('created', 'updated', 'unchanged') THEN 'created' ELSE outcome END AS how,
           count(*) AS n
    FROM ledger WHERE engagement_id = $1 AND destination_id = $2 GROUP BY 1, 2, 3, 4
"""
_BY_RUN = """
    SELECT outcome, count(*) AS n FROM ledger
    WHERE engagement_id = $1 AND run_id = $2 AND target_object <> '' GROUP BY 1
"""
_OURS = """
    SELECT l.target_object, coalesce(nullif(n.api_name, ''), l.target_object) AS module, l.record_id
    FROM ledger l
    LEFT JOIN destination_names n
           ON n.connection_id = l.destination_id AND n.object = l.target_object AND n.field = ''
    WHERE l.engagement_id = $1 AND l.destination_id = $2 AND l.created AND l.record_id IS NOT NULL
"""
_LEFT = """
    SELECT coalesce(nullif(n.api_name, ''), l.target_object) AS module, l.record_id, l.reason
    FROM ledger l
    LEFT JOIN destination_names n
           ON n.connection_id = l.destination_id AND n.object = l.target_object AND n.field = ''
    WHERE l.engagement_id = $1 AND l.destination_id = $2 AND l.reason LIKE 'not_deleted:%' AND l.record_id IS NOT NULL
"""
_INTENTS = "SELECT count(*) FROM intents WHERE engagement_id = $1"


@dataclass(frozen=True, slots=True)
class Row:
    """One object of the table: every record that was read has exactly one of the six ends."""

    object: str
    target: str
    read: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0
    held: int = 0

    @property
    def ended(self) -> int:
        return sum(getattr(self, name) for name in OUTCOMES)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class LedgerFigures:
    """Asks the ledger of one engagement at one destination."""

    def __init__(
        self,
        database_url: str,
        tenant_id: UUID,
        engagement_id: UUID,
        destination_id: UUID,
        modules: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`modules` leads from the names of the ledger to those of the stand-in's dump, where they differ."""
        self._modules = modules
        self._url = database_url
        self._tenant_id = tenant_id
        self._scope = (engagement_id, destination_id)

    def rows(self, loads: Iterable[dict[str, Any]], read: dict[str, int]) -> list[Row]:
        """A row per enabled load in the mapping's order, then one per object that stays behind. `loads` are those of
        the mapping document, `read` the records that each load's stage took from staging, by load key."""
        counted: dict[tuple[str, str, str], dict[str, int]] = {}
        for found in self._fetch(_COUNTS, *self._scope):
            key = (found["source_object"], found["target_object"], found["part"])
            counted.setdefault(key, {})[found["how"]] = found["n"]
        rows = []
        loads = [load for load in loads if load["enabled"]]
        ways = Counter((load["source_object"], load["target_object"]) for load in loads if load["mode"] != "link")
        for load in loads:
            ends = counted.get((load["source_object"], load["target_object"], load["part"]), {})
            plain = load["mode"] != "link" and ways[load["source_object"], load["target_object"]] == 1
            target = load["target_object"] if plain else f"{load['target_object']} ({load['key']})"
            rows.append(Row(load["source_object"], target, read.get(load["key"], sum(ends.values())), **ends))
        staying = {key[0]: ends for key, ends in counted.items() if not key[1]}
        return [*rows, *(Row(name, STAYS, sum(ends.values()), **ends) for name, ends in sorted(staying.items()))]

    def outcomes(self, run_id: UUID) -> dict[str, int]:
        """Ends of the planned writes that this run settled last, per outcome."""
        found = {row["outcome"]: row["n"] for row in self._fetch(_BY_RUN, self._scope[0], run_id)}
        return {name: found.get(name, 0) for name in OUTCOMES}

    def ours(self) -> dict[str, frozenset[str]]:
        """Record ids that we created and that should live at the destination, by the destination's module."""
        found: dict[str, set[str]] = {}
        for row in self._fetch(_OURS, *self._scope):
            found.setdefault(self._modules.get(row["module"], row["module"]), set()).add(row["record_id"])
        return {module: frozenset(ids) for module, ids in found.items()}

    def left_behind(self) -> dict[str, dict[str, str]]:
        """What a rollback could not take away: module → record id → the vendor's word."""
        found: dict[str, dict[str, str]] = {}
        for row in self._fetch(_LEFT, *self._scope):
            module = self._modules.get(row["module"], row["module"])
            found.setdefault(module, {})[row["record_id"]] = row["reason"].partition(":")[2]
        return found

    def open_intents(self) -> int:
        """Announced writes without a recorded end; none may be left when a run has ended."""
        return int(self._fetch(_INTENTS, self._scope[0])[0][0])

    def _fetch(self, query: str, *arguments: object) -> "list[asyncpg.Record]":
        async def run() -> "list[asyncpg.Record]":
            connection = await asyncpg.connect(plain_url(self._url), server_settings={"role": APP_ROLE})
            try:
                async with connection.transaction():
                    await connection.execute("SELECT set_config('app.tenant', $1, true)", str(self._tenant_id))
                    return list(await connection.fetch(query, *arguments))
            finally:
                await connection.close()

        return asyncio.run(run())
