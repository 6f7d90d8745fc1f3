"""Runs: the queue of record. A worker owns a run by lease and fence; its stages carry progress and counts."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.models.columns import (
    Instant,
    big_column,
    id_column,
    instant_column,
    json_column,
    tenant_column,
    text_column,
    texts_column,
)


class Run(SQLModel, table=True):
    """One piece of long work. `requested`: "" | pause | cancel, read by the worker that holds the lease."""

    __tablename__ = "runs"
    __table_args__ = (
        Index(
            "ix_runs_due",
            "next_at",
            postgresql_where=text("state IN ('queued','running','waiting_quota','cancelling')"),
        ),
    )

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    kind: str = text_column()
    state: str = text_column("queued")
    requested: str = text_column()
    destination_id: UUID | None = Field(default=None, foreign_key="connections.id")
    mapping_id: UUID | None = Field(default=None, foreign_key="mappings.id")
    parent_run_id: UUID | None = Field(default=None)
    options: dict[str, Any] = json_column()
    forecast: dict[str, Any] = json_column()
    counts: dict[str, Any] = json_column()
    calls: dict[str, Any] = json_column()
    problem: dict[str, Any] = json_column()
    fence: int = big_column(default=0)
    lease_owner: str = text_column()
    lease_until: Instant | None = instant_column(default=None)
    next_at: Instant = instant_column()
    attempts: int = Field(default=0)
    created_by: UUID | None = Field(default=None)
    created_at: Instant = instant_column()
    started_at: Instant | None = instant_column(default=None)
    finished_at: Instant | None = instant_column(default=None)
    traceparent: str | None = text_column(None)


class RunStage(SQLModel, table=True):
    """One node of a run's plan. `state`: pending | running | done | skipped; `counts` closes it (ruling 10)."""

    __tablename__ = "run_stages"

    run_id: UUID = Field(foreign_key="runs.id", primary_key=True)
    key: str = text_column(primary_key=True)
    tenant_id: UUID = tenant_column()
    ordinal: int = Field()
    kind: str = text_column()
    phase: str = text_column()
    load: str = text_column()
    after: list[str] = texts_column()
    state: str = text_column("pending")
    cursor: str = text_column()
    total: int | None = Field(default=None)
    counts: dict[str, Any] = json_column()
    detail: dict[str, Any] = json_column()
    started_at: Instant | None = instant_column(default=None)
    finished_at: Instant | None = instant_column(default=None)


class Worker(SQLModel, table=True):
    """A worker's heartbeat; readiness is judged by its age."""

    __tablename__ = "workers"

    id: str = text_column(primary_key=True)
    host: str = text_column()
    started_at: Instant = instant_column()
    beat_at: Instant = instant_column()
