"""Two objects with a field of every kind, and loads between them, for the tests of compiling."""

from app.domain.compiling import CompiledLoad, PageContext, compile_load
from app.domain.json_texts import json_text
from app.domain.mapping import (
    FieldRule,
    Load,
    ValueMap,
)
from app.domain.schema import Encoding, FieldSpec, FieldType, ObjectSpec, PicklistValue
from app.domain.values import exact_json

K = FieldType
SOURCE = ObjectSpec(
    name="WorkOrder",
    fields=(
        FieldSpec(name="Id", type=K.ID, primary_key=True),
        FieldSpec(name="Number", type=K.AUTONUMBER),
        FieldSpec(name="Subject"),
        FieldSpec(name="Notes", type=K.TEXTAREA),
        FieldSpec(name="Status", type=K.PICKLIST),
        FieldSpec(name="Tags", type=K.MULTIPICKLIST),
        FieldSpec(name="Start", type=K.DATETIME),
        FieldSpec(name="Due", type=K.DATE),
        FieldSpec(name="Total", type=K.CURRENCY),
        FieldSpec(name="Count", type=K.INTEGER),
        FieldSpec(name="Done", type=K.BOOLEAN),
        FieldSpec(name="Email", type=K.EMAIL),
        FieldSpec(name="Client", type=K.LOOKUP, references=("Account",)),
        FieldSpec(name="What", type=K.LOOKUP, references=("Asset", "Account")),
        FieldSpec(name="OwnerId", type=K.USER, references=("User",)),
    ),
)
STAGES = (PicklistValue(value="Qualification"), PicklistValue(value="Closed Won"))
TARGET = ObjectSpec(
    name="Deals",
    fields=(
        FieldSpec(name="Name", length=20),
        FieldSpec(name="Text", length=40),
        FieldSpec(name="Long", type=K.TEXTAREA, length=200),
        FieldSpec(name="Stage", type=K.PICKLIST, picklist=STAGES),
        FieldSpec(name="Closed", type=K.PICKLIST, picklist=STAGES, restricted=True),
        FieldSpec(name="Many", type=K.MULTIPICKLIST),
        FieldSpec(name="At", type=K.DATETIME),
        FieldSpec(name="Day", type=K.DATE),
        FieldSpec(name="Amount", type=K.CURRENCY, length=16, scale=2),
        FieldSpec(name="Pieces", type=K.INTEGER, length=9),
        FieldSpec(name="Flag", type=K.BOOLEAN),
        FieldSpec(name="Mail", type=K.EMAIL, length=100),
        FieldSpec(name="Account_Name", type=K.LOOKUP),
        FieldSpec(name="Owner", type=K.USER),
        FieldSpec(name="Created_Time", type=K.DATETIME, writable=False),
        FieldSpec(name="Needed", length=20, required=True),
    ),
)


def build_load(*rules: FieldRule, encoding: Encoding | None = None, **overrides: object) -> CompiledLoad:
    load = {"key": "deals", "source_object": "WorkOrder", "target_object": "Deals", "fields": rules}
    settings: dict[str, object] = {
        "names": {},
        "objects": {},
        "value_maps": {},
        "key_field": "",
        "related": None,
        "source": SOURCE,
        "target": TARGET,
    }
    for name, value in overrides.items():
        (settings if name in settings else load)[name] = value
    return compile_load(
        Load.model_validate(load),
        encoding=encoding or Encoding(),
        platform="servicetracker",
        **settings,  # type: ignore[arg-type]
    )


def one(rule: FieldRule, page: PageContext | None = None, encoding: Encoding | None = None, **record: object):
    """The value written, and the issue codes, of a single rule."""
    options = {"value_maps": {"m": ValueMap(entries={"Open": "Qualification", "Gone": ""})}}
    built = build_load(rule, encoding=encoding, **options).build({"Id": "1", **record}, page or PageContext())
    payload = exact_json(json_text(built.payload))
    return payload.get(rule.target), [issue.code for issue in built.issues], built.reason
