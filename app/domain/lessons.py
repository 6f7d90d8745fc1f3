"""What an edited or confirmed mapping teaches: which source field goes where, and where it does not."""

from collections.abc import Iterator

from app.domain.mapping import FieldRule, Load, LoadMode, MappingDocument, Origin
from app.domain.matching.memory import Lesson
from app.domain.schema import Inventory

Choice = tuple[str, str, str]
"""(source object, source field, destination object)."""
_HALVES = frozenset({"first_name", "last_name"})


def choices(document: MappingDocument) -> dict[Choice, str]:
    """The destination field of every source field that a person or the matcher placed, and nothing from blueprints.

    Each field of a join goes to the same place; the halves of a whole name are no place of its own.
    """
    return {
        (load.source_object, path, load.target_object): rule.target
        for load, rule in _rules(document)
        if rule.origin is not Origin.BLUEPRINT
        for path in rule.sources
    }


def _rules(document: MappingDocument) -> Iterator[tuple[Load, FieldRule]]:
    """Rules that place whole fields: of one source or a join of several."""
    for load in document.loads:
        if load.enabled and load.mode is LoadMode.CREATE:
            for rule in load.fields:
                whole = len(rule.sources) == 1 or (rule.sources and rule.transform == "join")
                linked = rule.lookup is not None or rule.owner or any("." in path for path in rule.sources)
                if whole and not linked and rule.transform not in _HALVES:
                    yield load, rule


def confirmed(document: MappingDocument, source: Inventory) -> list[Lesson]:
    """What agreeing to the whole document confirms."""
    return [_lesson(choice, target, source, confirmed=1) for choice, target in choices(document).items()]


def corrected(before: MappingDocument, after: MappingDocument, source: Inventory) -> list[Lesson]:
    """What an edit says: the new place of a moved field is confirmed, its old place rejected; a field that was taken
    out goes nowhere."""
    old, new = choices(before), choices(after)
    placed = {
        (load.source_object, path, load.target_object): rule.target
        for load, rule in _rules(after)
        for path in rule.sources
    }
    out = []
    for choice, target in old.items():
        now = placed.get(choice, "")
        if now != target:
            out += [_lesson(choice, target, source, rejected=1), _lesson(choice, now, source, confirmed=1)]
    out += [_lesson(choice, target, source, confirmed=1) for choice, target in new.items() if choice not in old]
    return out


def _lesson(choice: Choice, target: str, source: Inventory, *, confirmed: int = 0, rejected: int = 0) -> Lesson:
    owner, name, target_object = choice
    spec = source.object(owner)
    found = spec.field(name) if spec else None
    return Lesson(
        target_object=target_object, target=target, source_object=owner, name=name, label=found.label if found else "",
        confirmed=confirmed, rejected=rejected, platform=source.platform,
    )  # fmt: skip
