"""Loads for source objects that no blueprint knows: proposed switched off, for a person to look at and switch on."""

import re
from collections.abc import Iterable, Iterator

from app.domain.mapping import Exclusion, FieldRule, Load, ValueMap
from app.domain.matching.within import NEVER, FieldMatch, Matcher
from app.domain.placing import matched_rules
from app.domain.schema import Inventory, ObjectSpec

LIKELY = 0.5
"""An object is proposed from this probability on; below, its exclusion names the nearest object."""
PHASE = "proposed"


def newcomer(
    spec: ObjectSpec, matcher: Matcher, destination: Inventory, keys: Iterable[str]
) -> tuple[Load, dict[str, ValueMap], list[Exclusion]] | None:
    """A load for an unknown object with the fields that are preselected, the tables of their picklists, and an
    exclusion for every field that it would leave behind. None where the destination has nothing of the kind."""
    place = matcher.place(spec)
    target = destination.object(place.target) if place.target and place.probability >= LIKELY else None
    if target is None:
        return None
    unknown = [one for one in spec.fields if one.type not in NEVER and not one.primary_key]
    matches = matcher.match(spec, unknown, target, target.fields)
    key = _free_key(spec.name, set(keys))
    rules: list[FieldRule] = []
    tables: dict[str, ValueMap] = {}
    left: list[Exclusion] = []
    for one in unknown:
        match = matches.get(one.name)
        made, more = matched_rules(key, spec, one, target, match) if match else ([], {})
        if not made and not (match and match.part_of):
            left.append(Exclusion(source_object=spec.name, field=one.name, reason="no_counterpart", note=_note(match)))
        rules += made
        tables.update(more)
    if not rules:
        return None
    load = Load(
        key=key, source_object=spec.name, target_object=target.name, phase=PHASE, fields=tuple(rules), enabled=False
    )
    return load, tables, left


def _free_key(name: str, taken: set[str]) -> str:
    stem = f"proposed_{re.sub(r'[^a-z0-9]+', '_', name.casefold()).strip('_')[:40] or 'object'}"
    numbers = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 2))
    return next(one for one in numbers if one not in taken)


def _note(match: FieldMatch | None) -> str:
    if match is None or not match.alternatives:
        return "No destination field is likely enough."
    return "Nearest: " + ", ".join(f"{one.target} ({one.probability:.2f})" for one in match.alternatives) + "."


def suggestion(spec: ObjectSpec, matcher: Matcher, loads: Iterable[Load]) -> str:
    """What the exclusion of an unknown object says about its likely place."""
    ready = next((load for load in loads if load.source_object == spec.name and load.phase == PHASE), None)
    place = matcher.place(spec)
    if ready is not None:
        where = f"{ready.target_object} ({place.probability:.2f}, {place.how})"
        return f"It is likely {where}: the load {ready.key} is prepared; switch it on, or confirm that it stays behind."
    return "No load and no export is known for this object; map it, or confirm that it stays behind."


def newcomers(
    unknown: Iterable[ObjectSpec], matcher: Matcher, destination: Inventory, loads: Iterable[Load]
) -> Iterator[tuple[Load, dict[str, ValueMap], list[Exclusion]]]:
    """A proposal for each unknown object that has a likely place."""
    keys = [load.key for load in loads]
    for spec in unknown:
        made = newcomer(spec, matcher, destination, keys)
        if made is not None:
            keys.append(made[0].key)
            yield made
