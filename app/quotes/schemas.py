"""What callers send and see of quotes. Money is in minor units of the currency."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.exact import ExactJson
from app.identifiers import QuoteId
from app.platforms.schemas import GradeView, TimelineView
from app.platforms.slugs import DestinationSlug, SourceSlug

MAX_AMOUNT = 10**12

Slug = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9_]+$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class QuoteState(StrEnum):
    PRICED = "priced"
    NEEDS_REVIEW = "needs_review"
    ACCEPTED = "accepted"
    EXPIRED = "expired"


class CreateQuote(ExactJson, BaseModel):
    """What a price is asked for. Records are counted per source object; the price does not depend on their number."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "category": "crm",
                    "source": "servicetracker",
                    "destination": "zoho_crm",
                    "destination_edition": "enterprise",
                    "counts": {"Client": 1200, "Contact": 3400, "Work Order": 9800},
                    "options": {"rehearsal": 1},
                }
            ]
        },
    )

    category: Slug = "crm"
    source: SourceSlug
    destination: DestinationSlug
    source_edition: Annotated[str, Field(max_length=50)] = ""
    destination_edition: Annotated[str, Field(max_length=50)] = ""
    counts: Annotated[dict[Name, Annotated[int, Field(ge=0, le=10**12)]], Field(max_length=200)] = {}
    options: Annotated[dict[Name, Annotated[int, Field(ge=0, le=1000)]], Field(max_length=50)] = {}


class ReviewQuote(ExactJson, BaseModel):
    """An operator's price for a quote that rules do not reach."""

    model_config = ConfigDict(extra="forbid")

    amount_minor: Annotated[int, Field(ge=0, le=MAX_AMOUNT, examples=[1_250_000])]
    note: Annotated[str, Field(max_length=1000, description="Shown to the client.")] = ""


class LineView(BaseModel):
    code: str
    label: str
    amount_minor: int


class QuoteView(BaseModel):
    """`amount_minor` is null while the quote needs a review. Equal requests under equal rules have one fingerprint."""

    object: Literal["quote"] = "quote"
    id: QuoteId
    state: QuoteState
    category: str
    source: str
    destination: str
    source_edition: str
    destination_edition: str
    counts: dict[str, int]
    options: dict[str, int]
    records: int
    amount_minor: int | None
    currency: str = Field(examples=["USD"])
    lines: list[LineView]
    complexity: GradeView
    timeline: TimelineView
    review_reason: str
    note: str
    rules_version: str
    blueprint_version: str
    fingerprint: str
    created_at: datetime
    valid_until: datetime
