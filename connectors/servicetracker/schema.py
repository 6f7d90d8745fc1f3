"""What a ServiceTracker tenant's describe says, read into our vocabulary. The tenant always overrides the list here.

Source fact sheet section 1.3.
"""

from dataclasses import dataclass

import msgspec

from app.domain.schema import FieldSpec, FieldType, ObjectSpec, PicklistValue

FILE_OBJECT = "File"
STANDARD_OBJECTS = (
    "User", "Account", "Contact", "ServiceResource", "ServiceContract", "Product2", "Asset", "WorkOrder",
    "ProductConsumed", "Task", "Event", "ServiceAppointment", "Note", "Lead",
)  # fmt: skip
"""Objects that a tenant may have besides its custom ones (seed data model); absent ones are left out."""
FILE_OBJECTS = ("Attachment", "ContentDocument", "ContentVersion", "ContentDocumentLink", "DigitalSignature")
"""Objects whose rows are shown as one object `File`."""

_TYPES = {
    "string": FieldType.TEXT, "combobox": FieldType.TEXT, "encryptedstring": FieldType.TEXT, "anyType": FieldType.TEXT,
    "textarea": FieldType.TEXTAREA, "email": FieldType.EMAIL, "phone": FieldType.PHONE, "url": FieldType.URL,
    "int": FieldType.INTEGER, "long": FieldType.INTEGER, "double": FieldType.DECIMAL, "currency": FieldType.CURRENCY,
    "percent": FieldType.PERCENT, "boolean": FieldType.BOOLEAN, "date": FieldType.DATE,
    "datetime": FieldType.DATETIME, "time": FieldType.TIME, "picklist": FieldType.PICKLIST,
    "multipicklist": FieldType.MULTIPICKLIST, "reference": FieldType.LOOKUP, "id": FieldType.ID,
    "base64": FieldType.FILE,
}  # fmt: skip
COMPOUND_TYPES = frozenset({"address", "location", "complexvalue"})
_NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})


class PicklistDescribe(msgspec.Struct, rename="camel"):
    value: str | None = None
    label: str | None = None
    active: bool = True


class FieldDescribe(msgspec.Struct, rename="camel"):
    """The keys of a field's describe that matter here."""

    name: str
    type: str
    label: str | None = None
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    unique: bool = False
    external_id: bool = False
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    auto_number: bool = False
    calculated: bool = False
    encrypted: bool = False
    restricted_picklist: bool = False
    reference_to: list[str] = []
    picklist_values: list[PicklistDescribe] = []


class ObjectDescribe(msgspec.Struct, rename="camel"):
    name: str
    label: str | None = None
    custom: bool = False
    custom_setting: bool = False
    queryable: bool = True
    replicateable: bool = False
    deprecated_and_hidden: bool = False
    fields: list[FieldDescribe] = []


class GlobalDescribe(msgspec.Struct):
    sobjects: list[ObjectDescribe]


OBJECT_DECODER = msgspec.json.Decoder(ObjectDescribe)
GLOBAL_DECODER = msgspec.json.Decoder(GlobalDescribe)


@dataclass(frozen=True, slots=True)
class Shape:
    """One object of the tenant: our spec, and the vendor's type of every field that can be read."""

    spec: ObjectSpec
    types: dict[str, str]
    replicateable: bool

    @property
    def stamp(self) -> str:
        """The field that orders changes, empty when the object has none (source fact sheet section 1.7)."""
        return next((name for name in ("SystemModstamp", "LastModifiedDate", "CreatedDate") if name in self.types), "")


def read_shape(described: ObjectDescribe) -> Shape:
    """Our view of an object; compound fields are left out because their parts are there."""
    kept = [field for field in described.fields if field.type not in COMPOUND_TYPES]
    spec = ObjectSpec(
        name=described.name,
        label=described.label or described.name,
        custom=described.custom,
        fields=tuple(read_field(field) for field in kept),
    )
    types = {field.name: field.type for field in kept if field.type != "base64"}
    return Shape(spec, types, described.replicateable)


def read_field(field: FieldDescribe) -> FieldSpec:
    kind = _TYPES.get(field.type, FieldType.TEXT)
    if field.auto_number:
        kind = FieldType.AUTONUMBER
    elif kind is FieldType.LOOKUP and "User" in field.reference_to and set(field.reference_to) <= {"User", "Group"}:
        kind = FieldType.USER
    number = field.type in _NUMBERS
    length = (field.precision or field.digits) if number else field.length
    return FieldSpec(
        name=field.name,
        label=field.label or field.name,
        type=kind,
        length=length or None,
        scale=field.scale if number else None,
        required=not field.nillable and field.createable and not field.defaulted_on_create and kind is not FieldType.ID,
        unique=field.unique,
        external_id=field.external_id,
        writable=field.createable or field.updateable,
        custom=field.custom,
        primary_key=kind is FieldType.ID,
        sensitive=field.encrypted or field.type == "encryptedstring",
        picklist=tuple(
            PicklistValue(value=option.value, label=option.label or option.value, active=option.active)
            for option in field.picklist_values
            if option.value
        ),
        restricted=field.restricted_picklist,
        references=tuple(field.reference_to),
    )


def _file_field(name: str, label: str, kind: FieldType = FieldType.TEXT, **more: object) -> FieldSpec:
    return FieldSpec.model_validate({"name": name, "label": label, "type": kind, "writable": False, **more})


FILE_PARENTS = ("WorkOrder", "Asset", "Account", "Contact")
"""What files hang on (source fact sheet section 2)."""
FILE_SPEC = ObjectSpec(
    name=FILE_OBJECT,
    label="File",
    fields=(
        _file_field("Id", "File ID", FieldType.ID, primary_key=True, length=18),
        _file_field("ParentId", "Parent", FieldType.LOOKUP, length=18, required=True, references=FILE_PARENTS),
        _file_field("Name", "File name", length=255, required=True),
        _file_field("ContentType", "Content type", length=120),
        _file_field("Size", "Size in bytes", FieldType.INTEGER),
        _file_field(
            "Kind",
            "Kind",
            FieldType.PICKLIST,
            picklist=tuple(PicklistValue(value=kind) for kind in ("attachment", "content", "signature")),
            restricted=True,
        ),
        _file_field("BlobObject", "Object that holds the bytes", length=40),
        _file_field("BlobId", "Record that holds the bytes", FieldType.ID, length=18),
        _file_field("BlobField", "Field that holds the bytes", FieldType.FILE, length=40),
        _file_field("CreatedDate", "Created", FieldType.DATETIME),
        _file_field("SystemModstamp", "Last changed", FieldType.DATETIME),
        _file_field("SignedBy", "Signed by", length=255),
        _file_field("SignedDate", "Signed at", FieldType.DATETIME),
    ),
)
"""Attachments, the latest versions of content files by link, and signatures, seen as one object (our own view)."""
