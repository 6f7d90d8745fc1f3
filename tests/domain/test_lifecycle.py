"""Transition tables and the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from app.domain.lifecycle import (
    ENGAGEMENT,
    FINAL,
    RUN,
    WAITING,
    Calendar,
    EngagementEvent,
    EngagementState,
    RunEvent,
    RunState,
    TransitionRefused,
    allowed_events,
    due,
    next_state,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def walk(state, *events):
    for event in events:
        state = next_state(state, event)
    return state


def test_the_straight_road_of_an_engagement():
    events = "connect discover propose edit_mapping confirm_mapping provision finish_sample approve_sample finish_full"
    state = walk(EngagementState.DRAFT, *(EngagementEvent(one) for one in events.split()))
    assert state is EngagementState.MIGRATED
    rest = "finish_delta finish_delta go_live close purge"
    assert walk(state, *(EngagementEvent(one) for one in rest.split())) is EngagementState.PURGED


@pytest.mark.parametrize("state", ["confirmed", "provisioned", "sampled", "approved"])
def test_an_edit_voids_confirmation_and_approval(state):
    after = next_state(EngagementState(state), EngagementEvent.EDIT_MAPPING)
    assert after is EngagementState.MAPPED
    with pytest.raises(TransitionRefused):
        next_state(after, EngagementEvent.FINISH_FULL)


@pytest.mark.parametrize("state", ["draft", "connected", "discovered", "mapped", "confirmed", "provisioned", "sampled"])
def test_no_full_run_before_approval(state):
    with pytest.raises(TransitionRefused) as refused:
        next_state(EngagementState(state), EngagementEvent.FINISH_FULL)
    assert "finish_full" not in refused.value.allowed


def test_a_rollback_opens_the_road_again():
    state = walk(EngagementState.LIVE, EngagementEvent.ROLL_BACK, EngagementEvent.EDIT_MAPPING)
    assert state is EngagementState.MAPPED


@pytest.mark.parametrize("state", sorted(WAITING))
def test_a_waiting_run_goes_on_can_pause_and_can_be_cancelled(state):
    assert next_state(state, RunEvent.WAIT_OVER) is RunState.QUEUED
    assert next_state(state, RunEvent.PAUSE) is RunState.PAUSED
    assert walk(state, RunEvent.CANCEL, RunEvent.STOPPED) is RunState.CANCELLED
    with pytest.raises(TransitionRefused):
        next_state(state, RunEvent.COMPLETE)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("quota_exhausted", "waiting_quota"),
        ("owners_missing", "waiting_owner"),
        ("admin_needed", "waiting_admin"),
        ("credentials_rejected", "waiting_credentials"),
        ("complete", "completed"),
        ("fail", "failed"),
    ],
)
def test_what_a_running_run_becomes(event, state):
    assert next_state(RunState.RUNNING, RunEvent(event)) is RunState(state)


def test_a_failed_run_can_be_tried_again_and_a_finished_one_only_rolled_back():
    assert walk(RunState.FAILED, RunEvent.RETRY, RunEvent.START) is RunState.RUNNING
    for state in (RunState.COMPLETED, RunState.CANCELLED):
        assert allowed_events(state) == ("rolled_back",)
    assert allowed_events(RunState.ROLLED_BACK) == ()


def test_every_state_is_reachable_and_leads_to_an_end():
    for table, start, ends in (
        (RUN, RunState.QUEUED, FINAL),
        (ENGAGEMENT, EngagementState.DRAFT, {EngagementState.PURGED}),
    ):
        reached = {start}
        while more := {after for (before, _), after in table.items() if before in reached} - reached:
            reached |= more
        assert reached == set(type(start))
        ending = set(ends)
        while more := {before for (before, _), after in table.items() if after in ending} - ending:
            ending |= more
        assert ending == set(type(start))


def test_an_event_of_the_other_kind_is_refused():
    with pytest.raises(TransitionRefused):
        next_state(EngagementState.CONNECTED, RunEvent.CANCEL)
    with pytest.raises(TransitionRefused):
        next_state(RunState.RUNNING, EngagementEvent.CANCEL)


def codes(calendar, now, state="migrated"):
    return [one.code.value for one in due(calendar, now, state=EngagementState(state))]


CALENDAR = Calendar(
    freeze_at=NOON + 20 * HOUR, window_opens_at=NOON, delta_hours=48, go_live_at=NOON + 40 * HOUR, hypercare_days=5
)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (-1, []),
        (0, ["delta"]),
        (19, ["delta"]),
        (20, ["freeze", "delta", "last_delta"]),
        (40, ["freeze", "delta", "go_live"]),
        (48, ["freeze", "window_overrun", "go_live"]),
    ],
)
def test_what_is_due_around_cut_over(hours, expected):
    assert codes(CALENDAR, NOON + hours * HOUR) == expected


def test_hypercare_and_closing():
    live = NOON + 40 * HOUR
    assert codes(CALENDAR, live + HOUR, "live") == ["hypercare"]
    assert codes(CALENDAR, live + timedelta(days=5), "live") == ["close"]
    found = due(CALENDAR, live + HOUR, state=EngagementState.LIVE)[0]
    assert (found.since, found.until) == (live, live + timedelta(days=5))
    for state in ("closed", "rolled_back", "cancelled", "purged"):
        assert codes(CALENDAR, live + HOUR, state) == []


def test_missing_dates_are_asked_for():
    assert codes(Calendar(), NOON, "mapped") == ["set_dates"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"delta_hours": 23},
        {"delta_hours": 73},
        {"hypercare_days": 4},
        {"hypercare_days": 8},
        {"freeze_at": NOON.replace(tzinfo=None)},
        {"freeze_at": NOON, "go_live_at": NOON - HOUR},
        {"window_opens_at": NOON, "go_live_at": NOON - HOUR},
    ],
)
def test_impossible_calendars_are_refused(wrong):
    with pytest.raises(ValidationError):
        Calendar(**wrong)
