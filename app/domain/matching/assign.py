"""Scores every pair of source and destination field and gives each at most one partner, best pairs first."""

from collections.abc import Sequence

from app.domain.mapping import Reason
from app.domain.matching.likeness import likeness
from app.domain.matching.types import compatibility
from app.domain.schema import FieldSpec, FieldType, Frozen

NEVER = frozenset({FieldType.ID, FieldType.COMPOUND, FieldType.FILE})
FLOOR = 0.35


class FieldMatch(Frozen):
    """A proposed pair of field names; `reasons` are the grounds, the strongest first."""

    source: str
    target: str
    probability: float
    reasons: tuple[Reason, ...] = ()


def score(source: FieldSpec, target: FieldSpec) -> FieldMatch | None:
    """The match of two fields, or None when the types exclude each other or the target cannot be written."""
    if source.type in NEVER or target.type in NEVER or not target.writable:
        return None
    fit = compatibility(source, target)
    if fit == 0.0:
        return None
    by_name = likeness(source.name, target.name)
    by_label = likeness(source.label or source.name, target.label or target.name)
    name = max(by_name, by_label)
    probability = round(name**1.5 * (0.6 + 0.4 * fit), 4)
    if probability < FLOOR:
        return None
    which = "names" if by_name >= by_label else "labels"
    reasons = (
        Reason(code="name", text=f"The {which} are {round(name * 100)} % alike.", weight=round(name, 4)),
        Reason(
            code="type",
            text=f"A {source.type.value} value fits a {target.type.value} field ({round(fit * 100)} %).",
            weight=round(fit, 4),
        ),
    )
    return FieldMatch(source=source.name, target=target.name, probability=min(probability, 0.99), reasons=reasons)


def match_fields(sources: Sequence[FieldSpec], targets: Sequence[FieldSpec]) -> dict[str, FieldMatch]:
    """The best one-to-one matches by source field name; the order of the inputs does not matter."""
    found = [match for one in sources for other in targets if (match := score(one, other)) is not None]
    found.sort(key=lambda match: (-match.probability, match.source, match.target))
    chosen: dict[str, FieldMatch] = {}
    taken: set[str] = set()
    for match in found:
        if match.source not in chosen and match.target not in taken:
            chosen[match.source] = match
            taken.add(match.target)
    return chosen
