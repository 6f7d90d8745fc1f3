"""The proof of a rollback: everything its journal names is read back, and both roots over it are formed."""

from collections.abc import Mapping
from typing import Any

from app.domain.digest import Leaf, merkle_root, record_hash
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec
from app.runs.compiled import compile_rule, target_object
from app.runs.expecting import field_specs
from app.runs.mapping_versions import over_versions
from app.runs.undoing import DELETED, RESTORED
from app.runs.work import StageRow, Work

_ABSENT, _PRESENT = bytes(16), b"\xff" * 16
_PAGE = 100
_NOTED = """
    SELECT source_id, record_id, what, kept, before FROM undone
    WHERE run_id = $1 AND load = $2 AND source_id > $3 ORDER BY source_id LIMIT $4
"""


async def touched_specs(work: Work, rule: Load) -> dict[str, FieldSpec]:
    """Fields of a load's records that the load itself or any link sets and that can be read back, by API name."""
    return {**await _linked_specs(work, rule), **await field_specs(work, rule)}


async def _linked_specs(work: Work, rule: Load) -> dict[str, FieldSpec]:
    """Fields of a load's records that link loads of other source records set on them, by API name."""
    specs: dict[str, FieldSpec] = {}
    for other in work.mapping().loads:
        if other.enabled and other.mode is LoadMode.LINK and other.base == rule.key:
            compiled, _ = await compile_rule(work, other)
            target = await target_object(work, other)
            found = {name: target.field(name) for name in compiled.fields.values() if not name.startswith("$")}
            specs |= {name: spec for name, spec in found.items() if spec is not None and name != "id"}
    return specs


async def prove(work: Work, stage: StageRow) -> None:
    """Reads back everything that this load's rollback noted, whoever did it; counts and both roots go to the stage.

    A deleted record has to be absent; a restored one has to hold what it held before us, except in the fields that
    stay because people changed them. Records that no call shows by their ids are counted as `unreadable`.
    """
    rule = work.mapping().load(stage.load)
    before: list[Leaf] = []
    after: list[Leaf] = []
    counts = {"checked_records": 0, "still_there": 0, "not_restored": 0, "unreadable": 0}
    readable = rule.mode is not LoadMode.FILE and work.destination_platform.object_facts(rule.target_object).by_id
    specs = await over_versions(work, rule, touched_specs) if rule.mode is LoadMode.CREATE else {}
    at = ""
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            rows = await connection.fetch(_NOTED, work.run.id, rule.key, at, _PAGE)
        if not rows:
            break
        at = rows[-1]["source_id"]
        counts["checked_records"] += len(rows)
        if not readable:
            counts["unreadable"] += len(rows)
            continue
        destination = await work.destination()
        ids = [row["record_id"] for row in rows]
        names = sorted(specs) if any(row["what"] == RESTORED for row in rows) else ["id"]
        held = await destination.fetch(work.object_name(rule.target_object), ids, names)
        for row in rows:
            meant, found = _hashes(work, row, held.get(row["record_id"]), specs)
            before.append(Leaf(row["source_id"], meant))
            after.append(Leaf(row["source_id"], found))
            if meant != found:
                counts["still_there" if row["what"] == DELETED else "not_restored"] += 1
    stage.counts = counts
    stage.detail["roots"] = {
        "before": merkle_root(before).hex(),
        "after": merkle_root(after).hex(),
        "records": len(before),
        "fields": sorted(specs),
    }


def _hashes(
    work: Work, row: Mapping[str, Any], held: Mapping[str, Any] | None, specs: Mapping[str, FieldSpec]
) -> tuple[bytes, bytes]:
    """Keyed hashes of what should be there and of what is."""
    if row["what"] == DELETED:
        return _ABSENT, _ABSENT if held is None else _PRESENT
    values = work.open_before(row["source_id"], row["before"])
    compared = {name: specs[name] for name in values if name in specs and name not in row["kept"]}
    key = work.key.hash_key
    meant = record_hash(_settled(values, compared), compared, key)
    return meant, _ABSENT if held is None else record_hash(_settled(held, compared), compared, key)


def _settled(values: Mapping[str, Any], specs: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """A checkbox that nobody set reads False on one day and blank on another: the same."""
    return {name: values.get(name) or None for name in specs}
