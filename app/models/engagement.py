"""An engagement: one company's move, its connections, its owners and the questions it asks people."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import (
    Instant,
    id_column,
    instant_column,
    json_column,
    sealed_column,
    tenant_column,
    text_column,
)


class Engagement(SQLModel, table=True):
    """`data_key` is sealed by the master key; destroying it purges every payload of the engagement (ruling 4).

    `calendar` and `settings` hold the documents of `lifecycle`; `extraction_mark` is the instant up to which the
    source has been read, `batch` how many extractions there were.
    """

    __tablename__ = "engagements"
    __table_args__ = (Index("ix_engagements_listed", "tenant_id", "created_at", "id"),)

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    name: str = text_column()
    source: str = text_column()
    destination: str = text_column()
    state: str = text_column("draft")
    quote_id: UUID | None = Field(default=None, foreign_key="quotes.id")
    settings: dict[str, Any] = json_column()
    calendar: dict[str, Any] = json_column()
    data_key: bytes | None = sealed_column(default=None)
    extraction_mark: Instant | None = instant_column(default=None)
    batch: int = Field(default=0)
    revision: int = Field(default=1)
    approved_run_id: UUID | None = Field(default=None)
    approved_at: Instant | None = instant_column(default=None)
    purge_at: Instant | None = instant_column(default=None)
    purged_at: Instant | None = instant_column(default=None)
    purge_certificate: dict[str, Any] | None = json_column(nullable=True)
    created_at: Instant = instant_column()
    updated_at: Instant = instant_column()


class Connection(SQLModel, table=True):
    """One account at a platform. `role`: source | destination | rehearsal.

    `credentials` and `token` are sealed and bound to tenant and connection. `budget` books the throttle's state.
    """

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("engagement_id", "role", name="uq_connections_role"),)

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    role: str = text_column()
    platform: str = text_column()
    name: str = text_column()
    config: dict[str, Any] = json_column()
    credentials: bytes | None = sealed_column(default=None)
    token: bytes | None = sealed_column(default=None)
    state: str = text_column("untested")
    facts: dict[str, Any] = json_column()
    budget: dict[str, Any] = json_column()
    problem: dict[str, Any] = json_column()
    tested_at: Instant | None = instant_column(default=None)
    created_at: Instant = instant_column()
    updated_at: Instant = instant_column()


class OwnerDecision(SQLModel, table=True):
    """Which destination user stands for a source user. `how`: matched | mapped | fallback."""

    __tablename__ = "owner_decisions"

    engagement_id: UUID = Field(foreign_key="engagements.id", primary_key=True)
    source_user_id: str = text_column(primary_key=True)
    tenant_id: UUID = tenant_column()
    destination_user_id: str | None = text_column(None)
    how: str = text_column()
    decided_by: UUID | None = Field(default=None)
    decided_at: Instant = instant_column()


class Question(SQLModel, table=True):
    """An ambiguity put to the person instead of being guessed away. `subject` names it once per engagement."""

    __tablename__ = "questions"
    __table_args__ = (UniqueConstraint("engagement_id", "subject", name="uq_questions_subject"),)

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    subject: str = text_column()
    code: str = text_column()
    detail: dict[str, Any] = json_column()
    options: dict[str, Any] = json_column()
    answer: dict[str, Any] | None = json_column(nullable=True)
    answered_by: UUID | None = Field(default=None)
    answered_at: Instant | None = instant_column(default=None)
    created_at: Instant = instant_column()
