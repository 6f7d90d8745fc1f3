"""Rules for fields that the matcher placed, and the choices it leaves to the person."""

from collections.abc import Sequence
from typing import cast

from pydantic import JsonValue

from app.domain.mapping import FieldRule, Origin, Reason, Unmapped, ValueMap
from app.domain.matching.pairing import UNLIKELY
from app.domain.matching.types import TRANSFORM_OF
from app.domain.matching.within import FieldMatch
from app.domain.schema import FieldSpec, FieldType, ObjectSpec

REFERENCES = frozenset({FieldType.LOOKUP, FieldType.USER})
"""Types whose values name a record: they are resolved, never matched as they stand."""


def matched_rules(
    load_key: str, owner: ObjectSpec, one: FieldSpec, target: ObjectSpec, match: FieldMatch
) -> tuple[list[FieldRule], dict[str, ValueMap]]:
    """The rules that carry `one` of `owner` to its place on `target`, and the table of its picklist's values under its
    name. Nothing where the place is not sure or a reference has to be resolved; two rules for a whole name that is
    taken apart; one for all the fields that are joined."""
    wanted = target.field(match.target) if match.sure else None
    if wanted is None or {one.type, wanted.type} & REFERENCES:
        return [], {}
    if len(match.sources) > 1:
        joined = [spec for name in match.sources if (spec := owner.field(name)) is not None]
        return [_rule(joined, wanted, "join", match)], {}
    halves = zip(match.parts, ("first_name", "last_name"), strict=True) if match.parts else ()
    rules = [_rule([one], spec, name, match) for part, name in halves if (spec := target.field(part)) is not None]
    if match.parts and match.target in match.parts:
        return rules, {}
    tables: dict[str, ValueMap] = {}
    if match.value_map:
        entries = dict(match.value_map)
        tables[f"matched_{load_key}_{wanted.name}"] = ValueMap(entries=entries, unmapped=Unmapped.KEEP)
    rule = _rule([one], wanted, TRANSFORM_OF.get(wanted.type, "text"), match, next(iter(tables), None))
    return [*rules, rule], tables


def _rule(
    sources: Sequence[FieldSpec], wanted: FieldSpec, transform: str, match: FieldMatch, value_map: str | None = None
) -> FieldRule:
    shortens = wanted.type in {FieldType.TEXT, FieldType.TEXTAREA}
    args: dict[str, JsonValue] = {"truncate": True} if shortens else {}
    if transform not in {"first_name", "last_name"}:
        args.update({key: cast("JsonValue", value) for key, value in match.arguments})
    return FieldRule(
        target=wanted.name,
        sources=tuple(one.name for one in sources),
        transform=transform,
        args=args,
        value_map=value_map,
        sensitive=any(one.sensitive for one in sources),
        origin=Origin.MATCHED,
        probability=match.probability,
        reasons=match.reasons,
        alternatives=match.alternatives,
    )


def with_choices(rule: FieldRule, match: FieldMatch | None) -> FieldRule:
    """A kept field with the destination fields it might have gone to, where one of them is worth a look."""
    if match is None or not match.alternatives or match.alternatives[0].probability < UNLIKELY:
        return rule
    shown = ", ".join(f"{one.target} ({one.probability:.2f})" for one in match.alternatives)
    others = ", ".join(name for name in match.sources if name not in rule.sources)
    together = f", the first together with {others}" if others else ""
    text = f"It might also go to {shown}{together}; choose one, or keep the new field."
    choice = Reason(code="choose", text=text, weight=0.5)
    return rule.model_copy(update={"reasons": (*rule.reasons, choice), "alternatives": match.alternatives})
