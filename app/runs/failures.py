"""Failures grouped by their cause, and the group that a replay takes up: those records and no others."""

from typing import Any

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.mapping import Load, MappingDocument
from app.domain.ordering import with_deferred_links
from app.engagements.facts import Account
from app.errors import Invalid, StepMissing
from app.models.engagement import Engagement
from app.models.mapping import Mapping
from app.models.run import Run
from app.paging import Paging, Rows
from app.runs.clearing_up import MAY_BE_WRITTEN
from app.runs.schemas import FailureView
from app.runs.undoing import NOT_DELETED, NOT_RESTORED
from app.runs.work import Work

_KEYS = ("source_object", "target_object", "part", "outcome", "reason")
_GROUPS = """
    SELECT source_object, target_object, part, outcome, reason, count(*) AS records,
           (array_agg(source_id ORDER BY source_id))[1:5] AS examples
    FROM ledger WHERE engagement_id = :engagement AND destination_id = :destination AND run_id = :run
      AND outcome IN ('quarantined', 'held')
      AND (:start OR (source_object, target_object, part, outcome, reason)
                   > (:source_object, :target_object, :part, :outcome, :reason))
    GROUP BY source_object, target_object, part, outcome, reason
    ORDER BY source_object, target_object, part, outcome, reason LIMIT :limit
"""
_TAKE_UP = """
    INSERT INTO staged_changes (engagement_id, batch, object, source_id, tenant_id, kind)
    SELECT l.engagement_id, $3, l.source_object, l.source_id, l.tenant_id, 'replayed' FROM ledger l
    WHERE l.engagement_id = $1 AND l.destination_id = $2 AND l.source_object = $4 AND l.target_object = $5
      AND l.part = $6 AND l.outcome = $7 AND l.reason = $8
    ON CONFLICT DO NOTHING
"""

_ADVICE = {
    MAY_BE_WRITTEN: "These may stand at the destination already: the field of our external id was taken away there"
    " while their answers were lost. Look among its records that have none and were entered since the run began. Give"
    " one that is of these its id (platform:object:source id) or delete it, and start a full run. If none is of these,"
    " replay this cause: all of them are sent."
}
"""By code: what has to be done before a replay."""


async def list_failures(session: AsyncSession, run: Run, paging: Paging) -> Rows[FailureView]:
    """A page of the run's failures, in an order that does not change while groups shrink. A record that a later run
    wrote again is not among them. Raises Invalid for a cursor of another list.
    """
    name = f"failures:{run.id}"
    after = paging.after(name)
    if run.destination_id is None or run.mapping_id is None:
        return Rows([], None)
    mapping = await session.get_one(Mapping, run.mapping_id)
    document = with_deferred_links(MappingDocument.model_validate(mapping.document))[0]
    keys = {(one.source_object, one.target_object, one.part): one.key for one in document.loads}
    statement = text(_GROUPS).bindparams(
        engagement=run.engagement_id,
        destination=run.destination_id,
        run=run.id,
        start=after is None,
        limit=paging.limit + 1,
        **dict(zip(_KEYS, after or [""] * len(_KEYS), strict=True)),
    )
    rows = (await (await session.connection()).execute(statement)).mappings().all()
    found = [_show(row, keys.get((row["source_object"], row["target_object"], row["part"]), "")) for row in rows]
    if len(found) <= paging.limit:
        return Rows(found, None)
    last = rows[paging.limit - 1]
    return Rows(found[: paging.limit], paging.next(name, [last[key] for key in _KEYS]))


def _show(row: Any, load: str) -> FailureView:
    code, field = _split_reason(row["reason"])
    cause = f"{load}:{row['outcome']}:{row['reason']}"
    return FailureView(cause=cause, load=load, code=code, field=field, advice=_ADVICE.get(code, ""), **without(row))


def _split_reason(reason: str) -> tuple[str, str]:
    """Code and field of a reason; the code of what a rollback could not take back ends with the vendor's word."""
    code, _, rest = reason.partition(":")
    if code not in (NOT_DELETED, NOT_RESTORED):
        return code, rest
    word, _, field = rest.partition(":")
    return f"{code}:{word}", field


def without(row: Any) -> dict[str, Any]:
    """The row's columns that a view shows as they are."""
    names = ("source_object", "target_object", "part", "outcome", "records", "examples")
    return {name: row[name] for name in names}


async def check_cause(session: AsyncSession, engagement: Engagement, target: Account | None, cause: str) -> None:
    """Raises Invalid for what is no cause, StepMissing where no record waits for it any more."""
    load_key, outcome, reason = split_cause(cause)
    newest = (
        select(Mapping)
        .where(Mapping.engagement_id == engagement.id, Mapping.state == "confirmed")
        .order_by(Mapping.version.desc())  # type: ignore[attr-defined]
        .limit(1)
    )
    mapping = (await session.exec(newest)).first()
    if mapping is None or target is None:
        return  # a gate has said so
    document = with_deferred_links(MappingDocument.model_validate(mapping.document))[0]
    load = next((one for one in document.loads if one.key == load_key and one.enabled), None)
    if load is None:
        raise _wrong(f"The mapping has no load {load_key!r}.")
    waiting = text(
        "SELECT count(*) FROM ledger WHERE engagement_id = :engagement AND destination_id = :destination"
        " AND source_object = :source AND target_object = :target AND part = :part AND outcome = :outcome"
        " AND reason = :reason"
    ).bindparams(
        engagement=engagement.id,
        destination=target.id,
        source=load.source_object,
        target=load.target_object,
        part=load.part,
        outcome=outcome,
        reason=reason,
    )
    if not (await (await session.connection()).execute(waiting)).scalar_one():
        raise StepMissing("No record waits for this cause any more.")


def split_cause(cause: str) -> tuple[str, str, str]:
    """Load, outcome and reason of a cause. Raises Invalid."""
    load, _, rest = cause.partition(":")
    outcome, _, reason = rest.partition(":")
    if not load or outcome not in ("quarantined", "held"):
        raise _wrong("Name a cause as GET /v1/runs/{id}/failures lists it.")
    if reason.partition(":")[0] in (NOT_DELETED, NOT_RESTORED):
        raise _wrong("A rollback could not take these back. Another rollback tries again; a replay would write them.")
    return load, outcome, reason


def _wrong(detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": "/options/cause", "code": "not-a-cause", "detail": detail}])


async def take_up(work: Work, document: MappingDocument) -> MappingDocument:
    """Lists the group's records as the run's own, once, and returns the mapping narrowed to their load.

    Links that are set on these records from the same source record come with it.
    """
    key, outcome, reason = split_cause(str(work.options.get("cause") or ""))
    load = document.load(key)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        batch = int(work.options["batch"])
        place = (load.source_object, load.target_object, load.part)
        await connection.execute(
            _TAKE_UP, work.run.engagement_id, work.run.destination_id, batch, *place, outcome, reason
        )
    kept = tuple(one for one in document.loads if one.enabled and (one.key == key or _hangs_on(one, load)))
    return document.model_copy(update={"loads": kept})


def _hangs_on(one: Load, load: Load) -> bool:
    return one.mode.value == "link" and one.base == load.key and one.source_object == load.source_object
