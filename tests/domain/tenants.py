"""Two described sides for tests of the core: the ServiceTracker stand-in's schema and a fresh Zoho org."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from app.domain.blueprint import Blueprint
from app.domain.mapping import FieldRule, Load, MappingDocument
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec, PicklistValue, StageSpec
from connectors.servicetracker.sandbox.schema import OBJECTS
from connectors.servicetracker.schema import FILE_OBJECTS, FILE_SPEC
from connectors.zoho_crm.sandbox import catalogue

ROOT = Path(__file__).resolve().parents[2]
BLUEPRINT_FILE = ROOT / "connectors" / "blueprints" / "servicetracker-zoho_crm.yaml"
TAKEN = datetime(2026, 11, 1, tzinfo=UTC)

_SOURCE_TYPES = {
    "string": "text", "textarea": "textarea", "email": "email", "phone": "phone", "url": "url", "int": "integer",
    "double": "decimal", "currency": "currency", "percent": "percent", "boolean": "boolean", "date": "date",
    "datetime": "datetime", "picklist": "picklist", "multipicklist": "multipicklist", "reference": "lookup",
    "id": "id", "base64": "file", "address": "compound",
}  # fmt: skip
_ZOHO_TYPES = {
    "text": "text", "textarea": "textarea", "email": "email", "phone": "phone", "website": "url", "integer": "integer",
    "bigint": "integer", "double": "decimal", "currency": "currency", "boolean": "boolean", "date": "date",
    "datetime": "datetime", "picklist": "picklist", "multiselectpicklist": "multipicklist", "lookup": "lookup",
    "ownerlookup": "user", "userlookup": "user",
}  # fmt: skip
_LINE = re.compile(r"(\S+) ([A-Za-z]+)(\d*)([^#]*)(?:# (.+))?")


def load_blueprint() -> Blueprint:
    return Blueprint.model_validate(yaml.safe_load(BLUEPRINT_FILE.read_text(encoding="utf-8")))


def source_inventory(**extra: list[FieldSpec]) -> Inventory:
    """The stand-in's objects as discovery shows them; `extra` adds fields to an object by name."""
    objects = [_source_object(one, extra.get(one.name, [])) for one in OBJECTS.values() if one.name not in FILE_OBJECTS]
    return Inventory(platform="servicetracker", taken_at=TAKEN, objects=(*objects, FILE_SPEC))


def _source_object(one: Any, extra: list[FieldSpec]) -> ObjectSpec:
    fields = []
    for field in one.fields:
        kind = FieldType(_SOURCE_TYPES[field.type])
        if field.auto_number:
            kind = FieldType.AUTONUMBER
        elif kind is FieldType.LOOKUP and tuple(field.refers) == ("User",):
            kind = FieldType.USER
        if kind is not FieldType.COMPOUND:
            fields.append(
                FieldSpec(
                    name=field.name, label=field.title, type=kind, length=field.length or field.precision or None,
                    scale=field.scale if kind is FieldType.DECIMAL else None, custom=field.custom,
                    primary_key=kind is FieldType.ID, references=tuple(field.refers),
                    picklist=tuple(PicklistValue(value=value) for value in field.picks),
                )
            )  # fmt: skip
    return ObjectSpec(name=one.name, label=one.label, fields=(*fields, *extra))


def zoho_inventory(**changes: Any) -> Inventory:
    """A fresh Zoho org with its standard modules, stages and no custom field."""
    objects = tuple(
        ObjectSpec(
            name=one.api_name, label=f"{one.singular}s",
            fields=tuple(_zoho_fields(catalogue.SYSTEM_FIELDS + one.lines)),
        )
        for one in catalogue.MODULES
    )  # fmt: skip
    stages = tuple(
        StageSpec(name=name, pipeline="Standard (Standard)", probability=probability, forecast=forecast)
        for name, probability, forecast in catalogue.STAGES
    )
    given = {"platform": "zoho_crm", "taken_at": TAKEN, "edition": "enterprise", "objects": objects, "stages": stages}
    return Inventory.model_validate({**given, **changes})


def _zoho_fields(lines: str) -> list[FieldSpec]:
    fields = []
    for line in filter(None, lines.splitlines()):
        found = _LINE.fullmatch(line.strip())
        assert found, line
        name, kind, size, rest, label = found.groups()
        options = re.search(r"=(\w+)", rest)
        target = re.search(r">(\w+)", rest)
        values = catalogue.PICKLISTS[options[1]] if options else ()
        if name == "Stage":
            values = tuple(stage for stage, _, _ in catalogue.STAGES)
        fields.append(
            FieldSpec(
                name=name, label=label or name.replace("_", " "),
                type=FieldType.ID if name == "id" else FieldType(_ZOHO_TYPES.get(kind, "compound")),
                length=int(size) if size else None, required="!" in rest, writable="~" not in rest,
                picklist=tuple(PicklistValue(value=value, label=value) for value in values),
                references=(target[1],) if target else (),
            )
        )  # fmt: skip
    return fields


def build_load(key: str, *needs: str, required: bool = False, phase: str = "", target: str = "", **more: Any) -> Load:
    """A load with one lookup per entry of `needs`."""
    fields = tuple(
        FieldRule(
            target=f"To_{needed}", sources=(f"{needed}_id",),
            lookup={"loads": (needed,), "on_missing": "hold" if required else "blank"},  # type: ignore[arg-type]
        )
        for needed in needs
    )  # fmt: skip
    given = {"source_object": key.title(), "target_object": target or f"{key.title()}s", "phase": phase}
    return Load.model_validate({"key": key, "fields": fields, **given, **more})


def build_document(*loads: Load, **more: Any) -> MappingDocument:
    return MappingDocument(source="here", destination="there", loads=loads, **more)
