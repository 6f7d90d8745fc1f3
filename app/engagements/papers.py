"""Papers of an engagement on the wire: owners, questions, checklist, inventories, reports and files."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.domain.schema import Inventory
from app.engagements.owners import OwnerState
from app.engagements.schemas import Request
from app.identifiers import ApiKeyId, EngagementId, FileId, QuestionId, ReportId, RunId

UserId = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class UserView(BaseModel):
    """A user of one side, as discovery found them."""

    id: str
    name: str
    email: str
    active: bool


class OwnerLineView(BaseModel):
    """A source user and whoever will own the records: `candidates` are the destination users the e-mail suggests."""

    source: UserView
    state: OwnerState
    destination_user_id: str | None
    candidates: list[str]


class OwnersView(BaseModel):
    """The whole match. Unmatched, inactive and duplicate ones block the run until somebody decides."""

    object: Literal["owners"] = "owners"
    counts: dict[str, int] = Field(examples=[{"total": 12, "matched": 10, "unresolved": 2}])
    fallback_user_id: str | None
    owners: list[OwnerLineView]
    destination_users: list[UserView]


class OwnerChoice(Request):
    """One decision: a destination user, or `fallback` for the fallback user (a technician may stay a contact so)."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["destination_user_id"],
                    "properties": {"destination_user_id": {"type": "string"}, "fallback": {"const": False}},
                },
                {
                    "required": ["fallback"],
                    "properties": {"destination_user_id": {"type": "null"}, "fallback": {"const": True}},
                },
            ]
        }
    )

    source_user_id: UserId
    destination_user_id: UserId | None = None
    fallback: bool = False

    @model_validator(mode="after")
    def _one(self) -> "OwnerChoice":
        if (self.destination_user_id is not None) == self.fallback:
            raise ValueError("give either destination_user_id or fallback: true")
        return self


class OwnersPut(Request):
    """Everything people decide, as a whole; what e-mail settles need not be listed. `fallback_user_id` is the
    destination user for everybody else."""

    decisions: Annotated[list[OwnerChoice], Field(max_length=10_000)] = []
    fallback_user_id: UserId | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "OwnersPut":
        seen = [choice.source_user_id for choice in self.decisions]
        if len(seen) != len(set(seen)):
            raise PydanticCustomError("listed_twice", "each source user may stand in the list once")
        return self


class QuestionView(BaseModel):
    """An ambiguity for a person. With `options.choices` the answer is `{"choice": …}`."""

    object: Literal["question"] = "question"
    id: QuestionId
    engagement_id: EngagementId
    subject: str = Field(examples=["owner:005000000000001AAA"])
    code: str = Field(examples=["owner-duplicate-email"])
    detail: dict[str, Any]
    options: dict[str, Any]
    answer: dict[str, Any] | None
    answered_by: ApiKeyId | None
    answered_at: datetime | None
    created_at: datetime


class AnswerIn(Request):
    """The answer, once and for all."""

    answer: dict[str, JsonValue] = Field(examples=[{"choice": "3652397000000186017"}])


class ChecklistItem(BaseModel):
    """Something only a person can do. `open` until a provisioning run finds it done: resume the waiting one, or start
    another; `optional` spares calls or decisions, `todo` is never checked.
    """

    key: str
    origin: str = Field(description="provisioning | owners | export | automation", examples=["provisioning"])
    destination: str | None = Field(default=None, description="production | rehearsal")
    object: str = ""
    field: str = ""
    text: str
    state: str = Field(description="open | optional | todo")


class ChecklistView(BaseModel):
    """What machines cannot do."""

    object: Literal["checklist"] = "checklist"
    open: int
    items: list[ChecklistItem]


class InventoryView(BaseModel):
    """What discovery found on one side."""

    object: Literal["inventory"] = "inventory"
    role: str
    inventory: Inventory


class SchemaField(BaseModel):
    """A field of a schema file; what is not known is left out."""

    name: str
    label: str | None = None
    type: str | None = None
    picklist: list[str] | None = None
    required: bool | None = None
    read_only: bool | None = None
    primary_key: bool | None = None
    external_id: bool | None = None
    reference_to: str | None = None
    length: int | None = None
    scale: int | None = None


class SchemaObject(BaseModel):
    name: str
    label: str | None = None
    fields: list[SchemaField]


class SchemaView(BaseModel):
    """A schema file, as `tranship propose` takes it."""

    platform: str
    objects: list[SchemaObject]


class ReportSummary(BaseModel):
    """A report in a list: counts only."""

    object: Literal["report"] = "report"
    id: ReportId
    engagement_id: EngagementId
    run_id: RunId | None
    kind: str = Field(examples=["preflight"])
    summary: dict[str, Any]
    created_at: datetime


class ReportView(ReportSummary):
    """A report with its body opened."""

    body: Any


class FileView(BaseModel):
    """A file that can be downloaded; `sha256` is of its bytes."""

    object: Literal["file"] = "file"
    id: FileId
    engagement_id: EngagementId
    run_id: RunId | None
    kind: str
    name: str
    content_type: str
    size: int
    sha256: str
    created_at: datetime
    content_path: str = Field(examples=["/v1/files/fil_01j6gv5gy6fsfrma3wfhpsy6sb/content"])
