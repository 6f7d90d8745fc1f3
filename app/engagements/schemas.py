"""Engagements on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from app.domain.exact import ExactJson
from app.domain.lifecycle import Calendar, DueCode
from app.engagements.road import StepState
from app.identifiers import ConnectionId, EngagementId, QuoteId, RunId
from app.platforms.slugs import DestinationSlug, SourceSlug

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"\S")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Role = Literal["source", "destination", "rehearsal"]
EngagementPart = Literal["connections"]
_MEMBER = r"^[a-z][a-z0-9_]{0,49}$"
ConfigKey = Annotated[str, StringConstraints(pattern=_MEMBER)]
ConfigValue = Annotated[str, StringConstraints(max_length=500)] | bool | int | float


class Request(ExactJson, BaseModel):
    """What callers send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class EngagementCreate(Request):
    """A new engagement; with `quote_id` source and destination come from the quote unless they are given."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "anyOf": [
                        {"required": ["quote_id"], "properties": {"quote_id": {"type": "string"}}},
                        {
                            "required": ["source", "destination"],
                            "properties": {"source": {"type": "string"}, "destination": {"type": "string"}},
                        },
                    ]
                }
            ]
        }
    )

    name: Annotated[Name, Field(examples=["Northwind Heating"])]
    source: Annotated[SourceSlug | None, Field(examples=["servicetracker"])] = None
    destination: Annotated[DestinationSlug | None, Field(examples=["zoho_crm"])] = None
    quote_id: QuoteId | None = None
    calendar: Calendar = Calendar()


class EngagementPatch(Request):
    """What may change; absent members stay as they are."""

    name: Name | None = None
    calendar: Calendar | None = None
    state: Annotated[
        Literal["live", "closed", "cancelled"] | None,
        Field(description="A person's decision: go live, close after hypercare, or give up before anything moved."),
    ] = None


class Call(BaseModel):
    """A request as it can be sent."""

    method: str = Field(examples=["POST"])
    path: str = Field(examples=["/v1/engagements/eng_01j6gv5gy6fsfrma3wfhpsy6sb/runs"])
    body: dict[str, Any] | None = Field(default=None, examples=[{"kind": "discovery"}])
    note: str = ""


class Step(BaseModel):
    """One step of the road. `reason` says why it is blocked or what it waits for; `call` is what to do about it."""

    key: str = Field(examples=["discovery"])
    title: str = Field(examples=["Discover both sides"])
    state: StepState
    reason: str = ""
    call: Call | None = None


class DueItem(BaseModel):
    """Something that is due since `since` (null: at once), until `until` where there is an end."""

    code: DueCode
    since: datetime | None
    until: datetime | None
    text: str


class EngagementSummary(BaseModel):
    """An engagement in a list."""

    object: Literal["engagement"] = "engagement"
    id: EngagementId
    name: str
    source: str
    destination: str
    state: str = Field(examples=["mapping"])
    created_at: datetime
    updated_at: datetime


class AgreementView(BaseModel):
    """Somebody's word that an agreement with the destination's vendor covers the sensitive fields."""

    object: Literal["agreement"] = "agreement"
    destination: str = Field(examples=["zoho_crm"])
    reference: str = Field(examples=["DPA 2026-17"])
    confirmed_by: str = Field(description="The key that confirmed it.")
    confirmed_at: datetime


class EngagementView(EngagementSummary):
    """An engagement: where it stands, what is due, and what to do next."""

    quote_id: QuoteId | None
    calendar: Calendar
    due: list[DueItem]
    next_step: Step | None
    road: list[Step]
    active_run_id: RunId | None
    approved_run_id: RunId | None
    approved_at: datetime | None
    extraction_mark: datetime | None = Field(description="Up to when the source has been read.")
    agreement: AgreementView | None = Field(description="Null: not confirmed; sensitive fields may not leave.")
    purge_at: datetime | None = Field(description="When its data are destroyed, once it is closed or cancelled.")
    purged_at: datetime | None
    connections: list["ConnectionView"] | None = Field(default=None, description="With `expand=connections`.")


class ConnectionPut(Request):
    """An account. Secrets are sealed and never shown again; leaving `credentials` out keeps those that are stored.

    A changed address asks for the credentials again, so that nobody can send stored ones elsewhere.
    """

    platform: Annotated[Slug | None, Field(description="Must be the engagement's own platform on that side.")] = None
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    config: Annotated[
        dict[ConfigKey, ConfigValue], Field(max_length=32, json_schema_extra={"propertyNames": {"pattern": _MEMBER}})
    ] = {}
    credentials: Annotated[dict[str, JsonValue] | None, Field(max_length=32)] = None


class ConnectionView(BaseModel):
    """A connection; of the credentials only whether there are any."""

    object: Literal["connection"] = "connection"
    id: ConnectionId
    engagement_id: EngagementId
    role: str
    platform: str
    name: str
    config: dict[str, Any]
    has_credentials: bool
    state: str = Field(description="untested | ok | failed", examples=["ok"])
    facts: dict[str, Any] = Field(description="What the platform said of the account at the last test.")
    problem: dict[str, Any] | None = Field(description="Why the last test failed.")
    tested_at: datetime | None
    updated_at: datetime
