"""Runs the stages of a plan: side by side where their predecessors are done, all stopped by the first problem."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg

from app import telemetry
from app.events import emit_raw
from app.runs.work import StageRow, Stopped, Work

LANES = 4

Stage = Callable[[Work, StageRow], Awaitable[None]]


async def run_stages(work: Work, stages: Sequence[StageRow], table: Mapping[str, Stage]) -> None:
    """Runs what is ready, side by side, until all is done; the first problem stops the rest in good order."""
    done = {stage.key for stage in stages if stage.state in ("done", "skipped")}
    waiting = [stage for stage in stages if stage.key not in done]
    tasks: dict[asyncio.Task[None], StageRow] = {}
    problem: BaseException | None = None
    try:
        while waiting or tasks:
            if problem is None:
                ready = [stage for stage in waiting if done.issuperset(stage.after)]
                ready.sort(key=lambda stage: stage.kind == "extract")  # what sends goes before what prepares
                for stage in ready[: LANES - len(tasks)]:
                    waiting.remove(stage)
                    tasks[asyncio.create_task(_run_stage(work, stage, table[stage.kind]), name=stage.key)] = stage
            if not tasks:
                break
            finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                stage = tasks.pop(task)
                error = task.exception()
                if error is None:
                    done.add(stage.key)
                    await _announce_phase(work, stages, done, stage)
                elif problem is None or isinstance(problem, Stopped):
                    problem = error
                    work.stop("failure")
    except asyncio.CancelledError:
        work.stop("shutdown")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    if problem is not None:
        raise problem


async def _run_stage(work: Work, stage: StageRow, run: Stage) -> None:
    work.check_stop()
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(
            "UPDATE run_stages SET state = 'running', started_at = coalesce(started_at, $3)"
            " WHERE run_id = $1 AND key = $2",
            *(work.run.id, stage.key, work.now()),
        )
    with telemetry.span(f"stage {stage.kind}", stage=stage.key, phase=stage.phase):
        await run(work, stage)
        telemetry.note(**{name: count for name, count in stage.counts.items() if isinstance(count, int)})
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await work.save_stage(connection, stage)
        await connection.execute(
            "UPDATE run_stages SET state = 'done', finished_at = $3 WHERE run_id = $1 AND key = $2",
            *(work.run.id, stage.key, work.now()),
        )
    stage.state = "done"
    work.advanced += 1


async def _announce_phase(work: Work, stages: Sequence[StageRow], done: set[str], stage: StageRow) -> None:
    """A phase closes when its last stage does; the event carries its row counts (ruling 10)."""
    members = [other for other in stages if other.phase == stage.phase]
    if not done.issuperset(other.key for other in members):
        return
    counts = {other.key: {k: v for k, v in other.counts.items() if isinstance(v, int)} for other in members}
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await announce(work, connection, "run.phase.completed", {"phase": stage.phase, "counts": counts})


async def announce(work: Work, connection: "asyncpg.Connection[Any]", kind: str, data: dict[str, Any]) -> None:
    """Writes an event of this run in the caller's transaction."""
    await emit_raw(
        connection,
        work.run.tenant_id,
        kind,
        data,
        at=work.now(),
        engagement_id=work.run.engagement_id,
        run_id=work.run.id,
    )
