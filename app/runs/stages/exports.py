"""Files for what cannot move: CSV or JSON of one source object, guarded against formula injection, with checklists."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import orjson

from app.domain.blueprint import Export
from app.domain.cells import guarded
from app.domain.schema import Record
from app.runs.artifacts import keep_file
from app.runs.staged_pages import staged_pages
from app.runs.work import StageRow, Work
from connectors.registry import load_blueprint


async def export(work: Work, stage: StageRow) -> None:
    """Writes one export of the blueprint; `never` fields are left out whatever the mapping says."""
    blueprint = load_blueprint(work.source_platform.slug, work.destination_platform.slug)
    spec = next(one for one in blueprint.exports if one.key == stage.load)
    rows = [record async for record in _records(work, spec)]
    body = _json(spec, rows, blueprint.automations) if spec.format == "json" else _csv(spec, rows)
    content_type = "application/json" if spec.format == "json" else "text/csv; charset=utf-8"
    await keep_file(work, "export", spec.file, content_type, [body])
    if spec.checklist:
        steps = "".join(f"{number}. {text}\n" for number, text in enumerate(spec.checklist, start=1))
        name = f"{spec.file.rpartition('.')[0]}-checklist.md"
        await keep_file(work, "export", name, "text/markdown; charset=utf-8", [steps.encode()])
    stage.counts = {"exported": len(rows)}


async def _records(work: Work, spec: Export) -> AsyncIterator[Record]:
    async for rows in staged_pages(work, spec.source_object):
        wanted = [row.record for row in rows if all(_meets(row.record, condition) for condition in spec.when)]
        for record in await _named(work, spec, wanted):
            yield record


async def _named(work: Work, spec: Export, records: list[Record]) -> list[Record]:
    """The records with what people call those they refer to; a name that is not staged stays blank."""
    for one in spec.names:
        ids = sorted({str(record[one.field]) for record in records if record.get(one.field)})
        async with work.transaction() as connection:
            found = await work.staging.by_ids(connection, one.object, ids, gone_too=True) if ids else {}
        records = [
            {**record, one.heading: found.get(str(record.get(one.field)), {}).get(one.show)} for record in records
        ]
    return records


def _meets(record: Record, condition: dict[str, Any]) -> bool:
    value = record.get(str(condition["field"]))
    wanted, unwanted = condition.get("any_of"), condition.get("none_of")
    return (not wanted or value in wanted) and (not unwanted or value not in unwanted)


def _columns(spec: Export) -> dict[str, str]:
    """Keys of a record and the headings above them: the blueprint's fields, each with its names behind it."""
    columns: dict[str, str] = {}
    for name, heading in zip(spec.fields, spec.headings or spec.fields, strict=True):
        columns[name] = heading
        columns |= {one.heading: one.heading for one in spec.names if one.field == name}
    return {name: heading for name, heading in columns.items() if name not in spec.never}


def _csv(spec: Export, rows: list[Record]) -> bytes:
    columns = _columns(spec)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns.values())
    for record in rows:
        writer.writerow([guarded(_cell(record.get(name))) for name in columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _json(spec: Export, rows: list[Record], advice: tuple[Any, ...]) -> bytes:
    columns = _columns(spec)
    items = []
    for record in rows:
        item: dict[str, Any] = {name: record.get(name) for name in columns}
        fitting = [one.recommend for one in advice if _matches(one.match, record)]
        if fitting:
            item["recommended_equivalent"] = fitting[0]
        items.append(item)
    return orjson.dumps({"object": spec.source_object, "count": len(items), "items": items}, option=orjson.OPT_INDENT_2)


def _matches(word: str, record: Record) -> bool:
    return any(word.casefold() in str(value).casefold() for value in record.values())
