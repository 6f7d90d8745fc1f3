"""What a pair's blueprint already says about standard objects and fields, in the form the proposer uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.matching.systems import singular

_KEPT = ("create", None)
_WHOLE = frozenset({None, "copy", "text", "phone", "email", "url", "picklist", "date", "datetime", "number", "integer"})


@dataclass(frozen=True, slots=True)
class Curated:
    """`objects`: source object → destination object; `fields`: source object → source field → destination fields, the
    plainest first."""

    objects: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def of(self, table: str, target: str) -> Mapping[str, tuple[str, ...]]:
        """Source field → destination fields of one source object, if it goes where the blueprint sends it."""
        there = self.objects.get(table, "")
        return self.fields.get(table, {}) if singular(there) == singular(target) else {}


NOTHING = Curated()


def curated_of(loads: Iterable[Mapping[str, Any]]) -> Curated:
    """The objects and fields that a blueprint's loads name (plain data, as its file holds them).

    Of several loads of one source object the one without conditions and with most rules counts: the others make
    further pieces.
    """
    chosen: dict[str, Mapping[str, Any]] = {}
    for load in loads:
        source = load.get("source_object")
        if source and load.get("target_object") and load.get("mode") in _KEPT:
            chosen[source] = max(chosen.get(source, load), load, key=_weight)
    objects = {source: str(load["target_object"]) for source, load in chosen.items()}
    return Curated(objects, {source: _fields_of(load.get("fields") or ()) for source, load in chosen.items()})


def _weight(load: Mapping[str, Any]) -> tuple[bool, bool, int]:
    source, target = str(load["source_object"]).casefold(), str(load["target_object"]).casefold()
    return not load.get("when"), singular(source) == singular(target), len(load.get("fields") or ())


def _fields_of(rules: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for rule in rules:
        sources = [one for one in rule.get("sources") or () if "." not in one]
        for place, name in enumerate(sources):
            plain = len(sources) == 1 and (rule.get("transform") in _WHOLE or bool(rule.get("lookup")))
            if plain or not place:  # of several sources of a text the first stands for it
                found.setdefault(name, []).append((0 if plain else 1, rule["target"]))
    return {name: tuple(target for _, target in sorted(made, key=lambda one: one[0])) for name, made in found.items()}
