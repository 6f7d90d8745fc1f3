"""The gates and the road as pure functions: no database, no HTTP."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.engagements.facts import Account, Facts, MappingFact, RunFact
from app.engagements.gates import gates
from app.engagements.owners import OwnerCounts
from app.engagements.road import StepState, next_step, road
from app.engagements.run_kinds import KINDS
from app.engagements.standing import state_of
from app.errors import AppError

SOURCE = Account(UUID(int=1), "source", "servicetracker", "ok", described=True)
TARGET = Account(UUID(int=2), "destination", "zoho_crm", "ok", described=True)
REHEARSAL = Account(UUID(int=3), "rehearsal", "zoho_crm", "ok", described=True)
UNSEEN = replace(SOURCE, described=False)
BROKEN = replace(REHEARSAL, state="failed")
MAPPING = MappingFact(UUID(int=10), 1, "confirmed")


def run(number: int, kind: str, state: str = "completed", mapping: UUID | None = MAPPING.id) -> RunFact:
    return RunFact(UUID(int=number), kind, state, mapping, TARGET.id)


READY = Facts(
    engagement_id=UUID(int=100),
    accounts={"source": SOURCE, "destination": TARGET},
    confirmed=MAPPING,
    owners=OwnerCounts(total=3, matched=3),
    runs=(run(20, "provision"), run(19, "preflight"), run(18, "discovery")),
)
APPROVED = replace(READY, runs=(run(30, "sample"), *READY.runs), approved_run_id=UUID(int=30))
MOVED = replace(APPROVED, runs=(run(40, "full"), *APPROVED.runs))


def codes(found: list[AppError]) -> list[str]:
    return [error.code for error in found]


def test_everything_is_refused_by_an_empty_engagement() -> None:
    for kind in KINDS:
        assert "step-missing" in codes(gates(kind, Facts(engagement_id=UUID(int=100))))


def test_a_rehearsal_by_rollback_is_a_choice_where_it_leaves_traces() -> None:
    """A sample that is taken back fills the bin and starts workflows, unless the vendor offers a way round."""
    fresh = replace(TARGET, platform="freshsales")
    sampled = replace(APPROVED, accounts={"source": SOURCE, "destination": fresh})
    assert codes(gates("rollback", sampled)) == ["rollback-leaves-traces"]
    assert codes(gates("rollback", sampled, leftovers=True)) == []
    assert codes(gates("rollback", replace(sampled, runs=(run(40, "full"), *sampled.runs)))) == []
    assert codes(gates("rollback", APPROVED)) == []


def test_nothing_starts_after_the_purge() -> None:
    for kind in KINDS:
        assert codes(gates(kind, replace(MOVED, purged=True))) == ["engagement-purged"]


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("discovery", replace(READY, accounts={"source": UNSEEN, "destination": TARGET})),
        ("preflight", READY),
        ("provision", replace(READY, runs=())),
        ("sample", READY),
        ("full", APPROVED),
        ("delta", MOVED),
        ("reconcile", MOVED),
        ("reconcile", APPROVED),
        ("rollback", MOVED),
        ("rollback", APPROVED),
        ("rollback", replace(READY, confirmed=None, runs=(run(30, "full", "cancelled"),))),
        ("reassign_owners", MOVED),
    ],
)
def test_open(kind: str, facts: Facts) -> None:
    assert gates(kind, facts) == []


@pytest.mark.parametrize(
    ("kind", "facts", "code"),
    [
        ("discovery", replace(READY, accounts={"source": SOURCE}), "step-missing"),
        ("discovery", replace(READY, accounts={**READY.accounts, "rehearsal": BROKEN}), "step-missing"),
        ("preflight", replace(READY, accounts={"source": UNSEEN, "destination": TARGET}), "step-missing"),
        ("provision", replace(READY, confirmed=None), "mapping-not-confirmed"),
        ("sample", replace(READY, owners=OwnerCounts(total=3, matched=2, inactive=1)), "owners-unresolved"),
        ("sample", replace(READY, runs=(run(20, "provision", "failed"),)), "provisioning-incomplete"),
        ("sample", replace(READY, runs=(run(20, "provision", mapping=UUID(int=11)),)), "provisioning-incomplete"),
        ("full", READY, "sample-not-approved"),
        ("full", replace(APPROVED, confirmed=MappingFact(UUID(int=11), 2, "confirmed")), "sample-not-approved"),
        ("delta", APPROVED, "step-missing"),
        ("reconcile", READY, "step-missing"),
        ("rollback", READY, "step-missing"),
        ("reassign_owners", APPROVED, "step-missing"),
        ("sample", replace(READY, runs=(run(50, "full", "paused"), *READY.runs)), "another-run-active"),
        ("preflight", replace(READY, runs=(run(50, "preflight", "queued"), *READY.runs)), "another-run-active"),
    ],
)  # fmt: skip
def test_closed(kind: str, facts: Facts, code: str) -> None:
    found = gates(kind, facts)
    assert code in codes(found)
    assert all(
        (error.status == 409 and "/v1/" in error.detail) or "kind" in error.detail or error.detail for error in found
    )


def test_rehearsal_needs_its_own_provisioning() -> None:
    facts = replace(READY, accounts={**READY.accounts, "rehearsal": REHEARSAL})
    assert gates("sample", facts) == []
    assert codes(gates("sample", facts, "rehearsal")) == ["provisioning-incomplete"]


def test_reading_runs_may_stand_beside_a_writing_one() -> None:
    busy = replace(MOVED, runs=(run(50, "delta", "running"), *MOVED.runs))
    assert gates("preflight", busy) == []
    assert codes(gates("rollback", busy)) == ["another-run-active"]


@pytest.mark.parametrize("facts", [Facts(engagement_id=UUID(int=100)), READY, APPROVED, MOVED])
def test_road_never_invites_to_a_refusal(facts: Facts) -> None:
    for step in road(facts):
        if step.call is not None and step.call.path.endswith("/runs") and step.state is StepState.OPEN:
            assert step.call.body is not None
            assert gates(step.call.body["kind"], facts) == []
        if step.state is StepState.BLOCKED:
            assert step.reason


def test_next_step_moves_on() -> None:
    keys = []
    for facts in (Facts(engagement_id=UUID(int=100)), READY, APPROVED, MOVED):
        step = next_step(road(facts))
        assert step is not None
        keys.append(step.key)
    assert keys == ["connect_source", "sample", "full", "delta"]


def test_delta_counts_only_after_the_latest_full_run() -> None:
    done = {step.key: step.state for step in road(replace(MOVED, runs=(run(60, "delta"), *MOVED.runs)))}
    assert done["delta"] is StepState.DONE
    again = replace(MOVED, runs=(run(70, "full"), run(60, "delta"), *MOVED.runs))
    assert {step.key: step.state for step in road(again)}["delta"] is StepState.OPEN


def test_state_follows_facts() -> None:
    assert [state_of(facts).value for facts in (Facts(engagement_id=UUID(int=1)), READY, APPROVED, MOVED)] == [
        *("draft", "provisioned", "approved", "migrated")
    ]
    assert state_of(replace(MOVED, runs=(run(50, "rollback"), *MOVED.runs))).value == "rolled_back"
    assert state_of(replace(MOVED, state="live")).value == "live"
    assert state_of(replace(MOVED, purged=True)).value == "purged"
