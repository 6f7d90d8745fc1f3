"""Runs on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.engagements.papers import ReportSummary
from app.engagements.run_kinds import Kind
from app.engagements.schemas import Call, EngagementSummary, Request
from app.identifiers import ApiKeyId, ConnectionId, EngagementId, ReportId, RunId

Where = Literal["production", "rehearsal"]
RunPart = Literal["engagement", "reports"]


class RunOptions(Request):
    """What a run may be told; each kind reads its own, the others stay out."""

    size: Annotated[int | None, Field(ge=100, le=500, description="sample: records to move (default 300).")] = None
    leftovers: Annotated[
        bool | None,
        Field(description="rollback of a sample in production: what stays in the vendor's bin is accepted."),
    ] = None
    seed: Annotated[int | None, Field(ge=0, le=2_147_483_647, description="sample: another choice of records.")] = None
    recheck: Annotated[
        bool | None, Field(description="reconcile: read only what changed at either side since the last check.")
    ] = None
    rehearse_rollback: Annotated[
        bool | None,
        Field(
            description="sample: write it, roll it back, compare, write it again. On by default where the destination "
            "lets us suppress automation; elsewhere it starts workflows and fills the recycle bin."
        ),
    ] = None
    cause: Annotated[
        str | None,
        Field(max_length=500, description="replay: the group of failures to send again, as GET …/failures names it."),
    ] = None


class RunCreate(Request):
    """Starts a run."""

    kind: Kind = Field(examples=["discovery"])
    destination: Where = "production"
    options: RunOptions = RunOptions()


class StageView(BaseModel):
    """One stage of the plan."""

    key: str = Field(examples=["load:accounts"])
    kind: str = Field(examples=["load"])
    phase: str = Field(examples=["accounts"])
    name: str = Field(description="The source object, or the mapping's load.", examples=["accounts"])
    state: str = Field(description="pending | running | done | skipped")
    total: int | None
    done: int
    percent: float | None
    counts: dict[str, int]
    started_at: datetime | None
    finished_at: datetime | None


class Progress(BaseModel):
    """Records settled so far. `eta_seconds` is an estimate from the pace, or from the forecast before there is one."""

    total: int
    done: int
    percent: float
    phase: str | None = Field(description="The phase that is being worked on.")
    eta_seconds: int | None


class CallsView(BaseModel):
    """Calls of the destination's API, made and forecast; `source` counts those of the source."""

    made: int
    forecast: int | None
    credits: int
    credits_forecast: int | None
    rejected_429: int
    source: int
    by_purpose: dict[str, int]


class RunProblem(BaseModel):
    """Why a run stands still or ended, and what to do next."""

    code: str = Field(examples=["credentials-rejected"])
    detail: str
    next: str
    call: Call | None = None
    missing: list[str] = Field(default=[], description="What an administrator has to do before the run goes on.")


class RunSummary(BaseModel):
    """A run in a list."""

    object: Literal["run"] = "run"
    id: RunId
    engagement_id: EngagementId
    kind: str
    state: str = Field(
        description="queued | running | paused | waiting_quota | waiting_owner | waiting_admin | cancelling | "
        "cancelled | completed | failed"
    )
    requested: str = Field(description="What was asked of the worker and is not done yet: pause | cancel, or empty.")
    destination: str | None = Field(description="production | rehearsal")
    destination_connection_id: ConnectionId | None
    mapping_version: int | None
    options: dict[str, Any]
    created_by: ApiKeyId | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunView(RunSummary):
    """A run with its progress."""

    progress: Progress
    stages: list[StageView]
    counts: dict[str, int] = Field(description="Sums over the loads: read, created, updated, unchanged, skipped, …")
    calls: CallsView
    forecast: dict[str, Any]
    continues_at: datetime | None = Field(description="When a waiting run goes on by itself.")
    problem: RunProblem | None
    approved: bool = Field(description="For a sample: whether it is the one that was approved.")
    report_ids: list[ReportId]
    engagement: EngagementSummary | None = Field(default=None, description="With `expand=engagement`.")
    reports: list[ReportSummary] | None = Field(default=None, description="With `expand=reports`.")


class RecordView(BaseModel):
    """What became of one planned write; ids and codes, never values."""

    object: Literal["record"] = "record"
    source_object: str
    source_id: str
    target_object: str
    part: str
    destination_id: str | None
    outcome: str = Field(description="created | updated | unchanged | skipped | quarantined | held")
    reason: str
    issues: str = Field(description="Fields with what happened to them, as field:code.")
    owner_id: str
    ours: bool = Field(description="Whether we created the destination record.")
    written_at: datetime


class FindingView(BaseModel):
    """A field that a delta left as people at the destination have it; sensitive values are masked."""

    object: Literal["merge_finding"] = "merge_finding"
    load: str
    source_id: str
    destination_id: str
    field: str
    state: str = Field(description="open | source | kept | done")
    written: Any = Field(description="What we last wrote, as far as it is known.")
    source: Any
    destination: Any
    found_at: datetime


class FailureView(BaseModel):
    """Planned writes that did not arrive for one cause; `cause` replays this group and only this."""

    object: Literal["failure"] = "failure"
    cause: str = Field(examples=["deals:held:unmapped_value:Stage"])
    load: str
    source_object: str
    target_object: str
    part: str
    outcome: str = Field(description="quarantined | held")
    code: str = Field(examples=["unmapped_value"])
    field: str
    records: int
    examples: list[str] = Field(description="Source ids of some of them, never values.")
    advice: str = Field("", description="What a person has to find out before a replay, if anything.")


class PlanView(BaseModel):
    """What a run would do and cost."""

    object: Literal["plan"] = "plan"
    kind: str
    mapping_version: int
    phases: list[str]
    stages: list[dict[str, Any]]
    deferred: list[dict[str, Any]] = Field(description="Links that are set after both ends exist.")
    forecast: dict[str, Any]
    obstacles: list[str] = Field(description="Why the run could not start now; empty when it could.")


class AuditEventView(BaseModel):
    """One entry of a record's history; `block` and `entry` are its place in the chain."""

    block: int
    entry: int
    subject: str = Field(examples=["full:accounts"])
    source_object: str
    source_id: str
    target_object: str
    part: str
    destination_id: str | None
    outcome: str
    reason: str
    at: str


class AuditBreak(BaseModel):
    """The first place at which the chain does not hold; `entry` is null when the whole block is at fault."""

    block: int
    entry: int | None
    why: str


class AuditProofView(BaseModel):
    """Whether the audit log is what was written. `head` is the last link: keep it, and later proofs must lead to it."""

    object: Literal["audit_proof"] = "audit_proof"
    whole: bool
    blocks: int
    entries: int
    head: str
    broken: AuditBreak | None
    history: list[AuditEventView]
