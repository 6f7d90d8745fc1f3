"""Mappings on the wire."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.exact import ExactJson
from app.domain.mapping import MappingDocument
from app.identifiers import ApiKeyId, EngagementId, MappingId


class MappingFault(BaseModel):
    """A place of the document: `blocking` ones forbid confirmation, the others should be looked at."""

    pointer: str = Field(examples=["/loads/3/fields/7/value_map"])
    code: str = Field(examples=["unmapped_value"])
    message: str
    blocking: bool


class MappingView(BaseModel):
    """One version. A draft changes by PUT; a confirmed version never does, a PUT makes the next draft of it."""

    object: Literal["mapping"] = "mapping"
    id: MappingId
    engagement_id: EngagementId
    version: int
    state: str = Field(description="draft | confirmed | superseded", examples=["draft"])
    document: MappingDocument
    warnings: list[MappingFault] | None = Field(
        default=None, description="What to look at; given when the document was proposed, edited or confirmed."
    )
    created_at: datetime
    created_by: ApiKeyId | None
    confirmed_at: datetime | None
    confirmed_by: ApiKeyId | None


class MappingConfirm(ExactJson, BaseModel):
    """The version that was read and is agreed to."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=2_147_483_647, examples=[1])


class MappingCheck(ExactJson, BaseModel):
    """A document to be checked without storing it; null checks the current version."""

    model_config = ConfigDict(extra="forbid")

    document: MappingDocument | None = None


class MappingVerdict(BaseModel):
    """What is wrong with a document; `valid` when nothing forbids its confirmation."""

    object: Literal["mapping_verdict"] = "mapping_verdict"
    valid: bool
    problems: list[MappingFault]
