"""Drives the engine through the bench's job: a claimed run with its lease, stages, ledger, audit log and throttle.

The run begins as soon as it can: what only loads need is imported in a thread, while the first object is being read.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import orjson

from app.domain.planning import PlanFacts, RunKind, plan_run
from app.runs.claims import Lease
from app.runs.reader import Reader, Task
from app.runs.scheduling import Stage, run_stages
from app.runs.stages.extract import extract
from app.runs.staging import Staging
from app.runs.work import RunRow, StageRow, Work
from app.runtime import Runtime
from app.security import DataKey
from tests.bench.export_job import document
from tests.bench.export_rows import Job


def stage_rows() -> list[StageRow]:
    """The plan of a full run in which phases overlap; files are read one after the other, in the order of the loads."""
    plan = plan_run(RunKind.FULL, document(), PlanFacts(counts=record_counts()), overlap=True)
    rows = []
    before: tuple[str, ...] = ()
    for stage in plan.stages:
        if stage.kind.value not in ("extract", "load"):
            continue  # the bench checks the sink by its digests, as for every peer
        after = before if stage.kind.value == "extract" else tuple(filter(None, (*stage.after, stage.streams_from)))
        detail = {"virgin": True} if stage.kind.value == "load" else {}  # the sink has no query to ask
        rows.append(
            StageRow(stage.key, stage.kind.value, stage.phase, stage.name, after, "pending", "", None, {}, detail)
        )
        if stage.kind.value == "extract":
            before = (stage.key,)
    return rows


def record_counts() -> dict[str, int]:
    """Records per source object, which discovery would have counted."""
    counted: dict[str, int] = orjson.loads((Path(os.environ["BENCH_DATA"]) / "counts.json").read_bytes())
    return {load.source_object: counted.get(load.source_object, 0) for load in document().loads}


async def drive(runtime: Runtime, job: Job, lease: Lease, process: asyncio.subprocess.Process) -> None:
    """Does the claimed job that BENCH_DATA, BENCH_URL, BENCH_CONC and BENCH_DSN describe, and reports on stdout."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runtime.db.close)
        keeper = asyncio.create_task(lease.keep())
        work = _work(runtime, job, lease, process, stack)
        equipped = asyncio.create_task(asyncio.to_thread(_equip, work, job))

        async def load(work: Work, stage: StageRow) -> None:
            await (await equipped)(work, stage)

        stages = stage_rows()
        await _insert_stages(work, stages)
        await run_stages(work, stages, {"extract": extract, "load": load})
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await lease.release()
        _report(job, work, stages)


def _work(runtime: Runtime, job: Job, lease: Lease, process: asyncio.subprocess.Process, stack: AsyncExitStack) -> Work:
    ids = job.ids
    reader = Reader((), {}, Task(job.run_id, ids["tenant"], ids["engagement"], lease.fence, job.key), process=process)
    stack.push_async_callback(reader.close)
    key = DataKey(job.key)
    unknown = cast("Any", None)  # platforms and how they are opened follow with the loads
    return Work(
        runtime=runtime,
        run=RunRow(job.run_id, ids["tenant"], ids["engagement"], "full", ids["destination"], None, None, {}),
        lease=lease,
        key=key,
        source_platform=unknown,
        destination_platform=unknown,
        stack=stack,
        staging=Staging(ids["engagement"], ids["tenant"], key),
        open_connection=unknown,
        document=document(),
        reader=reader,
    )


def _equip(work: Work, job: Job) -> Stage:
    from app.runs.stages.load import load
    from tests.bench.export_loads import equip
    from workers import collector

    equip(work, job)
    collector.seldom()  # this and the loop are a worker's own
    return load


async def _insert_stages(work: Work, stages: list[StageRow]) -> None:
    async with work.transaction() as connection:
        await connection.executemany(
            "INSERT INTO run_stages (run_id, key, tenant_id, ordinal, kind, phase, load, after, state, cursor,"
            " counts, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', '', '{}', '{}')",
            [
                (work.run.id, row.key, work.run.tenant_id, number, row.kind, row.phase, row.load, list(row.after))
                for number, row in enumerate(stages)
            ],
        )


def _report(job: Job, work: Work, stages: list[StageRow]) -> None:
    meter = work.destination_meter
    lines = [f"engagement {','.join(map(str, job.ids.values()))}"]
    lines.append(f"calls {meter.made} {meter.by_purpose} refused with 429: {meter.rejected_429}")
    lines += [f"{stage.key} {stage.counts}" for stage in stages]
    sys.stdout.write("\n".join(lines) + "\n")
