"""Chooses the sample: some hundred records, closed under references, that show every load and kind of value."""

from typing import Any

from app.domain.mapping import Load, LoadMode
from app.domain.sampling import Candidate, SampleChooser
from app.domain.schema import FieldSpec, FieldType, Inventory, Record
from app.runs.staged_pages import staged_pages
from app.runs.stages.extract import source_inventory
from app.runs.work import StageRow, Work

SMALLEST, LARGEST = 100, 500
_LOOKED_AT = 20_000  # records per object; more would show nothing new


async def choose(work: Work, stage: StageRow) -> None:
    """Stores the chosen ids in the run's options, where every later stage finds its scope."""
    if work.run.options.get("sample") is not None:
        return
    source: Inventory = await source_inventory(work)
    loads = [load for load in work.mapping().loads if load.enabled]
    objects = list(dict.fromkeys(load.source_object for load in loads))
    fields = {name: _fields(source, name, loads) for name in objects}
    options = work.run.options
    size = int(options.get("size", SMALLEST))
    chooser = SampleChooser(objects, minimum=size, maximum=max(size, LARGEST))
    for name in objects:
        await _offer(work, chooser, name, fields[name])
    while wanted := chooser.missing():
        chooser.supply(await _fetch(work, wanted, fields, source, loads))
    sample = chooser.result()
    chosen = {name: list(ids) for name, ids in sample.records.items()}
    stage.counts = {"records": sample.size, "covered": len(sample.covered), "uncovered": len(sample.uncovered)}
    stage.detail["uncovered"] = sorted("=".join(map(str, ref)) for ref in sample.uncovered)[:50]
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(
            "UPDATE runs SET options = options || $2 WHERE id = $1", work.run.id, {"sample": chosen}
        )
    work.options["sample"] = chosen


def _fields(source: Inventory, name: str, loads: list[Load]) -> list[FieldSpec]:
    """The fields that the mapping reads of an object."""
    used = {
        path.partition(".")[0]
        for load in loads
        if load.source_object == name
        for path in (*(one for rule in load.fields for one in rule.sources), *(one.field for one in load.when))
    }
    if any(load.mode is LoadMode.FILE for load in loads if load.source_object == name):
        used |= {"Kind", "ContentType"}
    spec = source.object(name)
    return [field for field in spec.fields if field.name in used] if spec else []


async def _offer(work: Work, chooser: SampleChooser, name: str, fields: list[FieldSpec]) -> None:
    seen = 0
    async for rows in staged_pages(work, name):
        for row in rows:
            chooser.offer(candidate(name, row.source_id, row.record, fields))
        seen += len(rows)
        if seen >= _LOOKED_AT:
            return


async def _fetch(
    work: Work,
    wanted: Any,
    fields: dict[str, list[FieldSpec]],
    source: Inventory,
    loads: list[Load],
) -> list[Candidate]:
    by_object: dict[str, list[str]] = {}
    for name, record_id in sorted(wanted):
        by_object.setdefault(name, []).append(record_id)
    found = []
    async with work.transaction() as connection:
        for name, ids in by_object.items():
            known = fields.get(name) or _fields(source, name, loads)
            for record_id, record in (await work.staging.by_ids(connection, name, ids)).items():
                found.append(candidate(name, record_id, record, known))
    return found


def candidate(name: str, record_id: str, record: Record, fields: list[FieldSpec]) -> Candidate:
    """What a record refers to and shows; users are no records and are left out."""
    refs, features = [], set()
    for spec in fields:
        value = record.get(spec.name)
        if value is None:
            features.add(f"{spec.name}=blank")
            continue
        if spec.references:
            refs += [(target, str(value)) for target in spec.references if target != "User"]
            features.add(f"{spec.name}={str(value)[:3] if len(spec.references) > 1 else 'set'}")
        features.update(f"{spec.name}={label}" for label in _labels(spec, value))
    return Candidate(name, record_id, tuple(refs), frozenset(features))


def _labels(spec: FieldSpec, value: Any) -> list[str]:
    if spec.type is FieldType.PICKLIST or spec.name in ("Kind", "ContentType"):
        return [str(value)]
    if spec.type is FieldType.MULTIPICKLIST:
        return [f"{len(value)} values"]
    if spec.type is FieldType.BOOLEAN:
        return [str(value)]
    if spec.type in (FieldType.TEXT, FieldType.TEXTAREA) and isinstance(value, str):
        labels = [] if value.isascii() else ["non-ASCII"]
        if spec.length and len(value) >= spec.length:
            labels.append("full length")
        if value != value.strip():
            labels.append("outer blanks")
        if "\n" in value:
            labels.append("lines")
        return labels
    return []
