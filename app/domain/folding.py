"""Which fields to fold into one text field where an object would have more custom fields than its plan allows."""

from app.domain.editions import FieldUsage
from app.domain.mapping import MappingDocument, NewField
from app.domain.provisioning import enabled_loads, missing_fields
from app.domain.schema import FieldType, Inventory

_FOLDABLE = frozenset({FieldType.TEXT, FieldType.TEXTAREA, FieldType.URL, FieldType.PHONE, FieldType.PICKLIST})


def consolidation(
    document: MappingDocument, destination: Inventory, usage: FieldUsage, source: Inventory | None
) -> tuple[str, ...]:
    """Fields to fold into one text field so that the object fits its cap: the least filled texts first.

    One new field takes their place, hence one more than the surplus. Empty when there are not enough such fields.
    """
    candidates = [
        field
        for field in missing_fields(document, destination)
        if field.object == usage.object and _foldable(document, field)
    ]
    candidates.sort(key=lambda field: (_filled(document, field, source), field.key))
    wanted = usage.over + 1
    return tuple(field.key for field in candidates[:wanted]) if len(candidates) >= wanted else ()


def _foldable(document: MappingDocument, field: NewField) -> bool:
    kept = field.unique or field.external or field.references or field.key == document.external_id
    return not kept and field.type in _FOLDABLE


def _filled(document: MappingDocument, field: NewField, source: Inventory | None) -> int:
    if source is None:
        return 0
    return sum(
        source.fill.get(load.source_object, {}).get(name, 0)
        for load in enabled_loads(document)
        if load.target_object == field.object
        for rule in load.fields
        if rule.target == field.key
        for name in rule.sources
    )
