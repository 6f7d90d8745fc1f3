"""Files that the service hands out: exports of what cannot move, reports, oversized attachments. Sealed in chunks."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import (
    Instant,
    big_column,
    id_column,
    instant_column,
    sealed_column,
    tenant_column,
    text_column,
)


class Artifact(SQLModel, table=True):
    """A file; `sha256` is of its clear bytes. `kind`: export | report | attachment | upload."""

    __tablename__ = "artifacts"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    run_id: UUID | None = Field(default=None)
    kind: str = text_column()
    name: str = text_column()
    content_type: str = text_column("application/octet-stream")
    size: int = big_column(default=0)
    sha256: str = text_column()
    created_at: Instant = instant_column()


class ArtifactChunk(SQLModel, table=True):
    """One MiB or less of a file, sealed under the engagement's key."""

    __tablename__ = "artifact_chunks"

    artifact_id: UUID = Field(foreign_key="artifacts.id", primary_key=True)
    number: int = Field(primary_key=True)
    tenant_id: UUID = tenant_column()
    body: bytes = sealed_column()
