"""Quotes: what was asked, which rules answered, until when the price holds."""

from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import Instant, big_column, id_column, instant_column, json_column, tenant_column, text_column


class Quote(SQLModel, table=True):
    """`state`: priced | needs_review | accepted | expired. Money in minor units of `currency`."""

    __tablename__ = "quotes"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    state: str = text_column("priced")
    source: str = text_column()
    destination: str = text_column()
    request: dict[str, Any] = json_column()
    result: dict[str, Any] = json_column()
    amount_minor: int | None = big_column(default=None)
    currency: str = text_column("USD")
    rules_version: str = text_column()
    created_at: Instant = instant_column()
    valid_until: Instant = instant_column()
    reviewed_by: UUID | None = Field(default=None)
