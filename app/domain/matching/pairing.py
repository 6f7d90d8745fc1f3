"""Fields of one object into fields of another: scores, rules, assignment, composites; the heart of the proposer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain.matching.assignment import assign
from app.domain.matching.columns import QUOTED
from app.domain.matching.features import Matrix, base_features, groundless
from app.domain.matching.grounds import reasons
from app.domain.matching.memory import Lesson, Memory
from app.domain.matching.model import Model, shipped
from app.domain.matching.names import fold
from app.domain.matching.sides import NUMBERS, Item, Side, block_plan
from app.domain.schema import FieldType

SURE = 0.9
"""From here on a proposal is preselected."""
UNLIKELY = 0.1
"""Below, a field has no counterpart."""
KNOWN = 0.99
LIKELIER = 0.5
GROUNDLESS = 0.09
"""A pair with no ground but a fitting type is shown, not proposed, unless it is likelier than not."""
MOST = 0.99
SHOWN = 3

Ground = tuple[str, str, float]
_ADVICE = "leave it out, keep it in a field of its own, or create one"
NOTHING_LIKELY: Ground = ("none", f"No destination field is likely enough: {_ADVICE}.", 0.0)


@dataclass(slots=True)
class FieldPair:
    """What is proposed for one source field. `target` is a place among the destination fields, None for none.

    `how` says what kind of proposal it is: "" an ordinary pair, "external_id", "alternate", "join", "split".
    """

    row: int
    target: int | None
    probability: float
    grounds: list[Ground] = field(default_factory=list)
    alternatives: list[tuple[int, float]] = field(default_factory=list)
    how: str = ""
    partners: tuple[str, ...] = ()

    @property
    def band(self) -> str:
        """preselected | choose | none."""
        if self.target is None:
            return "none"
        return "preselected" if self.probability >= SURE else "choose"


@dataclass(slots=True)
class Work:
    """The matrices of one object pair while rules change them."""

    source: Side
    target: Side
    probability: Matrix
    features: dict[str, Matrix]
    votes: dict[tuple[int, int], float] = field(default_factory=dict)
    said: dict[tuple[int, int], Ground] = field(default_factory=dict)
    spoken: dict[int, Ground] = field(default_factory=dict)


def pair_fields(
    source: Side,
    target: Side,
    memory: Memory,
    votes: Mapping[tuple[int, int], float] | None = None,
    model: Model | None = None,
    curated: Mapping[str, Sequence[str]] | None = None,
) -> list[FieldPair]:
    """A proposal for every source field, in order. `votes` are second opinions, in log-odds, by (row, column);
    `curated` names the destination fields that the pair's blueprint gives a source field."""
    if not source.items or not target.items:
        return [
            FieldPair(row, None, 0.0, [("none", "The destination object has no fields.", 0.0)])
            for row in range(len(source.items))
        ]
    model = model or shipped()
    work = _scored(source, target, memory, model, votes or {})
    _apply_known(work)
    _apply_curated(work, curated or {})
    _apply_compounds(work)
    _apply_keys(work)
    _apply_lessons(work, memory)
    pairs = _assigned(work)
    _add_alternates(work, pairs)
    _add_composites(work, pairs)
    for pair in pairs:
        _explain(work, pair, model)
    return pairs


def _scored(source: Side, target: Side, memory: Memory, model: Model, votes: Mapping[tuple[int, int], float]) -> Work:
    base = base_features(source, target, memory)
    logit, features = model.score(base)
    for (row, column), vote in votes.items():
        logit[row, column] += vote
    bare = groundless(base)
    for row, column in votes:
        bare[row, column] = 0.0
    probability = model.probability(logit, base, bare)
    weak = (bare > 0) & (probability < LIKELIER)
    probability[weak] = np.minimum(probability[weak], GROUNDLESS)
    work = Work(source, target, probability, features, dict(votes))
    for (row, column), vote in votes.items():
        if vote > 0:
            work.said[row, column] = ("second_opinion", "A second opinion chose the same field.", vote)
    return work


def _apply_known(work: Work) -> None:
    """Standard fields of a described system: their counterpart is known, and so is that some have none."""
    plan = block_plan(work.source, work.target)
    described = any(one.known for one in work.target.items)
    for row, ours in enumerate(work.source.items):
        if ours.known is None:
            continue
        wanted = set(ours.known.concepts)
        if not wanted:
            if described:
                work.probability[row] *= 0.08
                work.spoken[row] = (
                    "known",
                    f'"{ours.column.quoted}" is a standard field without a counterpart in a CRM.',
                    3.0,
                )
            continue
        there = [
            column for column, theirs in enumerate(work.target.items)
            if wanted & {key for key, weight in theirs.concepts.items() if weight >= 0.8}
            and (not theirs.block or plan.get(ours.block) == theirs.block)
        ]  # fmt: skip
        if not there:
            work.probability[row] *= 0.5 if not described else 0.2
            continue
        best = _best_known(work, row, ours.known.concepts[0], there)
        work.probability[row] = np.minimum(work.probability[row], 0.3)
        work.probability[row, best] = KNOWN
        work.said[row, best] = (
            "known",
            f'Known standard field: it is "{work.target.items[best].column.quoted}" there.',
            5.0,
        )


def _best_known(work: Work, row: int, concept: str, places: Sequence[int]) -> int:
    """The field whose main meaning is the same, then the likelier one."""
    return max(places, key=lambda place: (work.target.items[place].top == concept, work.probability[row, place]))


def _apply_curated(work: Work, curated: Mapping[str, Sequence[str]]) -> None:
    """What the pair's blueprint says; a field that it would create is left to the model, with a word about it."""
    places = {one.column.name: place for place, one in reversed(list(enumerate(work.target.items)))}
    for row, ours in enumerate(work.source.items):
        wanted = curated.get(ours.column.name, ())
        best = next((places[name] for name in wanted if name in places), None)
        if best is not None:
            work.probability[row] = np.minimum(work.probability[row], 0.3)
            work.probability[row, best] = KNOWN
            text = f'The blueprint of this pair moves it into "{work.target.items[best].column.quoted}".'
            work.said[row, best] = ("blueprint", text, 5.0)
            work.spoken.pop(row, None)
        elif wanted:
            work.spoken[row] = ("blueprint", f"The blueprint of this pair creates the field {wanted[0]} for it.", 3.0)


def _apply_compounds(work: Work) -> None:
    """A whole address or name beside its parts is those parts again."""
    parts = {(item.block, item.top) for item in work.source.items if item.column.type is not FieldType.COMPOUND}
    for row, ours in enumerate(work.source.items):
        if ours.column.type is FieldType.COMPOUND and ours.known is None and (ours.block, "city") in parts:
            work.probability[row] *= 0.05
            work.spoken[row] = ("parts", "Its parts move on their own.", 2.0)


def key_of(side: Side, other: Side | None = None) -> int | None:
    """The place of the primary key: said so, of type id, named like one, or a first column with the record's number
    where the `other` side has no field for such a number."""
    marked = [place for place, one in enumerate(side.items) if one.column.primary_key]
    if marked:
        return marked[0]
    named = [place for place, one in enumerate(side.items) if one.top == "id"]
    exact = [
        place
        for place in named
        if side.items[place].concepts.get("id", 0) >= 1.0 and not side.items[place].column.reference
    ]
    first = [place for place in named if place == 0]
    if not named and other is not None and side.items and side.items[0].top in NUMBERS:
        first = [] if any(one.top == side.items[0].top for one in other.items) else [0]
    return next(iter(exact or first), None)


def _apply_keys(work: Work) -> None:
    """Ids mean nothing to ordinary fields: the primary key goes to the external id, else beside the other's own id."""
    ours, theirs = key_of(work.source, work.target), key_of(work.target)
    external = next(
        (place for place, one in enumerate(work.target.items) if one.column.external_id or one.top == "external_id"),
        None,
    )
    aim = external if external is not None else theirs
    for column in {one for one in (theirs, external) if one is not None}:
        keep = work.probability[:, column].copy()
        work.probability[:, column] = 0.0
        if column == external and ours is None:
            work.probability[:, column] = keep
    if ours is None:
        return
    work.probability[ours] = 0.0
    if aim is None:
        work.spoken[ours] = ("key", "The primary key is kept in the external-id field that provisioning creates.", 3.0)
        return
    work.probability[ours, aim] = KNOWN
    if theirs is not None and theirs != aim:
        work.probability[ours, theirs] = 0.05
    text = "A primary key goes to the external-id field" + (
        "." if external is not None else "; the destination gives its own id."
    )
    work.said[ours, aim] = ("key", text, 5.0)


def _apply_lessons(work: Work, memory: Memory) -> None:
    """What this tenant confirmed or rejected before weighs more than everything else."""
    places = {fold(one.column.name): place for place, one in reversed(list(enumerate(work.target.items)))}
    for lesson in memory.lessons(work.target.table.name):
        for row, ours in enumerate(work.source.items):
            if _same_field(lesson, ours, work.source):
                _learn(work, row, places.get(fold(lesson.target)) if lesson.target else None, lesson)


def _same_field(lesson: Lesson, ours: Item, source: Side) -> bool:
    if fold(lesson.name) == fold(ours.column.name):
        return True
    same_object = fold(lesson.source_object) == fold(source.table.name)
    return same_object and bool(lesson.label) and fold(lesson.label) == fold(ours.column.shown)


def _learn(work: Work, row: int, column: int | None, lesson: Lesson) -> None:
    sure = min(MOST, (lesson.confirmed + 19) / (lesson.confirmed + lesson.rejected + 20))
    if lesson.target and column is None:
        return
    if column is None:
        if lesson.confirmed > lesson.rejected:
            work.probability[row] *= 0.08
            work.spoken[row] = ("learnt", "You decided before that this field has no counterpart.", 4.0)
    elif lesson.confirmed > lesson.rejected:
        work.probability[row] = np.minimum(work.probability[row], 0.3)
        work.probability[row, column] = max(sure, 0.95)
        text = f"You confirmed this before ({lesson.confirmed} time{'s' if lesson.confirmed != 1 else ''})."
        work.said[row, column] = ("learnt", text, 4.0)
        work.spoken.pop(row, None)
    else:
        work.probability[row, column] *= 0.05
        if (row, column) not in work.said:
            work.spoken.setdefault(row, ("learnt", "You rejected the nearest field before.", 2.0))


def _assigned(work: Work) -> list[FieldPair]:
    clipped = np.clip(work.probability.astype(np.float64), 1e-6, 1 - 1e-6)
    odds = np.log(clipped / (1 - clipped))
    chosen = assign(odds, float(np.log(UNLIKELY / (1 - UNLIKELY))))
    pairs = []
    for row in range(len(work.source.items)):
        column = chosen.get(row)
        ranked = np.argsort(-work.probability[row], kind="stable")[: SHOWN + 1]
        others = [(int(one), float(work.probability[row, one])) for one in ranked if int(one) != column][:SHOWN]
        value = float(work.probability[row, column]) if column is not None else (others[0][1] if others else 0.0)
        pair = FieldPair(row, column, min(MOST, value), alternatives=others)
        if column is None:
            pair.probability = min(pair.probability, UNLIKELY - 0.001)
        elif (row, column) in work.said and work.said[row, column][0] == "key":
            pair.how = "external_id"
        pairs.append(pair)
    return pairs


def _add_alternates(work: Work, pairs: list[FieldPair]) -> None:
    """A field that says the same as one already placed (created_by, created_by_name) shares its destination."""
    owner = {pair.target: pair.row for pair in pairs if pair.target is not None}
    for pair in pairs:
        best = int(work.probability[pair.row].argmax())
        holder = owner.get(best)
        settled = pair.target is not None and pair.probability >= LIKELIER
        if settled or holder in {None, pair.row} or work.probability[pair.row, best] < LIKELIER:
            continue
        ours, other = work.source.items[pair.row], work.source.items[holder]
        if _strong(ours) & _strong(other) and ours.block == other.block:
            pair.target, pair.how, pair.partners = best, "alternate", (other.column.name,)
            pair.probability = min(MOST, float(work.probability[pair.row, best]))
            pair.alternatives = [one for one in pair.alternatives if one[0] != best]


def _strong(item: Item) -> set[str]:
    return {concept for concept, weight in item.concepts.items() if weight >= 0.8}


def _add_composites(work: Work, pairs: list[FieldPair]) -> None:
    """First and last name into one field and back; second street lines."""
    ours = {item.top: row for row, item in reversed(list(enumerate(work.source.items))) if item.top}
    theirs = {item.top: column for column, item in reversed(list(enumerate(work.target.items))) if item.top}
    whole = theirs.get("full_name", theirs.get("name") if work.target.kind in {"contact", "lead"} else None)
    rows = {ours[one] for one in ("first_name", "last_name") if one in ours}
    holders = {pair.row for pair in pairs if pair.target is not None and pair.target == whole}
    if len(rows) == 2 and "last_name" not in theirs and whole is not None and holders <= rows:
        names = tuple(work.source.items[ours[one]].column.name for one in ("first_name", "last_name"))
        for row in sorted(rows):
            pair = pairs[row]
            if pair.target in {None, whole}:
                pair.target, pair.probability, pair.how, pair.partners = whole, 0.92, "join", names
                pair.alternatives = [one for one in pair.alternatives if one[0] != whole]
                work.said[row, whole] = ("composite", "First and last name together make the full name.", 4.0)
    if (
        "full_name" in ours
        and not {"first_name", "last_name"} & ours.keys()
        and {"first_name", "last_name"} <= theirs.keys()
    ):
        pair = pairs[ours["full_name"]]
        parts = tuple(work.target.items[theirs[one]].column.name for one in ("first_name", "last_name"))
        aims = {theirs["first_name"], theirs["last_name"]}
        if not aims & {one.target for one in pairs if one.row != pair.row}:
            aim = theirs["last_name"] if pair.target is None or pair.target in aims else pair.target
            pair.target, pair.how, pair.partners = aim, "split", parts
            pair.probability = max(pair.probability, 0.9)
            pair.alternatives = [one for one in pair.alternatives if one[0] != aim]
            work.said[pair.row, aim] = (
                "composite",
                f"The full name is taken apart into {parts[0]} and {parts[1]}.",
                4.0,
            )
    _add_street_lines(work, pairs)


def _add_street_lines(work: Work, pairs: list[FieldPair]) -> None:
    streets = {
        work.source.items[pair.row].block: pair
        for pair in pairs
        if pair.target is not None and work.source.items[pair.row].top == "street"
    }
    for pair in pairs:
        ours = work.source.items[pair.row]
        first = streets.get(ours.block)
        if (
            pair.target is None
            and ours.top in {"street_2", "street_3", "house_number"}
            and first is not None
            and ours.known is None
        ):
            pair.target, pair.how, pair.probability = first.target, "join", 0.3
            pair.partners = (work.source.items[first.row].column.name, ours.column.name)
            assert first.target is not None
            work.said[pair.row, first.target] = ("composite", "A further line of the same street address.", 2.0)


def _explain(work: Work, pair: FieldPair, model: Model) -> None:
    items = work.target.items
    column = pair.target if pair.target is not None else (pair.alternatives[0][0] if pair.alternatives else None)
    found: list[Ground] = []
    if pair.target is not None and (given := work.said.get((pair.row, pair.target))) is not None:
        found.append(given)
    if pair.how == "alternate":
        found.append(
            (
                "alternate",
                f"It says the same as {pair.partners[0][:QUOTED]}, which fills the field; this one is covered by it.",
                3.0,
            )
        )
    if pair.target is None:
        found.append(work.spoken.get(pair.row, NOTHING_LIKELY))
    if column is not None and pair.how != "external_id":
        shares = model.alone.shares(work.features, pair.row, column)
        more = reasons(work.source, work.target, pair.row, column, shares, work.features)
        found.extend(one for one in more if pair.target is not None or one[0].startswith("against"))
    grounds = [one for one in found if not one[0].startswith("against")][:SHOWN]
    if pair.alternatives:
        place, value = pair.alternatives[0]
        label = "Nearest" if pair.target is None else "Runner-up"
        grounds.append(("runner_up", f"{label}: {items[place].column.quoted}, {value:.2f}.", -value))
    pair.grounds = [*grounds, *(one for one in found if one[0].startswith("against"))]


def names_of(side: Side, places: Sequence[int]) -> list[str]:
    """Field names by place."""
    return [side.items[place].column.name for place in places]
