"""What must hold before a run of a kind may start: pure predicates, the same for the API, the road and the tests."""

from uuid import UUID

from app.domain.ids import encode_id
from app.engagements.facts import DESTINATION, REHEARSAL, SOURCE, Account, Facts
from app.engagements.run_kinds import MAPPED, OWNED, PROVISIONED, SENDING, WRITING
from app.errors import (
    AgreementNotConfirmed,
    AnotherRunActive,
    AppError,
    EngagementPurged,
    MappingNotConfirmed,
    OwnersUnresolved,
    ProvisioningIncomplete,
    RollbackLeavesTraces,
    SampleNotApproved,
    StepMissing,
)
from connectors.registry import PLATFORMS

PRODUCTION = "production"


def role_of(destination: str) -> str:
    """The connection role behind the API's word for a destination (production | rehearsal)."""
    return REHEARSAL if destination == REHEARSAL else DESTINATION


def gates(kind: str, facts: Facts, destination: str = PRODUCTION, *, leftovers: bool = False) -> list[AppError]:
    """Everything that stands in the way of a run, in the order in which to mend it; empty means go. `leftovers`: what
    a rehearsal by rollback leaves in production is accepted.
    """
    if facts.purged:
        return [EngagementPurged("The data of this engagement were destroyed; start a new engagement instead.")]
    target = facts.account(role_of(destination))
    found: list[AppError] = [*_account_gates(kind, facts, target, destination)]
    if kind in MAPPED and facts.confirmed is None:
        found.append(mapping_gate(facts))
    if kind in OWNED:
        found.extend(owner_gates(facts))
    if kind in PROVISIONED and facts.confirmed is not None and not facts.provisioned(target):
        found.append(
            ProvisioningIncomplete(
                f"Provisioning of mapping version {facts.confirmed.version} has not completed at the {destination} "
                'destination. Start a run of kind "provision" and finish its checklist.'
            )
        )
    if kind in SENDING and facts.confirmed is not None and facts.confirmed.sensitive and not facts.agreed:
        found.append(agreement_gate(facts.engagement_id))
    found.extend(_history_gates(kind, facts, target))
    if kind == "rollback" and destination == PRODUCTION and not leftovers:
        found.extend(_trace_gates(facts, target))
    found.extend(_busy_gates(kind, facts))
    return found


def mapping_gate(facts: Facts) -> AppError:
    """Why there is no confirmed mapping, and what brings one about."""
    base = f"/v1/engagements/{encode_id('engagement', facts.engagement_id)}/mapping"
    if facts.draft is None:
        return MappingNotConfirmed(
            f"There is no mapping yet. Propose one (POST {base}/propose), review it, then confirm it "
            f"(POST {base}/confirm). Nothing is written to a destination before that."
        )
    return MappingNotConfirmed(
        f"Mapping version {facts.draft.version} is a draft. Review it and confirm it (POST {base}/confirm); nothing is "
        "written to a destination before that.",
        mapping_version=facts.draft.version,
    )


def agreement_gate(engagement_id: UUID) -> AppError:
    """What whoever answers for the data has to say first."""
    path = f"/v1/engagements/{encode_id('engagement', engagement_id)}/agreement"
    return AgreementNotConfirmed(
        "The mapping sends sensitive fields (health data, national ids, access codes). Make sure that an agreement "
        f"with the destination's vendor covers them, then confirm it with an owner's key: PUT {path}."
    )


def owner_gates(facts: Facts) -> list[AppError]:
    """Owners that nobody has decided on."""
    if facts.owners is None or not facts.owners.unresolved:
        return []
    path = f"/v1/engagements/{encode_id('engagement', facts.engagement_id)}/owners"
    return [
        OwnersUnresolved(
            f"{facts.owners.unresolved} of {facts.owners.total} source users have no owner at the destination. See "
            f"them with GET {path}; then PUT the same path with a destination user for each, or with fallback_user_id.",
            owners=facts.owners.as_dict(),
        )
    ]


def _account_gates(kind: str, facts: Facts, target: Account | None, destination: str) -> list[AppError]:
    """Discovery needs proven accounts, everything else what discovery found in them."""
    found: list[AppError] = []
    base = f"/v1/engagements/{encode_id('engagement', facts.engagement_id)}"
    wanted = {SOURCE: facts.account(SOURCE), role_of(destination): target}
    if kind == "discovery":  # it looks at every account there is
        wanted.update(facts.accounts)
    for role, account in wanted.items():
        path = f"{base}/connections/{role}"
        if account is None:
            found.append(StepMissing(f"There is no {role} connection. PUT {path} with its credentials."))
        elif account.state != "ok":
            found.append(StepMissing(f"The {role} connection is {account.state}. POST {path}/test proves it."))
        elif kind != "discovery" and not account.described:
            found.append(
                StepMissing(f'The {role} side has not been discovered. POST {base}/runs with kind "discovery".')
            )
    return found


def _history_gates(kind: str, facts: Facts, target: Account | None) -> list[AppError]:
    """What must have happened before."""
    if kind == "full" and facts.confirmed is not None and not facts.approved:
        return [_approval_gate(facts)]
    if kind in ("delta", "reassign_owners") and facts.completed("full", target) is None:
        return [StepMissing(f'A run of kind "{kind}" follows a completed full run; there is none at this destination.')]
    loaded = facts.completed("full", target) or facts.completed("sample", target)
    if kind in ("reconcile", "replay") and loaded is None:
        return [StepMissing(f"There is nothing to {kind}: no full or sample run has completed at this destination.")]
    checked = facts.completed("reconcile", target) or facts.completed("full", target)
    if kind == "repair" and checked is None:
        return [StepMissing('Nothing has been compared yet. Start a run of kind "reconcile" first.')]
    if kind == "rollback" and not (facts.started("full", target) or facts.started("sample", target)):
        return [StepMissing("There is nothing to roll back: no full or sample run has written to this destination.")]
    return []


def _trace_gates(facts: Facts, target: Account | None) -> list[AppError]:
    """A rehearsal that is taken back fills the recycle bin and starts automation where the vendor offers no way round:
    that is a person's choice (ruling 23). A full run is always taken back on request.
    """
    if target is None or facts.started("full", target) is not None:
        return []
    can = PLATFORMS[target.platform].capabilities
    if can.restore_deleted and can.suppress_automation:
        return []
    return [
        RollbackLeavesTraces(
            "Taking back a sample here leaves deleted records in the recycle bin, and every write starts workflows. "
            'Switch automation off, then send "options": {"leftovers": true}; or rehearse in another account.'
        )
    ]


def _approval_gate(facts: Facts) -> AppError:
    assert facts.confirmed is not None
    version = facts.confirmed.version
    sample = next(
        (
            run
            for run in facts.runs
            if run.kind == "sample" and run.state == "completed" and run.mapping_id == facts.confirmed.id
        ),
        None,
    )
    if sample is None:
        return SampleNotApproved(
            f'No sample of mapping version {version} has completed. Start a run of kind "sample", look at its diff, '
            "then approve it."
        )
    run_id = encode_id("run", sample.id)
    return SampleNotApproved(
        f"Sample run {run_id} of mapping version {version} waits for approval. Look at its diff report, then POST "
        f"/v1/runs/{run_id}/approve, or change the mapping and sample again.",
        run_id=run_id,
    )


def _busy_gates(kind: str, facts: Facts) -> list[AppError]:
    """One writing run per engagement at a time, and no two of a kind."""
    for run in facts.runs:
        if run.active and (run.kind == kind or (kind in WRITING and run.kind in WRITING)):
            run_id = encode_id("run", run.id)
            return [
                AnotherRunActive(
                    f"The {run.kind} run {run_id} is {run.state}. Wait for it (GET /v1/runs/{run_id}) or end it "
                    f"(POST /v1/runs/{run_id}/cancel).",
                    run_id=run_id,
                )
            ]
    return []
