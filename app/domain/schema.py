"""The vocabulary that connectors and the core share: what an object, a field and a record are on any platform.

A *record* is a plain dict of field name to canonical value. Canonical values are JSON-ready: text as NFC-preserving
`str` exactly as the source holds it, numbers as decimal strings ("12.50"), booleans as `bool`, dates as
"YYYY-MM-DD", date-times as "YYYY-MM-DDTHH:MM:SS[.ffffff]+00:00" (UTC), multi-picklists as lists of strings, references
as the other record's source id. An absent key is a blank; `None` never occurs.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

Record = dict[str, Any]


class FieldType(StrEnum):
    """What a field can hold, on any platform."""

    TEXT = "text"
    TEXTAREA = "textarea"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    DECIMAL = "decimal"
    CURRENCY = "currency"
    PERCENT = "percent"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    LOOKUP = "lookup"
    USER = "user"
    AUTONUMBER = "autonumber"
    FILE = "file"
    ID = "id"
    COMPOUND = "compound"


class Frozen(BaseModel):
    """A value: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PicklistValue(Frozen):
    """One option; `value` is what records hold, `label` what people see."""

    value: str
    label: str = ""
    active: bool = True


class FieldSpec(Frozen):
    """One field as a platform describes it.

    `length` is in characters for text and in digits for numbers; `scale` is the number of decimal places.
    `references` are object names for lookups. `writable` is whether a client may set the field.
    """

    name: str
    label: str = ""
    type: FieldType = FieldType.TEXT
    length: int | None = None
    scale: int | None = None
    required: bool = False
    unique: bool = False
    external_id: bool = False
    writable: bool = True
    custom: bool = False
    primary_key: bool = False
    sensitive: bool = False
    picklist: tuple[PicklistValue, ...] = ()
    restricted: bool = False
    references: tuple[str, ...] = ()


class ObjectSpec(Frozen):
    """One object (module, table) with its fields in the platform's order."""

    name: str
    label: str = ""
    custom: bool = False
    fields: tuple[FieldSpec, ...] = ()

    def field(self, name: str) -> FieldSpec | None:
        return next((spec for spec in self.fields if spec.name == name), None)


class UserSpec(Frozen):
    """A user who can own records. `email` is lower-cased and stripped, empty when unknown."""

    id: str
    name: str = ""
    email: str = ""
    active: bool = True


class StageSpec(Frozen):
    """One stage of a pipeline with what the platform knows of it."""

    name: str
    pipeline: str = ""
    probability: int | None = None
    forecast: str = ""


class Encoding(Frozen):
    """How canonical values look in the platform's JSON; read by the mapping compiler.

    `reference` and `user`: "object" renders {"id": "…"}, "string" the bare id, "integer" a JSON number.
    `datetime_offset`: True renders +00:00, False renders Z. `multi`: "list" or a separator such as ";".
    `number`: "number" renders JSON numbers, "string" strings.
    """

    reference: str = "object"
    user: str = "object"
    datetime_offset: bool = True
    milliseconds: bool = False
    multi: str = "list"
    number: str = "number"


class Inventory(Frozen):
    """All that discovery learnt of one side.

    `facts` are platform-specific figures (edition, credits, slots left) under the names its manifest documents;
    `counts` are records per object, `fill` is filled values per object and field, both empty until measured.
    """

    platform: str
    taken_at: datetime
    account: str = ""
    edition: str | None = None
    objects: tuple[ObjectSpec, ...] = ()
    users: tuple[UserSpec, ...] = ()
    stages: tuple[StageSpec, ...] = ()
    counts: dict[str, int] = {}
    fill: dict[str, dict[str, int]] = {}
    facts: dict[str, JsonValue] = {}

    def object(self, name: str) -> ObjectSpec | None:
        return next((spec for spec in self.objects if spec.name == name), None)
