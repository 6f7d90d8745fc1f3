"""Documents of an engagement: inventories, mapping versions, provisioned names and reports."""

from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
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


class InventoryDocument(SQLModel, table=True):
    """What discovery found on one side, sealed because it lists users; the newest per connection counts."""

    __tablename__ = "inventories"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    body: bytes = sealed_column()
    taken_at: Instant = instant_column()


class Mapping(SQLModel, table=True):
    """One version of the mapping. `state`: draft | confirmed | superseded; a confirmed version never changes."""

    __tablename__ = "mappings"
    __table_args__ = (UniqueConstraint("engagement_id", "version", name="uq_mappings_version"),)

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    version: int = Field()
    state: str = text_column("draft")
    document: dict[str, Any] = json_column()
    created_at: Instant = instant_column()
    created_by: UUID | None = Field(default=None)
    confirmed_at: Instant | None = instant_column(default=None)
    confirmed_by: UUID | None = Field(default=None)


class DestinationName(SQLModel, table=True):
    """The API name behind a logical key at one destination (ruling 15); `field` is empty for the object itself.

    `existed` is whether it was there before us, `manual` what an admin still has to do, `advice` what
    he may do to save calls.
    """

    __tablename__ = "destination_names"

    connection_id: UUID = Field(foreign_key="connections.id", primary_key=True)
    object: str = text_column(primary_key=True)
    field: str = text_column(primary_key=True)
    tenant_id: UUID = tenant_column()
    api_name: str = text_column()
    remote_id: str = text_column()
    existed: bool = Field(default=False)
    manual: str = text_column()
    advice: str = text_column()
    run_id: UUID | None = Field(default=None)
    created_at: Instant = instant_column()


class Report(SQLModel, table=True):
    """A report: `summary` holds counts in clear, `body` everything else, sealed under the engagement's key."""

    __tablename__ = "reports"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    run_id: UUID | None = Field(default=None, index=True)
    kind: str = text_column()
    summary: dict[str, Any] = json_column()
    body: bytes = sealed_column()
    created_at: Instant = instant_column()
