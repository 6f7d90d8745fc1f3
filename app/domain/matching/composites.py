"""Several source fields into one destination field and one into several: alternates, names, street lines, moments."""

from app.domain.matching.pairs import LIKELIER, MOST, FieldPair, Work
from app.domain.matching.sides import Item
from app.domain.schema import FieldType

_DAYS = frozenset({FieldType.DATE, FieldType.DATETIME})


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
    halves = {"first_name", "last_name"}
    if "full_name" in ours and not halves & ours.keys() and halves <= theirs.keys():
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
    _add_further_parts(work, pairs)
    _add_moments(work, pairs)


def _add_further_parts(work: Work, pairs: list[FieldPair]) -> None:
    streets = {
        work.source.items[pair.row].block: pair
        for pair in pairs
        if pair.target is not None and work.source.items[pair.row].top == "street"
    }
    for pair in pairs:
        ours = work.source.items[pair.row]
        first = streets.get(ours.block)
        further = pair.target is None and ours.known is None and ours.top in {"street_2", "street_3", "house_number"}
        if further and first is not None:
            pair.target, pair.how, pair.probability = first.target, "join", 0.3
            pair.partners = (work.source.items[first.row].column.name, ours.column.name)
            assert first.target is not None
            work.said[pair.row, first.target] = ("composite", "A further line of the same street address.", 2.0)


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
