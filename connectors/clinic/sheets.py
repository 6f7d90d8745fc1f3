"""Custom fields that hide in values: sheets of names and values, and cells that hold JSON (fact sheet 4.3)."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.schema import Record
from connectors.column_votes import ColumnVote
from connectors.exportkit.catalogue import TableField, fold
from connectors.exportkit.columns import Column, custom_field, make_column
from connectors.exportkit.tables import ExportTable
from connectors.tabular import Row

MOST_FIELDS = 200
_PATIENCE = 50
"""A column that has shown this many cells without JSON in them holds none."""


@dataclass
class HiddenFields:
    """Fields found in values, by the name they have there, with how their texts are read."""

    columns: dict[str, Column] = field(default_factory=dict)
    dropped: int = 0

    def fields(self) -> list[TableField]:
        return [one.field for one in self.columns.values()]

    def fill(self, record: Record, name: str, text: str) -> None:
        """Puts a text into the field that its name stands for; a value that is no such thing stays out of sight."""
        column = self.columns.get(fold(name))
        if column is None or column.read is None or not text.strip():
            return
        value = column.read(text)
        if value is not None:
            record.setdefault(column.field.name, value)


class HiddenSurvey:
    """Votes on the values of fields whose names stand in rows."""

    def __init__(self) -> None:
        self._votes: dict[str, ColumnVote] = {}
        self._dropped = 0

    def add(self, name: str, text: str) -> None:
        key = fold(name)
        if not key:
            return
        vote = self._votes.get(key)
        if vote is None:
            if len(self._votes) >= MOST_FIELDS:
                self._dropped += 1
                return
            vote = self._votes[key] = ColumnVote(name.strip(), name.strip(), len(self._votes))
        vote.add([text])

    def finish(self, taken: set[str]) -> HiddenFields:
        found = HiddenFields(dropped=self._dropped)
        for key, vote in self._votes.items():
            profile = vote.profile()
            made = custom_field(profile, _no_answer, taken)
            guarded = TableField(made.name, made.label, made.type, separator=made.separator, sensitive=True)
            taken.add(made.name)
            found.columns[key] = make_column(profile, guarded, _no_answer, None, custom=True)
        return found


def _no_answer(_column: str, _code: str) -> str:
    return ""


async def find_json(table: ExportTable) -> tuple[dict[str, HiddenFields], int]:
    """Columns of a table that hold JSON objects, with the fields in them; and how many rows were looked at."""
    candidates = {name: one.index for name, one in table.columns.items() if one.spec.custom and _may_hold(one)}
    surveys = {name: HiddenSurvey() for name in candidates}
    seen = dict.fromkeys(candidates, 0)
    rows = 0
    async for block in table.rows():
        rows += len(block)
        for name in list(candidates):
            if not _survey(block, candidates[name], surveys[name], seen, name):
                del candidates[name]
        if not candidates:
            break
    taken = set(table.columns)
    return {name: surveys[name].finish(taken) for name in candidates if seen[name]}, rows


def _may_hold(column: Column) -> bool:
    options = [one.value for one in column.spec.picklist]
    return column.spec.type in ("text", "textarea", "picklist", "multipicklist") and (
        not options or any(one.lstrip().startswith("{") for one in options)
    )


def _survey(block: list[Row], at: int, survey: HiddenSurvey, seen: dict[str, int], name: str) -> bool:
    """False as soon as the column is seen to hold something else."""
    for row in block:
        cell = row.cells[at].strip()
        if not cell:
            continue
        found = read_json(cell)
        if found is None:
            return False
        seen[name] += 1
        for label, text in found:
            survey.add(label, text)
    return True


def read_json(cell: str) -> list[tuple[str, str]] | None:
    """Names and texts in a cell of JSON: an object of values, or sections of named fields; None for anything else."""
    if not cell.lstrip().startswith("{"):
        return None
    try:
        found: Any = json.loads(cell, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    sections = found.get("sections")
    if isinstance(sections, list):
        return list(_sectioned(sections))
    return [(name, _text(value)) for name, value in found.items()]


def _sectioned(sections: list[Any]) -> Iterator[tuple[str, str]]:
    for section in sections:
        for one in section.get("fields", ()) if isinstance(section, dict) else ():
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                continue
            options = one.get("options")
            if isinstance(options, list):
                chosen = [
                    str(item.get("name", "")) for item in options if isinstance(item, dict) and item.get("selected")
                ]
                yield one["name"], ";".join(chosen)
            else:
                yield one["name"], _text(one.get("value"))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ";".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def sheet_rows(table: ExportTable) -> AsyncIterator[tuple[str, str, str]]:
    """(patient, field name, value) of every row of a sheet of names and values."""
    places: Mapping[str, int] = {name: one.index for name, one in table.columns.items()}
    patient, name, value = (places.get(one) for one in ("patient_id", "field", "value"))
    if patient is None or name is None or value is None:
        return
    async for block in table.rows():
        for row in block:
            cells = row.cells
            if cells[patient].strip() and cells[name].strip():
                yield cells[patient].strip(), cells[name], cells[value]
