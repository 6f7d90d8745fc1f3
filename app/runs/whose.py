"""Whose value a field of a customer's record holds now: ours beyond what the ledger proves, or what a person entered.

The ledger's hash proves what we booked last. A call that nobody booked, since its run was cancelled say, may have
written what the source says since; and what we had filled an update has cleared where the source left it blank. Both
are ours, and nothing else is: a run clears no field of theirs that it has not filled itself.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.domain.json_texts import json_text
from app.domain.mapping import Load
from app.domain.schema import FieldSpec, FieldType
from app.domain.values import canonical, exact_json
from app.runs.expecting import Written, link_loads
from app.runs.items import Item
from app.runs.last_written import State, states
from app.runs.ledger import Entry
from app.runs.work import Work

Values = Mapping[str, Any]


async def further_values(
    work: Work, rule: Load, doubts: Mapping[str, Sequence[str]], chunk: Sequence[Written]
) -> dict[str, dict[str, list[Any]]]:
    """Source id → per field in doubt what we may have written there beside what the ledger proves, None for a blank.

    An empty list says that the field was never ours.
    """
    if not doubts:
        return {}
    known = {one.source_id: one.sent_hash for one in chunk}
    found: dict[str, dict[str, list[Any]]] = {one: {name: [] for name in names} for one, names in doubts.items()}
    for load in (rule, *link_loads(work, rule)):
        made = await states(work, load, doubts)
        hashes = known if load is rule else await _hashes(work, load, doubts)
        for one, values in found.items():
            for name in values:
                values[name] += _of_ours(name, made[one], hashes.get(one))
    return found


def _of_ours(name: str, made: Sequence[State], proven: bytes | None) -> list[Any]:
    """Values of one field in the states that are newer than the one the ledger proves; blank where one of ours cleared
    what another had filled.
    """
    digests = [state.digest for state in made]
    at = digests.index(proven) if proven in digests else len(made)
    values = [exact_json(json_text(state.payload))[name] for state in made[:at] if name in state.payload]
    if any(name in state.payload for state in made) and any(name not in state.payload for state in made[: at + 1]):
        values.append(None)
    return values


async def _hashes(work: Work, load: Load, ids: Mapping[str, Any]) -> dict[str, bytes | None]:
    async with work.transaction() as connection:
        priors = await work.book.priors(connection, load, list(ids))
    return {one: prior.sent_hash for one, prior in priors.items()}


def doubtful(before: Values, ours: Values, now: Values, specs: Mapping[str, FieldSpec]) -> list[str]:
    """Fields that hold neither what they held before us nor what the ledger proves of us."""
    names = [name for name in dict.fromkeys((*before, *ours)) if name in specs]
    return [name for name in names if _is_open(name, before, ours, now, specs[name])]


def _is_open(name: str, before: Values, ours: Values, now: Values, spec: FieldSpec) -> bool:
    there = _value(now.get(name), spec)
    return there != _value(before.get(name), spec) and (name not in ours or there != _value(ours[name], spec))


def _value(value: Any, spec: FieldSpec) -> Any:
    """Canonical; a checkbox that nobody set reads False on one day and blank on another."""
    found = canonical(value, spec)
    return None if found is False and spec.type is FieldType.BOOLEAN else found


class Sparing:
    """Takes the blanks out of updates to records of theirs, except where we had filled the field ourselves."""

    def __init__(self, work: Work, load: Load) -> None:
        self._work = work
        self._load = load

    async def merge(self, items: Sequence[Item], *, resumed: bool = False) -> tuple[list[Item], list[Entry]]:  # noqa: ARG002
        """The same items, all of them to be sent."""
        clearing = {item.source_id: item for item in items if item.adopted and None in item.payload.values()}
        if clearing:
            for source_id, made in (await states(self._work, self._load, clearing)).items():
                filled = {name for state in made for name in state.payload}
                _spare(clearing[source_id], filled)
        return list(items), []


def _spare(item: Item, filled: Collection[str]) -> None:
    item.payload = {name: value for name, value in item.payload.items() if value is not None or name in filled}
    item.encoded = json_text(item.payload)
