"""Values that must differ at the destination although records share them, and records that count as one.

Both are found by a pass over what is staged, before a load decides its first record; the decisions themselves are in
`app.domain.deduplicating`. Values leave no trace here: only hashes under the engagement's key are kept.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from app.domain.deduplicating import Doubles, repeated
from app.domain.mapping import DedupeMode, Load, LoadMode
from app.domain.schema import ObjectSpec, Record
from app.runs.apart import Apart, claim
from app.runs.deciding import Decider
from app.runs.staged_pages import staged_pages
from app.runs.work import Work

MakeDecider = Callable[[Work, Load], Awaitable[Decider]]


async def kept_apart(work: Work, load: Load, target: ObjectSpec, make_decider: MakeDecider) -> tuple[Apart, ...]:
    """The rules of a load with what they need to know of all staged records that go to the same object `target`."""
    if load.mode is not LoadMode.CREATE:
        return ()
    made = []
    for rule in load.unique:
        if any(one.target == rule.target for one in load.fields):
            name = work.field_name(load.target_object, rule.target)
            into = work.field_name(load.target_object, rule.into) if rule.into else ""
            spec = target.field(name)
            first = await _first_claims(work, load.target_object, rule.target, make_decider)
            made.append(Apart(rule, name, into, spec.length if spec else None, first, work.key.hash))
    return tuple(made)


def _alone(load: Load, target: str) -> Load:
    """The load with the rule of one field only, under a key of its own."""
    fields = tuple(one.model_copy(update={"required": False}) for one in load.fields if one.target == target)
    none = {"unique": (), "dedupe": type(load.dedupe)()}
    return load.model_copy(update={"key": f"{load.key}#{target}", "fields": fields, **none})


async def _first_claims(
    work: Work, object_key: str, target: str, make_decider: MakeDecider
) -> Mapping[int, tuple[str, str]]:
    """Hash of each shared value → (load, id) of the first that has it, over all loads into the object."""
    key = f"claims:{object_key}.{target}"
    if key not in work.cache:
        loads = [
            one
            for one in work.mapping().loads
            if one.enabled
            and one.target_object == object_key
            and any(rule.target == target for rule in one.unique)
            and any(rule.target == target for rule in one.fields)
        ]
        deciders = [
            (one.key, await make_decider(work, _alone(one, target)), await merged_away(work, one)) for one in loads
        ]
        several = repeated([number async for _, _, number in _claims(work, object_key, target, deciders)])
        first: dict[int, tuple[str, str]] = {}
        if several:
            async for load, source_id, number in _claims(work, object_key, target, deciders):
                if number in several:
                    first.setdefault(number, (load, source_id))
        work.cache[key] = first
    found: Mapping[int, tuple[str, str]] = work.cache[key]
    return found


async def _claims(
    work: Work, object_key: str, target: str, deciders: list[tuple[str, Decider, Mapping[str, str]]]
) -> AsyncIterator[tuple[str, str, int]]:
    """(load, id, hash of the value) of every staged record that would write the field, in load and key order."""
    name = work.field_name(object_key, target)
    for load, decider, merged in deciders:
        async for rows in staged_pages(work, decider.load.source_object):
            async with work.transaction() as connection:
                gathered = await decider.gather_page(connection, rows, fresh=True)
            for row in gathered.rows:
                value = decider.compiled.build(row.record, gathered.context).payload.get(name)
                if isinstance(value, str) and value and row.source_id not in merged:
                    yield load, row.source_id, claim(value, work.key.hash)


async def redirects(work: Work) -> dict[str, Mapping[str, str]]:
    """Load → id → survivor, for every load that merges."""
    found = {one.key: await merged_away(work, one) for one in work.mapping().loads if one.enabled}
    return {key: merged for key, merged in found.items() if merged}


async def merged_away(work: Work, load: Load) -> Mapping[str, str]:
    """Id → id of the record it is merged into, for a load that merges; empty for every other one."""
    if load.dedupe.mode is not DedupeMode.MERGE or load.mode is not LoadMode.CREATE:
        return {}
    key = f"merged:{load.key}"
    if key not in work.cache:
        doubles = Doubles(load.dedupe)
        async for rows in staged_pages(work, load.source_object):
            for row in rows:
                doubles.add(row.source_id, row.record, created=_created(row.record))
        work.cache[key] = doubles.redirects()
    found: Mapping[str, str] = work.cache[key]
    return found


def _created(record: Record) -> str:
    return str(record.get("CreatedDate") or record.get("created_at") or "")
