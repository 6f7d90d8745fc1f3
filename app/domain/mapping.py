"""The mapping document: which source object becomes which destination record, field by field, and what is left out.

A person edits and confirms it; the engine compiles it (see `compiling`). It names destination objects and fields by
*logical keys* (ruling 15), so that one document serves the rehearsal org and the production org alike.
"""

from enum import StrEnum

from pydantic import Field, JsonValue

from app.domain.exact import Exact
from app.domain.schema import FieldType


class Origin(StrEnum):
    """Who proposed a rule."""

    BLUEPRINT = "blueprint"
    MATCHED = "matched"
    PERSON = "person"


class Missing(StrEnum):
    """What happens when a value cannot be resolved: leave it blank and report it, or hold the record for a person."""

    BLANK = "blank"
    HOLD = "hold"


class Unmapped(StrEnum):
    """What happens to a value that a value map does not list."""

    HOLD = "hold"
    KEEP = "keep"
    DEFAULT = "default"
    BLANK = "blank"


class LoadMode(StrEnum):
    """What a load does: create records, set links on records created before, move files, or write notes."""

    CREATE = "create"
    LINK = "link"
    FILE = "file"
    NOTE = "note"


class LookupEmit(StrEnum):
    """What a lookup rule writes: the reference itself, or the destination object it points to (polymorphic fields)."""

    REFERENCE = "reference"
    OBJECT = "object"


class LookupRule(Exact):
    """Resolves a source id through the ledger. `loads` are tried in order: the first that knows the id wins."""

    loads: tuple[str, ...]
    emit: LookupEmit = LookupEmit.REFERENCE
    on_missing: Missing = Missing.BLANK


class ValueMap(Exact):
    """Source value to destination value; keys compare after trimming and case folding."""

    entries: dict[str, str] = {}
    unmapped: Unmapped = Unmapped.HOLD
    default: str | None = None


class Condition(Exact):
    """A record takes part when the field's value is in `any_of` (True/False for booleans, None for blank)."""

    field: str
    any_of: tuple[str | bool | None, ...] = ()
    none_of: tuple[str | bool | None, ...] = ()


class Reason(Exact):
    """One ground for a proposal, in a sentence a person can check."""

    code: str
    text: str
    weight: float = 0.0


class Take(StrEnum):
    """Which of the gathered records a text is made of."""

    FIRST = "first"
    REST = "rest"
    ALL = "all"


class Collect(Exact):
    """A text gathered from records that refer to this one: a further source field `field` of the load.

    `object`.`via` names the reference. The records stand in the order of the field `order` (blanks first), then of
    their ids; `template` writes {Field} of each, `separator` joins them. At most `most` are written, "… and N more"
    says how many were not. Where nothing refers to the record, its own field `otherwise` stands in.
    """

    field: str
    object: str
    via: str
    otherwise: str = ""
    take: Take = Take.ALL
    order: str = ""
    template: str
    separator: str = "; "
    most: int = Field(default=200, ge=1, le=1000)


class Keep(StrEnum):
    """How a value that must be unique is told apart: by a mark behind it, or in another field."""

    SUFFIX = "suffix"
    MOVE = "move"


class UniqueValue(Exact):
    """A destination field whose values must differ although several records share one (ruling 21).

    The first record, by load order and id, keeps the value. The others get `mark` (a source field, else their id) in
    brackets behind it, or leave the field blank; the value as it was goes to the field `into`.
    """

    target: str
    how: Keep = Keep.MOVE
    into: str = ""
    mark: str = ""


class DedupeMode(StrEnum):
    """What becomes of records that look like one (ruling 27)."""

    OFF = "off"
    REPORT = "report"
    MERGE = "merge"


class Survivor(StrEnum):
    """Which of the records lives on."""

    OLDEST = "oldest"
    NEWEST = "newest"
    FULLEST = "fullest"


class Dedupe(Exact):
    """Which records of a load count as one. `keys` are groups of source fields: records whose values of one group are
    all filled and equal (case and blanks aside) belong together, unless their values of a field in `apart` differ, as
    the first names of a family do.
    """

    mode: DedupeMode = DedupeMode.OFF
    keys: tuple[tuple[str, ...], ...] = ()
    apart: tuple[str, ...] = ()
    survivor: Survivor = Survivor.OLDEST


class Alternative(Exact):
    """Another destination field that was likely."""

    target: str
    probability: float


class FieldRule(Exact):
    """One destination field. `sources` are source fields; "Site__c.City__c" follows the reference `Site__c` one step.

    `transform` names an entry of `transforms.TRANSFORMS`; `default` fills a blank. `owner` marks an owner field:
    its sources are user references (or e-mail fields), tried in order.
    """

    target: str
    sources: tuple[str, ...] = ()
    transform: str = "copy"
    args: dict[str, JsonValue] = {}
    value_map: str | None = None
    lookup: LookupRule | None = None
    owner: bool = False
    default: JsonValue = None
    required: bool = False
    sensitive: bool = False
    origin: Origin = Origin.BLUEPRINT
    probability: float = 1.0
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()


class Load(Exact):
    """One stream of planned writes: source object → destination object, with its place in the order.

    `key` names it everywhere (lookups, progress, reports). `part` tells several writes of one source record apart
    (ruling 1). `base` is, for links, files and notes, the load whose record is meant. `option` says in a sentence what
    a person chooses by switching a load on or off. `only_with` and `only_without` name a destination object that the
    account has to have, or must not have, for the load to be proposed. `unknown_fields` is whether source fields that
    no rule mentions find a place on this load: of several pieces of a record, one has to take them.
    """

    key: str
    row: str = ""
    source_object: str
    target_object: str
    part: str = ""
    phase: str = ""
    mode: LoadMode = LoadMode.CREATE
    base: str = ""
    when: tuple[Condition, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    file_field: str = ""
    file_name: str = ""
    collect: tuple[Collect, ...] = ()
    unique: tuple[UniqueValue, ...] = ()
    dedupe: Dedupe = Dedupe()
    option: str = ""
    only_with: str = ""
    only_without: str = ""
    unknown_fields: bool = True
    enabled: bool = True


class Exclusion(Exact):
    """A source object (or field) that does not move, and why; `export` names the file it goes to instead."""

    source_object: str
    field: str = ""
    reason: str = "excluded_by_mapping"
    export: str = ""
    note: str = ""


class NewField(Exact):
    """A destination field to be provisioned."""

    object: str
    key: str
    label: str
    type: FieldType = FieldType.TEXT
    length: int | None = None
    scale: int | None = None
    picklist: tuple[str, ...] = ()
    references: str = ""
    unique: bool = False
    external: bool = False


class NewObject(Exact):
    """A destination object to be provisioned; `name_field` and `owner_field` are those it has from its creation."""

    key: str
    singular: str
    plural: str
    name_field: str = "Name"
    owner_field: str = "Owner"


class SchemaPlan(Exact):
    """What the mapping needs at the destination beyond what it has, in logical keys."""

    objects: tuple[NewObject, ...] = ()
    fields: tuple[NewField, ...] = ()
    picklist_values: dict[str, tuple[str, ...]] = {}


class MappingDocument(Exact):
    """The whole map of one engagement. `external_id` is the logical key of our key field on every object."""

    source: str
    destination: str
    blueprint_version: str = ""
    external_id: str = "Source_System_ID__c"
    loads: tuple[Load, ...]
    value_maps: dict[str, ValueMap] = {}
    exclusions: tuple[Exclusion, ...] = ()
    plan: SchemaPlan = Field(default_factory=SchemaPlan)
    constants: dict[str, JsonValue] = {}

    def load(self, key: str) -> Load:
        """The load named `key`. Raises KeyError."""
        for load in self.loads:
            if load.key == key:
                return load
        raise KeyError(key)
