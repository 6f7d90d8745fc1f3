"""Provisioning: creates what the destination lacks, in order, and notes the API names it derived (ruling 15).

What only an administrator can make stands on the checklist; while something of it is missing the run waits, and looks
again when it is resumed (ruling 19).
"""

from collections.abc import Mapping, Sequence, Set
from itertools import groupby
from typing import Any

import asyncpg

from app.domain.mapping import MappingDocument
from app.domain.provisioning import (
    PlannedChange,
    PlannedKind,
    find_field,
    find_object,
    is_needed,
    needed_targets,
    provisioning_plan,
)
from app.domain.schema import Inventory
from app.runs.reports import save_report
from app.runs.stages.describe import keep_inventory
from app.runs.waiting import AdminNeeded
from app.runs.work import StageRow, Work
from connectors.base import ChangeKind, ChangeResult, Destination, SchemaChange

_UNIQUE = frozenset({"unique", "external"})


async def provision(work: Work, stage: StageRow) -> None:
    """Idempotent: what exists is found by its label and kept; what only an admin can do becomes a checklist."""
    destination = await work.destination()
    inventory = await destination.describe()
    document = work.mapping()
    changes = provisioning_plan(document, inventory)
    stage.total = len(changes)
    results: list[ChangeResult] = []
    # what an earlier try made stands there although its answer was lost and nothing was noted
    names = {_logical(*at): api for at, api in {**_standing(document, inventory), **work.names}.items()}
    refused: set[str] = set()
    for _, group in groupby(changes, key=lambda one: (one.kind, one.object)):
        planned = list(group)
        work.check_stop()
        await work.lease.ready_to_send(work.runtime.settings.call_timeout_seconds)
        done = await _apply(destination, [_change(one) for one in planned], names, refused)
        for one, result in zip(planned, done, strict=True):
            if result.api_name:
                names[_logical(*_address(one.kind, one.object, one.name))] = result.api_name
            elif one.kind is PlannedKind.OBJECT:
                refused.add(one.object)
            await _note(work, one.kind, result)
        results += done
        work.advanced += sum(1 for one in done if not one.existed and not one.manual)
        stage.counts["done"] = len(results)
        stage.counts["created"] = sum(1 for one in results if not one.existed and not one.manual)
        stage.counts["manual"] = sum(1 for one in results if one.manual)
        async with work.transaction() as connection:
            await work.lease.guard(connection)
            await work.save_stage(connection, stage)
    inventory = await destination.describe()
    facts = await destination.check()
    inventory = inventory.model_copy(update={"facts": {**inventory.facts, **facts}})
    await keep_inventory(work, work.run.destination_id, inventory, facts)
    await _note_existing(work, inventory)
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await _clear_done(work, connection, changes, results)
        body = [result.model_dump(mode="json") for result in results]
        await save_report(work, connection, "provisioning", dict(stage.counts), {"changes": body})
    missing = [
        result.manual
        for planned, result in zip(changes, results, strict=True)
        if result.manual and is_needed(planned, document, inventory)
    ]
    if missing:
        raise AdminNeeded(missing)


async def _apply(
    destination: Destination, changes: list[SchemaChange], names: Mapping[str, str], refused: Set[str]
) -> list[ChangeResult]:
    """Changes of one object. What belongs to a refused object waits for it; a unique field for which no slot is free
    becomes a plain one, by which records are looked up instead (ruling 16)."""
    if changes[0].kind is not ChangeKind.OBJECT and changes[0].object in refused:
        later = f"The object {changes[0].object} has to be there first. Once it is, run provisioning again."
        return [ChangeResult(change=one, manual=later) for one in changes]
    results = await destination.provision_many(changes, names)
    for place, result in enumerate(results):
        if result.manual and _UNIQUE & result.change.attributes.keys():
            attributes = {key: one for key, one in result.change.attributes.items() if key not in _UNIQUE}
            plain = result.change.model_copy(update={"attributes": attributes})
            again = (await destination.provision_many([plain], names))[0]
            results[place] = again if again.api_name else result
    return results


def _change(planned: PlannedChange) -> SchemaChange:
    return SchemaChange(
        kind=ChangeKind(planned.kind.value),
        object=planned.object,
        name=planned.name,
        label=planned.label,
        attributes=planned.attributes,
    )


def _address(kind: PlannedKind, owner: str, name: str) -> tuple[str, str]:
    return (owner, "") if kind is PlannedKind.OBJECT else (owner, name)


def _noted(planned: PlannedChange) -> tuple[str, str]:
    return _noted_as(planned.kind, planned.object, planned.name)


def _noted_as(kind: PlannedKind, owner: str, name: str) -> tuple[str, str]:
    """Under which object and field a change is noted: options and stages beside the field they belong to."""
    if kind in (PlannedKind.LAYOUT, PlannedKind.STAGES, PlannedKind.PICKLIST_VALUES):
        return owner, f"{kind.value}:{name}"
    return _address(kind, owner, name)


def _logical(owner: str, name: str) -> str:
    """The key under which a connector is told API names: "Object" or "Object.field"."""
    return f"{owner}.{name}" if name else owner


_UPSERT = """
    INSERT INTO destination_names (connection_id, object, field, tenant_id, api_name, remote_id, existed, manual,
        run_id, created_at, advice) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (connection_id, object, field) DO UPDATE SET api_name = excluded.api_name,
        remote_id = excluded.remote_id, manual = excluded.manual, advice = excluded.advice,
        existed = destination_names.existed AND excluded.existed
"""


async def _note(work: Work, kind: PlannedKind, result: ChangeResult) -> None:
    owner, name = _noted_as(kind, result.change.object, result.change.name)
    await _store(work, owner, name, result.api_name, result.id, result.existed, result.manual, result.advice)


async def _clear_done(
    work: Work, connection: "asyncpg.Connection[Any]", changes: Sequence[PlannedChange], results: Sequence[ChangeResult]
) -> None:
    """Instructions of an earlier look that are not needed any more leave the checklist."""
    still = {_noted(planned) for planned, result in zip(changes, results, strict=True) if result.manual}
    rows = await connection.fetch(
        "SELECT object, field FROM destination_names WHERE connection_id = $1 AND manual <> ''", work.run.destination_id
    )
    for row in rows:
        if (row["object"], row["field"]) not in still:
            await connection.execute(
                "UPDATE destination_names SET manual = '' WHERE connection_id = $1 AND object = $2 AND field = $3",
                *(work.run.destination_id, row["object"], row["field"]),
            )


async def _store(
    work: Work,
    owner: str,
    name: str,
    api_name: str,
    remote_id: str,
    existed: bool,
    manual: str = "",
    advice: str = "",
) -> None:
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await connection.execute(
            _UPSERT,
            *(work.run.destination_id, owner, name, work.run.tenant_id, api_name, remote_id, existed, manual),
            *(work.run.id, work.now(), advice),
        )


async def _note_existing(work: Work, inventory: Inventory) -> None:
    """Logical keys whose object or field was there before have to be known by their API names as well."""
    document = work.mapping()
    known: set[tuple[str, str]] = set()
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT object, field FROM destination_names WHERE connection_id = $1 AND api_name <> ''",
            work.run.destination_id,
        )
        known = {(row["object"], row["field"]) for row in rows}
    for (owner, name), api in _standing(document, inventory).items():
        if (owner, name) not in known:
            await _store(work, owner, name, api, "", True)


def _standing(document: MappingDocument, inventory: Inventory) -> dict[tuple[str, str], str]:
    """API names of the objects ("" as field) and fields that loads need and the destination has, by logical keys."""
    found: dict[tuple[str, str], str] = {}
    for owner, keys in needed_targets(document).items():
        spec = find_object(document, inventory, owner)
        if spec is None:
            continue
        found[owner, ""] = spec.name
        fields = {key: find_field(document, spec, owner, key) for key in keys}
        found |= {(owner, key): field.name for key, field in fields.items() if field is not None}
    return found
