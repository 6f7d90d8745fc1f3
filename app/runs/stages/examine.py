"""The preflight: goes once through everything that was extracted, and sets it beside what the destination offers."""

from app.domain.editions import edition_facts
from app.domain.gaps import gap_report
from app.domain.losses import FieldLoss, LossScan
from app.domain.mapping import MappingDocument
from app.domain.proposing import propose
from app.domain.quality import QualityReport, QualityScan
from app.domain.schema import Inventory
from app.domain.taking import PARENTS, TAKEN, FileWeight, ParentCounter, TakeCounter
from app.domain.telling import with_told
from app.errors import StepMissing
from app.runs.opening import connection_for, newest_inventory
from app.runs.reports import save_report
from app.runs.stages.describe import keep_inventory
from app.runs.stages.extract import source_inventory
from app.runs.staging import Scope
from app.runs.work import StageRow, Work
from connectors.base import Platform
from connectors.registry import load_blueprint


async def examine(work: Work, stage: StageRow) -> None:
    """Quality of the source, losses of the mapping and gaps of the destination, each as a report; fill rates go into
    the inventory."""
    source: Inventory = await source_inventory(work)
    try:
        destination = await newest_inventory(work, (await connection_for(work, "destination")).id)
    except StepMissing:
        destination = await newest_inventory(work, (await connection_for(work, "rehearsal")).id)
    document = work.document or propose(
        load_blueprint(work.source_platform.slug, work.destination_platform.slug), source, destination
    )
    taken = TakeCounter(document)
    weight = FileWeight(document)
    objects = work.destination_platform.objects
    parents = ParentCounter(document, {name: one.parent_field for name, one in objects.items() if one.with_parent})
    losses = LossScan(document, source, destination)
    watchers = (taken, parents, weight, losses)
    report = with_told(await _scan(work, stage, document, source, destination, watchers), source)
    await _keep_fill(work, source, report, {TAKEN: taken.counts(), PARENTS: parents.counts()})
    await _save_quality(work, report)
    await _save_losses(work, losses.finish())
    await _save_gaps(work, document, source, destination, weight.bytes)
    await _set_mark(work)


async def _scan(
    work: Work,
    stage: StageRow,
    document: MappingDocument,
    source: Inventory,
    destination: Inventory,
    watchers: tuple[TakeCounter | ParentCounter | FileWeight | LossScan, ...],
) -> QualityReport:
    scan = QualityScan(
        document,
        source,
        destination,
        key=work.key.hash_key,
        region=work.source_platform.facts.get("phone_region", "US"),
    )
    async with work.transaction() as connection:
        counts = await work.staging.counts(connection)
    stage.total = sum(counts.values())
    for name in counts:
        after = ""
        while True:
            work.check_stop()
            async with work.transaction() as connection:
                rows = await work.staging.page(connection, name, after, upto=None, limit=2000, scope=Scope())
                stage.counts["examined"] = stage.counts.get("examined", 0) + len(rows)
                await work.lease.guard(connection)
                await work.save_stage(connection, stage)
            if not rows:
                break
            for row in rows:
                scan.add(name, row.record)
                for one in watchers:
                    one.add(name, row.source_id, row.record)
            after = rows[-1].source_id
    return scan.finish()


async def _keep_fill(work: Work, source: Inventory, report: QualityReport, counted: dict[str, dict[str, int]]) -> None:
    """Fill rates and counts, and what the forecast needs to know of loads."""
    fill: dict[str, dict[str, int]] = {}
    for one in report.fill:
        fill.setdefault(one.object, {})[one.field] = one.filled
    counts = {**source.counts, **report.records}
    facts = {**source.facts, **{name: dict(numbers) for name, numbers in counted.items()}}
    enriched = source.model_copy(update={"fill": fill, "counts": counts, "facts": facts})
    connection = await connection_for(work, "source")
    await keep_inventory(work, connection.id, enriched, connection.facts)


async def _save_quality(work: Work, report: QualityReport) -> None:
    summary = {
        "records": sum(report.records.values()),
        "findings": len(report.findings),
        "by_code": _by_code(report),
    }
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await save_report(work, connection, "preflight", summary, report.model_dump(mode="json"))


async def _save_losses(work: Work, losses: tuple[FieldLoss, ...]) -> None:
    """What the mapping would lose, per field with examples, so that nobody confirms it unawares."""
    summary: dict[str, int] = {"fields": len({(one.load, one.target) for one in losses})}
    for one in losses:
        summary[one.kind] = summary.get(one.kind, 0) + one.count
    body = {"losses": [one.model_dump(mode="json") for one in losses]}
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await save_report(work, connection, "losses", summary, body)


def _by_code(report: QualityReport) -> dict[str, int]:
    totals: dict[str, int] = {}
    for finding in report.findings:
        totals[finding.code] = totals.get(finding.code, 0) + finding.count
    return totals


async def _save_gaps(
    work: Work, document: MappingDocument, source: Inventory, destination: Inventory, file_bytes: int
) -> None:
    platform: Platform = work.destination_platform
    ladder = [edition_facts(one.name, one.api_access, one.facts) for one in platform.editions.values()]
    name = destination.edition or ""
    found = platform.editions.get(name) or next((one for one in platform.editions.values() if one.name == name), None)
    edition = (
        edition_facts(found.name, found.api_access, found.facts)
        if found
        else edition_facts(name, True, destination.facts)
    )
    report = gap_report(
        document,
        destination,
        edition,
        ladder=ladder,
        source=source,
        file_bytes=file_bytes,
        quiet=platform.capabilities.suppress_automation,
        restores=platform.capabilities.restore_deleted,
    )
    summary = {
        "edition": report.edition,
        "blocked": report.blocked,
        "findings": len(report.findings),
        "changes": len(report.changes),
        "not_moving": len(report.not_moving),
    }
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await save_report(work, connection, "gap", summary, report.model_dump(mode="json"))


async def _set_mark(work: Work) -> None:
    """The instant up to which the source has been read: when this run began."""
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(
            "UPDATE engagements SET extraction_mark = (SELECT started_at FROM runs WHERE id = $2) WHERE id = $1",
            *(work.run.engagement_id, work.run.id),
        )
