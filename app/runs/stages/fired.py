"""After a sample: what appeared or changed at the destination meanwhile that we did not write.

Where automation cannot be suppressed this is its trace; where it can, zeros show that it was. People who work there at
the same time show as well, so the report names ids to look at and accuses nobody.
"""

from collections.abc import Sequence

from app.runs.compiled import target_inventory
from app.runs.referring import known
from app.runs.stages.reconcile import changed_since
from app.runs.work import StageRow, Work
from connectors.errors import ContractBroken

_CALL = 100
_EXAMPLES = 20


async def measure_fired(work: Work, stage: StageRow) -> None:
    """Counts `appeared` over all objects that can be asked; the detail has them by object, with examples of ids."""
    async with work.transaction() as connection:
        began = await connection.fetchval("SELECT created_at FROM runs WHERE id = $1", work.run.id)
    appeared: dict[str, int] = {}
    examples: dict[str, list[str]] = {}
    not_asked: list[str] = []
    targets = {work.object_name(one.target_object) for one in work.mapping().loads if one.enabled}
    for spec in (await target_inventory(work)).objects:
        if spec.name not in targets and not any(targets & set(one.references) for one in spec.fields):
            continue
        work.check_stop()
        try:
            changed = await changed_since(work, spec.name, began)
        except ContractBroken:  # described, but no query reads it
            changed = None
        if changed is None:
            not_asked.append(spec.name)
            continue
        foreign = await _foreign(work, spec.name, sorted(changed))
        if foreign:
            appeared[spec.name], examples[spec.name] = len(foreign), foreign[:_EXAMPLES]
    stage.counts = {"appeared": sum(appeared.values())}
    stage.detail = {
        "suppressed": work.destination_platform.capabilities.suppress_automation,
        "appeared": appeared,
        "examples": examples,
        "not_asked": sorted(not_asked),
    }


async def _foreign(work: Work, object_name: str, ids: Sequence[str]) -> list[str]:
    """Those that are there and that this engagement never wrote."""
    destination = await work.destination()
    found: list[str] = []
    for start in range(0, len(ids), _CALL):
        part = ids[start : start + _CALL]
        ours = await known(work, part, adopted=True) | await _taken_back(work, part)
        left = [one for one in part if one not in ours]
        if left:
            there = await destination.fetch(object_name, left, ["id"])
            found += [one for one in left if one in there]
    return found


async def _taken_back(work: Work, ids: Sequence[str]) -> set[str]:
    """What the rehearsal of the rollback made and took back."""
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT record_id FROM undone WHERE run_id = $1 AND record_id = ANY($2)", work.run.id, list(ids)
        )
    return {row["record_id"] for row in rows}
