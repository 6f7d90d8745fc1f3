"""Staged source records, the ledger of what became of each, and the intents committed before every call."""

from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.models.columns import Instant, id_column, instant_column, sealed_column, text_column, texts_column


class Staged(SQLModel, table=True):
    """One source record as extracted: sealed payload, keyed hash of it, and clear columns without values (ruling 4).

    `batch` is the extraction that last changed it; `deleted_at` and `merged_into` say that the source let it go.
    """

    __tablename__ = "staged"

    engagement_id: UUID = Field(primary_key=True)
    object: str = text_column(primary_key=True)
    source_id: str = text_column(primary_key=True)
    tenant_id: UUID = Field()
    payload: bytes | None = sealed_column(default=None)
    hash: bytes | None = sealed_column(default=None)
    modified_at: Instant | None = instant_column(default=None)
    deleted_at: Instant | None = instant_column(default=None)
    merged_into: str | None = text_column(None)
    batch: int = Field(default=0)


class StagedChange(SQLModel, table=True):
    """What one delta extraction changed; `kind`: created | updated | deleted | merged | related.

    `former` is the sealed payload that the delta replaced: what was last written can be computed again from it.
    """

    __tablename__ = "staged_changes"

    engagement_id: UUID = Field(primary_key=True)
    batch: int = Field(primary_key=True)
    object: str = text_column(primary_key=True)
    source_id: str = text_column(primary_key=True)
    tenant_id: UUID = Field()
    kind: str = text_column()
    former: bytes | None = sealed_column(default=None)


class Ledger(SQLModel, table=True):
    """One planned write and its one outcome (rulings 1 and 2).

    The key is the ruling's, plus the destination connection, so that a rehearsal org and production keep apart.
    `outcome` is that of the latest run (`run_id`); `created` is whether the destination record is ours; `before` is
    the sealed state of a record that was there before us; `sent_hash` the keyed hash of what we last wrote.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_run", "run_id", "target_object", "part", "source_object", "outcome"),)

    engagement_id: UUID = Field(primary_key=True)
    destination_id: UUID = Field(primary_key=True)
    source_object: str = text_column(primary_key=True)
    source_id: str = text_column(primary_key=True)
    target_object: str = text_column(primary_key=True)
    part: str = text_column(primary_key=True)
    tenant_id: UUID = Field()
    run_id: UUID = Field()
    outcome: str = text_column()
    reason: str = text_column()
    record_id: str | None = text_column(None)
    created: bool = Field(default=False)
    sent_hash: bytes | None = sealed_column(default=None)
    before: bytes | None = sealed_column(default=None)
    issues: str = text_column()
    owner_id: str = text_column()
    modified_at: str = text_column()
    written_at: Instant = instant_column()


class Intent(SQLModel, table=True):
    """A block of writes announced before the first call of it; removed when all its results are in the ledger.

    The block is the key range (after_id, upto_id] of its load; `existing` lists source ids whose record stood at the
    destination before, so that a probe tells ours from theirs.
    """

    __tablename__ = "intents"

    id: UUID = id_column()
    tenant_id: UUID = Field()
    engagement_id: UUID = Field(index=True)
    destination_id: UUID = Field()
    run_id: UUID = Field(index=True)
    stage: str = text_column()
    after_id: str = text_column()
    upto_id: str = text_column()
    size: int = Field()
    existing: list[str] = texts_column()
    committed_at: Instant = instant_column()
