"""What the last reconciliation read of each record: hashes only, so that the next one reads what changed since."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import Instant, instant_column, sealed_column, text_column


class Reading(SQLModel, table=True):
    """One record of one load at one destination: keyed hashes of what was meant and of what was found (None: gone)."""

    __tablename__ = "readings"

    engagement_id: UUID = Field(primary_key=True)
    destination_id: UUID = Field(primary_key=True)
    load: str = text_column(primary_key=True)
    source_id: str = text_column(primary_key=True)
    tenant_id: UUID = Field()
    record_id: str = text_column()
    meant: bytes = sealed_column()
    found: bytes | None = sealed_column(default=None)
    read_at: Instant = instant_column()
