"""What an object and a field of the ServiceTracker sandbox are, and short constructors to declare them."""

import re
from dataclasses import dataclass, field

LONG_TEXT = 131_072
ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")
NUMBER_TYPES = frozenset({"currency", "percent", "double"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `type` is a Salesforce describe type (source fact sheet section 1.3)."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    refers: tuple[str, ...] = ()
    picks: tuple[str, ...] = ()
    default: str | None = None
    external_id: bool = False
    id_lookup: bool = False
    name_field: bool = False
    auto_number: str | None = None
    system: bool = False
    calculated: bool = False
    compound: str | None = None
    parts: tuple[str, ...] = ()
    html: bool = False
    indexed: bool = False

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def relationship(self) -> str | None:
        """`AccountId` is walked as `Account`, `Site__c` as `Site__r`."""
        if not self.refers:
            return None
        return self.name[:-1] + "r" if self.custom else self.name.removesuffix("Id")

    @property
    def stored(self) -> bool:
        """Compounds are assembled and blobs are kept apart, all else is a column."""
        return self.type not in {"address", "base64"}

    @property
    def writable(self) -> bool:
        return not (self.system or self.auto_number or self.calculated or self.type == "address")

    @property
    def filterable(self) -> bool:
        return not (self.type in {"base64", "address"} or (self.type == "textarea" and self.length > 255))

    @property
    def title(self) -> str:
        return self.label or _label(self.name)


def _label(name: str) -> str:
    bare = name.removesuffix("__c").replace("_", " ")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", bare)
    return words.removesuffix(" Id") if not name.endswith("__c") else words


@dataclass(frozen=True, slots=True)
class SObject:
    """One object: its fields in column order, and lookups by lower-case name because SOQL ignores case."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    mergeable: bool = False
    archived: bool = False
    by_name: dict[str, Field] = field(init=False)
    by_relationship: dict[str, Field] = field(init=False)
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name.lower(): one for one in self.fields})
        walks = {one.relationship.lower(): one for one in self.fields if one.relationship}
        object.__setattr__(self, "by_relationship", walks)
        blob = ("_BlobKind", "_BlobSize", "_Blob") if self.blob else ()
        object.__setattr__(self, "columns", tuple(one.name for one in self.fields if one.stored) + blob)

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def blob(self) -> Field | None:
        return next((one for one in self.fields if one.type == "base64"), None)

    @property
    def name_field(self) -> Field | None:
        return next((one for one in self.fields if one.name_field), None)

    def field(self, name: str) -> Field | None:
        return self.by_name.get(name.lower())


def text(name: str, length: int = 255, **more: object) -> Field:
    return _make(name, "string", length=length, **more)


def long_text(name: str, length: int = 32_000, **more: object) -> Field:
    return _make(name, "textarea", length=length, **more)


def email(name: str) -> Field:
    return _make(name, "email", length=80, id_lookup=name == "Email")


def phone(name: str) -> Field:
    return _make(name, "phone", length=40)


def pick(name: str, *values: str, default: str | None = None) -> Field:
    """An unrestricted picklist: values outside the list can be stored, as tenants' histories show."""
    return _make(name, "picklist", length=255, picks=values, default=default)


def picks(name: str, *values: str) -> Field:
    return _make(name, "multipicklist", length=4_099, picks=values)


def flag(name: str, *, default: str = "false", **more: object) -> Field:
    return _make(name, "boolean", default=default, **more)


def money(name: str) -> Field:
    return _make(name, "currency", precision=18, scale=2)


def percent(name: str) -> Field:
    return _make(name, "percent", precision=5, scale=2)


def number(name: str, scale: int = 2) -> Field:
    return _make(name, "double", precision=18, scale=scale)


def whole(name: str, **more: object) -> Field:
    return _make(name, "int", precision=8, **more)


def day(name: str) -> Field:
    return _make(name, "date")


def moment(name: str, **more: object) -> Field:
    return _make(name, "datetime", **more)


def refer(name: str, *targets: str, indexed: bool = False, required: bool = False, system: bool = False) -> Field:
    return _make(name, "reference", length=18, refers=targets, indexed=indexed, required=required, system=system)


def blob(name: str) -> Field:
    return _make(name, "base64")


def auto(name: str, mask: str, *, name_field: bool = False) -> Field:
    """An autonumber; `mask` is a format with one integer slot."""
    return _make(name, "string", length=30, auto_number=mask, name_field=name_field, id_lookup=True)


def address(prefix: str, compound: str) -> tuple[Field, ...]:
    """The five parts of an address and the compound field that gathers them."""
    lengths = {"Street": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    parts = tuple(
        _make(prefix + part, "textarea" if part == "Street" else "string", length=lengths[part], compound=compound)
        for part in ADDRESS_PARTS
    )
    return (*parts, Field(compound, "address", parts=tuple(prefix + part for part in ADDRESS_PARTS)))


def person(*, first: int = 40, last: int = 80) -> tuple[Field, ...]:
    """First and last name, and the name that the platform joins from them."""
    return (
        _make("FirstName", "string", length=first, compound="Name"),
        _make("LastName", "string", length=last, required=True, compound="Name"),
        _make("Name", "string", length=first + last + 1, name_field=True, calculated=True),
    )


def sobject(
    name: str,
    label: str,
    prefix: str,
    *fields: Field | tuple[Field, ...],
    plural: str = "",
    owner: bool = True,
    mergeable: bool = False,
    archived: bool = False,
) -> SObject:
    """Declares an object and adds the system fields every object carries."""
    own: list[Field] = [Field("Id", "id", label=f"{label} ID", length=18, system=True, id_lookup=True)]
    for one in fields:
        own.extend(one if isinstance(one, tuple) else (one,))
    if owner:
        own.append(refer("OwnerId", "User"))
    own += [
        _make("CreatedDate", "datetime", system=True),
        refer("CreatedById", "User", system=True),
        _make("LastModifiedDate", "datetime", system=True),
        _make("SystemModstamp", "datetime", system=True),
        _make("IsDeleted", "boolean", system=True, default="false"),
    ]
    return SObject(name, label, plural or f"{label}s", prefix, tuple(own), mergeable, archived)


def _make(name: str, kind: str, **more: object) -> Field:
    return Field(name, kind, **more)  # type: ignore[arg-type]  # the public constructors above name every key
