"""Fields that people and the source both changed, or that people changed alone: what a delta left as it was."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import Instant, instant_column, sealed_column, text_column


class MergeFinding(SQLModel, table=True):
    """One field of one record, as the latest delta found it.

    `state`: kept (people changed it alone), open (both did, nobody has decided), source or destination (decided),
    done (the decision is carried out). `sides` is sealed: what we last wrote, what is meant, what stands there.
    """

    __tablename__ = "merge_findings"

    engagement_id: UUID = Field(primary_key=True)
    destination_id: UUID = Field(primary_key=True)
    load: str = text_column(primary_key=True)
    source_id: str = text_column(primary_key=True)
    field: str = text_column(primary_key=True)
    tenant_id: UUID = Field()
    run_id: UUID = Field(index=True)
    record_id: str = text_column()
    state: str = text_column()
    sides: bytes | None = sealed_column(default=None)
    found_at: Instant = instant_column()
    settled_at: Instant | None = instant_column(default=None)
