"""What callers see of platforms and pairs."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

Slug = str


class CredentialField(BaseModel):
    """One member of a connection's `credentials`."""

    name: str = Field(examples=["client_secret"])
    required: bool
    secret: bool


class EditionView(BaseModel):
    """A plan of the vendor; `facts` are its documented caps."""

    name: str = Field(examples=["Enterprise"])
    api_access: bool
    concurrency: int | None
    facts: dict[str, JsonValue]


class PlatformView(BaseModel):
    """A platform as its connector knows it: the figures that reports, plans and prices are made from."""

    object: Literal["platform"] = "platform"
    slug: Slug = Field(examples=["zoho_crm"])
    name: str = Field(examples=["Zoho CRM"])
    category: str = Field(examples=["crm"])
    roles: list[str] = Field(examples=[["destination"]], description="source, destination or both.")
    credentials: list[CredentialField]
    capabilities: dict[str, bool]
    limits: dict[str, JsonValue]
    editions: dict[str, EditionView]
    objects: dict[str, dict[str, JsonValue]]
    facts: dict[str, str]
    guarantees: dict[str, JsonValue] | None = Field(
        description="For a destination: what the conformance suite proved under faults, per guarantee and object."
    )


class PlatformRef(BaseModel):
    slug: Slug
    name: str


class PairRef(BaseModel):
    """A pair in a list, with the way to its page."""

    object: Literal["pair"] = "pair"
    source: PlatformRef
    destination: PlatformRef
    category: str
    grade: str = Field(examples=["B"])
    timeline: str = Field(examples=["2–4 weeks"])
    compatibility: str = Field(examples=["10 of 11 objects map 1:1"])
    one_to_one: int = Field(description="Object rows that carry over one to one.")
    rows: int
    url: str = Field(examples=["/v1/pairs/servicetracker/zoho_crm"])


class RowView(BaseModel):
    """One line of the pair's object table. `compatibility`: full, partial or none."""

    key: str
    source_object: str
    destination_object: str
    cardinality: str
    compatibility: str
    note: str
    moves: bool = Field(description="Whether records are written; otherwise it is handed over as a file.")
    files: list[str] = Field(description="Files made for what cannot move.")


class GotchaView(BaseModel):
    """A trap; `check` names the finding that looks for it, empty when nothing can."""

    side: str
    title: str
    note: str
    check: str


class StepView(BaseModel):
    number: int
    title: str
    note: str


class FactorView(BaseModel):
    key: str
    title: str
    points: int = Field(ge=0, le=3)
    text: str


class GradeView(BaseModel):
    """From A (simple) to D, by rule over five factors."""

    grade: str
    label: str
    points: int
    factors: list[FactorView]


class TimelineView(BaseModel):
    label: str
    min_hours: int
    max_hours: int


class ExclusionView(BaseModel):
    """What does not move, and where it goes instead."""

    source_object: str
    field: str
    reason: str
    export: str
    note: str


class Adjacent(BaseModel):
    """Other ways to leave the source and to arrive at the destination."""

    leaving: list[PairRef]
    arriving: list[PairRef]


class PairView(PairRef):
    """The pair's whole page, from the blueprint that the run itself uses."""

    version: str = Field(description="Of the blueprint.", examples=["1.0.0"])
    overview: str
    mapped_of_eight: int
    objects_in_category: int
    complexity: GradeView
    duration: TimelineView
    objects: list[RowView]
    gotchas: list[GotchaView]
    steps: list[StepView]
    exclusions: list[ExclusionView]
    adjacent: Adjacent
