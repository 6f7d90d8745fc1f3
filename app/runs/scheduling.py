"""Runs the stages of a plan: side by side where their predecessors are done, all stopped by the first problem."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Any

import asyncpg

from app import telemetry
from app.domain.reading import follows
from app.events import emit_raw
from app.runs.work import StageRow, Stopped, Work

LANES = 4

Stage = Callable[[Work, StageRow], Awaitable[None]]


async def run_stages(work: Work, stages: Sequence[StageRow], table: Mapping[str, Stage]) -> None:
    """Runs what is ready, side by side, until all is done; the first problem stops the rest in good order."""
    done = {stage.key for stage in stages if stage.state in ("done", "skipped")}
    waiting = [stage for stage in stages if stage.key not in done]
    streams = _streams(work, waiting)
    tasks: dict[asyncio.Task[None], StageRow] = {}
    problem: BaseException | None = None
    try:
        while waiting or tasks:
            if problem is None:
                ready = [stage for stage in waiting if _is_ready(work, stage, done, streams.get(stage.key))]
                for stage in _startable(ready, len(tasks), keep_one=bool(streams)):
                    waiting.remove(stage)
                    tasks[asyncio.create_task(_run_stage(work, stage, table[stage.kind]), name=stage.key)] = stage
            if not tasks:
                break
            for task in await _finished_or_opened(work, tasks):
                stage = tasks.pop(task)
                error = task.exception()
                if error is None:
                    done.add(stage.key)
                    if stage.kind == "extract":
                        work.handover.end(stage.load)
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


def _startable(ready: Sequence[StageRow], running: int, *, keep_one: bool) -> list[StageRow]:
    """What is started now: what sends before what prepares, which may not take the last lane with `keep_one`."""
    sending = [stage for stage in ready if stage.kind != "extract"][: max(0, LANES - running)]
    left = LANES - keep_one - running - len(sending)
    return sending + [stage for stage in ready if stage.kind == "extract"][: max(0, left)]


def _streams(work: Work, stages: Sequence[StageRow]) -> dict[str, str]:
    """Load stages that may begin while their object is being read → that object."""
    if work.run.kind != "full":  # the kind whose extraction hands records over
        return {}
    loads = [load for load in work.mapping().loads if load.enabled]
    following = {load.key: load.source_object for load in loads if follows(load, loads)}
    return {stage.key: following[stage.load] for stage in stages if stage.kind == "load" and stage.load in following}


def _is_ready(work: Work, stage: StageRow, done: Set[str], streams_from: str | None) -> bool:
    missing = set(stage.after) - done
    return not missing or (
        streams_from is not None and missing == {f"extract:{streams_from}"} and work.handover.flows(streams_from)
    )


async def _finished_or_opened(work: Work, tasks: Mapping["asyncio.Task[None]", StageRow]) -> set["asyncio.Task[None]"]:
    """The stages that have ended; none of them when an extraction has begun that others may follow."""
    opened = asyncio.create_task(work.handover.opened.wait())
    try:
        finished, _ = await asyncio.wait({*tasks, opened}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        opened.cancel()
    work.handover.opened.clear()
    return {task for task in tasks if task in finished}


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
