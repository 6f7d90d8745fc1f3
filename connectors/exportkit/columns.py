"""Columns as fields: which field a heading means, what type its votes allow, and how a cell becomes a value."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.domain.schema import FieldSpec, FieldType, PicklistValue
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
from connectors.column_votes import ColumnProfile, DateOrder, Kind
from connectors.exportkit.catalogue import TableField, TableObject, fold
from connectors.number_forms import DecimalMark, number_mark
from connectors.table_files import cell_values

Value = Callable[[str], Any]
"""From a cell to a canonical value, None for a blank. Raises ValueError for what the votes did not show."""
Answer = Callable[[str, str], str]
"""A person's answer by column and code, "" while there is none."""

NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
_TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})
_SECRET = frozenset({"password", "passwd", "pwd", "passwordhash", "passwordsalt", "securityanswer", "apitoken"})
_OPTIONS = 30
_OPTION_LENGTH = 60
_SEPARATORS = (";", "|")
_CUSTOM = {
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.INTEGER: FieldType.INTEGER,
    Kind.DECIMAL: FieldType.DECIMAL,
    Kind.DATE: FieldType.DATE,
    Kind.DATETIME: FieldType.DATETIME,
}


@dataclass(frozen=True)
class Column:
    """A column as a field. `read` is None while a person's answer is missing, which `waits_for` words."""

    index: int
    field: TableField
    spec: FieldSpec
    read: Value | None
    waits_for: str = ""
    mistyped: bool = False


def match_headings(obj: TableObject | None, profiles: Sequence[ColumnProfile]) -> dict[int, TableField]:
    """Fields by column index. Of two columns for one field the heading that says it best wins; the other is custom."""
    best: dict[str, tuple[int, int]] = {}
    fields = {field.name: field for field in obj.fields} if obj else {}
    for profile in profiles:
        heading = fold(profile.label or profile.name)
        for field in fields.values():
            names = [fold(text) for text in (field.name, field.label, *field.headings) if text]
            if heading in names:
                rank = names.index(heading)
                if field.name not in best or rank < best[field.name][0]:
                    best[field.name] = (rank, profile.index)
    return {index: fields[name] for name, (_, index) in best.items()}


def is_secret(profile: ColumnProfile) -> bool:
    """Whether a heading says that nobody should read the column."""
    return fold(profile.label or profile.name) in _SECRET


def custom_field(profile: ColumnProfile, answer: Answer, taken: Iterable[str]) -> TableField:
    """A field for a column that no catalogue knows, typed by the votes of all its rows."""
    kind = resolved_kind(profile, _told(profile, answer), answer(profile.name, "century"))
    type_, separator = _CUSTOM.get(kind, FieldType.TEXT), ""
    if kind is Kind.TEXT:
        type_, separator = _text_type(profile)
    return TableField(free_name(profile.name, taken), profile.label, type_, separator=separator)


def free_name(heading: str, taken: Iterable[str]) -> str:
    """A field name made of a heading: no dots, which would be read as steps along references."""
    bare = re.sub(r"\W+", "_", heading).strip("_") or "column"
    used = {name.casefold() for name in taken}
    name, number = bare, 1
    while name.casefold() in used:
        number += 1
        name = f"{bare}_{number}"
    return name


def _text_type(profile: ColumnProfile) -> tuple[FieldType, str]:
    values = [value for value in profile.values if value not in profile.markers]
    for separator in _SEPARATORS:
        parts = [part for value in values for part in cell_values(value, separator)]
        repeated = 2 * len(parts) >= 3 * len(set(parts)) and len(set(parts)) <= _OPTIONS
        if (
            repeated
            and any(separator in value or value[:1] == "[" for value in values)
            and max(map(len, parts)) <= _OPTION_LENGTH
        ):
            return FieldType.MULTIPICKLIST, separator
    few = 0 < len(values) <= _OPTIONS and profile.longest <= _OPTION_LENGTH
    if few and profile.filled >= max(10, 3 * len(values)):
        return FieldType.PICKLIST, ""
    return (FieldType.TEXTAREA if profile.longest > 255 else FieldType.TEXT), ""


def make_column(
    profile: ColumnProfile,
    field: TableField,
    answer: Answer,
    zone: tzinfo | None,
    *,
    custom: bool = False,
    blank_markers: bool = False,
) -> Column:
    """The column as the field says where its values allow it; as text, marked `mistyped`, where they do not."""
    type_, mistyped = fitting_type(profile, field.type)
    read, waits = _reader(profile, field, type_, answer, zone, blank_markers)
    spec = FieldSpec(
        name=field.name,
        label=field.label or profile.label,
        type=type_,
        length=profile.longest or None if type_ in (FieldType.TEXT, FieldType.TEXTAREA) else None,
        custom=custom,
        sensitive=field.sensitive,
        references=(field.references,) if field.references else (),
        picklist=_options(profile, field, type_),
    )
    return Column(profile.index, replace(field, type=type_), spec, read, waits, mistyped)


def fitting_type(profile: ColumnProfile, wanted: FieldType) -> tuple[FieldType, bool]:
    """The type that the values bear, and whether it is another than the field's."""
    fits = profile.fits
    if not profile.filled or (wanted not in NUMBERS | _TIMES and wanted is not FieldType.BOOLEAN):
        return wanted, False
    if wanted is FieldType.PERCENT and Kind.DECIMAL not in fits:
        return (wanted, False) if _all_percents(profile) else (FieldType.TEXT, True)
    if wanted in NUMBERS:
        return (wanted, False) if Kind.DECIMAL in fits else (FieldType.TEXT, True)
    if wanted is FieldType.BOOLEAN:
        return (wanted, False) if Kind.BOOLEAN in fits else (FieldType.TEXT, True)
    for type_, kind in ((FieldType.DATE, Kind.DATE), (FieldType.DATETIME, Kind.DATETIME)):
        if kind in fits and (type_ is wanted or _other(wanted) not in fits):
            return type_, False  # a day where a moment was expected, or the other way round, is still a time
    return FieldType.TEXT, True


def _other(wanted: FieldType) -> Kind:
    return Kind.DATETIME if wanted is FieldType.DATETIME else Kind.DATE


def _reader(
    profile: ColumnProfile,
    field: TableField,
    type_: FieldType,
    answer: Answer,
    zone: tzinfo | None,
    blank_markers: bool,
) -> tuple[Value | None, str]:
    """The converter of a column, or what has to be said before there is one."""
    told = _told(profile, answer)
    waits = ""
    read: Value | None = None
    if type_ is FieldType.BOOLEAN:
        read = _truth(boolean_reader())
    elif type_ is FieldType.PERCENT and Kind.DECIMAL not in profile.fits:
        read = _number(_percent)
    elif type_ in NUMBERS:
        mark = resolved_mark(profile, told)
        read = _number(number_reader(mark)) if mark else None
        waits = "answer the question about its decimal mark first"
    elif type_ in _TIMES:
        read, waits = _time_reader(profile, type_, told, answer(profile.name, "century"), zone)
    elif type_ is FieldType.MULTIPICKLIST:
        read = _several(text_reader(blank_markers), field.separator or ";")
    else:
        text = text_reader(blank_markers)
        read = lambda cell: text(cell).strip() or None  # noqa: E731
    return read, "" if read else waits


def _time_reader(
    profile: ColumnProfile, type_: FieldType, told: str, century: str, zone: tzinfo | None
) -> tuple[Value | None, str]:
    order: DateOrder | None = resolved_order(profile, told)
    if order is None:
        return None, "answer the question about the order of day and month first"
    pivot = resolved_pivot(profile, century)
    if pivot is None:
        return None, "answer the question about the century of its years first"
    if type_ is FieldType.DATE:
        return _filled(date_reader(order, pivot)), ""
    if profile.naive and zone is None:
        example = '"timezone": "Australia/Sydney"'
        return None, f"its times carry no offset; name their zone in the config, for example {example}"
    return _moment(datetime_reader(order, zone, pivot=pivot)), ""


def _told(profile: ColumnProfile, answer: Answer) -> str:
    return answer(profile.name, "date-order") or answer(profile.name, "decimal-mark")


def _filled(read: Read) -> Value:
    return lambda cell: read(cell) or None


def _truth(read: Read) -> Value:
    values: Mapping[str, bool | None] = {"true": True, "false": False, "": None}
    return lambda cell: values[read(cell)]


def _number(read: Read) -> Value:
    def value(cell: str) -> str | None:
        text = read(cell)
        if not text:
            return None
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return "0" if text in ("-0", "") else text

    return value


def _moment(read: Read) -> Value:
    def value(cell: str) -> str | None:
        text = read(cell)
        return datetime.fromisoformat(text).astimezone(UTC).isoformat() if text else None

    return value


def _several(read: Read, separator: str) -> Value:
    return lambda cell: list(dict.fromkeys(cell_values(read(cell), separator))) or None


def _percent(cell: str) -> str:
    bare = cell.strip().removesuffix("%").strip()
    if bare and number_mark(bare) not in (DecimalMark.NONE, DecimalMark.POINT):
        raise ValueError("not a percentage")
    return bare


def _all_percents(profile: ColumnProfile) -> bool:
    marks = {number_mark(value.strip().removesuffix("%").strip()) for value in profile.values}
    return bool(marks) and marks <= {DecimalMark.NONE, DecimalMark.POINT}


def _options(profile: ColumnProfile, field: TableField, type_: FieldType) -> tuple[PicklistValue, ...]:
    """The values that occur stand for the list that a describe would give."""
    found: Iterable[str] = ()
    if type_ is FieldType.PICKLIST:
        found = profile.values
    elif type_ is FieldType.MULTIPICKLIST:
        separator = field.separator or ";"
        found = sorted({part for value in profile.values for part in cell_values(value, separator)})
    if type_ in (FieldType.PICKLIST, FieldType.MULTIPICKLIST):
        found = dict.fromkeys((*field.options, *(value.strip() for value in found)))
    return tuple(PicklistValue(value=value, label=value) for value in found if value)
