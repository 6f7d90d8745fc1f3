"""Runs and ledger rows as the schemas of the API."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key
from app.engagements.facts import gather_light
from app.engagements.views import show_report, show_summary
from app.models.engagement import Engagement
from app.models.ledger import Ledger
from app.models.mapping import Report
from app.models.merging import MergeFinding
from app.models.run import Run
from app.runs import service
from app.runs.audit_proof import Proof
from app.runs.findings import open_sides
from app.runs.progress import continues_at, run_calls, run_counts, run_problem, run_progress, stage_view
from app.runs.schemas import AuditBreak, AuditEventView, AuditProofView, FindingView, RecordView, RunSummary, RunView
from app.runtime import Runtime

_PUBLIC_OPTIONS = frozenset({"size", "seed", "batch", "since", "cause", "rehearse_rollback"})


async def show_summaries(session: AsyncSession, runs: Sequence[Run]) -> dict[UUID, RunSummary]:
    """Runs in a list, by id."""
    beside = await service.find_beside(session, runs)
    return {run.id: RunSummary(**_summary(run, beside[run.id])) for run in runs}


def _summary(run: Run, beside: service.Beside) -> dict[str, Any]:
    fields = run.model_dump(
        include={"id", "engagement_id", "kind", "state", "requested", "created_by"}
        | {"created_at", "started_at", "finished_at"}
    )
    return {
        **fields,
        "destination": beside.destination,
        "destination_connection_id": run.destination_id,
        "mapping_version": beside.mapping_version,
        "options": {name: value for name, value in run.options.items() if name in _PUBLIC_OPTIONS},
    }


async def show_run(runtime: Runtime, session: AsyncSession, run: Run) -> RunView:
    """A run with everything a person wants to see of it."""
    stages = await service.find_stages(session, run)
    beside = (await service.find_beside(session, [run]))[run.id]
    return RunView(
        **_summary(run, beside),
        progress=run_progress(run, stages, runtime.now()),
        stages=[stage_view(stage) for stage in stages],
        counts=run_counts(stages),
        calls=run_calls(run),
        forecast=run.forecast,
        continues_at=continues_at(run),
        problem=run_problem(run),
        approved=beside.approved,
        report_ids=beside.report_ids,
    )


async def expand_run(session: AsyncSession, run: Run, view: RunView, parts: Sequence[str]) -> RunView:
    """The view with what the caller wants sent along."""
    if "engagement" in parts:
        engagement = await session.get_one(Engagement, run.engagement_id)
        view.engagement = show_summary(engagement, (await gather_light(session, [engagement]))[engagement.id])
    if "reports" in parts:
        rows = await session.exec(select(Report).where(Report.run_id == run.id).order_by(col(Report.created_at)))
        view.reports = [show_report(report) for report in rows.all()]
    return view


def show_record(row: Ledger) -> RecordView:
    """One row of the ledger, without hashes and values."""
    hidden = {"tenant_id", "engagement_id", "destination_id", "run_id", "sent_hash", "before", "record_id", "created"}
    return RecordView(
        **row.model_dump(exclude=hidden | {"modified_at"}), destination_id=row.record_id, ours=row.created
    )


async def show_findings(
    runtime: Runtime, session: AsyncSession, run: Run, rows: Sequence[MergeFinding]
) -> dict[tuple[str, str, str], FindingView]:
    """Findings with both sides opened, by load, source id and field. Raises EngagementPurged."""
    key = engagement_key(runtime, await session.get_one(Engagement, run.engagement_id))
    return {
        (row.load, row.source_id, row.field): FindingView(
            load=row.load,
            source_id=row.source_id,
            destination_id=row.record_id,
            field=row.field,
            state=row.state,
            found_at=row.found_at,
            **open_sides(key, row.load, row.source_id, row.field, row.sides or b""),
        )
        for row in rows
    }


def show_proof(proof: Proof) -> AuditProofView:
    """A proof of the audit log as callers see it."""
    broken = proof.broken
    return AuditProofView(
        whole=broken is None,
        blocks=proof.blocks,
        entries=proof.entries,
        head=proof.head,
        broken=AuditBreak(block=broken.sequence, entry=broken.entry, why=broken.why) if broken else None,
        history=[
            AuditEventView(
                block=one.sequence,
                entry=one.entry,
                subject=one.subject,
                source_object=one.source_object,
                source_id=one.source_id,
                target_object=one.target_object,
                part=one.part,
                destination_id=one.destination_id,
                outcome=one.outcome,
                reason=one.reason,
                at=one.at,
            )
            for one in proof.history
        ],
    )
