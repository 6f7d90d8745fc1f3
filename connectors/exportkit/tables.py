"""One uploaded table as an object: its fields, its key, and its rows as records in the order of the key."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from hashlib import blake2b
from typing import Any

from app.domain.schema import FieldSpec, FieldType, ObjectSpec, Record
from connectors.column_votes import ColumnProfile
from connectors.errors import ContractBroken
from connectors.exportkit.catalogue import TableField, TableObject, fold
from connectors.exportkit.columns import (
    Column,
    Value,
    custom_field,
    is_secret,
    make_column,
    match_headings,
)
from connectors.exportkit.names import normal_name
from connectors.table_files import MARKERS_QUESTION, Key, KeyedTable, StoredTable, TableShelf, rows_of
from connectors.tabular import Row

Rows = Callable[[], AsyncIterator[list[Row]]]
Resolve = Callable[[str], tuple[str, bool]]
"""From what stands in a reference to the id it means, and whether it was told."""
RAW = "__name"
"""Ends the name of a field that keeps what an unresolved reference says."""
PARENT, POSITION = "_parent", "_position"
"""Headings of the parent's key and of the place in its list, in tables made of nested rows (see `json_records`)."""
_ROW = "_row"
_STAMPS = ("updated_at", "created_at")


@dataclass(frozen=True)
class Hooks:
    """What a platform adds while tables are opened; see `source.ExportSource` for the meaning of each."""

    cell_reader: Callable[[TableObject, TableField, ColumnProfile], Value | None]
    custom_type: Callable[[TableObject, ColumnProfile], TableField | None]
    extra_fields: Callable[[str], Sequence[TableField]]


@dataclass
class ExportTable:
    """A table with its columns. `parts` are the fields of its key, `primary` the field that holds the key."""

    obj: TableObject
    stored: StoredTable
    columns: dict[str, Column]
    parts: tuple[str, ...]
    primary: str
    spec: ObjectSpec
    keyed: KeyedTable
    rows: Rows
    key: Key
    skipped: tuple[str, ...] = ()
    resolvers: dict[str, Resolve] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.obj.name

    @property
    def mistyped(self) -> list[str]:
        """Fields whose values are no such thing and are read as text."""
        return [name for name, column in self.columns.items() if column.mistyped]

    @property
    def references(self) -> list[Column]:
        """Columns that may hold a name instead of an id."""
        return [one for one in self.columns.values() if one.field.references and one.field.match_on]

    def require_readable(self) -> None:
        """Raises ContractBroken for a file without ids, or with a column that only a person can explain."""
        if not self.parts:
            wanted = " and ".join(self._labels(self.obj.key))
            raise ContractBroken(
                f"{self.stored.name} has no column {wanted}, so its records cannot be told apart; export it with "
                "that column, or delete the upload",
                code="NO_ID",
            )
        for name, column in self.columns.items():
            if column.read is None:
                raise ContractBroken(f"{self.stored.name}, column {name}: {column.waits_for}", code="NEEDS_ANSWER")

    def record(self, cells: list[str], *, resolved: bool = True, only: Mapping[str, Column] | None = None) -> Record:
        """The row as a record of all its columns or `only` some; blanks are absent.

        Raises ContractBroken naming the column, never the value.
        """
        found: Record = {}
        name = ""
        try:
            for name, column in (self.columns if only is None else only).items():
                cell = cells[column.index]
                if cell and column.read is not None and (value := column.read(cell)) is not None:
                    found[name] = value
        except (ValueError, OverflowError) as error:
            raise ContractBroken(f"{self.stored.name}, column {name}: {error}") from None
        found[self.primary] = self.key(cells)
        for name, resolve in self.resolvers.items() if resolved else ():
            if (raw := found.get(name)) is not None:
                found[name], told = resolve(raw)
                if not told:
                    found[name + RAW] = raw
        return found

    async def records(self, *, resolved: bool = True, only: Iterable[str] | None = None) -> AsyncIterator[Record]:
        """All rows with a key, in the order of the file; references as they stand unless `resolved`.

        With `only` the key and these fields, which costs less.
        """
        self.require_readable()
        some = None if only is None else {name: self.columns[name] for name in only if name in self.columns}
        async for block in self.rows():
            for row in block:
                if self.key(row.cells):
                    yield self.record(row.cells, resolved=resolved, only=some)

    def _labels(self, names: Iterable[str]) -> list[str]:
        return [(one.label or one.name) if (one := self.obj.field(name)) else name for name in names]


def open_table(
    obj: TableObject,
    stored: StoredTable,
    shelf: TableShelf,
    zone: tzinfo | None,
    hooks: Hooks,
    *,
    rows: Rows | None = None,
    custom: bool = False,
    positioned: str = "",
    lists: Iterable[str] = (),
) -> ExportTable:
    """The table behind an uploaded file, or behind rows nested in one.

    `custom`: no catalogue knows the object. `positioned` names the column that numbers nested rows, `lists` are
    headings of columns that hold nested rows.
    """
    fields = match_headings(obj, stored.profile.columns)
    if stored.parent:
        fields |= _owner(obj, stored)
        positioned = positioned or POSITION
    hidden = {fold(text) for text in lists}
    columns: dict[str, Column] = {}
    skipped: list[str] = []
    extra = {one.name for one in hooks.extra_fields(obj.name)}
    taken = {one.name for one in obj.fields} | extra | {one.name + RAW for one in obj.fields} | {"id"}
    blank_markers = stored.answer("", MARKERS_QUESTION) == "blank"
    for profile in stored.profile.columns:
        known = fields.get(profile.index)
        if (known is not None and known.never) or is_secret(profile):
            skipped.append(profile.name)
            continue
        label = profile.label or profile.name
        if known is None and (label in (positioned, _ROW) or fold(label) in hidden):
            continue
        found = known or hooks.custom_type(obj, profile) or custom_field(profile, stored.answer, taken)
        taken.add(found.name)
        column = make_column(profile, found, stored.answer, zone, custom=known is None, blank_markers=blank_markers)
        columns[column.spec.name] = _with_own_reader(column, obj, profile, hooks)
    parts = next((names for names in (obj.key, obj.or_key) if names and all(one in columns for one in names)), ())
    if not parts and positioned:
        parts = (positioned,)
    key, primary = _key(columns, parts, stored, positioned)
    keyed = KeyedTable(shelf, stored, key, None, rows)
    spec = _spec(obj, columns, parts, primary, hooks.extra_fields(obj.name), custom=custom)
    return ExportTable(
        obj, stored, columns, parts, primary, spec, keyed, rows or partial(rows_of, shelf, stored), key, tuple(skipped)
    )


def _owner(obj: TableObject, stored: StoredTable) -> dict[int, TableField]:
    """The column with the parent's key, as the field of the child that refers to it."""
    owner = next((one for one in obj.fields if one.references == obj.parent), None)
    owner = owner or TableField(f"{obj.parent}_id", type=FieldType.LOOKUP, references=obj.parent)
    return {one.index: owner for one in stored.profile.columns if (one.label or one.name) == PARENT}


def _with_own_reader(column: Column, obj: TableObject, profile: ColumnProfile, hooks: Hooks) -> Column:
    read = hooks.cell_reader(obj, column.field, profile)
    if read is None:
        return column
    declared = obj.field(column.spec.name)
    type_ = declared.type if declared else column.spec.type
    spec = column.spec.model_copy(update={"type": type_})
    return Column(column.index, column.field, spec, read)


def _key(columns: Mapping[str, Column], parts: Sequence[str], stored: StoredTable, positioned: str) -> tuple[Key, str]:
    """How the key of a row is read, and the field that holds it."""
    if parts == (positioned,):  # nested rows without ids: the parent's key and the place in its list
        places = {profile.label or profile.name: profile.index for profile in stored.profile.columns}
        owner, place = places[PARENT], places[positioned]
        return lambda cells: f"{cells[owner]}:{cells[place]:0>5}" if cells[owner] else "", "id"
    if len(parts) == 1:
        index = columns[parts[0]].index
        return lambda cells: cells[index].strip(), parts[0]
    chosen = [columns[name] for name in parts]
    secret = any(one.field.sensitive for one in chosen)

    def joined(cells: list[str]) -> str:
        try:
            texts = [normal_name(str(one.read(cells[one.index]) or "")) if one.read else "" for one in chosen]
        except (ValueError, OverflowError) as error:
            raise ContractBroken(f"{stored.name}, columns {', '.join(parts)}: {error}") from None
        if not any(texts):
            return ""
        text = "|".join(texts)
        # Ids stand in the clear in ledgers and logs: what must not be read there becomes a hash.
        return "h" + blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest() if secret else text

    return joined, "id"


def _spec(
    obj: TableObject,
    columns: Mapping[str, Column],
    parts: Sequence[str],
    primary: str,
    extra: Sequence[TableField],
    *,
    custom: bool,
) -> ObjectSpec:
    fields = [
        column.spec.model_copy(update={"primary_key": True, "type": FieldType.ID}) if name == primary else column.spec
        for name, column in columns.items()
    ]
    if parts and primary not in columns:
        key = FieldSpec(name=primary, label="Id", type=FieldType.ID, primary_key=True)
        fields.insert(0, key)
    fields += [
        FieldSpec(name=name + RAW, label=f"{column.spec.label} as written", sensitive=column.spec.sensitive)
        for name, column in columns.items()
        if column.field.references and column.field.match_on
    ]
    fields += [field_spec(one) for one in extra]
    return ObjectSpec(name=obj.name, label=obj.label, custom=custom, fields=tuple(fields))


def field_spec(one: TableField, *, primary: bool = False) -> FieldSpec:
    """A field as a describe shows it, where there is no column to look at."""
    return FieldSpec(
        name=one.name,
        label=one.label or one.name.replace("_", " ").capitalize(),
        type=FieldType.ID if primary else one.type,
        sensitive=one.sensitive,
        references=(one.references,) if one.references else (),
        primary_key=primary,
    )


def unknown_object(stored: StoredTable, known: Iterable[TableObject], parent: str = "") -> TableObject | None:
    """A custom object for a file that no catalogue knows; None when none of its columns can be a key.

    A heading such as "Customer Id" refers to the catalogue's customers. Rows nested in those of the object `parent`
    have a key without such a column.
    """
    stem = re.sub(r"\W+", "_", stored.stem).strip("_") or "table"
    wanted = {"id", "recordid", "uuid", "rowid", f"{fold(stem)}id", f"{_singular(stem)}id"}
    heading = next((one for one in stored.profile.columns if fold(one.label or one.name) in wanted), None)
    if heading is None and not parent:
        return None
    fields = [TableField("id", heading.label, FieldType.ID, (heading.name, heading.label))] if heading else []
    targets = {f"{_singular(one.name)}id": one.name for one in known}
    for profile in stored.profile.columns:
        target = targets.get(fold(profile.label or profile.name))
        if target and profile is not heading:
            name = f"{target}_id"
            fields.append(TableField(name, profile.label, FieldType.LOOKUP, (profile.name,), references=target))
    return TableObject(stem, stored.stem, tuple(fields), parent=parent, path=stored.path if parent else "")


def _singular(name: str) -> str:
    bare = fold(name)
    return bare[:-3] + "y" if bare.endswith("ies") else bare.removesuffix("s")


def stamp_fields(spec: ObjectSpec) -> list[str]:
    """Fields that the engine reads beside those asked for: the key and when a record was changed."""
    primary = [one.name for one in spec.fields if one.primary_key]
    return [*primary, *(name for name in _STAMPS if spec.field(name))]


def chosen(record: Record, fields: Iterable[str]) -> Record:
    return {name: record[name] for name in fields if name in record}


def typed(value: Any) -> str:
    """A JSON value as the text that a cell would hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
