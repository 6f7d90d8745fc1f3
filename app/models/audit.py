"""The audit log: append-only blocks, each with a Merkle root over its entries and a link to the block before."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import Instant, big_column, instant_column, sealed_column, text_column


class AuditHead(SQLModel, table=True):
    """The end of a tenant's chain; its row lock orders the blocks."""

    __tablename__ = "audit_heads"

    tenant_id: UUID = Field(foreign_key="tenants.id", primary_key=True)
    sequence: int = big_column(default=0)
    chain: bytes = sealed_column()


class AuditBlock(SQLModel, table=True):
    """A block of entries (ids, times, codes; never values), compressed; `chain` = hash(previous chain, root)."""

    __tablename__ = "audit_blocks"

    tenant_id: UUID = Field(foreign_key="tenants.id", primary_key=True)
    sequence: int = big_column(primary_key=True)
    engagement_id: UUID | None = Field(default=None, index=True)
    run_id: UUID | None = Field(default=None, index=True)
    subject: str = text_column()
    count: int = Field()
    entries: bytes = sealed_column()
    root: bytes = sealed_column()
    chain: bytes = sealed_column()
    written_at: Instant = instant_column()
