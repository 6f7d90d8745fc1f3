"""Several source fields into one destination field and one into several: alternates, names, street lines, moments."""

import re

from app.domain.matching.columns import Column
from app.domain.matching.pairs import LIKELIER, MOST, SURE, FieldPair, Work
from app.domain.matching.sides import Item
from app.domain.schema import FieldType

PROSE = frozenset({FieldType.TEXT, FieldType.TEXTAREA, None})
"""Types of fields that a text made of several values can be written to."""
_DAYS = frozenset({FieldType.DATE, FieldType.DATETIME})
_REFERENCES = frozenset({FieldType.LOOKUP, FieldType.USER})
_NUMBERED = re.compile(r"(.*?\D)[\s_-]*([1-4])(?:__c)?")
_JOINED = 0.92


def add_alternates(work: Work, pairs: list[FieldPair]) -> None:
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


def add_composites(work: Work, pairs: list[FieldPair]) -> None:
    """First and last name into one field and back; second street lines."""
    ours = {item.top: row for row, item in reversed(list(enumerate(work.source.items))) if item.top}
    theirs = {item.top: column for column, item in reversed(list(enumerate(work.target.items))) if item.top}
    _add_whole_name(work, pairs, ours, theirs)
    _add_halves(work, pairs, ours, theirs)
    _add_further_parts(work, pairs)
    _add_moments(work, pairs)
    _settle_joins(work, pairs)


def separator_for(target: Column) -> str:
    """What stands between the values that a join writes."""
    return "\n" if target.type is FieldType.TEXTAREA else " "


def _add_whole_name(work: Work, pairs: list[FieldPair], ours: dict[str, int], theirs: dict[str, int]) -> None:
    """First and last name into the field of the full name, where neither has a likely place of its own."""
    whole = theirs.get("full_name", theirs.get("name") if work.target.kind in {"contact", "lead"} else None)
    rows = [ours[one] for one in ("first_name", "last_name") if one in ours]
    if len(rows) < 2 or "last_name" in theirs or whole is None:
        return
    holders = {pair.row for pair in pairs if pair.target == whole}
    if holders <= set(rows) and all(_free(work, pairs[row], whole) for row in rows):
        names = tuple(work.source.items[row].column.name for row in rows)
        for row in rows:
            _join(pairs[row], whole, names, _JOINED)
            work.said[row, whole] = ("composite", "First and last name together make the full name.", 4.0)


def _add_halves(work: Work, pairs: list[FieldPair], ours: dict[str, int], theirs: dict[str, int]) -> None:
    """A whole name without its halves into first and last name, and where there is one, into its own field as well."""
    halves = {"first_name", "last_name"}
    if "full_name" not in ours or halves & ours.keys() or not halves <= theirs.keys():
        return
    pair = pairs[ours["full_name"]]
    aims = [theirs[one] for one in ("first_name", "last_name")]
    likely = pair.target is not None and pair.target not in aims and pair.probability >= LIKELIER
    elsewhere = likely and pair.target not in {theirs.get("full_name"), theirs.get("name")}
    refused = {(pair.row, place) for place in (None, *aims)} & work.refused
    if elsewhere or refused or set(aims) & {one.target for one in pairs if one.row != pair.row}:
        return
    aim = pair.target if likely and pair.target is not None else aims[1]
    parts = [work.target.items[one].column for one in aims]
    _join(pair, aim, tuple(one.name for one in parts), max(pair.probability, SURE))
    pair.how = "split"
    columns = (work.source.items[pair.row].column, *parts)
    pair.settled = all(one.type in PROSE for one in columns)
    text = f"The full name is taken apart into {parts[0].name} and {parts[1].name}."
    work.said[pair.row, aim] = ("composite", text, 4.0)


def _free(work: Work, pair: FieldPair, aim: int) -> bool:
    """Whether a field may become part of `aim`: it has no likelier place, and nobody decided otherwise."""
    if {(pair.row, None), (pair.row, aim)} & work.refused:
        return False
    return pair.target in {None, aim} or pair.probability < LIKELIER


def _join(pair: FieldPair, aim: int, names: tuple[str, ...], probability: float) -> None:
    """The pair becomes part of `aim`; the place it had is shown as an alternative."""
    had = [(pair.target, pair.probability)] if pair.target not in {None, aim} else []
    others = [*had, *pair.alternatives]
    pair.alternatives = [(place, value) for place, value in others if place is not None and place != aim][:3]
    pair.target, pair.how, pair.partners, pair.probability = aim, "join", names, probability


def _settle_joins(work: Work, pairs: list[FieldPair]) -> None:
    """All parts of a sure join name all of them, and so does the field that filled the destination alone so far."""
    rows = {item.column.name: row for row, item in reversed(list(enumerate(work.source.items)))}
    joined: dict[int, dict[int, None]] = {}
    for pair in pairs:
        if pair.how == "join" and pair.target is not None and pair.probability >= SURE:
            joined.setdefault(pair.target, {}).update((rows[name], None) for name in pair.partners)
    for aim, members in joined.items():
        parts = [pairs[row] for row in members]
        apart = any(one.target != aim or one.how not in {"", "join"} or one.probability < SURE for one in parts)
        references = any(work.source.items[row].column.type in _REFERENCES for row in members)
        if apart or references or work.target.items[aim].column.type not in PROSE:
            continue
        names = tuple(work.source.items[row].column.name for row in members)
        for one in parts:
            one.how, one.partners, one.settled = "join", names, True
            text = f"{len(names)} fields together fill it."
            work.said.setdefault((one.row, aim), ("composite", text, 2.0))


def _add_further_parts(work: Work, pairs: list[FieldPair]) -> None:
    streets = {
        work.source.items[pair.row].block: pair
        for pair in pairs
        if pair.target is not None and work.source.items[pair.row].top == "street"
    }
    for pair in pairs:
        ours = work.source.items[pair.row]
        first = streets.get(ours.block)
        if first is None or first.target is None or first is pair or ours.known is not None:
            continue
        opening = work.source.items[first.row].column
        follows = _follows(ours.column, opening)
        meant = pair.target is None and ours.top in {"street_2", "street_3", "house_number"}
        movable = _free(work, pair, first.target) or _astray(work, pair)
        if (follows or meant) and pair.target != first.target and movable:
            sure = min(_JOINED, first.probability) if follows else 0.3
            _join(pair, first.target, (opening.name, ours.column.name), sure)
            text = f'"{ours.column.quoted}" is a further part of the street in "{opening.quoted}".'
            work.said[pair.row, first.target] = ("composite", text, 2.0)


def _astray(work: Work, pair: FieldPair) -> bool:
    """Whether a line went to the street of another address for its name alone, on nobody's word."""
    place = pair.target
    return place is not None and work.target.items[place].top == "street" and (pair.row, place) not in work.said


def _follows(further: Column, first: Column) -> bool:
    """Whether two names differ in the number at their end alone: line 2 after line 1, street2 after street."""
    for one, other in ((further.name, first.name), (further.label, first.label)):
        late, early = (_NUMBERED.fullmatch(text.strip().casefold()) for text in (one[:200], other[:200]))
        if late is None or late[2] == "1":
            continue
        stem = late[1].rstrip(" _-")
        if early[1].rstrip(" _-") == stem if early and early[2] == "1" else other.strip().casefold() == stem:
            return True
    return False


def _add_moments(work: Work, pairs: list[FieldPair]) -> None:
    """A day and an hour in two columns are one moment together; the one that fills the field already stays as it is."""
    for meaning in ("start", "end"):
        mine = [pair for pair in pairs if work.source.items[pair.row].top == meaning]
        hours = [pair for pair in mine if _is_hour(work.source.items[pair.row])]
        days = [pair for pair in mine if _is_day(work.source.items[pair.row])]
        if len(hours) != 1 or len(days) != 1:
            continue
        (day,), (hour,) = days, hours
        aim = day.target if day.target is not None else hour.target
        if aim is None or hour.target not in {None, aim}:
            continue
        for pair in (day, hour):
            if pair.target is not None and pair.how != "alternate":
                continue
            if pair.target is None:
                pair.probability = LIKELIER
            pair.target, pair.how = aim, "join"
            pair.alternatives = [one for one in pair.alternatives if one[0] != aim]
            pair.partners = tuple(work.source.items[one.row].column.name for one in (day, hour))
            work.said[pair.row, aim] = ("composite", "The day and the hour together make the moment.", 2.0)


def _is_day(item: Item) -> bool:
    """A day without an hour."""
    return item.column.type is FieldType.DATE or (
        bool({*item.label, *item.name} & {"date", "day"}) and "time" not in item.label and item.column.type is None
    )


def _is_hour(item: Item) -> bool:
    """A time of day without its day."""
    said = {*item.label, *item.name}
    return bool(said & {"time", "hour"}) and not said & {"date", "datetime", "day"} and item.column.type not in _DAYS
