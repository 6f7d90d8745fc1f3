"""The stages of a run, stored when it first starts; and the same plan as a preview before anybody starts it."""

from collections.abc import Mapping as Facts
from datetime import datetime, timedelta
from typing import Any, cast

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key, unseal_document
from app.domain.blueprint import Blueprint
from app.domain.forecasting import CallFacts
from app.domain.mapping import LoadMode, MappingDocument
from app.domain.planning import PlanFacts, RunKind, RunPlan, StageKind, StagePlan, plan_run
from app.domain.provisioning import find_field, find_object
from app.domain.schema import Inventory
from app.domain.taking import PARENTS, TAKEN
from app.errors import PlanImpossible, StepMissing
from app.models.engagement import Connection, Engagement
from app.models.mapping import InventoryDocument, Mapping
from app.runs.failures import take_up
from app.runs.opening import connection_for, newest_inventory
from app.runs.staging import Staging
from app.runs.work import StageRow, Work
from app.runtime import Runtime
from connectors.base import ObjectFacts, Platform, WriteStyle
from connectors.registry import PLATFORMS, load_blueprint

_PLANNED = {
    "sample": RunKind.SAMPLE,
    "full": RunKind.FULL,
    "delta": RunKind.DELTA,
    "reconcile": RunKind.RECONCILE,
    "repair": RunKind.REPAIR,
    "replay": RunKind.REPLAY,
    "rollback": RunKind.ROLLBACK,
    "reassign_owners": RunKind.REASSIGN,
}


SAMPLE = 150  # records a sample usually has, for its forecast before they are chosen


async def plan_stages(work: Work) -> list[StageRow]:
    """The run's stages: those stored, or on the first call those of a fresh plan. Raises PlanImpossible."""
    async with work.transaction() as connection:
        rows = await connection.fetch("SELECT * FROM run_stages WHERE run_id = $1 ORDER BY ordinal", work.run.id)
    if rows:
        return [_row(row) for row in rows]
    forecast: dict[str, Any] = {}
    if work.run.kind in _PLANNED:
        document = work.mapping()
        if work.run.kind == "replay":
            document = await take_up(work, document)
        facts = await _facts(work)
        plan = _plan(work.run.kind, document, facts, _exports(work))
        stages = list(plan.stages)
        forecast = _forecast(plan, facts.calls, work.now())
    else:
        stages = await _own_stages(work)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.executemany(
            "INSERT INTO run_stages (run_id, key, tenant_id, ordinal, kind, phase, load, after, state, cursor, total,"
            " counts, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', '', $9, '{}', '{}')",
            [
                (
                    *(work.run.id, stage.key, work.run.tenant_id, number, stage.kind.value, stage.phase, stage.name),
                    *(list(_after(stage)), stage.records or None),
                )
                for number, stage in enumerate(stages)
            ],
        )
        await connection.execute("UPDATE runs SET forecast = $2 WHERE id = $1", work.run.id, forecast)
    return await plan_stages(work)


async def forecast_again(work: Work) -> None:
    """Once a delta has read its changes their number is known: what was forecast before that counted nothing."""
    facts = await _facts(work)
    plan = _plan(work.run.kind, work.mapping(), facts, _exports(work))
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(
            "UPDATE runs SET forecast = $2 WHERE id = $1", work.run.id, _forecast(plan, facts.calls, work.now())
        )


def _after(stage: StagePlan) -> tuple[str, ...]:
    """What must be done before; of a stream that is begun the scheduler knows (see `scheduling`)."""
    return tuple(dict.fromkeys((*stage.after, *((stage.streams_from,) if stage.streams_from else ()))))


def _row(row: Any) -> StageRow:
    return StageRow(
        *(row["key"], row["kind"], row["phase"], row["load"], tuple(row["after"]), row["state"]),
        *(row["cursor"], row["total"], row["counts"], row["detail"]),
    )


def _plan(kind: str, document: MappingDocument, facts: PlanFacts, exports: list[str]) -> RunPlan:
    try:
        return plan_run(_PLANNED[kind], document, facts, exports=exports, overlap=kind == "full")
    except ValueError as problem:
        raise PlanImpossible(str(problem)) from problem


def _exports(work: Work) -> list[str]:
    blueprint = load_blueprint(work.source_platform.slug, work.destination_platform.slug)
    return [export.key for export in blueprint.exports]


def _forecast(plan: RunPlan, calls: CallFacts, now: datetime) -> dict[str, Any]:
    """Calls, credits and time per phase and in sum, when a run that starts now would end, and the budget behind it."""
    phases: dict[str, dict[str, int]] = {}
    for stage in plan.stages:
        phase = phases.setdefault(stage.phase, {"records": 0, "calls": 0, "credits": 0})
        phase["records"] += stage.records
        phase["calls"] += stage.write_calls + stage.read_calls
        phase["credits"] += stage.credits
    budget = {
        "per_window": calls.credits_per_window, "window_seconds": calls.quota_window, "reserved_share": calls.reserve
    }  # fmt: skip
    ends = now + timedelta(seconds=plan.forecast.seconds)
    return {
        **plan.forecast.model_dump(mode="json"), "phases": phases, "ends_at": ends.isoformat(), "budget": budget
    }  # fmt: skip


async def _own_stages(work: Work) -> list[StagePlan]:
    """Runs that need no mapping: discovery, preflight, provisioning."""
    if work.run.kind == "discovery":
        roles = await _roles(work)
        return [_own("describe", role, "discovery") for role in roles]
    if work.run.kind == "preflight":
        inventory = await newest_inventory(work, (await connection_for(work, "source")).id)
        names = [name for name, count in inventory.counts.items() if count]
        extracts = [_own("extract", name, "extract") for name in names]
        return [*extracts, _own("examine", "source", "examine", after=tuple(stage.key for stage in extracts))]
    if work.run.kind == "provision":
        return [_own("provision", "schema", "provision")]
    raise PlanImpossible(f"There is no plan for a run of kind {work.run.kind!r}.")


def _own(kind: str, name: str, phase: str, after: tuple[str, ...] = ()) -> StagePlan:
    return StagePlan.model_construct(
        key=f"{kind}:{name}",
        kind=cast("StageKind", _Kind(kind)),
        name=name,
        phase=phase,
        after=after,
        streams_from="",
        records=0,
    )


class _Kind(str):
    """A stage kind that the planner does not know, with the one attribute that is read of it."""

    @property
    def value(self) -> str:
        return str(self)


async def _roles(work: Work) -> list[str]:
    async with work.runtime.db.transaction(work.run.tenant_id) as session:
        found = await session.exec(select(Connection.role).where(Connection.engagement_id == work.run.engagement_id))
        return sorted(found.all(), key=("source", "destination", "rehearsal").index)


async def _facts(work: Work) -> PlanFacts:
    async with work.runtime.db.transaction(work.run.tenant_id) as session:
        engagement = await session.get_one(Engagement, work.run.engagement_id)
        destination = await session.get(Connection, work.run.destination_id) if work.run.destination_id else None
        return await plan_facts(
            work.runtime,
            session,
            engagement,
            work.mapping(),
            destination,
            dict(work.run.options),
            work.staging,
            work.run.kind,
        )


async def plan_facts(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    document: MappingDocument,
    destination: Connection | None,
    options: dict[str, Any],
    staging: Staging,
    kind: str,
) -> PlanFacts:
    """Counts from what is staged, references from the source's inventory, limits from the destination's manifest."""
    async with runtime.db.connection(engagement.tenant_id) as raw:
        counts = await staging.counts(raw)
        if options.get("batch") is not None:
            rows = await raw.fetch(
                "SELECT object, count(*) AS n FROM staged_changes WHERE engagement_id = $1 AND batch = $2 GROUP BY 1",
                *(engagement.id, int(options["batch"])),
            )
            counts = {row["object"]: row["n"] for row in rows}
    if options.get("sample") is not None:
        counts = {name: len(ids) for name, ids in options["sample"].items()}
    elif kind == "sample" and (total := sum(counts.values())) > SAMPLE:
        counts = {name: -(-count * SAMPLE // total) for name, count in counts.items()}
    inventory = await _newest(runtime, session, engagement, "source")
    references = {
        f"{spec.name}.{field.name}": field.references
        for spec in (inventory.objects if inventory else ())
        for field in spec.fields
        if field.references
    }
    platform = PLATFORMS[engagement.destination]
    return PlanFacts(
        counts=counts,
        load_counts=_load_counts(document, counts, inventory),
        load_parents=_load_parents(document, counts, inventory),
        references=references,
        exported=_exported(load_blueprint(engagement.source, engagement.destination), inventory),
        rehearse=kind == "sample" and bool(options.get("rehearse_rollback")),
        calls=call_facts(platform, destination, document, await _newest(runtime, session, engagement, "destination")),
    )


def _exported(blueprint: Blueprint, source: Inventory | None) -> dict[str, tuple[str, ...]]:
    """What each file is made of, as far as this source has it: its own object and those whose names stand in it."""
    there = {spec.name for spec in source.objects} if source else set()
    made_of = {one.key: (one.source_object, *(name.object for name in one.names)) for one in blueprint.exports}
    return {key: tuple(name for name in dict.fromkeys(names) if name in there) for key, names in made_of.items()}


def _load_counts(document: MappingDocument, counts: dict[str, int], source: Inventory | None) -> dict[str, int]:
    """Planned writes where they differ from the object's count: links only exist where the reference is filled, and
    conditions take a share that the preflight has counted.
    """
    result: dict[str, int] = {}
    taken = source.facts.get(TAKEN) if source is not None else None
    for load in document.loads:
        whole = source.counts.get(load.source_object, 0) if source is not None else 0
        share = taken.get(load.key) if isinstance(taken, dict) else None
        if load.when and whole and isinstance(share, int):
            result[load.key] = -(-counts.get(load.source_object, 0) * share // whole)
        if load.mode is LoadMode.LINK and source is not None:
            fill = source.fill.get(load.source_object, {})
            filled = [fill.get(name, 0) for rule in load.fields for name in rule.sources if rule.target != "id"]
            result[load.key] = min(max(filled, default=0), counts.get(load.source_object, 0))
    return result


def _load_parents(document: MappingDocument, counts: dict[str, int], source: Inventory | None) -> dict[str, int]:
    """The parents that the preflight counted, in proportion where a run takes part of the records."""
    known = source.facts.get(PARENTS) if source is not None else None
    if source is None or not isinstance(known, dict):
        return {}
    found: dict[str, int] = {}
    for load in document.loads:
        whole, parents = source.counts.get(load.source_object, 0), known.get(load.key)
        if whole and isinstance(parents, int):
            found[load.key] = -(-parents * counts.get(load.source_object, 0) // whole)
    return found


def call_facts(
    platform: Platform,
    destination: Connection | None,
    document: MappingDocument | None = None,
    inventory: Inventory | None = None,
) -> CallFacts:
    """What the forecast needs of a destination account: the mapping says how wide its records are, the inventory which
    keys are unique there, so that records can be written in bulk.
    """
    wide: dict[str, int] = {}
    for load in document.loads if document else ():
        fields = {rule.target for other in document.loads if other.target_object == load.target_object
                  for rule in other.fields} if document else set()  # fmt: skip
        wide[load.target_object] = -(-max(len(fields), 1) // platform.limits.fields_per_read)
    known = destination.facts if destination else {}
    edition = platform.editions.get(str(known.get("edition") or ""))
    facts: dict[str, Any] = {
        **(edition.facts if edition else {}), **known, **(destination.config if destination else {})
    }  # fmt: skip
    batch, per_batch = _batches(platform, document, inventory)
    concurrency = (edition.concurrency if edition else None) or platform.limits.concurrency
    budget = next((facts[name] for name in BUDGETS if isinstance(facts.get(name), int | float)), None)
    return CallFacts(
        batch=batch,
        calls_per_batch=per_batch,
        read_batches={name: one.read_batch for name, one in platform.objects.items()},
        delete_batches={name: one.delete_batch for name, one in platform.objects.items()},
        records_per_credit=_records_per_credit(facts),
        calls_per_object=platform.limits.calls_per_object,
        single=tuple(name for name, one in platform.objects.items() if one.style is WriteStyle.FILE),
        listed=tuple(name for name, one in platform.objects.items() if one.style is WriteStyle.FILE),
        keyless=tuple(name for name, one in platform.objects.items() if one.key_field is None),
        with_parent=tuple(name for name, one in platform.objects.items() if one.with_parent),
        wide=wide,
        concurrency=min(concurrency, 10),
        credits_per_window=int(budget) if isinstance(budget, int | float) else None,
        reserve=float(facts.get("reserve") or 0.0),
        quota_window=float(facts.get("quota_window") or platform.limits.quota_window),
    )


BUDGETS = ("budget", "credits_per_day", "calls_per_window")
"""Names of the facts that hold the budget of a quota window, in the order in which they count."""


def _records_per_credit(facts: Facts[str, Any]) -> int:
    """Where the budget is one of calls, a call costs one whatever it carries."""
    return 0 if "calls_per_window" in facts else CallFacts().records_per_credit


def _batches(
    platform: Platform, document: MappingDocument | None, inventory: Inventory | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Records per call and calls per batch, by object: in bulk only where the key is unique in this account."""
    batch, calls = {"*": platform.limits.batch}, {}
    names = {load.target_object for load in document.loads} if document else set()
    for name in sorted(names | platform.objects.keys()):
        facts = platform.object_facts(name)
        if facts.insert_batch and not _key_is_unique(facts, document, inventory, name):
            batch[name] = facts.insert_batch
        else:
            batch[name], calls[name] = facts.batch, facts.calls_per_batch
    return batch, calls


def _key_is_unique(
    facts: ObjectFacts, document: MappingDocument | None, inventory: Inventory | None, name: str
) -> bool:
    if document is None or inventory is None or (spec := find_object(document, inventory, name)) is None:
        return False
    field = find_field(document, spec, name, facts.key_field or document.external_id)
    return field is not None and (field.unique or field.external_id)


async def _newest(runtime: Runtime, session: AsyncSession, engagement: Engagement, role: str) -> Inventory | None:
    query = (
        select(InventoryDocument)
        .join(Connection, Connection.id == InventoryDocument.connection_id)  # type: ignore[arg-type]
        .where(Connection.engagement_id == engagement.id, Connection.role == role)
        .order_by(InventoryDocument.id.desc())  # type: ignore[attr-defined]
        .limit(1)
    )
    document = (await session.exec(query)).first()
    if document is None:
        return None
    body = unseal_document(engagement_key(runtime, engagement), document.id, document.body)
    return Inventory.model_validate(body)


async def preview(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, kind: str, options: dict[str, Any]
) -> dict[str, Any]:
    """The plan of a run that nobody has started: phases, stages, calls, credits, time. Raises StepMissing.

    Reads only; the mapping need not be confirmed for a look at what it would cost.
    """
    if kind not in _PLANNED:
        raise StepMissing(f"A run of kind {kind!r} has no cost worth planning; start it.")
    newest = (
        select(Mapping)
        .where(Mapping.engagement_id == engagement.id)
        .order_by(Mapping.version.desc())  # type: ignore[attr-defined]
        .limit(1)
    )
    mapping = (await session.exec(newest)).first()
    if mapping is None:
        raise StepMissing("There is no mapping yet; propose one first.")
    found = await session.exec(
        select(Connection).where(Connection.engagement_id == engagement.id, Connection.role == "destination")
    )
    document = MappingDocument.model_validate(mapping.document)
    staging = Staging(engagement.id, engagement.tenant_id, engagement_key(runtime, engagement))
    facts = await plan_facts(runtime, session, engagement, document, found.first(), options, staging, kind)
    blueprint: Blueprint = load_blueprint(engagement.source, engagement.destination)
    plan = _plan(kind, document, facts, [export.key for export in blueprint.exports])
    return {
        "kind": kind,
        "mapping_version": mapping.version,
        "phases": list(plan.phases),
        "stages": [stage.model_dump(mode="json") for stage in plan.stages],
        "deferred": [edge.model_dump(mode="json") for edge in plan.deferred],
        "forecast": _forecast(plan, facts.calls, runtime.now()),
    }
