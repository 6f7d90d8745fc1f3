"""The plain form of a schema that matching works on, whatever platform or file it came from."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec

MAX_SAMPLES = 200
MAX_OPTIONS = 1000

_OTHER_NAMES: dict[FieldType, str] = {
    FieldType.TEXT: "string str varchar char nvarchar encryptedstring combobox uuid",
    FieldType.TEXTAREA: "longtext html richtext rich_text rtf memo markdown long_text",
    FieldType.PICKLIST: "enum select dropdown radio choice option options status",
    FieldType.MULTIPICKLIST: "multiselect multi_select multienum multiselectpicklist multi_select_dropdown tags set",
    FieldType.INTEGER: "int bigint long smallint whole serial",
    FieldType.DECIMAL: "number double float numeric real",
    FieldType.CURRENCY: "money amount price",
    FieldType.BOOLEAN: "bool checkbox flag bit",
    FieldType.DATETIME: "timestamp date_time datetime2 date_time_split",
    FieldType.PHONE: "telephone tel mobile",
    FieldType.URL: "website uri link hyperlink",
    FieldType.LOOKUP: "reference ref relation foreign_key fk relate masterdetail auto_complete",
    FieldType.USER: "owner ownerlookup userlookup",
    FieldType.FILE: "image attachment base64 blob binary fileupload",
    FieldType.ID: "key primary_key pk",
    FieldType.COMPOUND: "address json object location group_field subform",
    FieldType.AUTONUMBER: "auto_number autoincrement sequence",
}
_ALIASES = {name: kind for kind, names in _OTHER_NAMES.items() for name in (kind.value, *names.split())}
_ALIASES |= {one.value: one for one in FieldType}


def read_type(text: str) -> FieldType | None:
    """A type as any schema names it; None for one that says nothing."""
    return _ALIASES.get(re.sub(r"[^a-z0-9_]", "", text.casefold().strip()))


QUOTED = 80
"""Characters of a field's name that a sentence quotes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field. `type` is None when unknown; `samples` are values as text; `reference` is an object's name."""

    name: str
    label: str = ""
    type: FieldType | None = None
    picklist: tuple[str, ...] = ()
    required: bool = False
    read_only: bool = False
    primary_key: bool = False
    external_id: bool = False
    reference: str = ""
    samples: tuple[str, ...] = ()
    length: int | None = None
    scale: int | None = None
    restricted: bool = False
    sensitive: bool = False

    @property
    def shown(self) -> str:
        return self.label or self.name

    @property
    def quoted(self) -> str:
        """What sentences call it: an endless name is cut."""
        return self.shown if len(self.shown) <= QUOTED else self.shown[:QUOTED] + "…"


@dataclass(frozen=True, slots=True)
class Table:
    """One object with its fields; names may repeat in a hostile schema, so fields are told apart by place."""

    name: str
    label: str = ""
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """One side: a platform's name and its objects."""

    platform: str
    tables: tuple[Table, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    def table(self, name: str) -> Table | None:
        return next((one for one in self.tables if one.name == name), None)


def column_of(spec: FieldSpec, samples: Iterable[str] = ()) -> Column:
    """A discovered field as a column."""
    return Column(
        name=spec.name, label=spec.label, type=spec.type,
        picklist=tuple(one.value for one in spec.picklist if one.active)[:MAX_OPTIONS],
        required=spec.required, read_only=not spec.writable,
        primary_key=spec.primary_key or spec.type is FieldType.ID, external_id=spec.external_id,
        reference=spec.references[0] if spec.references else "", samples=tuple(samples)[:MAX_SAMPLES],
        length=spec.length, scale=spec.scale, restricted=spec.restricted, sensitive=spec.sensitive,
    )  # fmt: skip


def table_of(spec: ObjectSpec) -> Table:
    """A discovered object as a table."""
    return Table(spec.name, spec.label, tuple(column_of(one) for one in spec.fields))


def schema_of(inventory: Inventory) -> Schema:
    """A discovered side as a schema."""
    return Schema(inventory.platform, tuple(table_of(one) for one in inventory.objects))


def with_guessed_type(column: Column) -> Column:
    """The column with a type read off its name, picklist or samples where the schema gives none."""
    if column.type is not None:
        return column
    return replace(column, type=_guess(column))


_SHAPES = (
    (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), FieldType.EMAIL),
    (re.compile(r"(https?://|www\.)\S+", re.IGNORECASE), FieldType.URL),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*"), FieldType.DATETIME),
    (re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"), FieldType.DATE),
    (re.compile(r"(true|false|yes|no|y|n|ja|nein|oui|non)", re.IGNORECASE), FieldType.BOOLEAN),
    (re.compile(r"[+(]?\d[\d ()./-]{6,}\d"), FieldType.PHONE),
    (re.compile(r"-?\d{1,15}"), FieldType.INTEGER),
    (re.compile(r"-?[\d.,' ]*\d[.,]\d+"), FieldType.DECIMAL),
)


def _guess(column: Column) -> FieldType | None:
    if column.picklist:
        return FieldType.PICKLIST
    if column.reference:
        return FieldType.LOOKUP
    if re.search(r"[a-z]I[dD]$|[A-Z]{3}ID$|[_ ]id$", column.name):
        return FieldType.LOOKUP
    values = [one.strip() for one in column.samples if one.strip()]
    for pattern, kind in _SHAPES:
        if values and all(pattern.fullmatch(one[:200]) for one in values):
            if kind is FieldType.PHONE and all(re.fullmatch(r"\d+", one) for one in values):
                return FieldType.INTEGER
            return kind
    return FieldType.TEXTAREA if values and max(map(len, values)) > 255 else None
