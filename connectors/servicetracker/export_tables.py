"""One export file as one object: which object and fields its headings name, and how its cells become records."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from app.domain.schema import FieldSpec, ObjectSpec, PicklistValue, Record
from connectors.base import Deletion
from connectors.column_values import (
    Read,
    boolean_reader,
    date_reader,
    datetime_reader,
    number_reader,
    resolved_kind,
    resolved_mark,
    resolved_order,
    resolved_pivot,
    text_reader,
)
from connectors.column_votes import ColumnProfile, Kind
from connectors.errors import ContractBroken
from connectors.servicetracker.rows import RowReader, canonical_datetime
from connectors.servicetracker.schema import FILE_OBJECT, FILE_OBJECTS, FieldDescribe, read_field
from connectors.servicetracker.standard import KINDS, TYPES, StandardObject, fold, object_names, standard_objects
from connectors.table_files import MARKERS_QUESTION, KeyedTable, StoredTable, TableShelf

Split = Callable[[Sequence[list[str]]], tuple[list[Record], list[Deletion]]]

_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_PICKLISTS = frozenset({"picklist", "multipicklist"})


def object_of(stem: str) -> str:
    """The API name behind a file's name or an object's label; a custom object keeps the name it is given."""
    known = object_names().get(fold(stem)) or next((name for name in FILE_OBJECTS if fold(name) == fold(stem)), "")
    return known or re.sub(r"\W+", "_", stem).strip("_") or stem


def needed_objects(paths: Sequence[str]) -> list[str]:
    """Objects behind the paths that a road reads: "WorkOrder", and "WorkOrder.Site__c.Name" for what a reference needs.

    Files are left out, and references that may point to several objects.
    """
    found: dict[str, None] = {}
    for path in paths:
        name, *steps = path.split(".")
        found[name] = None
        for step in steps[:-1]:
            standard = standard_objects().get(name)
            field = standard.fields.get(step) if standard else None
            if field is None or len(field.reference_to) != 1:
                break
            name = field.reference_to[0]
            found[name] = None
    return [name for name in found if name not in (FILE_OBJECT, *FILE_OBJECTS)]


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column as a field: the vendor's type, and how to read a cell (None while a person's answer is missing)."""

    index: int
    spec: FieldSpec
    type: str
    read: Read | None
    waits_for: str = ""


class ExportTable:
    """One uploaded file.

    `types` are the vendor's types and `places` the columns by field name, `mistyped` standard fields read as text.
    """

    def __init__(
        self, name: str, label: str, stored: StoredTable, shelf: TableShelf, columns: dict[str, ExportColumn]
    ) -> None:
        self.name = name
        self.stored = stored
        self.types = {field: column.type for field, column in columns.items()}
        self.places = {field: column.index for field, column in columns.items()}
        self.mistyped = [
            field
            for field, column in columns.items()
            if column.type == "string" and _standard_type(name, field) in KINDS
        ]
        self._columns = columns
        self.spec = ObjectSpec(
            name=name,
            label=label,
            custom=name.endswith("__c") or name not in standard_objects(),
            fields=tuple(column.spec for column in columns.values()),
        )
        self.has_key = "Id" in columns
        self.key = columns["Id"].index if self.has_key else 0
        gone = columns.get("IsDeleted")
        self.keyed = KeyedTable(shelf, stored, self.key, gone.index if gone and gone.type == "boolean" else None)

    def require_readable(self) -> None:
        """Raises ContractBroken for a file without ids, or with a column that only a person can explain."""
        if not self.has_key:
            raise ContractBroken(
                f"{self.stored.name} has no Id column, so its records cannot be told apart; export it with ids, or "
                "delete the upload",
                code="NO_ID",
            )
        for field, column in self._columns.items():
            if column.read is None:
                raise ContractBroken(f"{self.stored.name}, column {field}: {column.waits_for}", code="NEEDS_ANSWER")

    def reader(self, fields: Sequence[str]) -> Callable[[list[str]], Record]:
        """From a row's cells to a record of `fields`. Raises ContractBroken for a field that the file lacks."""
        unknown = [field for field in fields if field not in self._columns]
        if unknown:
            raise ContractBroken(f"{self.stored.name} has no column {', '.join(unknown[:5])}", code="NO_FIELD")
        cells = [(field, self._columns[field].index, self._columns[field].read) for field in fields]
        reader = RowReader(self.name, fields, self.types)
        stored = self.stored.name

        def record(row: list[str]) -> Record:
            values: dict[str, str] = {}
            name = ""
            try:
                for name, index, read in cells:
                    value = row[index]
                    if value and read is not None:
                        values[name] = read(value)
            except (ValueError, OverflowError) as error:
                raise ContractBroken(f"{stored}, column {name}: {error}") from None
            return reader.record(values)

        return record

    def splitter(self, fields: Sequence[str]) -> Split:
        """Rows into records and deletions; each record has `Id` and the change stamp beside `fields`."""
        extra = [field for field in ("Id", *_STAMPS) if field in self._columns][:2]
        wanted = list(dict.fromkeys((*extra, *fields)))
        marks = [field for field in ("IsDeleted", "MasterRecordId", *_STAMPS) if field in self._columns]
        read = self.reader(wanted)
        read_marks = self.reader(["Id", *marks])
        gone = self._columns.get("IsDeleted")
        at = gone.index if gone and gone.type == "boolean" else None

        def split(rows: Sequence[list[str]]) -> tuple[list[Record], list[Deletion]]:
            records: list[Record] = []
            deletions: list[Deletion] = []
            for row in rows:
                if at is not None and row[at] not in ("false", "") and (told := read_marks(row)).get("IsDeleted"):
                    deletions.append(self._deletion(told))
                else:
                    records.append(read(row))
            return records, deletions

        return split

    def _deletion(self, told: Record) -> Deletion:
        stamp = next((told[name] for name in _STAMPS if self.types.get(name) == "datetime" and name in told), None)
        at = datetime.fromisoformat(canonical_datetime(stamp)) if stamp else self.stored.uploaded_at
        return Deletion(told["Id"], at, merged_into=told.get("MasterRecordId") or None)


def open_table(shelf: TableShelf, stored: StoredTable, zone: tzinfo | None) -> ExportTable:
    """The table behind an uploaded file. Raises ContractBroken for two columns that mean the same field."""
    name = object_of(stored.stem)
    standard = standard_objects().get(name)
    columns: dict[str, ExportColumn] = {}
    for profile in stored.profile.columns:
        field = _field_of(name, standard, profile)
        column = _column(stored, profile, field, zone)
        if column.spec.name in columns:
            raise ContractBroken(
                f"{stored.name}: two columns stand for the field {column.spec.name}; leave one out", code="TWO_COLUMNS"
            )
        columns[column.spec.name] = column
    return ExportTable(name, standard.label if standard else stored.stem, stored, shelf, columns)


def _field_of(name: str, standard: StandardObject | None, profile: ColumnProfile) -> FieldDescribe | None:
    heading = fold(profile.name)
    if standard is None:
        if heading in ("id", "recordid", f"{fold(name)}id"):
            return FieldDescribe(name="Id", type="id", label=profile.label, length=18)
        common = standard_objects()["Note"]  # system fields stand on every object
        found = common.headings.get(heading, "")
        return common.fields[found] if found in _SYSTEM else None
    found = standard.headings.get(heading, "")
    return standard.fields.get(found)


_SYSTEM = frozenset({"CreatedDate", "LastModifiedDate", "SystemModstamp", "IsDeleted", "OwnerId", "CreatedById"})


def _column(
    stored: StoredTable, profile: ColumnProfile, field: FieldDescribe | None, zone: tzinfo | None
) -> ExportColumn:
    answer = stored.answer(profile.name, "date-order") or stored.answer(profile.name, "decimal-mark")
    if field is None:
        kind = resolved_kind(profile, answer, stored.answer(profile.name, "century"))
        if kind is Kind.DATETIME and profile.naive and zone is None:
            kind = Kind.TEXT
        described = FieldDescribe(
            name=_custom_name(profile.name), type=TYPES[kind], label=profile.label, length=profile.longest, custom=True
        )
        spec = read_field(described)
    else:
        wanted = KINDS.get(field.type)
        fits = wanted is None or wanted in profile.fits or not profile.filled
        described = field if fits else _as_text(field)
        spec, kind = read_field(described), (wanted or Kind.TEXT) if fits else Kind.TEXT
        if field.type in _PICKLISTS and profile.values:
            spec = spec.model_copy(update={"picklist": _options(profile, field.type)})
    read, waits = _reader(stored, profile, kind, answer, zone)
    return ExportColumn(profile.index, spec, described.type, read, waits)


def _reader(
    stored: StoredTable, profile: ColumnProfile, kind: Kind, answer: str, zone: tzinfo | None
) -> tuple[Read | None, str]:
    """The converter of a column, or what has to be said before there is one."""
    waits = ""
    read: Read | None = None
    if kind is Kind.TEXT:
        blanks = stored.answer("", MARKERS_QUESTION) == "blank"
        read = text_reader(blanks, repair=stored.answer(profile.name, "mojibake") == "repair")
    elif kind is Kind.BOOLEAN:
        read = boolean_reader()
    elif kind in (Kind.INTEGER, Kind.DECIMAL):
        mark = resolved_mark(profile, answer)
        read = number_reader(mark) if mark else None
        waits = "answer the question about its decimal mark first"
    elif (order := resolved_order(profile, answer)) is None:
        waits = "answer the question about the order of day and month first"
    elif (pivot := resolved_pivot(profile, stored.answer(profile.name, "century"))) is None:
        waits = "answer the question about the century of its years first"
    elif kind is Kind.DATE:
        read = date_reader(order, pivot)
    elif profile.naive and zone is None:
        waits = 'its times carry no offset; name their zone in the config, for example "timezone": "Europe/London"'
    else:
        read = datetime_reader(order, zone, pivot=pivot)
    return read, waits


def _as_text(field: FieldDescribe) -> FieldDescribe:
    return FieldDescribe(name=field.name, type="string", label=field.label, custom=field.custom)


def _custom_name(heading: str) -> str:
    """A dot would be read as a step along a reference."""
    return re.sub(r"\W+", "_", heading).strip("_") or "column"


def _options(profile: ColumnProfile, kind: str) -> tuple[PicklistValue, ...]:
    """The values that occur stand for the list that a describe would give."""
    found = profile.values
    if kind == "multipicklist":
        found = tuple(sorted({part for value in found for part in value.split(";") if part}))
    return tuple(PicklistValue(value=value, label=value) for value in found)


def _standard_type(name: str, field: str) -> str:
    standard = standard_objects().get(name)
    described = standard.fields.get(field) if standard else None
    return described.type if described else ""
