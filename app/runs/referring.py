"""What people made at the destination since the migration began, and which of it refers to records that we created.

Only a record that changed since then can refer to one of ours, so the vendor is asked for what changed; where it cannot
tell, the object is listed as not asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.domain.schema import ObjectSpec
from app.runs.artifacts import keep_file
from app.runs.compiled import target_inventory
from app.runs.readings import OVERLAP
from app.runs.stages.reconcile import changed_since
from app.runs.work import Work
from connectors.errors import ContractBroken

KIND, NAME = "carry_back", "carry-back.ndjson"
_CALL = 100
_BEGAN = """
    SELECT min(coalesce(started_at, created_at)) FROM runs
    WHERE engagement_id = $1 AND destination_id = $2 AND kind IN ('sample', 'full')
"""
_OURS = """
    SELECT DISTINCT record_id FROM ledger
    WHERE engagement_id = $1 AND destination_id = $2 AND record_id = ANY($3) AND ($4 OR created)
"""


@dataclass(slots=True)
class Theirs:
    """`held_back`: our records by id → the objects of theirs that refer to them. `listed` went into the file."""

    held_back: dict[str, list[str]] = field(default_factory=dict)
    not_asked: list[str] = field(default_factory=list)
    listed: int = 0


async def look(work: Work) -> Theirs:
    """Asks for every object that we wrote to or that can refer to one of these, and keeps the carry-back file."""
    theirs = Theirs()
    lines: list[bytes] = []
    async with work.transaction() as connection:
        began = await connection.fetchval(_BEGAN, work.run.engagement_id, work.run.destination_id)
    targets = {work.object_name(one.target_object) for one in work.mapping().loads if one.enabled}
    inventory = await target_inventory(work)
    for spec in inventory.objects:
        pointing = [one.name for one in spec.fields if targets & set(one.references)]
        if not pointing and spec.name not in targets:
            continue
        try:
            changed = await changed_since(work, spec.name, began - OVERLAP) if began else set()
        except ContractBroken:  # an object that is described but cannot be queried
            changed = None
        if changed is None:
            theirs.not_asked.append(spec.name)
            continue
        await _sift(work, theirs, spec, pointing, sorted(changed), lines)
    theirs.listed = len(lines)
    if lines:
        await keep_file(work, KIND, NAME, "application/x-ndjson", [b"\n".join([*lines, b""])])
    return theirs


async def _sift(
    work: Work, theirs: Theirs, spec: ObjectSpec, pointing: Sequence[str], changed: Sequence[str], lines: list[bytes]
) -> None:
    """Reads the records that are not ours: into the file, and by what they refer to."""
    destination = await work.destination()
    names = sorted({*(one.name for one in spec.fields if one.writable), *pointing})
    for start in range(0, len(changed), _CALL):
        part = changed[start : start + _CALL]
        created = await known(work, part, adopted=False)
        foreign = [one for one in part if one not in created]
        if not foreign:
            continue
        adopted = await known(work, foreign, adopted=True)
        held = await destination.fetch(spec.name, foreign, names)
        wanted = {reference_id(record.get(name)) for record in held.values() for name in pointing} - {""}
        ours = await known(work, sorted(wanted), adopted=False)
        for record_id, record in held.items():
            for name in pointing:
                if (pointed := reference_id(record.get(name))) in ours:
                    objects = theirs.held_back.setdefault(pointed, [])
                    if spec.name not in objects:
                        objects.append(spec.name)
            if record_id not in adopted:  # what we adopted is listed with the rollback's kept edits
                values = {name: value for name, value in record.items() if value not in (None, "", [])}
                line = {"object": spec.name, "id": record_id, "values": values}
                lines.append(orjson.dumps(line, default=str))


async def known(work: Work, ids: Iterable[str], *, adopted: bool) -> set[str]:
    """Which of these destination records we created, or with `adopted` wrote to at all."""
    async with work.transaction() as connection:
        rows = await connection.fetch(_OURS, work.run.engagement_id, work.run.destination_id, list(ids), adopted)
    return {row["record_id"] for row in rows}


def reference_id(value: Any) -> str:
    """The id in a reference as platforms show it; "" for none."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return "" if value is None else str(value)
