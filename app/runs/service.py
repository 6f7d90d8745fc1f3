"""Starts, finds and steers runs: here a run becomes due, paused, cancelled or approved; the engine does the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import telemetry
from app.db import driver_connection, flush
from app.domain.lifecycle import RunEvent, RunState, TransitionRefused, next_state
from app.engagements.facts import Account, Facts, RunFact, gather
from app.engagements.gates import PRODUCTION, gates, role_of
from app.engagements.ownership import settle_owners
from app.engagements.run_kinds import MAPPED, OWNED, SENDING
from app.engagements.standing import state_of
from app.errors import AnotherRunActive, NotFound, RunNotSuitable
from app.events import emit
from app.models.columns import new_id
from app.models.engagement import Engagement
from app.models.mapping import Mapping
from app.models.run import Run, RunStage
from app.paging import Paging, Rows, fetch_page
from app.runs.failures import check_cause
from app.runtime import Runtime
from connectors.registry import PLATFORMS


async def create_run(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    kind: str,
    *,
    destination: str,
    options: dict[str, Any],
    by: UUID,
) -> Run:
    """A queued run, once every gate is open; the first closed one is raised, the others stand in `obstacles`.

    The caller holds the engagement's row lock, so that two requests cannot both find the way free.
    """
    facts = await gather(runtime, session, engagement)
    if kind in OWNED and facts.owners is not None:
        await settle_owners(runtime, session, engagement, again=kind == "reassign_owners")
        facts = await gather(runtime, session, engagement)
    closed = gates(kind, facts, destination, leftovers=bool(options.get("leftovers")))
    if closed:
        first = closed[0]
        first.extra["obstacles"] = [{"code": error.code, "detail": error.detail} for error in closed]
        raise first
    target = facts.account(role_of(destination))
    if kind == "replay":
        await check_cause(session, engagement, target, str(options.get("cause") or ""))
    now = runtime.now()
    again = target is not None and facts.started("full", target) is not None
    run = Run(
        id=new_id(),
        tenant_id=engagement.tenant_id,
        engagement_id=engagement.id,
        kind=kind,
        state=RunState.QUEUED.value,
        destination_id=target.id if target else None,
        options={
            **options,
            **_delta_options(engagement, facts, kind),
            **_trial_options(engagement, kind, options, again),
        },
        next_at=now,
        created_by=by,
        created_at=now,
        traceparent=telemetry.traceparent() or None,
    )
    run.mapping_id, run.parent_run_id = _built_on(kind, facts, target)
    session.add(run)
    engagement.state = state_of(facts).value
    session.add(engagement)
    await session.flush()
    await _announce(runtime, session, run, "run.queued", {"kind": kind})
    return run


def _built_on(kind: str, facts: Facts, target: Account | None) -> tuple[UUID | None, UUID | None]:
    """The mapping the run goes by, and the run it follows. A rollback names the version that was written last, and the
    earlier ones come along (see `mapping_versions`).
    """
    if kind == "rollback":
        parent = facts.started("full", target) or facts.started("sample", target)
        wrote = [facts.started(one, target) for one in SENDING]
        newest = next((run for run in facts.runs if run in wrote), None)
        return (newest.mapping_id, parent.id) if newest and parent else (None, None)
    mapping_id = facts.confirmed.id if facts.confirmed and kind in MAPPED else None
    parents: dict[str, RunFact | None] = {
        "full": next((run for run in facts.runs if run.id == facts.approved_run_id), None),
        "delta": facts.completed("full", target),
        "reconcile": facts.completed("full", target) or facts.completed("sample", target),
        "repair": facts.completed("reconcile", target) or facts.completed("full", target),
        "replay": facts.completed("full", target) or facts.completed("sample", target),
        "reassign_owners": facts.completed("full", target),
    }
    parent = parents.get(kind)
    return mapping_id, parent.id if parent else None


def _delta_options(engagement: Engagement, facts: Facts, kind: str) -> dict[str, Any]:
    """A delta reads what changed since the mark; where none is kept, since the first run that read the source. A replay
    reads its own records from the same mark and leaves that where it is.
    """
    if kind not in ("delta", "replay"):
        return {}
    began = [run.started_at for run in facts.runs if run.started_at and run.kind in ("preflight", "sample", "full")]
    mark = engagement.extraction_mark or min(began, default=None)
    engagement.batch += 1
    return {"batch": engagement.batch, **({"since": mark.isoformat()} if mark else {})}


def _trial_options(engagement: Engagement, kind: str, options: dict[str, Any], loaded: bool) -> dict[str, Any]:
    """A sample rehearses its rollback unless told otherwise, where that starts nobody's automation (ruling 23). After a
    full run it never does: records outside the sample hang on those in it.
    """
    if kind != "sample":
        return {}
    suppressed = PLATFORMS[engagement.destination].capabilities.suppress_automation
    return {"rehearse_rollback": not loaded and bool(options.get("rehearse_rollback", suppressed))}


# built once: building a statement costs as much as running it
_FIND = select(Run).where(Run.id == bindparam("id"), Run.tenant_id == bindparam("tenant"))
_FIND_AND_LOCK = _FIND.with_for_update()
_STAGES = select(RunStage).where(RunStage.run_id == bindparam("run")).order_by(col(RunStage.ordinal))


async def find_run(session: AsyncSession, tenant_id: UUID, run_id: UUID, *, lock: bool = False) -> Run:
    """The run of this tenant. Raises NotFound."""
    statement = _FIND_AND_LOCK if lock else _FIND
    run = (await session.exec(statement, params={"id": run_id, "tenant": tenant_id})).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


async def find_stages(session: AsyncSession, run: Run) -> list[RunStage]:
    """The run's stages in order; none before it first starts."""
    return list((await session.exec(_STAGES, params={"run": run.id})).all())


async def list_runs(
    session: AsyncSession, engagement: Engagement, paging: Paging, *, kind: str | None, state: str | None
) -> Rows[Run]:
    """The engagement's runs, the newest first."""
    statement = select(Run).where(Run.engagement_id == engagement.id, Run.tenant_id == engagement.tenant_id)
    if kind is not None:
        statement = statement.where(Run.kind == kind)
    if state is not None:
        statement = statement.where(Run.state == state)
    name = f"runs:{engagement.id}:{kind or ''}:{state or ''}"
    return await fetch_page(session, statement, (col(Run.created_at), col(Run.id)), paging, name=name)


async def pause_run(runtime: Runtime, session: AsyncSession, run: Run) -> Run:
    """At once where no worker is on it, otherwise as soon as its worker has put it down. Raises RunNotSuitable."""
    if run.state == RunState.PAUSED:
        return run
    after = _transition(run, RunEvent.PAUSE)
    if _driven(run):
        run.requested = "pause"
    else:
        run.state, run.requested = after.value, ""
        await _announce(runtime, session, run, "run.paused", {"kind": run.kind})
    session.add(run)
    await session.flush()
    return run


async def resume_run(runtime: Runtime, session: AsyncSession, run: Run) -> Run:
    """Lets a paused, waiting or failed run go on where it stopped. Raises RunNotSuitable, AnotherRunActive."""
    if run.state == RunState.RUNNING and run.requested == "pause":
        run.requested = ""
        session.add(run)
        await session.flush()
        return run
    if run.state in (RunState.QUEUED, RunState.RUNNING):
        return run
    event = {RunState.PAUSED: RunEvent.RESUME, RunState.FAILED: RunEvent.RETRY}.get(
        RunState(run.state), RunEvent.WAIT_OVER
    )
    after = _transition(run, event)
    if run.state == RunState.FAILED:
        await _check_alone(session, run)
    run.state, run.requested, run.problem = after.value, "", {}
    run.next_at, run.attempts, run.finished_at = runtime.now(), 0, None
    session.add(run)
    await session.flush()
    await _announce(runtime, session, run, "run.queued", {"kind": run.kind, "resumed": True})
    return run


async def cancel_run(runtime: Runtime, session: AsyncSession, run: Run) -> Run:
    """Ends a run; what it has written stays until a rollback. Raises RunNotSuitable."""
    if run.state == RunState.CANCELLED:
        return run
    after = _transition(run, RunEvent.CANCEL)
    if _driven(run):
        run.state, run.requested = after.value, "cancel"
        session.info.setdefault("wake", []).append(run.id)
    else:
        run.state = next_state(after, RunEvent.STOPPED).value
        run.requested, run.finished_at = "", runtime.now()
        await _announce(runtime, session, run, "run.cancelled", {"kind": run.kind})
    session.add(run)
    await session.flush()
    return run


async def approve_run(runtime: Runtime, session: AsyncSession, run: Run, *, by: UUID) -> Engagement:
    """A person agrees to a sample's diff; that opens the full run of the same mapping version (ruling 33).

    Raises RunNotSuitable for anything but a completed sample of the confirmed mapping.
    """
    statement = select(Engagement).where(Engagement.id == run.engagement_id).with_for_update()
    engagement = (await session.exec(statement)).one()
    if run.kind != "sample" or run.state != RunState.COMPLETED:
        raise RunNotSuitable(f"Only a completed sample can be approved; this is a {run.kind} run that is {run.state}.")
    mapping = await session.get(Mapping, run.mapping_id) if run.mapping_id else None
    if mapping is None or mapping.state != "confirmed":
        raise RunNotSuitable(
            "The mapping has changed since this sample. Run a sample of the confirmed version and approve that."
        )
    if engagement.approved_run_id != run.id:
        engagement.approved_run_id, engagement.approved_at = run.id, runtime.now()
        engagement.settings = {**engagement.settings, "approved_by": str(by)}
        engagement.state = state_of(await gather(runtime, session, engagement)).value
        session.add(engagement)
        await session.flush()
    return engagement


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands in other rows about a run. `destination`: the API's word for the connection that it writes to."""

    mapping_version: int | None
    destination: str | None
    approved: bool
    report_ids: list[UUID]


async def find_beside(session: AsyncSession, runs: Sequence[Run]) -> dict[UUID, Beside]:
    """What stands beside these runs, by id, in one statement."""
    await flush(session)
    connection = await driver_connection(session)
    rows = await connection.fetch(_BESIDE, [run.id for run in runs])
    return {
        id_: Beside(version, _word(role), bool(approved), reports) for id_, version, role, approved, reports in rows
    }


_BESIDE = """
    SELECT r.id, m.version, c.role, e.approved_run_id = r.id,
           ARRAY (SELECT p.id FROM reports p WHERE p.run_id = r.id ORDER BY p.created_at, p.id)
    FROM runs r JOIN engagements e ON e.id = r.engagement_id LEFT JOIN mappings m ON m.id = r.mapping_id
    LEFT JOIN connections c ON c.id = r.destination_id WHERE r.id = ANY ($1)
"""


def _word(role: str | None) -> str | None:
    return role if role is None or role == "rehearsal" else PRODUCTION


def _transition(run: Run, event: RunEvent) -> RunState:
    try:
        return next_state(RunState(run.state), event)
    except TransitionRefused as refused:
        raise RunNotSuitable(
            f"The run is {run.state}; {event.value.replace('_', ' ')} is not possible now.",
            state=run.state,
            allowed=list(refused.allowed),
        ) from None


def _driven(run: Run) -> bool:
    """Whether a worker holds the run, or may take it up where another died: only a worker puts that down in order."""
    return run.state in (RunState.RUNNING, RunState.CANCELLING)


async def _check_alone(session: AsyncSession, run: Run) -> None:
    final = [state.value for state in RunState if state in _ENDED]
    statement = select(Run.id).where(
        Run.engagement_id == run.engagement_id, Run.id != run.id, col(Run.state).not_in(final)
    )
    if (await session.exec(statement)).first() is not None:
        raise AnotherRunActive("Another run of this engagement is active. Wait for it or cancel it, then resume.")


_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.ROLLED_BACK})


async def _announce(runtime: Runtime, session: AsyncSession, run: Run, kind: str, data: dict[str, Any]) -> None:
    """Writes the event, and has the run woken after the commit where there is something to do."""
    await emit(
        session,
        run.tenant_id,
        kind,
        data,
        at=runtime.now(),
        engagement_id=run.engagement_id,
        run_id=run.id,
    )
    if run.state == RunState.QUEUED:
        session.info.setdefault("wake", []).append(run.id)
