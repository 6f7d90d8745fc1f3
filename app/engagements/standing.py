"""How far an engagement has come, derived from what has happened rather than remembered apart from it."""

from datetime import datetime
from typing import Any

from app.domain.lifecycle import Calendar, Due, EngagementEvent, EngagementState, TransitionRefused, due, next_state
from app.engagements.facts import DESTINATION, REHEARSAL, SOURCE, Account, Facts
from app.engagements.run_kinds import WRITING
from app.errors import Conflict

_DECIDED = frozenset({EngagementState.LIVE, EngagementState.CLOSED, EngagementState.CANCELLED, EngagementState.PURGED})
DECISIONS = {
    EngagementState.LIVE: EngagementEvent.GO_LIVE,
    EngagementState.CLOSED: EngagementEvent.CLOSE,
    EngagementState.CANCELLED: EngagementEvent.CANCEL,
}


class EngagementNotThere(Conflict):
    title = "The engagement has not come that far"


def state_of(facts: Facts) -> EngagementState:
    """The engagement's state. What a person decided (live, closed, cancelled) stands; the rest follows from facts."""
    if facts.purged:
        return EngagementState.PURGED
    stored = EngagementState(facts.state) if facts.state in set(EngagementState) else EngagementState.DRAFT
    rolled_back = _rolled_back(facts)
    if stored in _DECIDED and not (stored is EngagementState.LIVE and rolled_back):
        return stored
    if rolled_back:
        return EngagementState.ROLLED_BACK
    return _reached(facts, facts.account(DESTINATION) or facts.account(REHEARSAL))


def _reached(facts: Facts, target: Account | None) -> EngagementState:
    source = facts.account(SOURCE)
    both = [account for account in (source, target) if account is not None]
    sampled = facts.confirmed is not None and any(
        run.kind == "sample" and run.state == "completed" and run.mapping_id == facts.confirmed.id for run in facts.runs
    )
    reached = (
        (EngagementState.MIGRATED, facts.completed("full", facts.account(DESTINATION)) is not None),
        (EngagementState.APPROVED, facts.approved),
        (EngagementState.SAMPLED, sampled),
        (EngagementState.PROVISIONED, facts.provisioned(target)),
        (EngagementState.CONFIRMED, facts.confirmed is not None),
        (EngagementState.MAPPED, facts.draft is not None),
        (EngagementState.DISCOVERED, len(both) == 2 and all(account.described for account in both)),
        (EngagementState.CONNECTED, len(both) == 2 and all(account.state == "ok" for account in both)),
    )
    return next((state for state, holds in reached if holds), EngagementState.DRAFT)


def _rolled_back(facts: Facts) -> bool:
    """Whether the newest completed run that wrote anything took it back."""
    newest = next((run.kind for run in facts.runs if run.kind in WRITING and run.state == "completed"), "")
    return newest == "rollback"


def decide_state(facts: Facts, wanted: EngagementState) -> EngagementState:
    """The state after a person's decision. Raises EngagementNotThere with what is possible."""
    current = state_of(facts)
    if current is wanted:
        return current
    if wanted is not EngagementState.LIVE and facts.active_writing is not None:
        raise EngagementNotThere("A run is active. Wait for it or cancel it first.")
    try:
        return next_state(current, DECISIONS[wanted])
    except TransitionRefused as refused:
        raise EngagementNotThere(
            f"The engagement is {current.value}; it cannot become {wanted.value} now.", allowed=list(refused.allowed)
        ) from None


def calendar_of(stored: dict[str, Any], facts: Facts) -> Calendar:
    """The agreed dates; the delta window opens with the first full run unless a date was set."""
    calendar = Calendar.model_validate(stored)
    if calendar.window_opens_at is not None:
        return calendar
    opened = [run.started_at for run in facts.runs if run.kind == "full" and run.started_at is not None]
    if not opened or (calendar.go_live_at is not None and opened[-1] > calendar.go_live_at):
        return calendar
    return calendar.model_copy(update={"window_opens_at": opened[-1]})


def due_now(stored: dict[str, Any], facts: Facts, now: datetime) -> tuple[Due, ...]:
    """What the calendar asks for at this moment."""
    return due(calendar_of(stored, facts), now, state=state_of(facts))
