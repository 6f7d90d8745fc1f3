"""States of engagements and runs as transition tables, and the calendar of an engagement."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.domain.exact import Exact
from app.domain.instants import Moment, later
from app.domain.schema import Frozen


class EngagementState(StrEnum):
    """How far an engagement has come."""

    DRAFT = "draft"
    CONNECTED = "connected"
    DISCOVERED = "discovered"
    MAPPED = "mapped"
    CONFIRMED = "confirmed"
    PROVISIONED = "provisioned"
    SAMPLED = "sampled"
    APPROVED = "approved"
    MIGRATED = "migrated"
    LIVE = "live"
    CLOSED = "closed"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"
    PURGED = "purged"


class EngagementEvent(StrEnum):
    """What moves an engagement on."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    DISCOVER = "discover"
    PROPOSE = "propose"
    EDIT_MAPPING = "edit_mapping"
    CONFIRM_MAPPING = "confirm_mapping"
    PROVISION = "provision"
    FINISH_SAMPLE = "finish_sample"
    APPROVE_SAMPLE = "approve_sample"
    REJECT_SAMPLE = "reject_sample"
    FINISH_FULL = "finish_full"
    FINISH_DELTA = "finish_delta"
    GO_LIVE = "go_live"
    ROLL_BACK = "roll_back"
    CLOSE = "close"
    CANCEL = "cancel"
    PURGE = "purge"


class RunState(StrEnum):
    """Where a run stands. The waiting states end by themselves or by a person, the run keeps its place."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING_QUOTA = "waiting_quota"
    WAITING_OWNER = "waiting_owner"
    WAITING_ADMIN = "waiting_admin"
    WAITING_CREDENTIALS = "waiting_credentials"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class RunEvent(StrEnum):
    """What happens to a run."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    STOPPED = "stopped"
    QUOTA_EXHAUSTED = "quota_exhausted"
    OWNERS_MISSING = "owners_missing"
    ADMIN_NEEDED = "admin_needed"
    CREDENTIALS_REJECTED = "credentials_rejected"
    WAIT_OVER = "wait_over"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    ROLLED_BACK = "rolled_back"


State = TypeVar("State", EngagementState, RunState)


class TransitionRefused(ValueError):
    """The event is not possible in this state; `allowed` are the events that are."""

    def __init__(self, state: StrEnum, event: StrEnum, allowed: tuple[str, ...]) -> None:
        possible = ", ".join(allowed) or "none"
        super().__init__(f"{event.value} is not possible in the state {state.value}; possible: {possible}")
        self.state = state
        self.event = event
        self.allowed = allowed


_E, _V = EngagementState, EngagementEvent
_BEFORE_WRITING = (_E.DRAFT, _E.CONNECTED, _E.DISCOVERED, _E.MAPPED, _E.CONFIRMED, _E.PROVISIONED)
# A new mapping version makes confirmation, provisioning and approval void.
_REMAPPABLE = (_E.MAPPED, _E.CONFIRMED, _E.PROVISIONED, _E.SAMPLED, _E.APPROVED, _E.ROLLED_BACK)
_DISCOVERABLE = (_E.CONNECTED, _E.DISCOVERED, _E.MAPPED, _E.CONFIRMED, _E.PROVISIONED, _E.ROLLED_BACK)
_WRITTEN = (_E.SAMPLED, _E.APPROVED, _E.MIGRATED, _E.LIVE)
_ENDED = (_E.CLOSED, _E.CANCELLED, _E.ROLLED_BACK)

ENGAGEMENT: Mapping[tuple[EngagementState, EngagementEvent], EngagementState] = {
    (_E.DRAFT, _V.CONNECT): _E.CONNECTED,
    **dict.fromkeys(((state, _V.DISCONNECT) for state in _BEFORE_WRITING[1:]), _E.DRAFT),
    **{(state, _V.CONNECT): state for state in (*_BEFORE_WRITING[1:], *_WRITTEN, _E.ROLLED_BACK)},
    **dict.fromkeys(((state, _V.DISCOVER) for state in _DISCOVERABLE), _E.DISCOVERED),
    (_E.DISCOVERED, _V.PROPOSE): _E.MAPPED,
    **dict.fromkeys(((state, _V.PROPOSE) for state in _REMAPPABLE), _E.MAPPED),
    **dict.fromkeys(((state, _V.EDIT_MAPPING) for state in _REMAPPABLE), _E.MAPPED),
    (_E.MAPPED, _V.CONFIRM_MAPPING): _E.CONFIRMED,
    (_E.CONFIRMED, _V.PROVISION): _E.PROVISIONED,
    (_E.PROVISIONED, _V.PROVISION): _E.PROVISIONED,
    **dict.fromkeys(((state, _V.FINISH_SAMPLE) for state in (_E.PROVISIONED, _E.SAMPLED, _E.APPROVED)), _E.SAMPLED),
    (_E.SAMPLED, _V.APPROVE_SAMPLE): _E.APPROVED,
    **dict.fromkeys(((state, _V.REJECT_SAMPLE) for state in (_E.SAMPLED, _E.APPROVED)), _E.PROVISIONED),
    (_E.APPROVED, _V.FINISH_FULL): _E.MIGRATED,
    (_E.MIGRATED, _V.FINISH_FULL): _E.MIGRATED,
    **{(state, _V.FINISH_DELTA): state for state in (_E.MIGRATED, _E.LIVE)},
    (_E.MIGRATED, _V.GO_LIVE): _E.LIVE,
    **dict.fromkeys(((state, _V.ROLL_BACK) for state in (_E.PROVISIONED, *_WRITTEN)), _E.ROLLED_BACK),
    (_E.ROLLED_BACK, _V.CONFIRM_MAPPING): _E.CONFIRMED,
    **dict.fromkeys(((state, _V.CLOSE) for state in (_E.LIVE, _E.MIGRATED, _E.ROLLED_BACK)), _E.CLOSED),
    **dict.fromkeys(((state, _V.CANCEL) for state in _BEFORE_WRITING), _E.CANCELLED),
    **dict.fromkeys(((state, _V.PURGE) for state in _ENDED), _E.PURGED),
}

_R, _X = RunState, RunEvent
_WAITS = {
    _X.QUOTA_EXHAUSTED: _R.WAITING_QUOTA,
    _X.OWNERS_MISSING: _R.WAITING_OWNER,
    _X.ADMIN_NEEDED: _R.WAITING_ADMIN,
    _X.CREDENTIALS_REJECTED: _R.WAITING_CREDENTIALS,
}
WAITING = frozenset(_WAITS.values())
"""States in which a run holds its place until something outside has happened."""
FINAL = frozenset({_R.CANCELLED, _R.COMPLETED, _R.ROLLED_BACK})
"""States in which no work is left; a completed or cancelled run can still be rolled back by another run."""

RUN: Mapping[tuple[RunState, RunEvent], RunState] = {
    (_R.QUEUED, _X.START): _R.RUNNING,
    (_R.RUNNING, _X.START): _R.RUNNING,
    **{(state, event): waiting for event, waiting in _WAITS.items() for state in (_R.QUEUED, _R.RUNNING)},
    **dict.fromkeys(((state, _X.WAIT_OVER) for state in sorted(WAITING)), _R.QUEUED),
    **dict.fromkeys(((state, _X.PAUSE) for state in (_R.QUEUED, _R.RUNNING, *sorted(WAITING))), _R.PAUSED),
    (_R.PAUSED, _X.RESUME): _R.QUEUED,
    **dict.fromkeys(
        ((state, _X.CANCEL) for state in (_R.QUEUED, _R.RUNNING, _R.PAUSED, *sorted(WAITING), _R.FAILED)),
        _R.CANCELLING,
    ),
    (_R.CANCELLING, _X.CANCEL): _R.CANCELLING,
    (_R.CANCELLING, _X.STOPPED): _R.CANCELLED,
    (_R.CANCELLING, _X.FAIL): _R.CANCELLED,
    (_R.RUNNING, _X.COMPLETE): _R.COMPLETED,
    **dict.fromkeys(((state, _X.FAIL) for state in (_R.QUEUED, _R.RUNNING)), _R.FAILED),
    (_R.FAILED, _X.RETRY): _R.QUEUED,
    **dict.fromkeys(((state, _X.ROLLED_BACK) for state in (_R.COMPLETED, _R.CANCELLED, _R.FAILED)), _R.ROLLED_BACK),
}


def next_state(state: State, event: EngagementEvent | RunEvent) -> State:
    """The state after the event. Raises TransitionRefused, which lists what is possible."""
    table: Mapping[tuple[StrEnum, StrEnum], StrEnum] = RUN if isinstance(state, RunState) else ENGAGEMENT  # type: ignore[assignment]
    # Members of different enumerations with one text are equal: an event of the other kind must not slip through.
    fitting = RunEvent if isinstance(state, RunState) else EngagementEvent
    found = table.get((state, event)) if isinstance(event, fitting) else None
    if found is None:
        raise TransitionRefused(state, event, allowed_events(state))
    return type(state)(found)


def allowed_events(state: EngagementState | RunState) -> tuple[str, ...]:
    """Events possible in the state, in alphabetical order."""
    table: Mapping[tuple[StrEnum, StrEnum], StrEnum] = RUN if isinstance(state, RunState) else ENGAGEMENT  # type: ignore[assignment]
    return tuple(sorted(event.value for before, event in table if before is state))


class Calendar(Exact):
    """The dates of an engagement, all aware. The delta window opens when the full run's extraction began.

    Lengths: delta window 24 to 72 hours, hypercare 5 to 7 days.
    """

    freeze_at: Moment | None = None
    window_opens_at: Moment | None = None
    delta_hours: int = Field(default=48, ge=24, le=72)
    go_live_at: Moment | None = None
    hypercare_days: int = Field(default=5, ge=5, le=7)

    @model_validator(mode="after")
    def _ordered(self) -> "Calendar":
        if self.freeze_at and self.go_live_at and self.go_live_at < self.freeze_at:
            raise PydanticCustomError("out_of_order", "go-live comes after the freeze")
        if self.window_opens_at and self.go_live_at and self.go_live_at < self.window_opens_at:
            raise PydanticCustomError("out_of_order", "go-live comes after the delta window opens")
        return self

    @property
    def window_closes_at(self) -> datetime | None:
        return later(self.window_opens_at, timedelta(hours=self.delta_hours)) if self.window_opens_at else None

    @property
    def hypercare_ends_at(self) -> datetime | None:
        return later(self.go_live_at, timedelta(days=self.hypercare_days)) if self.go_live_at else None


class DueCode(StrEnum):
    """What the calendar asks for."""

    SET_DATES = "set_dates"
    FREEZE = "freeze"
    DELTA = "delta"
    LAST_DELTA = "last_delta"
    WINDOW_OVERRUN = "window_overrun"
    GO_LIVE = "go_live"
    HYPERCARE = "hypercare"
    CLOSE = "close"


class Due(Frozen):
    """One thing that is due since `since` (None: at once), until `until` where there is an end."""

    code: DueCode
    since: datetime | None
    until: datetime | None = None
    text: str


def due(calendar: Calendar, now: datetime, *, state: EngagementState = EngagementState.MIGRATED) -> tuple[Due, ...]:
    """What is due at `now` (aware) for an engagement in `state`; nothing once it is live and hypercare is over and
    closed, rolled back, cancelled or purged.
    """
    if state in {*_ENDED, EngagementState.PURGED}:
        return ()
    if state is EngagementState.LIVE:
        return _after_go_live(calendar, now)
    found = []
    if calendar.freeze_at is None or calendar.go_live_at is None:
        found.append(Due(code=DueCode.SET_DATES, since=None, text="Agree on the dates of freeze and go-live."))
    if calendar.freeze_at and now >= calendar.freeze_at:
        text = "The source is frozen: nobody edits it, and every mobile device has synchronised."
        found.append(Due(code=DueCode.FREEZE, since=calendar.freeze_at, until=calendar.go_live_at, text=text))
    if state is EngagementState.MIGRATED:
        found += _in_window(calendar, now)
    return tuple(found)


def _in_window(calendar: Calendar, now: datetime) -> list[Due]:
    found = []
    opens, closes, live = calendar.window_opens_at, calendar.window_closes_at, calendar.go_live_at
    if opens and closes and opens <= now < closes:
        text = "Changes since the extraction can be fetched as often as wanted."
        found.append(Due(code=DueCode.DELTA, since=opens, until=closes, text=text))
    if closes and now >= closes:
        text = "The delta window is over; extend it or go live."
        found.append(Due(code=DueCode.WINDOW_OVERRUN, since=closes, text=text))
    if calendar.freeze_at and now >= calendar.freeze_at and (live is None or now < live):
        text = "Run the last delta between freeze and go-live, then reconcile."
        found.append(Due(code=DueCode.LAST_DELTA, since=calendar.freeze_at, until=live, text=text))
    if live and now >= live:
        text = "Go live: people work in the new system from now on."
        found.append(Due(code=DueCode.GO_LIVE, since=live, text=text))
    return found


def _after_go_live(calendar: Calendar, now: datetime) -> tuple[Due, ...]:
    ends = calendar.hypercare_ends_at
    if ends is None or now < ends:
        text = "Hypercare: look at reports of users every day; a rollback is still possible."
        return (Due(code=DueCode.HYPERCARE, since=calendar.go_live_at, until=ends, text=text),)
    text = "Hypercare is over: close the engagement, then its data is purged."
    return (Due(code=DueCode.CLOSE, since=ends, text=text),)
