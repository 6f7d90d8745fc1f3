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
from app.runs.staging import Scope
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
    after = ""
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            rows = await work.staging.page(connection, spec.source_object, after, upto=None, limit=2000, scope=Scope())
        if not rows:
            return
        for row in rows:
            if all(_meets(row.record, condition) for condition in spec.when):
                yield row.record
        after = rows[-1].source_id


def _meets(record: Record, condition: dict[str, Any]) -> bool:
    value = record.get(str(condition["field"]))
    wanted, unwanted = condition.get("any_of"), condition.get("none_of")
    return (not wanted or value in wanted) and (not unwanted or value not in unwanted)


def _fields(spec: Export) -> list[str]:
    return [name for name in spec.fields if name not in spec.never]


def _csv(spec: Export, rows: list[Record]) -> bytes:
    fields = _fields(spec)
    headings = list(spec.headings) or fields
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    for record in rows:
        writer.writerow([guarded(_cell(record.get(name))) for name in fields])
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
    fields = _fields(spec)
    items = []
    for record in rows:
        item: dict[str, Any] = {name: record.get(name) for name in fields}
        fitting = [one.recommend for one in advice if _matches(one.match, record)]
        if fitting:
            item["recommended_equivalent"] = fitting[0]
        items.append(item)
    return orjson.dumps({"object": spec.source_object, "count": len(items), "items": items}, option=orjson.OPT_INDENT_2)


def _matches(word: str, record: Record) -> bool:
    return any(word.casefold() in str(value).casefold() for value in record.values())
