"""The shapes of Zoho's answers that we rely on, as typed decoders (Zoho fact sheet sections 3 to 11).

Everything optional in the sources is optional here; what has another type makes the answer unreadable.
"""

from typing import Any

import msgspec

Id = str | int


class DuplicateRecord(msgspec.Struct):
    id: Id = ""


class Details(msgspec.Struct, rename={"modified_time": "Modified_Time", "created_time": "Created_Time"}):
    """Details of one result: ids and times of a success, names and paths of a refusal."""

    id: Id | None = None
    modified_time: str | None = None
    created_time: str | None = None
    api_name: Any = None
    json_path: Any = None
    expected_data_type: Any = None
    maximum_length: Any = None
    duplicate_record: DuplicateRecord | None = None
    errors: list["Item"] | None = None


class Item(msgspec.Struct):
    """One result of a batch."""

    code: str
    status: str = ""
    message: str = ""
    action: str | None = None
    details: Details = msgspec.field(default_factory=Details)


class DataResults(msgspec.Struct):
    data: list[Item]


class FieldResults(msgspec.Struct):
    fields: list[Item]


class ModuleResults(msgspec.Struct):
    modules: list[Item]


class PipelineResults(msgspec.Struct):
    pipeline: list[Item]


class LayoutResults(msgspec.Struct):
    layouts: list[Item]


class Named(msgspec.Struct):
    id: str = ""
    name: str = ""


class Rows(msgspec.Struct):
    """Records of a list, as plain JSON values."""

    class Info(msgspec.Struct):
        more_records: bool = False
        next_page_token: str | None = None

    data: list[dict[str, Any]]
    info: Info = msgspec.field(default_factory=Info)


class Count(msgspec.Struct):
    count: int


class Module(msgspec.Struct):
    id: str
    api_name: str
    singular_label: str = ""
    plural_label: str = ""
    generated_type: str = "default"
    api_supported: bool = True
    creatable: bool = True


class Modules(msgspec.Struct):
    modules: list[Module]


class Option(msgspec.Struct):
    display_value: str = ""
    actual_value: str | None = None
    id: str = ""
    type: str = "used"
    probability: int | None = None
    forecast_type: str | None = None


class Operations(msgspec.Struct):
    api_create: bool = True
    api_update: bool = True


class LookupModule(msgspec.Struct):
    api_name: str | None = None


class Lookup(msgspec.Struct):
    module: LookupModule | None = None


class Field(msgspec.Struct):
    """One field of a module's metadata."""

    id: str
    api_name: str
    data_type: str
    field_label: str = ""
    length: int | None = None
    decimal_place: int | None = None
    custom_field: bool = False
    system_mandatory: bool = False
    operation_type: Operations = msgspec.field(default_factory=Operations)
    unique: dict[str, Any] | None = None
    external: dict[str, Any] | None = None
    pick_list_values: list[Option] = []
    lookup: Lookup | None = None

    @property
    def target(self) -> str:
        """The module a lookup points at, empty for other fields."""
        return (self.lookup.module.api_name or "") if self.lookup and self.lookup.module else ""


class Fields(msgspec.Struct):
    fields: list[Field]


class LayoutField(msgspec.Struct):
    api_name: str
    id: str = ""
    required: bool = False


class Section(msgspec.Struct):
    id: str = ""
    name: str = ""
    fields: list[LayoutField] = []


class Layout(msgspec.Struct):
    id: str
    name: str = ""
    status: str = "active"
    sections: list[Section] = []


class Layouts(msgspec.Struct):
    layouts: list[Layout]


class StageMap(msgspec.Struct):
    id: str
    display_value: str = ""
    actual_value: str = ""
    sequence_number: int | None = None
    forecast_type: str | None = None


class Pipeline(msgspec.Struct):
    id: str
    display_value: str
    default: bool = False
    maps: list[StageMap] = []


class Pipelines(msgspec.Struct):
    pipeline: list[Pipeline]


class Profiles(msgspec.Struct):
    profiles: list[Named]


class User(msgspec.Struct):
    id: str
    full_name: str | None = None
    email: str | None = None
    status: str = "active"


class Users(msgspec.Struct):
    users: list[User]
    info: Rows.Info = msgspec.field(default_factory=Rows.Info)


class License(msgspec.Struct):
    paid_type: str | None = None
    users_license_purchased: int | None = None
    trial_type: str | None = None


class Org(msgspec.Struct):
    id: str = ""
    zgid: str = ""
    company_name: str | None = None
    type: str | None = None
    iso_code: str | None = None
    time_zone: str | None = None
    license_details: License = msgspec.field(default_factory=License)


class Orgs(msgspec.Struct):
    org: list[Org]


class Total(msgspec.Struct):
    total: int = 0


class FeatureDetails(msgspec.Struct):
    limits: Total | None = None
    used_count: Total | None = None


class Feature(msgspec.Struct):
    api_name: str | None = None
    details: FeatureDetails | None = None


class Features(msgspec.Struct):
    features: list[Feature] = msgspec.field(name="__features", default=[])


DATA = msgspec.json.Decoder(DataResults)
FIELD_RESULTS = msgspec.json.Decoder(FieldResults)
MODULE_RESULTS = msgspec.json.Decoder(ModuleResults)
PIPELINE_RESULTS = msgspec.json.Decoder(PipelineResults)
LAYOUT_RESULTS = msgspec.json.Decoder(LayoutResults)
ROWS = msgspec.json.Decoder(Rows)
COUNT = msgspec.json.Decoder(Count)
MODULES = msgspec.json.Decoder(Modules)
FIELDS = msgspec.json.Decoder(Fields)
LAYOUTS = msgspec.json.Decoder(Layouts)
PIPELINES = msgspec.json.Decoder(Pipelines)
PROFILES = msgspec.json.Decoder(Profiles)
USERS = msgspec.json.Decoder(Users)
ORGS = msgspec.json.Decoder(Orgs)
FEATURES = msgspec.json.Decoder(Features)
