"""The engine: claims a run, carries out its plan stage by stage, and says truthfully how it ended.

One engine runs every kind; kinds differ only in the stages their plan lists. Stages whose predecessors are done run
side by side. What stops a stage decides the run's next state: a person's wish, the vendor's budget, a passing
trouble, or a broken contract.
"""

import asyncio
import traceback
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from app import telemetry
from app.db import SERVER_TROUBLE
from app.domain.compiling import MappingInvalid
from app.domain.ids import encode_id
from app.domain.ordering import PlanImpossible
from app.errors import AgreementNotConfirmed, AppError
from app.events import emit_raw
from app.runs.claims import Lease, LeaseLost, claim, idle
from app.runs.concluding import conclude
from app.runs.left_open import settle_left_open
from app.runs.opening import open_work
from app.runs.plans import plan_stages
from app.runs.scheduling import announce, run_stages
from app.runs.schema_lost import explained
from app.runs.stages.check import check_mapping
from app.runs.stages.load import CountsDisagree
from app.runs.stages.table import STAGES
from app.runs.waiting import AdminNeeded
from app.runs.work import Stopped, Work
from app.runtime import Runtime
from connectors.errors import Ambiguous as AnswerLost
from connectors.errors import ConnectorError, CredentialsRejected, QuotaExhausted, Transient

log = structlog.get_logger()

_RETRIES = 6
_BOOK_CALLS_SECONDS = 1.0
_BOOK_CALLS = """
    UPDATE runs SET calls = $3 WHERE id = $1 AND fence = $2
    RETURNING set_config('idle_in_transaction_session_timeout', $4, true)
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """The state a run goes to; `again_at` for states that continue by themselves."""

    state: str
    event: str = ""
    problem: dict[str, Any] | None = None
    again_at: datetime | None = None
    failed_try: bool = False
    tries: int = 0


async def advance(runtime: Runtime, run_id: UUID, worker: str) -> None:
    """Drives a run as far as it goes. Returns at once when it is not due or driven by another worker."""
    async with runtime.db.connection(None) as connection:
        tenant_id = await connection.fetchval("SELECT run_tenant($1)", run_id)
    if tenant_id is None:
        return
    lease = await claim(runtime, run_id, tenant_id, worker, runtime.now())
    if lease is None:
        return
    ids: dict[str, str | int] = {
        "run_id": encode_id("run", run_id),  # as the API calls them, so that a log is searched for what a client names
        "tenant_id": encode_id("tenant", tenant_id),
        "fence": lease.fence,
    }
    with (
        structlog.contextvars.bound_contextvars(**ids),
        telemetry.span(f"run {lease.kind}", "consumer", lease.traceparent, **ids),
    ):
        log.info("run_taken_up")
        keeper = asyncio.create_task(lease.keep())
        try:
            await _drive(runtime, lease)
        except LeaseLost:
            log.warning("lease_lost")
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            if not lease.lost:
                await lease.release()


async def _drive(runtime: Runtime, lease: Lease) -> None:
    ending: Ending
    work: Work | None = None
    async with AsyncExitStack() as stack:
        try:
            work = await open_work(runtime, lease, stack)
            stages = await plan_stages(work)
            await check_mapping(work)
            await _announce_start(work)
            booking = asyncio.create_task(_book_calls(work))
            try:
                await settle_left_open(work)
                await run_stages(work, stages, STAGES)
                await conclude(work, stages)
            finally:
                booking.cancel()
                await asyncio.gather(booking, return_exceptions=True)
            ending = Ending("completed", "run.completed")
        except LeaseLost:
            raise
        except Stopped:
            ending = _stopped(work, runtime)
        except Exception as error:  # noqa: BLE001  whatever it is, the run has to say so
            trouble = await explained(work, error)
            ending = await _troubled(runtime, lease, trouble, advanced=work is not None and work.advanced > 0)
    await _finish(runtime, lease, work, ending)


def _stopped(work: Work | None, runtime: Runtime) -> Ending:
    reason = work.stopping if work else "shutdown"
    if reason == "pause":
        return Ending("paused", "run.paused")
    if reason == "cancel":
        return Ending("cancelled", "run.cancelled")
    return Ending("running", again_at=runtime.now())


async def _troubled(runtime: Runtime, lease: Lease, error: Exception, *, advanced: bool) -> Ending:
    """What a problem means for the run; its type says what to do next. Tries count since the run last `advanced`."""
    now = runtime.now()
    known = _known(error, now)
    if known is not None:
        return known
    passing = isinstance(error, (Transient, AnswerLost, *SERVER_TROUBLE))
    attempts = 0 if advanced else await _attempts(runtime, lease)
    if passing and attempts < _RETRIES * 4:
        log.warning("run_hindered", error=type(error).__name__, attempts=attempts, where=_where(error))
        wait = timedelta(seconds=min(2 ** min(attempts, 6), 60))
        detail = error.detail if isinstance(error, ConnectorError) else "a server was not reachable"
        problem = _problem("retrying", detail)
        return Ending("running", problem=problem, again_at=now + wait, failed_try=True, tries=attempts + 1)
    if isinstance(error, ConnectorError):
        code = error.code.lower().replace("_", "-") or "platform-contract-broken"
        return Ending("failed", "run.failed", _problem(code, error.detail))
    log.exception("run_broke", error=type(error).__name__)
    if attempts < _RETRIES:
        again = now + timedelta(seconds=2**attempts)
        problem = _problem("internal-error", "")
        return Ending("running", problem=problem, again_at=again, failed_try=True, tries=attempts + 1)
    return Ending("failed", "run.failed", _problem("internal-error", "The run met an error of ours; it was logged."))


def _known(error: Exception, now: datetime) -> Ending | None:
    """Problems whose type says it all."""
    if (waiting := _waiting(error, now)) is not None:
        return waiting
    if isinstance(error, AppError):
        return Ending("failed", "run.failed", {"code": error.code, "detail": error.detail, **error.extra})
    if isinstance(error, MappingInvalid):
        places = [{"pointer": one.pointer, "code": one.code, "detail": one.message} for one in error.problems]
        detail = f"The mapping of {error.load} does not fit what the destination offers now; provision or edit it."
        return Ending("failed", "run.failed", {**_problem("mapping-invalid", detail), "errors": places})
    if isinstance(error, PlanImpossible | CountsDisagree):
        code = "plan-impossible" if isinstance(error, PlanImpossible) else "counts-disagree"
        return Ending("failed", "run.failed", _problem(code, str(error)))
    return None


def _waiting(error: Exception, now: datetime) -> Ending | None:
    """Problems that time or a person resolves; the run keeps its place."""
    if isinstance(error, QuotaExhausted):
        until = error.until or now + timedelta(minutes=1)
        return Ending("waiting_quota", "run.waiting_quota", _problem("quota-exhausted", error.detail), until)
    if isinstance(error, AdminNeeded):
        problem = {**_problem(error.code, f"{error}."), "missing": list(error.missing)}
        return Ending("waiting_admin", "run.waiting_admin", problem)
    if isinstance(error, CredentialsRejected):
        return Ending("paused", "run.paused", _problem("credentials-rejected", error.detail))
    if isinstance(error, AgreementNotConfirmed):
        return Ending("paused", "run.paused", _problem(error.code, error.detail))
    return None


def _where(error: BaseException) -> str:
    """File and line of ours where it happened, without values."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames if "site-packages" not in frame.filename]
    return " > ".join(ours[-3:])


def _problem(code: str, detail: str) -> dict[str, Any]:
    return {"code": code, "detail": detail}


async def _attempts(runtime: Runtime, lease: Lease) -> int:
    async with runtime.db.connection(lease.tenant_id) as connection:
        return int(await connection.fetchval("SELECT attempts FROM runs WHERE id = $1", lease.run_id) or 0)


async def _announce_start(work: Work) -> None:
    if work.lease.fence > 1:
        return
    async with work.transaction() as connection:
        await announce(work, connection, "run.started", {"kind": work.run.kind})


def _calls(work: Work) -> dict[str, Any]:
    """Calls so far, those of earlier workers included."""
    before = work.calls_before
    purposes = dict(before.get("by_purpose", {}))
    for meter, side in ((work.destination_meter, ""), (work.source_meter, "source:")):
        for purpose, count in meter.by_purpose.items():
            purposes[side + purpose] = purposes.get(side + purpose, 0) + count
    return {
        "made": before.get("made", 0) + work.destination_meter.made,
        "credits": before.get("credits", 0) + work.destination_meter.credits,
        "rejected_429": before.get("rejected_429", 0) + work.destination_meter.rejected_429,
        "source": before.get("source", 0) + work.source_meter.made,
        "by_purpose": purposes,
    }


async def _book_calls(work: Work) -> None:
    while True:
        await asyncio.sleep(_BOOK_CALLS_SECONDS)
        async with work.transaction() as connection:
            # never beside a guard: two stages that share the row's lock and then want to change it would deadlock
            await connection.execute(_BOOK_CALLS, work.run.id, work.lease.fence, _calls(work), idle(work.lease.seconds))


async def _finish(runtime: Runtime, lease: Lease, work: Work | None, ending: Ending) -> None:
    """Writes the run's new state and gives the lease back, if the fence still holds."""
    now = runtime.now()
    final = ending.state in ("completed", "failed", "cancelled")
    async with runtime.db.connection(lease.tenant_id) as connection:
        await lease.guard(connection)
        row = await connection.fetchrow(
            "UPDATE runs SET state = $3, problem = $4, next_at = $5, lease_until = NULL, requested = '',"
            " attempts = $6,"
            " finished_at = CASE WHEN $7 THEN $8 ELSE finished_at END,"
            " calls = coalesce($9, calls) WHERE id = $1 AND fence = $2 RETURNING engagement_id, kind",
            *(lease.run_id, lease.fence, ending.state, ending.problem or {}, ending.again_at or now),
            *(ending.tries if ending.failed_try else 0, final, now, _calls(work) if work else None),
        )
        lease.lost = True
        if row is not None and ending.event:
            event = "run.rolled_back" if ending.state == "completed" and row["kind"] == "rollback" else ending.event
            await emit_raw(
                connection,
                lease.tenant_id,
                event,
                {"kind": row["kind"], **({"problem": ending.problem} if ending.problem else {})},
                at=now,
                engagement_id=row["engagement_id"],
                run_id=lease.run_id,
            )
    telemetry.note(state=ending.state, problem=str((ending.problem or {}).get("code", "")))
    log.info("run_put_down", state=ending.state)
