"""The engagement as each of its runs saw it: by which version of the mapping, and by which state of the source.

A mapping may be changed and confirmed between two runs. What stands at the destination was written by the version of
whichever run wrote it, so what we wrote is computed by that one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import structlog

from app.domain.compiling import MappingInvalid
from app.domain.mapping import Load, MappingDocument
from app.domain.ordering import with_deferred_links
from app.domain.schema import FieldSpec
from app.domain.versions import combined, counterpart
from app.engagements.run_kinds import SENDING
from app.runs.former import FormerStaging, FormerWork
from app.runs.resolved import ResolvedIds
from app.runs.work import Work

log = structlog.get_logger()

_MOST = 20  # runs to go back
_KEPT = ("target_inventory", "source_inventory", "owners")
_RUNS = """
    SELECT r.mapping_id, r.destination_id, c.batch FROM runs r
    LEFT JOIN LATERAL (SELECT batch FROM staged_changes WHERE engagement_id = $1
                       AND batch = (r.options ->> 'batch')::int LIMIT 1) c ON true
    WHERE r.engagement_id = $1 AND r.mapping_id IS NOT NULL AND r.started_at IS NOT NULL
      AND r.kind = ANY($2)
    ORDER BY r.created_at DESC, r.id DESC
"""
Specs = Callable[[Work, Load], Awaitable[dict[str, FieldSpec]]]


async def by_all_versions(work: Work) -> None:
    """Lets a rollback go by every version that wrote at its destination, the newest first."""
    ids = [row["mapping_id"] for row in await _runs(work) if row["destination_id"] == work.run.destination_id]
    if ids:
        versions = [await _version(work, one) for one in dict.fromkeys(ids)]
        work.document, work.run = combined(versions), replace(work.run, mapping_id=ids[0])


async def other_versions(work: Work) -> bool:
    """Whether any run wrote at the destination by another version than this one's."""
    here = [row for row in await _runs(work) if row["destination_id"] == work.run.destination_id]
    return any(row["mapping_id"] != work.run.mapping_id for row in here)


async def views(work: Work) -> list[Work]:
    """`work` itself, then the engagement as earlier runs at its destination saw it, the newest first and each once.

    A delta of another destination changed what is staged as well, so it counts for the states.
    """
    if "views" not in work.cache:
        seen: set[tuple[UUID, int]] = set()
        if work.run.kind != "rollback" and work.run.mapping_id is not None:  # a rollback's document is of its own
            seen.add((work.run.mapping_id, 0))
        made, since = [work], list[int]()
        for row in await _runs(work):
            state = (row["mapping_id"], len(since))
            if row["destination_id"] == work.run.destination_id and state not in seen and len(made) <= _MOST:
                seen.add(state)
                made.append(await _view(work, row["mapping_id"], since))
            since += [row["batch"]] if row["batch"] else []
        work.cache["views"] = made
    found: list[Work] = work.cache["views"]
    return found


async def over_versions(work: Work, rule: Load, specs: Specs) -> dict[str, FieldSpec]:
    """What `specs` tells of the load in a rollback by all versions together; the newest one's word counts."""
    found: dict[str, FieldSpec] = {}
    by_version = {} if work.run.kind != "rollback" else {id(one.document): one for one in await views(work)}
    for view in (*reversed(by_version.values()), work):
        load = load_in(view, work, rule)
        try:
            found |= await specs(view, load) if load is not None else {}
        except MappingInvalid:
            if view is work:
                raise
            log.warning("version_does_not_fit", load=rule.key)
    return found


def load_in(view: Work, work: Work, rule: Load) -> Load | None:
    """A load of `work` as a view has it; None where it wrote nothing of it."""
    return rule if view is work else counterpart(view.mapping(), rule)


async def _runs(work: Work) -> list[Any]:
    """What ran at any destination, the newest first."""
    if "runs" not in work.cache:
        async with work.transaction() as connection:
            work.cache["runs"] = await connection.fetch(_RUNS, work.run.engagement_id, list(SENDING))
    found: list[Any] = work.cache["runs"]
    return found


async def _version(work: Work, mapping_id: UUID) -> MappingDocument:
    name = f"version:{mapping_id}"
    if name not in work.cache:
        async with work.transaction() as connection:
            document = await connection.fetchval("SELECT document FROM mappings WHERE id = $1", mapping_id)
        work.cache[name] = with_deferred_links(MappingDocument.model_validate(document))[0]
    found: MappingDocument = work.cache[name]
    return found


async def _view(work: Work, mapping_id: UUID, since: Sequence[int]) -> Work:
    """The engagement by one version, as it was before the deltas `since` were read."""
    view = FormerWork(**{one.name: getattr(work, one.name) for one in fields(Work)})
    view.document = await _version(work, mapping_id)
    view.cache = {key: value for key, value in work.cache.items() if key.startswith(_KEPT)}
    view.resolved = ResolvedIds()
    if since:
        view.staging = FormerStaging(work.run.engagement_id, work.run.tenant_id, work.key, since)
    return view
