"""The road of an engagement: what is done, what is next with the exact call to make, what stands in the way and why.

Pure: it reads the same facts and the same gates as the call that starts a run, so it never invites to a refusal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.ids import encode_id
from app.domain.plurals import counted
from app.engagements.facts import DESTINATION, REHEARSAL, SOURCE, Account, Facts, RunFact
from app.engagements.gates import PRODUCTION, gates


class StepState(StrEnum):
    DONE = "done"
    RUNNING = "running"
    OPEN = "open"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request a person can make as it stands; `note` says what to fill in."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RoadStep:
    """One step; `reason` says why it is blocked or what it waits for, `call` is what to do about it."""

    key: str
    title: str
    state: StepState
    reason: str = ""
    call: ApiCall | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A step before its state is known."""

    key: str
    title: str
    done: bool
    call: ApiCall | None
    kind: str = ""
    reason: str = ""
    blocked: bool = False
    run: RunFact | None = field(default=None)


def road(facts: Facts) -> list[RoadStep]:
    """Every step in order. A step is blocked while the gates of its run are closed, with the first one's reason."""
    if facts.purged:
        return [RoadStep("purged", "Data destroyed", StepState.DONE, "The engagement is closed and its key destroyed.")]
    destination = REHEARSAL if facts.account(DESTINATION) is None and facts.account(REHEARSAL) else PRODUCTION
    return [_judge(draft, facts, destination) for draft in _drafts(facts, destination)]


def next_step(steps: list[RoadStep]) -> RoadStep | None:
    """The first step that is not done; None at the end of the road."""
    return next((step for step in steps if step.state is not StepState.DONE), None)


def _drafts(facts: Facts, destination: str) -> Iterator[_Draft]:
    base = f"/v1/engagements/{encode_id('engagement', facts.engagement_id)}"
    target = facts.account(REHEARSAL if destination == REHEARSAL else DESTINATION)
    run = _run_caller(base, destination)
    yield _connection(base, SOURCE, facts.account(SOURCE))
    yield _connection(base, target.role if target else DESTINATION, target)
    described = all(account is not None and account.described for account in (facts.account(SOURCE), target))
    yield _Draft("discovery", "Discover both sides", described, run("discovery"), "discovery")
    checked = facts.completed("preflight") is not None
    yield _Draft("preflight", "Check the source's data and the schema gaps", checked, run("preflight"), "preflight")
    yield _propose(facts, base, described)
    yield _confirm(facts, base)
    yield _owners(facts, base)
    yield _questions(facts, base)
    if facts.confirmed is not None and facts.confirmed.sensitive:
        yield _agreement(facts, base)
    provisioned = facts.provisioned(target)
    yield _Draft("provision", "Create what the destination lacks", provisioned, run("provision"), "provision")
    yield _sample(facts, run("sample"))
    yield _approve(facts)
    full = facts.completed("full", target) is not None
    yield _Draft("full", "Move everything", full, run("full"), "full")
    yield _after_full(facts, "delta", "Fetch what changed since", run("delta"), full)
    yield _after_full(facts, "reconcile", "Compare both sides field by field", run("reconcile"), full)
    yield _go_live(facts, base, full)


def _run_caller(base: str, destination: str) -> Callable[[str], ApiCall]:
    extra = {} if destination == PRODUCTION else {"destination": destination}
    return lambda kind: ApiCall("POST", f"{base}/runs", {"kind": kind, **extra}, "Send an Idempotency-Key header.")


def _connection(base: str, role: str, account: Account | None) -> _Draft:
    title = f"Connect the {role}"
    path = f"{base}/connections/{role}"
    if account is None:
        body: dict[str, Any] = {"credentials": {}, "config": {}}
        note = "Fill in the platform's credentials; GET /v1/platforms/{slug} says which."
        return _Draft(f"connect_{role}", title, False, ApiCall("PUT", path, body, note))
    reason = "The last test failed; see the connection's problem." if account.state == "failed" else ""
    call = ApiCall("POST", f"{path}/test")
    return _Draft(f"connect_{role}", title, account.state == "ok", call, reason=reason)


def _propose(facts: Facts, base: str, described: bool) -> _Draft:
    done = facts.draft is not None or facts.confirmed is not None
    reason = "" if described or done else "Both sides have to be discovered first."
    call = ApiCall("POST", f"{base}/mapping/propose", None, "Send an Idempotency-Key header.")
    return _Draft("propose", "Propose the mapping", done, call, reason=reason, blocked=bool(reason))


def _confirm(facts: Facts, base: str) -> _Draft:
    done = facts.confirmed is not None
    if facts.draft is None and not done:
        return _Draft("confirm", "Confirm the mapping", False, None, reason="There is no mapping yet.", blocked=True)
    version = facts.draft.version if facts.draft else 0
    note = f"Read version {version} first: GET {base}/mapping, or its sheet at {base}/mapping/export?format=xlsx."
    call = ApiCall("POST", f"{base}/mapping/confirm", {"version": version}, note)
    return _Draft("confirm", "Confirm the mapping", done, call)


def _owners(facts: Facts, base: str) -> _Draft:
    title = "Decide who owns what"
    if facts.owners is None:
        reason = "Both sides have to be discovered first."
        return _Draft("owners", title, False, None, reason=reason, blocked=True)
    left = facts.owners.unresolved
    reason = f"{left} of {facts.owners.total} source users have no owner at the destination." if left else ""
    note = f"GET {base}/owners shows them; send its ETag as If-Match. fallback_user_id decides for all that are left."
    call = ApiCall("PUT", f"{base}/owners", {"decisions": [], "fallback_user_id": None}, note)
    return _Draft("owners", title, not left, call, reason=reason)


def _questions(facts: Facts, base: str) -> _Draft:
    left = facts.open_questions
    reason = f"{counted(left, 'question', ('is', 'are'))} open." if left else ""
    note = "Then POST /v1/questions/{id}/answer for each."
    return _Draft(
        "questions", "Answer open questions", not left, ApiCall("GET", f"{base}/questions", None, note), reason=reason
    )


def _agreement(facts: Facts, base: str) -> _Draft:
    reason = "" if facts.agreed else "The mapping sends sensitive fields; an owner's key has to confirm this."
    body = {"confirmed": True, "reference": "…"}
    call = ApiCall("PUT", f"{base}/agreement", body, "Name the agreement as you file it.")
    return _Draft("agreement", "Confirm the agreement with the destination's vendor", facts.agreed, call, reason=reason)


def _sample(facts: Facts, call: ApiCall) -> _Draft:
    confirmed = facts.confirmed
    done = confirmed is not None and any(
        run.kind == "sample" and run.state == "completed" and run.mapping_id == confirmed.id for run in facts.runs
    )
    return _Draft("sample", "Move a sample of 100 to 500 records", done, call, "sample")


def _approve(facts: Facts) -> _Draft:
    title = "Approve the sample"
    sample = facts.completed("sample")
    if facts.approved:
        return _Draft("approve", title, True, None)
    if sample is None or facts.confirmed is None or sample.mapping_id != facts.confirmed.id:
        reason = "No sample of the confirmed mapping has completed."
        return _Draft("approve", title, False, None, reason=reason, blocked=True)
    path = f"/v1/runs/{encode_id('run', sample.id)}/approve"
    note = "Look at the diff first: GET the report of kind sample_diff among the engagement's reports."
    return _Draft("approve", title, False, ApiCall("POST", path, None, note))


def _after_full(facts: Facts, kind: str, title: str, call: ApiCall, full: bool) -> _Draft:
    """Delta and reconciliation count once they came after the latest full run."""
    newest = [run.kind for run in facts.runs if run.state == "completed" and run.kind in ("full", kind)]
    done = full and newest[:1] == [kind]
    if not done and full and kind in newest:
        done = newest.index(kind) < newest.index("full")
    return _Draft(kind, title, done, call, kind)


def _go_live(facts: Facts, base: str, full: bool) -> _Draft:
    done = facts.state in ("live", "closed")
    reason = "" if full or done else "Everything has to be moved first."
    note = "Send the engagement's ETag as If-Match."
    call = ApiCall("PATCH", base, {"state": "live"}, note)
    return _Draft("go_live", "Go live", done, call, reason=reason, blocked=bool(reason))


def _judge(draft: _Draft, facts: Facts, destination: str) -> RoadStep:
    active = next((run for run in facts.runs if draft.kind and run.kind == draft.kind and run.active), None)
    if active is not None:
        return _running(draft, active)
    if draft.done:
        return RoadStep(draft.key, draft.title, StepState.DONE)
    if draft.blocked:
        return RoadStep(draft.key, draft.title, StepState.BLOCKED, draft.reason, draft.call)
    closed = gates(draft.kind, facts, destination) if draft.kind else []
    if closed:
        return RoadStep(draft.key, draft.title, StepState.BLOCKED, closed[0].detail)
    failed = next((run for run in facts.runs if draft.kind and run.kind == draft.kind), None)
    reason = draft.reason
    if failed is not None and failed.state == "failed":
        reason = str(failed.problem.get("detail") or "The last run of this kind failed.")
    return RoadStep(draft.key, draft.title, StepState.OPEN, reason, draft.call)


_WAITING = {
    "paused": ("It is paused.", "resume"),
    "waiting_owner": ("It waits for decisions about owners.", "resume"),
    "waiting_admin": ("It waits for an administrator; see the checklist.", "resume"),
    "waiting_quota": ("It waits for the platform's budget of calls and goes on by itself.", ""),
}


def _running(draft: _Draft, run: RunFact) -> RoadStep:
    path = f"/v1/runs/{encode_id('run', run.id)}"
    reason, act = _WAITING.get(run.state, (f"It is {run.state}.", ""))
    if act:
        call = ApiCall("POST", f"{path}/{act}", None, "Send an Idempotency-Key header.")
        return RoadStep(draft.key, draft.title, StepState.BLOCKED, reason, call)
    return RoadStep(draft.key, draft.title, StepState.RUNNING, reason, ApiCall("GET", path))
