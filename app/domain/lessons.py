"""What an edited or confirmed mapping teaches: which source field goes where, and where it does not."""

from collections.abc import Iterator

from app.domain.mapping import FieldRule, Load, LoadMode, MappingDocument, Origin
from app.domain.matching.memory import Lesson
from app.domain.schema import Inventory

Choice = tuple[str, str, str]
"""(source object, source field, destination object)."""


def choices(document: MappingDocument) -> dict[Choice, str]:
    """The destination field of every source field that a person or the matcher placed, and nothing from blueprints."""
    return {
        (load.source_object, rule.sources[0], load.target_object): rule.target
        for load, rule in _rules(document)
        if rule.origin is not Origin.BLUEPRINT
    }


def _rules(document: MappingDocument) -> Iterator[tuple[Load, FieldRule]]:
    for load in document.loads:
        if load.enabled and load.mode is LoadMode.CREATE:
            for rule in load.fields:
                if len(rule.sources) == 1 and "." not in rule.sources[0] and rule.lookup is None and not rule.owner:
                    yield load, rule


def confirmed(document: MappingDocument, source: Inventory) -> list[Lesson]:
    """What agreeing to the whole document confirms."""
    return [_lesson(choice, target, source, confirmed=1) for choice, target in choices(document).items()]


def corrected(before: MappingDocument, after: MappingDocument, source: Inventory) -> list[Lesson]:
    """What an edit says: the new place of a moved field is confirmed, its old place rejected; a field that was taken
    out goes nowhere."""
    old, new = choices(before), choices(after)
    placed = {(load.source_object, rule.sources[0], load.target_object): rule.target for load, rule in _rules(after)}
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
