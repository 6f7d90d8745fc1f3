"""Events people and systems can follow, and the webhook deliveries made of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, text
from sqlmodel import Field, SQLModel

from app.models.columns import (
    Instant,
    id_column,
    instant_column,
    json_column,
    sealed_column,
    tenant_column,
    text_column,
    texts_column,
)


class Event(SQLModel, table=True):
    """Something that happened, thin: ids and counts only. `sequence` orders the stream."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_listed", "tenant_id", "sequence"),)

    id: UUID = id_column()
    sequence: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), unique=True, nullable=False))
    tenant_id: UUID = tenant_column()
    engagement_id: UUID | None = Field(default=None, index=True)
    run_id: UUID | None = Field(default=None, index=True)
    type: str = text_column()
    data: dict[str, Any] = json_column()
    created_at: Instant = instant_column()


class WebhookEndpoint(SQLModel, table=True):
    """Where a tenant wants events; `events` empty means all. The secret is sealed; the previous one overlaps."""

    __tablename__ = "webhook_endpoints"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    url: str = text_column()
    events: list[str] = texts_column()
    secret: bytes = sealed_column()
    previous_secret: bytes | None = sealed_column(default=None)
    previous_until: Instant | None = instant_column(default=None)
    state: str = text_column("enabled")
    failing_since: Instant | None = instant_column(default=None)
    created_at: Instant = instant_column()
    updated_at: Instant = instant_column()


class WebhookDelivery(SQLModel, table=True):
    """One event on its way to one endpoint. `state`: pending | delivered | failed."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_due", "next_at", postgresql_where=text("state = 'pending'")),)

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    endpoint_id: UUID = Field(foreign_key="webhook_endpoints.id", index=True)
    event_id: UUID = Field(foreign_key="events.id")
    state: str = text_column("pending")
    attempts: int = Field(default=0)
    next_at: Instant = instant_column()
    lease_until: Instant | None = instant_column(default=None)
    delivered_at: Instant | None = instant_column(default=None)
    created_at: Instant = instant_column()


class WebhookAttempt(SQLModel, table=True):
    """One try of a delivery, kept so that people see why it failed."""

    __tablename__ = "webhook_attempts"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    delivery_id: UUID = Field(foreign_key="webhook_deliveries.id", index=True)
    at: Instant = instant_column()
    status: int | None = Field(default=None)
    problem: str = text_column()
    milliseconds: int = Field(default=0)
