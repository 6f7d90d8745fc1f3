"""Schemas written as JSON by anybody: read tolerantly, faults named, nothing trusted."""

from collections.abc import Mapping
from typing import Any

from app.domain.matching.columns import MAX_OPTIONS, MAX_SAMPLES, Column, Schema, Table, read_type

MAX_OBJECTS = 2_000
MAX_FIELDS = 50_000
MAX_TEXT = 500


class SchemaUnreadable(ValueError):
    """The document is not a schema; the text says where and why."""


def read_schema(given: Any) -> Schema:
    """A schema from `{"platform", "objects": [{"name", "label", "fields": [{"name", "label", "type", "picklist",
    "required", "read_only", "primary_key", "reference_to", "samples"}]}]}`; everything but names is optional.

    Unknown keys and unknown types are ignored. Raises SchemaUnreadable.
    """
    if not isinstance(given, Mapping):
        raise SchemaUnreadable("a schema is a JSON object with the key objects")
    objects = given.get("objects", [])
    if not isinstance(objects, list):
        raise SchemaUnreadable("objects must be a list")
    if len(objects) > MAX_OBJECTS:
        raise SchemaUnreadable(f"{len(objects)} objects are more than {MAX_OBJECTS}")
    tables = tuple(_table(one, f"objects[{place}]") for place, one in enumerate(objects))
    if sum(len(one.columns) for one in tables) > MAX_FIELDS:
        raise SchemaUnreadable(f"more than {MAX_FIELDS} fields")
    platform = given.get("platform", given.get("system"))
    return Schema(_text(platform), tables)


def write_schema(schema: Schema) -> dict[str, Any]:
    """The schema in the form that `read_schema` reads; what is not known is left out."""
    objects = [
        {"name": one.name, "label": one.label, "fields": [_field_document(column) for column in one.columns]}
        for one in schema.tables
    ]
    return {"platform": schema.platform, "objects": objects}


def _field_document(column: Column) -> dict[str, Any]:
    given = {
        "name": column.name, "label": column.label, "type": column.type.value if column.type else None,
        "picklist": list(column.picklist), "required": column.required, "read_only": column.read_only,
        "primary_key": column.primary_key, "external_id": column.external_id, "reference_to": column.reference,
        "length": column.length, "scale": column.scale, "samples": list(column.samples),
    }  # fmt: skip
    return {key: value for key, value in given.items() if value not in (None, "", [], False)}


def _table(given: Any, where: str) -> Table:
    if not isinstance(given, Mapping):
        raise SchemaUnreadable(f"{where} must be an object")
    fields = given.get("fields")
    fields = [] if fields is None else fields
    if not isinstance(fields, list):
        raise SchemaUnreadable(f"{where}.fields must be a list")
    return Table(
        _name(given, where),
        _text(given.get("label")),
        tuple(_column(one, f"{where}.fields[{place}]") for place, one in enumerate(fields)),
    )


def _column(given: Any, where: str) -> Column:
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping):
        raise SchemaUnreadable(f"{where} must be an object")
    reference = given.get("reference_to")
    if isinstance(reference, list):
        reference = reference[0] if len(reference) == 1 else ""
    kind = read_type(_text(given.get("type")))
    return Column(
        name=_name(given, where),
        label=_text(given.get("label")),
        type=kind,
        picklist=_texts(given.get("picklist"))[:MAX_OPTIONS],
        required=given.get("required") is True,
        read_only=given.get("read_only") is True,
        primary_key=given.get("primary_key") is True,
        external_id=given.get("external_id") is True,
        reference=_text(reference),
        samples=_texts(given.get("samples"))[:MAX_SAMPLES],
        length=_number(given.get("length")),
        scale=_number(given.get("scale")),
    )


def _name(given: Mapping[str, Any], where: str) -> str:
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise SchemaUnreadable(f"{where}.name must be a text")
    return name[:MAX_TEXT]


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """Texts of a list; options may also be written as {"value": …}."""
    if not isinstance(value, list):
        return ()
    plain = (one.get("value", one.get("label")) if isinstance(one, Mapping) else one for one in value)
    return tuple(
        str(one)[:MAX_TEXT]
        for one in plain
        if (isinstance(one, (str, int, float)) and not isinstance(one, bool)) or one is True or one is False
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
