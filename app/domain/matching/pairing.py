"""Fields of one object into fields of another: scores, rules, assignment, composites; the heart of the proposer."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain.matching.assignment import assign
from app.domain.matching.columns import QUOTED
from app.domain.matching.composites import add_alternates, add_composites
from app.domain.matching.consents import turned_round
from app.domain.matching.features import base_features, groundless
from app.domain.matching.grounds import nothing_for, reasons
from app.domain.matching.memory import Lesson, Memory
from app.domain.matching.model import Model, shipped
from app.domain.matching.names import fold
from app.domain.matching.pairs import LIKELIER, MOST, FieldPair, Ground, Work
from app.domain.matching.sides import NUMBERS, Item, Side, block_plan
from app.domain.schema import FieldType

UNLIKELY = 0.1
"""Below, a field has no counterpart."""
KNOWN = 0.99
GROUNDLESS = 0.09
"""A pair with no ground but a fitting type is shown, not proposed, unless it is likelier than not."""
COMPUTED = 0.05
"""What is left of a pair whose destination field the destination alone fills, with a thing no source has."""
SHOWN = 3
NEAR = 0.1
"""Below, the field that is nearest to one without a counterpart is no help to anybody."""

_ADVICE = "leave it out, keep it in a field of its own, or create one"


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
    _apply_consents(work)
    _apply_keys(work)
    _apply_lessons(work, memory)
    pairs = _assigned(work)
    add_alternates(work, pairs)
    add_composites(work, pairs)
    work.taken = {
        pair.target: source.items[pair.row].column.quoted for pair in reversed(pairs) if pair.target is not None
    }
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
    for column, theirs in enumerate(target.items):
        if theirs.known is not None and not theirs.concepts and theirs.column.read_only:
            probability[:, column] *= COMPUTED
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
                text = f'"{ours.column.quoted}" is a standard field without a counterpart in a CRM.'
                work.spoken[row] = ("known", text, 3.0)
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


def _apply_consents(work: Work) -> None:
    """Opt-in into opt-out is for a person to decide: the values would say the opposite."""
    for place in turned_round(work.source.items, work.target.items):
        work.probability[place] = min(work.probability[place], LIKELIER)
        work.said[place] = ("against_sense", "Against it: one says yes where the other says no.", -2.0)


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
            work.refused.add((row, None))
            work.spoken[row] = ("learnt", "You decided before that this field has no counterpart.", 4.0)
    elif lesson.confirmed > lesson.rejected:
        work.refused.discard((row, None))
        work.probability[row] = np.minimum(work.probability[row], 0.3)
        work.probability[row, column] = max(sure, 0.95)
        text = f"You confirmed this before ({lesson.confirmed} time{'s' if lesson.confirmed != 1 else ''})."
        work.said[row, column] = ("learnt", text, 4.0)
        work.spoken.pop(row, None)
    else:
        work.probability[row, column] *= 0.05
        work.refused.add((row, column))
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
        why = f"{nothing_for(work.source.items[pair.row], work.target)}: {_ADVICE}."
        found.append(work.spoken.get(pair.row, ("none", why, 0.0)))
    near = bool(pair.alternatives) and pair.alternatives[0][1] >= NEAR
    if column is not None and pair.how != "external_id" and (near or pair.target is not None):
        shares = model.alone.shares(work.features, pair.row, column)
        more = reasons(work.source, work.target, pair.row, column, shares, work.features)
        found.extend(one for one in more if pair.target is not None or one[0].startswith("against"))
    grounds = [one for one in found if not one[0].startswith("against")][:SHOWN]
    if pair.alternatives and (near or pair.target is not None):
        place, value = pair.alternatives[0]
        label = "Nearest" if pair.target is None else "Runner-up"
        holder = work.taken.get(place) if pair.target is None else None
        filled = f', which "{holder}" fills' if holder else ""
        grounds.append(("runner_up", f"{label}: {items[place].column.quoted}, {value:.2f}{filled}.", -value))
    pair.grounds = [*grounds, *(one for one in found if one[0].startswith("against"))]


def names_of(side: Side, places: Sequence[int]) -> list[str]:
    """Field names by place."""
    return [side.items[place].column.name for place in places]
