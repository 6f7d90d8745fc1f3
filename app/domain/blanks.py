"""What stands for a blank where the destination refuses one."""

from collections.abc import Mapping

from pydantic import JsonValue

from app.domain.mapping import FieldRule, Load, LoadMode, Origin, Reason
from app.domain.schema import FieldSpec, FieldType, ObjectSpec

_DEFAULTS: Mapping[FieldType, JsonValue] = {
    FieldType.TEXT: "Unknown",
    FieldType.TEXTAREA: "Unknown",
    FieldType.INTEGER: "0",
    FieldType.DECIMAL: "0",
    FieldType.CURRENCY: "0",
    FieldType.PERCENT: "0",
    FieldType.BOOLEAN: False,
}


def with_defaults(load: Load, target: ObjectSpec | None) -> Load:
    """Gives required destination fields a default where a blank would be refused."""
    if target is None or load.mode is not LoadMode.CREATE:
        return load
    by_target = {rule.target: rule for rule in load.fields}
    changed: dict[str, FieldRule] = {}
    for spec in target.fields:
        default = _default(spec) if spec.required and spec.writable else None
        rule = by_target.get(spec.name)
        if default is None or (rule and (rule.default is not None or rule.transform == "const" or rule.lookup)):
            continue
        if rule is not None:
            changed[spec.name] = rule.model_copy(update={"default": default, "required": True})
        else:
            reason = Reason(code="required", text="The destination refuses a blank; this value stands for it.")
            changed[spec.name] = FieldRule(
                target=spec.name, transform="const", args={"value": default}, required=True,
                origin=Origin.MATCHED, reasons=(reason,),
            )  # fmt: skip
    kept = tuple(changed.pop(rule.target, rule) for rule in load.fields)
    return load.model_copy(update={"fields": (*kept, *changed.values())})


def _default(spec: FieldSpec) -> JsonValue:
    if spec.type is FieldType.PICKLIST:
        return next((option.value for option in spec.picklist if option.active), None)
    return _DEFAULTS.get(spec.type)
