"""The bench's reader, `python -m tests.bench.export_reader`: extracts the export beside the loads.

What `workers.reading` is for uploaded files. It imports no more than it needs, since its imports are measured as well.
"""

import gc
import hashlib
import logging
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from uuid import UUID

from app.db import Database
from app.domain.schema import Inventory
from app.runs.claims import Lease
from app.runs.reader import Telling, own_pipes, serve, task_of
from app.runs.stages.extract import extract
from app.runs.staging import Staging
from app.runs.work import RunRow, Work
from app.runtime import Runtime
from app.security import DataKey, KeyRing
from tests.bench.export_schema import source_objects
from tests.bench.export_source import ExportSource
from workers import collector

if TYPE_CHECKING:
    from connectors.base import CallMeter, Destination, Source


@dataclass(frozen=True, slots=True)
class Figures:
    """The settings that driving a run asks for, with their defaults; reading an environment is not what is measured."""

    call_timeout_seconds: float = 30.0
    lease_seconds: float = 6.0
    flush_rows: int = 2000
    flush_seconds: float = 1.0


def bench_runtime(dsn: str) -> Runtime:
    """What worker and reader open: the bench's database, a key that is no secret."""
    return Runtime(
        settings=cast("Any", Figures()),
        db=Database(dsn),
        keys=KeyRing({"bench": hashlib.sha256(b"bench").digest()}),
        now=lambda: datetime.now(UTC),
    )


def source_inventory(runtime: Runtime) -> Inventory:
    """What discovery would have found of the export."""
    return Inventory(platform="export", taken_at=runtime.now(), objects=tuple(source_objects().values()))


async def read(pipe: BinaryIO, out: BinaryIO) -> None:
    """Extracts what it is asked for, until the pipe ends."""
    runtime = bench_runtime(os.environ["BENCH_DSN"])
    await runtime.db.pool()
    task = task_of(pipe)
    assert task is not None
    key, telling = DataKey(task.key), Telling(out)

    async def open_connection(_role: str, _id: UUID | None, _meter: "CallMeter") -> "Source | Destination":
        return ExportSource(Path(os.environ["BENCH_DATA"]))

    async with AsyncExitStack() as stack:
        work = Work(
            runtime=runtime,
            run=RunRow(task.run_id, task.tenant_id, task.engagement_id, "full", None, None, None, {}),
            lease=Lease(runtime, task.run_id, task.tenant_id, task.fence, Figures().lease_seconds, float("inf"), 0.0),
            key=key,
            source_platform=cast("Any", None),  # extracting asks neither platform for its facts
            destination_platform=cast("Any", None),
            stack=stack,
            staging=Staging(task.engagement_id, task.tenant_id, key),
            open_connection=open_connection,
            handover=telling,
            cache={"source_inventory": source_inventory(runtime)},
        )
        await serve(pipe, telling, lambda stage: extract(work, stage))


def main() -> None:
    """Reads its task and then stages from stdin, until it ends."""
    import structlog
    import uvloop

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    collector.seldom()
    uvloop.run(read(*own_pipes()))


if __name__ == "__main__":
    gc.disable()
    main()
