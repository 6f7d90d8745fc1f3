"""Sensitive fields (health data, national ids, access codes): which ones a mapping moves, and how they are shown.

A rule is sensitive when the blueprint or a person says so, or when it reads a source field that the platform marks.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.mapping import FieldRule, Load, MappingDocument
from app.domain.schema import Inventory, ObjectSpec

MASK = "[masked]"


def masked(value: Any) -> Any:
    """What is shown instead of a sensitive value; a blank stays a blank, so that a gap can still be seen."""
    return value if value is None or value in ("", [], {}) else MASK


def mask_values(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The record with the values of these fields masked."""
    hidden = frozenset(names)
    return {name: masked(value) if name in hidden else value for name, value in record.items()}


def sensitive_targets(load: Load) -> frozenset[str]:
    """Logical names of the destination fields of a load that take sensitive values."""
    return frozenset(rule.target for rule in load.fields if rule.sensitive)


def sensitive_sources(document: MappingDocument, object_name: str, spec: ObjectSpec | None = None) -> frozenset[str]:
    """Fields of a source object that hold sensitive values: those read by a sensitive rule, and those marked so."""
    read = {
        source.partition(".")[0]
        for load in document.loads
        if load.source_object == object_name
        for rule in load.fields
        if rule.sensitive
        for source in rule.sources
    }
    marked = {field.name for field in spec.fields if field.sensitive} if spec is not None else set()
    return frozenset(read | marked)


def sensitive_count(document: MappingDocument) -> int:
    """How many rules of the loads that run move sensitive values."""
    return sum(rule.sensitive for load in document.loads if load.enabled for rule in load.fields)


def flagged(document: MappingDocument, source: Inventory, promised: Iterable[Load] = ()) -> MappingDocument:
    """The document with every rule marked that reads a sensitive source field; nobody can unmark one by an edit.

    `promised` are loads whose marks hold for every rule that reads the same fields: the blueprint's, those edited.
    """
    marks = {(one.name, field.name) for one in source.objects for field in one.fields if field.sensitive}
    held: set[tuple[str, tuple[str, ...]]] = set()
    for load in promised:
        held |= {(load.source_object, rule.sources) for rule in load.fields if rule.sensitive}
    loads = []
    for load in document.loads:
        rules = [_marked(load, rule, source, marks, held) for rule in load.fields]
        loads.append(load if rules == list(load.fields) else load.model_copy(update={"fields": tuple(rules)}))
    return document.model_copy(update={"loads": tuple(loads)})


def _marked(
    load: Load, rule: FieldRule, source: Inventory, marks: set[tuple[str, str]], held: set[tuple[str, tuple[str, ...]]]
) -> FieldRule:
    if rule.sensitive:
        return rule
    for path in rule.sources:
        if {(load.source_object, (path,)), (load.source_object, rule.sources)} & held or any(
            one in marks for one in _places(load.source_object, path, source)
        ):
            return rule.model_copy(update={"sensitive": True})
    return rule


def _places(object_name: str, path: str, source: Inventory) -> list[tuple[str, str]]:
    """The (object, field) that a source path reads; "Site__c.City__c" follows the reference one step."""
    name, _, further = path.partition(".")
    if not further:
        return [(object_name, name)]
    spec = source.object(object_name)
    field = spec.field(name) if spec is not None else None
    return [(one, further) for one in field.references] if field is not None else []
