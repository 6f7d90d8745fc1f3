"""What the destination holds of records that we know: by their ids, or through the parents they hang on."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.mapping import Load
from app.runs.repeating import repeated
from app.runs.work import Work

_CALL = 100
Place = tuple[str, str]
"""(object, id) of a parent at the destination."""


async def held_now(
    work: Work, rule: Load, records: Mapping[str, Place | None], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The records of a load by their ids there, as the platform's JSON; what is gone is absent.

    `records`: id → the parent it hangs on, looked at only where the vendor does not show such a record by its id; one
    whose parent is not known is absent then. Raises what the destination's reading raises.
    """
    destination = await work.destination()
    name = work.object_name(rule.target_object)
    ids = list(records)
    held: dict[str, dict[str, Any]] = {}
    if work.destination_platform.object_facts(rule.target_object).by_id:
        for start in range(0, len(ids), _CALL):
            part = ids[start : start + _CALL]
            held |= await repeated(work, lambda part=part: destination.fetch(name, part, names))  # type: ignore[misc]
        return held
    for kind, parents in _by_object(records).items():
        for start in range(0, len(parents), _CALL):
            some = parents[start : start + _CALL]
            lists = await repeated(work, lambda kind=kind, some=some: destination.children_of(name, kind, some))  # type: ignore[misc]
            held.update({str(one["id"]): one for children in lists.values() for one in children})
    return {one: held[one] for one in records if one in held}


def _by_object(records: Mapping[str, Place | None]) -> dict[str, list[str]]:
    """Parents that have to be asked, each once, by their object."""
    parents: dict[str, dict[str, None]] = {}
    for place in records.values():
        if place is not None:
            parents.setdefault(place[0], {})[place[1]] = None
    return {kind: list(ids) for kind, ids in parents.items()}
