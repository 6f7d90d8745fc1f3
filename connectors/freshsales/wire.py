"""The shapes of Freshsales' answers that we rely on, as typed decoders (Freshsales fact sheet sections 2 to 12).

Everything optional in the sources is optional here; what has another type makes the answer unreadable.
"""

from typing import Any

import msgspec

Id = int | str


class Choice(msgspec.Struct):
    """An option; ids are texts for most dropdowns and integers for some (section 12)."""

    id: Id | None = None
    value: str | None = None


class FieldOptions(msgspec.Struct):
    unique: bool | None = None


class Field(msgspec.Struct):
    """A field of `/settings/{p}/fields` (`default` is false for custom ones) or of a form (`custom` is true)."""

    name: str = ""
    id: Id | None = None
    label: str | None = None
    type: str | None = None
    default: Any = None
    custom: bool | None = None
    editable: bool | None = None
    required: bool | None = None
    choices: list[Choice] | None = None
    field_options: FieldOptions | None = None
    lookup_entity: str | None = None
    fields: list["Field"] | None = None

    @property
    def is_custom(self) -> bool:
        return self.name.startswith("cf_")


class FieldList(msgspec.Struct):
    fields: list[Field]


class FieldAnswer(msgspec.Struct):
    field: Field


class Form(msgspec.Struct):
    id: Id
    active: bool | None = None
    fields: list[Field] = []


class Forms(msgspec.Struct):
    forms: list[Form]


class CustomModule(msgspec.Struct):
    id: Id
    entity_name: str
    singular_name: str | None = None
    plural_name: str | None = None
    custom: bool | None = None
    status: str | None = None


class CustomModules(msgspec.Struct):
    module_customizations: list[CustomModule]


class CustomModuleAnswer(msgspec.Struct):
    module_customization: CustomModule


class User(msgspec.Struct):
    id: Id
    display_name: str | None = None
    email: str | None = None
    is_active: bool | None = None


class Users(msgspec.Struct):
    users: list[User]


class Stage(msgspec.Struct):
    id: Id
    name: str = ""
    deal_pipeline_id: Id | None = None
    forecast_type: str | None = None
    probability: int | float | None = None
    is_deleted: bool | None = None


class Pipeline(msgspec.Struct):
    id: Id
    name: str = ""
    is_default: bool | None = None
    deal_stages: list[Stage] = []


class Pipelines(msgspec.Struct):
    deal_pipelines: list[Pipeline]


class Named(msgspec.Struct):
    """A row of a plain selector; a contact status names its lifecycle stage."""

    id: Id
    name: str | None = None
    lifecycle_stage_id: Id | None = None
    is_default: bool | None = None
    currency_code: str | None = None


class View(msgspec.Struct):
    id: Id
    name: str = ""


class Views(msgspec.Struct):
    filters: list[View]


class Meta(msgspec.Struct):
    total: int | None = None
    total_pages: int | None = None


class Counted(msgspec.Struct):
    meta: Meta


class Accepted(msgspec.Struct):
    job_status_url: str


class Job(msgspec.Struct):
    """`data` is JSON in a text (section 10)."""

    status: str = ""
    job_status: str | None = None
    created_at: str | None = None
    data: Any = None


class Uploaded(msgspec.Struct):
    id: Id


FIELDS = msgspec.json.Decoder(FieldList)
FIELD = msgspec.json.Decoder(FieldAnswer)
FORMS = msgspec.json.Decoder(Forms)
MODULES = msgspec.json.Decoder(CustomModules)
MODULE = msgspec.json.Decoder(CustomModuleAnswer)
USERS = msgspec.json.Decoder(Users)
PIPELINES = msgspec.json.Decoder(Pipelines)
SELECTOR = msgspec.json.Decoder(dict[str, list[Named]])
VIEWS = msgspec.json.Decoder(Views)
COUNTED = msgspec.json.Decoder(Counted)
ACCEPTED = msgspec.json.Decoder(Accepted)
JOB = msgspec.json.Decoder(Job)
UPLOADED = msgspec.json.Decoder(Uploaded)
OBJECT = msgspec.json.Decoder(dict[str, Any])
