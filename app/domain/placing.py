"""Rules for fields that the matcher placed, and the choices it leaves to the person."""

from typing import cast

from pydantic import JsonValue

from app.domain.mapping import FieldRule, Origin, Reason, Unmapped, ValueMap
from app.domain.matching.pairing import UNLIKELY
from app.domain.matching.types import TRANSFORM_OF
from app.domain.matching.within import FieldMatch
from app.domain.schema import FieldSpec, FieldType


def matched_rule(
    load_key: str, one: FieldSpec, wanted: FieldSpec, match: FieldMatch
) -> tuple[FieldRule, dict[str, ValueMap]]:
    """The rule that carries `one` into `wanted`, and the table of its picklist's values under its name."""
    shortens = wanted.type in {FieldType.TEXT, FieldType.TEXTAREA}
    args: dict[str, JsonValue] = {"truncate": True} if shortens else {}
    args.update({key: cast("JsonValue", value) for key, value in match.arguments})
    tables: dict[str, ValueMap] = {}
    if match.value_map:
        entries = dict(match.value_map)
        tables[f"matched_{load_key}_{wanted.name}"] = ValueMap(entries=entries, unmapped=Unmapped.KEEP)
    rule = FieldRule(
        target=wanted.name,
        sources=(one.name,),
        transform=TRANSFORM_OF.get(wanted.type, "text"),
        args=args,
        value_map=next(iter(tables), None),
        sensitive=one.sensitive,
        origin=Origin.MATCHED,
        probability=match.probability,
        reasons=match.reasons,
        alternatives=match.alternatives,
    )
    return rule, tables


def with_choices(rule: FieldRule, match: FieldMatch | None) -> FieldRule:
    """A kept field with the destination fields it might have gone to, where one of them is worth a look."""
    if match is None or not match.alternatives or match.alternatives[0].probability < UNLIKELY:
        return rule
    shown = ", ".join(f"{one.target} ({one.probability:.2f})" for one in match.alternatives)
    choice = Reason(code="choose", text=f"It might also go to {shown}; choose one, or keep the new field.", weight=0.5)
    return rule.model_copy(update={"reasons": (*rule.reasons, choice), "alternatives": match.alternatives})
