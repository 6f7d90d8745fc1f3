"""Which destination object a source object becomes: by what it is called and by what its fields mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from app.domain.matching.assignment import assign
from app.domain.matching.columns import Table
from app.domain.matching.kind_names import kind_of_name, kinds, named_kind
from app.domain.matching.languages import to_english
from app.domain.matching.names import spell_out, split
from app.domain.matching.sides import Reading, prepare
from app.domain.matching.systems import System

_LAST_WORD = 0.7
"""From this strength on the last word of a name said what the object is; "booking services" are no bookings."""
_OF_A_SALE = frozenset({"amount", "stage", "pipeline", "close_date", "probability", "loss_reason", "contact"})
_FEW_OF_A_SALE = 3
_OF_AN_EVENT = frozenset({"start", "end", "all_day", "attendees"})
_PRICED = frozenset({"job", "jobs"})
_OF_A_PERSON = frozenset({"first_name", "last_name", "full_name", "email", "phone", "mobile", "street"})
_INSTEAD = {
    "lead": 0.95, "contact": 0.9, "activity": 0.9, "order": 0.6, "quote": 0.6, "invoice": 0.55, "case": 0.5,
    "vendor": 0.5, "user": 0.4,
}  # fmt: skip
"""How likely a person agrees to the substitute of a kind; the others are only shown as alternatives."""


@dataclass(frozen=True, slots=True)
class ObjectGuess:
    """What an object is: its kind with the strength of the evidence 0 to 1, and how that is known."""

    kind: str
    strength: float
    how: str = ""


@dataclass(frozen=True, slots=True)
class ObjectMatch:
    """A source object's place at the destination; `target` is None where it has none."""

    target: str | None
    probability: float
    how: str
    alternatives: tuple[tuple[str, float], ...] = ()


def guess_kind(table: Table, system: System | None, reading: Reading) -> ObjectGuess:
    """What a source object is, from what is known of its system, its names and its fields."""
    known = system.object(table.name) if system else None
    if known is not None:
        return ObjectGuess(known.kind, 1.0, f"{system.name if system else ''} calls it {table.name}")
    texts = [text for text in (table.name, table.label) if text]
    texts += [" ".join(to_english(text, one)) for text in texts for one in (reading.labels, reading.names) if one]
    named = max((named_kind(text) for text in texts), key=lambda one: one[1], default=("", 0.0))
    technical = any(word in kinds().technical for word in split(table.name)) and named[1] < 0.9
    if named[0] == "account" and _holds_people(table, reading):
        return ObjectGuess("contact", 0.9, "its name, and it holds first and last names")
    if named[0] in {"lead", "event"} and _holds_a_sale(table, named[0], reading):
        return ObjectGuess("deal", 0.9, "its name, and it holds a sale")
    if named[1] >= 0.9:
        return ObjectGuess(named[0], named[1], "its name")
    doubt = 0.3 if technical else 1.0
    return _weighed(named, _by_fields(table, named[0], reading), doubt)


def _weighed(named: tuple[str, float], found: tuple[str, float], doubt: float) -> ObjectGuess:
    """One guess from (kind, strength) by name and by fields."""
    if named[0] and (
        named[0] == found[0] or (named == ("vendor", max(named[1], _LAST_WORD)) and found[0] == "account")
    ):
        return ObjectGuess(named[0], (0.9 if named[1] >= _LAST_WORD else 0.7) * doubt, "its name")
    if found[1] >= 0.4 and found[1] >= named[1] * 0.6 and (found[1] >= 0.5 or not named[0]):
        return ObjectGuess(found[0], min(0.85, found[1]) * doubt, "its fields")
    return ObjectGuess(named[0], named[1] * 0.9 * doubt, "its name") if named[0] else ObjectGuess("", 0.0)


def _holds_people(table: Table, reading: Reading) -> bool:
    """Customers with a first and a last name are people, whatever the table is called."""
    side = prepare(Table(table.name, table.label, table.columns[:60]), "contact", reading)
    named = any({*item.label} in ({"name"}, {"company", "name"}, {"business", "name"}) for item in side.items)
    own = (item.top for item in side.items if not (named and "contact" in item.label))
    return {"first_name", "last_name"} <= {*own}


def _holds_a_sale(table: Table, kind: str, reading: Reading) -> bool:
    """What some call a lead or a job is a sale: it has a value and a stage, and its person is another record; it does
    not begin at an hour. A job that has both is one whenever it begins: what is done for a price."""
    trimmed = Table(table.name, table.label, table.columns[:60])
    tops = {item.top for item in prepare(trimmed, "deal", reading).items}
    if not {"amount", "stage"} <= tops:
        return False
    if kind == "event" and _PRICED & {*split(table.name), *split(table.label)}:
        return True
    if len(tops & _OF_A_SALE) < _FEW_OF_A_SALE:
        return False
    if kind == "lead":
        return not tops & _OF_A_PERSON
    return not {item.top for item in prepare(trimmed, "event", reading).items} & _OF_AN_EVENT


def _by_fields(table: Table, hint: str, reading: Reading) -> tuple[str, float]:
    """The kind whose usual fields are here, with how many of the telling ones."""
    if not table.columns:
        return "", 0.0
    found: list[tuple[float, str]] = []
    trimmed = Table(table.name, table.label, table.columns[:120])
    for kind, signs in kinds().signs.items():
        side = prepare(trimmed, kind, reading)
        mine = {item.top for item in side.items if item.top}
        hits = len(mine & signs)
        found.append(
            ((hits / max(4, min(len(signs), 6)) if hits >= min(3, len(signs)) else 0.0) + 0.15 * (kind == hint), kind)
        )
    found.sort(reverse=True)
    best, second = found[0], found[1]
    return best[1], min(1.0, best[0]) * (1.0 if best[0] > second[0] else 0.7)


def match_objects(
    sources: Sequence[tuple[Table, ObjectGuess]], targets: Sequence[tuple[Table, ObjectGuess]]
) -> list[ObjectMatch]:
    """A place for every source object. Several sources may share a destination object (leads and contacts)."""
    scores = np.zeros((len(sources), max(1, len(targets))), np.float64)
    hows = [[""] * len(targets) for _ in sources]
    for row, (table, guess) in enumerate(sources):
        for place, (other, there) in enumerate(targets):
            scores[row, place], hows[row][place] = _score(table, guess, other, there)
    out = []
    for row in range(len(sources)):
        ranked = sorted(range(len(targets)), key=lambda place: (-scores[row, place], place))
        ranked = _substituted(sources[row][1], ranked, scores, row, targets)
        shown = [(targets[place][0].name, round(float(scores[row, place]), 4)) for place in ranked[:4]]
        best = ranked[0] if ranked else -1
        if best < 0 or scores[row, best] < 0.3:
            out.append(ObjectMatch(None, shown[0][1] if shown else 0.0, "nothing like it", tuple(shown[:3])))
        else:
            out.append(ObjectMatch(targets[best][0].name, float(scores[row, best]), hows[row][best], tuple(shown[1:4])))
    return out


def _score(table: Table, guess: ObjectGuess, other: Table, there: ObjectGuess) -> tuple[float, str]:
    same_name = (
        fuzz.token_sort_ratio(" ".join(spell_out(split(table.name))), " ".join(spell_out(split(other.name)))) / 100
    )
    if guess.kind and guess.kind == there.kind:
        strength = min(guess.strength, there.strength)
        sure = 0.55 + 0.44 * strength if strength >= 0.3 else 0.9 * strength
        return min(0.99, sure + 0.005 * same_name), f"both are of the kind {guess.kind} ({guess.how})"
    if guess.kind and there.kind and kinds().substitutes.get(guess.kind) == there.kind:
        return 0.28, f"a {guess.kind} can become a {there.kind}"
    if not guess.kind and not there.kind:
        return (0.97, "the same name") if same_name >= 0.99 else (0.6 * same_name**3, "a similar name")
    return 0.15 * same_name**3, "a similar name"


def _substituted(
    guess: ObjectGuess, ranked: list[int], scores: np.ndarray, row: int, targets: Sequence[tuple[Table, ObjectGuess]]
) -> list[int]:
    """A lead becomes a contact where the destination has no leads, and so on; only then."""
    instead = kinds().substitutes.get(guess.kind)
    if instead is None or any(there.kind == guess.kind for _, there in targets):
        return ranked
    worth = _INSTEAD.get(guess.kind, 0.26)
    for place, (_, there) in enumerate(targets):
        if there.kind == instead:
            scores[row, place] = max(scores[row, place], worth * guess.strength)
    return sorted(ranked, key=lambda place: (-scores[row, place], place))


__all__ = ["ObjectGuess", "ObjectMatch", "assign", "guess_kind", "kind_of_name", "kinds", "match_objects"]
