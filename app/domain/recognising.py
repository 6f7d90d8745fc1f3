"""Which of the records that stand without our key are what we sent, told by their values alone. Pure.

What we sent stands there as it was sent, or a person has changed some of it since. So what holds every value is taken
for ours, as long as there are not more of them than were sent; what holds half of the telling values is a question.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.schema import FieldSpec, FieldType
from app.domain.values import CanonicalValue, canonical_record

Values = Mapping[str, CanonicalValue]
_COMMON = frozenset({FieldType.BOOLEAN, FieldType.PICKLIST, FieldType.MULTIPICKLIST, FieldType.USER})
"""Types whose values many records share: they tell nothing."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """`found`: what was sent → the record that holds it. `doubtful`: something stands there that may be it."""

    found: Mapping[str, str]
    doubtful: frozenset[str]


def recognise(
    sent: Mapping[str, Mapping[str, Any]],
    standing: Mapping[str, Mapping[str, Any]],
    fields: Mapping[str, FieldSpec],
) -> Recognised:
    """Both by id, as JSON that `values.exact_json` parsed; `fields` are those that read back as they were written.

    Of several that were sent with the same values each one found is any of theirs: they differ in their key alone.
    """
    meant = {key: _filled(one, fields) for key, one in sent.items()}
    there = {key: _filled(one, fields) for key, one in standing.items()}
    groups = _groups(meant, there)
    wanted = Counter((one, len(meant[group[0]])) for group, equal in groups for one in equal)
    found: dict[str, str] = {}
    taken: set[str] = set()
    doubtful: set[str] = set()
    for group, equal in groups:
        free = [one for one in equal if one not in taken]
        rivals = any(wanted[one, len(meant[group[0]])] > 1 for one in free)
        if rivals or len(free) > len(group):
            doubtful.update(group)
        else:
            found.update(zip(group, free, strict=False))
            taken.update(free)
    left = [values for key, values in there.items() if key not in taken]
    for key, values in meant.items():
        if key not in found and key not in doubtful and any(_resembles(values, one, fields) for one in left):
            doubtful.add(key)
    return Recognised(found, frozenset(doubtful))


def _filled(record: Mapping[str, Any], fields: Mapping[str, FieldSpec]) -> Values:
    """The values that stand for something: a checkbox that is not set reads False on one day and blank on another."""
    return {name: value for name, value in canonical_record(record, fields).items() if value is not False}


def _groups(meant: Mapping[str, Values], there: Mapping[str, Values]) -> list[tuple[Sequence[str], Sequence[str]]]:
    """Keys of what was sent with the same values, and the records that hold all of these. Those of the most values
    come first, so that a record which says more is not taken for one that says less.
    """
    groups: list[tuple[Sequence[str], Sequence[str]]] = []
    alike: dict[tuple[tuple[str, CanonicalValue], ...], list[str]] = defaultdict(list)
    for key, values in meant.items():
        alike[tuple(values.items())].append(key)
    indexed: dict[tuple[str, ...], dict[tuple[CanonicalValue, ...], list[str]]] = {}
    for values_sent in sorted(alike, key=len, reverse=True):
        names = tuple(name for name, _ in values_sent)
        if names not in indexed:
            indexed[names] = defaultdict(list)
            for key, values in there.items():
                indexed[names][tuple(values.get(name) for name in names)].append(key)
        if names:
            groups.append((alike[values_sent], indexed[names].get(tuple(value for _, value in values_sent), ())))
    return groups


def _resembles(sent: Values, standing: Values, fields: Mapping[str, FieldSpec]) -> bool:
    """Whether half of the telling values stand there; where none tells anything, whether anything does at all."""
    telling = [name for name in sent if fields[name].type not in _COMMON] or list(sent)
    return 2 * sum(standing.get(name) == sent[name] for name in telling) >= len(telling)
