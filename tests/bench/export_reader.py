"""The bench's reader: extracts the export beside the loads (`reader_peer` starts it).

What `workers.reading` is for uploaded files. It imports no more than it needs, since its imports are measured as well.
"""

import logging
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from uuid import UUID

from app.domain.schema import Inventory
from app.runs.claims import Lease
from app.runs.reader import Telling, own_pipes, serve, task_of
from app.runs.stages.extract import extract
from app.runs.staging import Staging
from app.runs.work import RunRow, Work
from app.runtime import Runtime
from app.security import DataKey
from tests.bench.export_rows import Figures, bench_runtime
from tests.bench.export_schema import source_objects
from tests.bench.export_source import ExportSource
from workers import collector
from workers.priority import READING, give_way

if TYPE_CHECKING:
    from connectors.base import CallMeter, Destination, Source


def source_inventory(runtime: Runtime) -> Inventory:
    """What discovery would have found of the export."""
    return Inventory(platform="export", taken_at=runtime.now(), objects=tuple(source_objects().values()))


async def read(pipe: BinaryIO, out: BinaryIO) -> None:
    """Extracts what it is asked for, until the pipe ends."""
    runtime = bench_runtime()
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
    give_way(READING)
    uvloop.run(read(*own_pipes()))
