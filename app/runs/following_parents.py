"""The order inside a load whose records must find others of the same load: a level of parents before its children.

It is computed from what is staged and in the run's scope, which stays as it is during a run, so that every worker
finds the same levels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.domain.depth import depths
from app.domain.mapping import Load
from app.domain.ordering import own_parents
from app.runs.deciding import Decider
from app.runs.sharing import redirects
from app.runs.staging import StagedRow
from app.runs.work import Work

_PAGE = 2000
_STEPS = 5  # merged records lead to a survivor, which may have been merged as well


@dataclass(frozen=True, slots=True)
class Levels:
    """`of` where it is not 0; `deepest` is the last; `rings`: source id → the field that leads round."""

    of: Mapping[str, int]
    deepest: int
    rings: Mapping[str, str]

    def holds(self, level: int, source_id: str) -> bool:
        return self.of.get(source_id, 0) == level


async def levels(work: Work, rule: Load, decider: Decider) -> Levels | None:
    """The levels of a load; None for one whose records need none of their own kind, as nearly all loads do."""
    targets = own_parents(rule)
    if not targets:
        return None
    merged = (await redirects(work)).get(rule.key, {})
    parents: dict[str, set[str]] = {}
    after = ""
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            scope = work.scope(rule.source_object)
            rows = await work.staging.page(connection, rule.source_object, after, None, _PAGE, scope)
            if not rows:
                break
            found = await _parents(connection, rule, decider, rows)
            living = await _living(work, connection, rule, {up for ups in found.values() for up in ups}, merged)
        for row in rows:
            parents[row.source_id] = {living.get(up, up) for up in found.get(row.source_id, ())}
        after = rows[-1].source_id
    made = depths(parents)
    return Levels(made.levels, max(made.levels.values(), default=0), dict.fromkeys(made.rings, targets[0]))


async def _parents(
    connection: "asyncpg.Connection[Any]", rule: Load, decider: Decider, rows: Sequence[StagedRow]
) -> dict[str, set[str]]:
    """Source id → ids that it refers to among the records of this load; of rows that the load takes."""
    taken = await decider.taken(connection, rows) if rule.when else rows
    related = await decider.related(connection, [row.record for row in taken])
    compiled = decider.compiled
    paths = [path for path, loads in compiled.reference_needs if rule.key in loads]
    found: dict[str, set[str]] = {}
    for row in taken:
        values = [compiled.value(row.record, path, related) for path in paths]
        if ups := {value for value in values if isinstance(value, str) and value}:
            found[row.source_id] = ups
    return found


async def _living(
    work: Work, connection: "asyncpg.Connection[Any]", rule: Load, ids: set[str], merged: Mapping[str, str]
) -> dict[str, str]:
    """For ids that were merged away: the ones that live on."""
    at = {one: one for one in ids}
    for _ in range(_STEPS):
        steps = await work.staging.survivors(connection, rule.source_object, list(set(at.values())))
        steps |= {one: merged[one] for one in at.values() if one in merged}
        moved = {one: steps[place] for one, place in at.items() if place in steps}
        if not moved:
            break
        at |= moved
    return {one: place for one, place in at.items() if one != place}
