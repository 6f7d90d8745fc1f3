"""A run's events as a stream: what has happened since, what happens next, and the progress in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import select

from app.domain.ids import encode_id
from app.engagements.facts import TERMINAL
from app.models.run import Run, RunStage
from app.runs.progress import run_counts, run_progress
from app.runtime import Runtime

POLL_SECONDS = 0.5
MAX_SECONDS = 3600.0
_EVENTS = """
    SELECT id, sequence, type, data, created_at FROM events
    WHERE tenant_id = $1 AND run_id = $2 AND sequence > $3 ORDER BY sequence LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Happening:
    """One message of the stream; `id` is the event's sequence number, None for progress in between."""

    kind: str
    data: dict[str, Any]
    id: str | None = None


async def follow_run(runtime: Runtime, tenant_id: UUID, run_id: UUID, after: int) -> AsyncIterator[Happening]:
    """Events after the sequence number `after`, then live ones until the run has ended (or an hour has passed: the
    client connects again). Their ids are for Last-Event-ID; `run.progress` in between has none."""
    shown: dict[str, Any] = {}
    deadline = asyncio.get_running_loop().time() + MAX_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        async with runtime.db.transaction(tenant_id) as session:
            run = await session.get(Run, run_id)
            rows = await session.exec(select(RunStage).where(RunStage.run_id == run_id))
            stages = list(rows.all())
        async with runtime.db.connection(tenant_id) as connection:
            events = await connection.fetch(_EVENTS, tenant_id, run_id, after)
        for event in events:
            after = event["sequence"]
            yield Happening(event["type"], _event(event, run_id), str(after))
        if run is None:
            return
        progress = _progress(runtime, run, stages)
        if progress != shown:
            shown = progress
            yield Happening("run.progress", progress)
        if run.state in TERMINAL and not events:
            return
        await asyncio.sleep(POLL_SECONDS)


def _event(event: Any, run_id: UUID) -> dict[str, Any]:
    return {
        "id": encode_id("event", event["id"]),
        "type": event["type"],
        "run_id": encode_id("run", run_id),
        "created_at": event["created_at"].isoformat(),
        "data": event["data"],
    }


def _progress(runtime: Runtime, run: Run, stages: list[RunStage]) -> dict[str, Any]:
    progress = run_progress(run, stages, runtime.now())
    return {"state": run.state, **progress.model_dump(exclude={"eta_seconds"}), "counts": run_counts(stages)}
