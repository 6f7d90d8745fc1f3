"""Which field types can stand for which: the compatibility of a source type with a destination type."""

from app.domain.schema import FieldSpec, FieldType

_TEXTS = frozenset({FieldType.TEXT, FieldType.TEXTAREA})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
_CHOICES = frozenset({FieldType.PICKLIST, FieldType.MULTIPICKLIST})
_TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})
_SPECIAL_TEXT = frozenset({FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.AUTONUMBER, FieldType.TIME})

TRANSFORM_OF = {
    FieldType.EMAIL: "email",
    FieldType.PHONE: "phone",
    FieldType.INTEGER: "integer",
    FieldType.DECIMAL: "number",
    FieldType.CURRENCY: "currency",
    FieldType.PERCENT: "percent",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.PICKLIST: "picklist",
    FieldType.MULTIPICKLIST: "multipicklist",
}


def compatibility(source: FieldSpec, target: FieldSpec) -> float:
    """How well values of `source` fit into `target`: 1 the same kind, 0 never.

    Text takes anything that prints; nothing but a text of the same kind goes into e-mail and phone fields.
    """
    ours, theirs = source.type, target.type
    if ours is theirs:
        return _same(source, target)
    table = (
        (_TEXTS, _TEXTS, 0.9),
        (_NUMBERS, frozenset({FieldType.INTEGER}), 0.5),
        (_NUMBERS, _NUMBERS, 0.85),
        (_CHOICES, _CHOICES, 0.6),
        (_TIMES, _TIMES, 0.6),
        (_CHOICES | _SPECIAL_TEXT, _TEXTS, 0.75),
        (frozenset(FieldType), _TEXTS, 0.4),
        (_TEXTS, _SPECIAL_TEXT | {FieldType.PICKLIST}, 0.4),
    )
    return next((fit for left, right, fit in table if ours in left and theirs in right), 0.0)


def _same(source: FieldSpec, target: FieldSpec) -> float:
    if source.type is FieldType.LOOKUP:
        return 1.0 if not target.references or not source.references else 0.8
    if source.type is FieldType.PICKLIST and source.picklist and target.picklist:
        ours = {value.value.strip().casefold() for value in source.picklist}
        theirs = {value.value.strip().casefold() for value in target.picklist}
        return 0.6 + 0.4 * len(ours & theirs) / len(ours)
    if source.length and target.length and source.length > target.length:
        return 0.9
    return 1.0
