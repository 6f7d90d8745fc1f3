"""How far a run is, what it costs, and what a person should do about it: pure functions over its rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.ids import encode_id
from app.engagements.schemas import Call
from app.models.run import Run, RunStage
from app.runs.schemas import CallsView, Progress, RunProblem, StageView

OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined", "held")
_DONE_KEYS = ("settled", "done", "checked", "read")
_LOADS = frozenset({"load", "link", "note", "file"})


def stage_view(stage: RunStage) -> StageView:
    """One stage with its numbers."""
    done = _done(stage)
    total = stage.total if stage.total is not None else (done if stage.state == "done" else None)
    return StageView(
        key=stage.key,
        kind=stage.kind,
        phase=stage.phase,
        name=stage.load,
        state=stage.state,
        total=total,
        done=done,
        percent=_percent(done, total, stage.state),
        counts=_numbers(stage.counts),
        started_at=stage.started_at,
        finished_at=stage.finished_at,
    )


def run_progress(run: Run, stages: Sequence[RunStage], now: datetime) -> Progress:
    """The whole run. A stage whose total is unknown counts with what it has done."""
    done = sum(_done(stage) for stage in stages)
    total = sum(_done(stage) if stage.state == "done" else max(stage.total or 0, _done(stage)) for stage in stages)
    finished = run.state == "completed"
    working = next((stage.phase for stage in stages if stage.state == "running"), None)
    percent = 100.0 if finished else min(99.9, round(100 * done / total, 1)) if total else 0.0
    return Progress(total=total, done=done, percent=percent, phase=working, eta_seconds=_eta(run, done, total, now))


def run_counts(stages: Sequence[RunStage]) -> dict[str, int]:
    """Sums over the loads; outcomes that did not occur are there as zero once a load has closed."""
    closed = [stage for stage in stages if stage.kind in _LOADS and stage.state == "done"]
    if not closed:
        return {}
    return {name: sum(_numbers(stage.counts).get(name, 0) for stage in closed) for name in ("read", *OUTCOMES)}


def run_calls(run: Run) -> CallsView:
    """Calls made against the forecast."""
    calls, forecast = run.calls, run.forecast
    expected = [forecast.get(name) for name in ("write_calls", "read_calls")]
    return CallsView(
        made=int(calls.get("made", 0)),
        forecast=sum(int(one) for one in expected if one is not None)
        if any(one is not None for one in expected)
        else None,
        credits=int(calls.get("credits", 0)),
        credits_forecast=forecast.get("credits"),
        rejected_429=int(calls.get("rejected_429", 0)),
        source=int(calls.get("source", 0)),
        by_purpose=_numbers(calls.get("by_purpose", {})),
    )


def run_problem(run: Run) -> RunProblem | None:
    """Why the run stands still, with the call that mends it."""
    advice = _ADVICE.get(run.state)
    if advice is None and not run.problem:
        return None
    code = str(run.problem.get("code") or run.state.replace("_", "-"))
    detail = str(run.problem.get("detail") or _DETAIL.get(run.state, ""))
    text, act = _BY_CODE.get(code) or advice or ("It goes on by itself.", "")
    path = f"/v1/runs/{encode_id('run', run.id)}"
    call = Call(method="POST", path=f"{path}/{act}", note="Send an Idempotency-Key header.") if act else None
    missing = [str(one) for one in run.problem.get("missing") or ()]
    return RunProblem(code=code, detail=detail, next=text, call=call, missing=missing)


def continues_at(run: Run) -> datetime | None:
    """When a run that waits goes on without anybody's doing."""
    return run.next_at if run.state == "waiting_quota" else None


_DETAIL = {
    "paused": "The run is paused.",
    "waiting_owner": "Some owners are not decided.",
    "waiting_admin": "An administrator has to do something at the destination.",
    "waiting_quota": "The account's budget of calls is spent.",
    "failed": "The run failed.",
}
_ADVICE = {
    "paused": ("Resume it when it should go on.", "resume"),
    "waiting_owner": ("Decide the owners (PUT …/owners), then resume.", "resume"),
    "waiting_admin": ("Do what the checklist says (GET …/checklist), then resume: the run looks again.", "resume"),
    "waiting_quota": ("Nothing: it goes on by itself when the budget is renewed.", ""),
    "failed": ("Mend what the detail names, then start a run of the same kind; what is done stays done.", ""),
}
_BY_CODE = {
    "credentials-rejected": ("PUT the connection with working credentials, test it, then resume the run.", "resume"),
    "retrying": ("Nothing: it tries again by itself.", ""),
    "schema-changed": ("Put back what is missing in the destination's settings, then resume.", "resume"),
    "internal-error": ("Nothing yet: it is logged and tried again.", ""),
}


def _done(stage: RunStage) -> int:
    numbers = _numbers(stage.counts)
    found = next((numbers[key] for key in _DONE_KEYS if key in numbers), None)
    if found is None and any(name in numbers for name in OUTCOMES):
        found = sum(numbers.get(name, 0) for name in OUTCOMES)
    return found or 0


def _percent(done: int, total: int | None, state: str) -> float | None:
    if state in ("done", "skipped"):
        return 100.0
    return None if not total else min(99.9, round(100 * done / total, 1))


def _numbers(counts: dict[str, Any]) -> dict[str, int]:
    return {key: value for key, value in counts.items() if isinstance(value, int) and not isinstance(value, bool)}


def _eta(run: Run, done: int, total: int, now: datetime) -> int | None:
    """Seconds left; None for a run that stands still or has ended."""
    if run.state not in ("queued", "running"):
        return None
    expected = sum(float(run.forecast.get(name) or 0) for name in ("busy_seconds", "waiting_seconds"))
    if run.started_at is None:
        return round(expected) if expected else None
    elapsed = max(0.0, (now - run.started_at).total_seconds())
    if done and total > done:
        return round(elapsed * (total - done) / done)
    return max(0, round(expected - elapsed)) if expected else None
