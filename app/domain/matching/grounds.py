"""Reasons in plain sentences: the strongest grounds of a match, the runner-up, and what spoke against it."""

from collections import defaultdict
from collections.abc import Mapping

from app.domain.matching.columns import QUOTED
from app.domain.matching.features import Matrix
from app.domain.matching.names import split
from app.domain.matching.sides import Item, Side

_GROUND = {
    "token_set": "name", "token_sort": "name", "jaro": "name", "name_sort": "name", "characters": "name",
    "rare_words": "name", "head": "name", "exact": "name", "concept": "meaning",
    "same_concept": "meaning", "stray": "stray",
    "other_concept": "meaning", "meaning_elsewhere": "meaning", "meaning_nowhere": "meaning", "type": "type",
    "type_clash": "type",
    "picklist": "options", "has_picklists": "options", "shape": "samples", "values": "samples", "digits": "number",
    "qualifiers": "words", "block": "address", "block_clash": "address", "reference": "reference", "alias": "usage",
    "alias_exact": "usage", "alias_votes": "usage", "alias_row_gap": "usage", "alias_column_gap": "usage",
    "computed": "computed", "support": "usage", "row_gap": "rival", "column_gap": "rival", "row_rank": "rival",
    "column_rank": "rival",
}  # fmt: skip
_SAID = {
    "email_2": "second e-mail address", "email_3": "third e-mail address", "optout": "wants no mail",
    "sms_optout": "wants no texts", "street_2": "second address line", "street_3": "third address line",
    "related_to": "record it is about", "related_type": "kind of the record it is about", "id": "key",
    "amount_base": "amount in the base currency", "account": "company", "parent_account": "parent company",
    "sic": "SIC code", "banking": "bank or accounting detail", "sums": "running total",
    "arrangement": "way of showing it",
    "step_time": "time of a step", "actor": "who did a step", "way_in": "way it came in", "answers": "feedback",
    "state_reason": "state or its reason", "payments": "payment detail", "costs": "cost detail", "flag": "yes or no",
    "medical": "medical detail", "dispatch": "dispatching detail", "somebody_else": "detail of somebody else",
    "tenant": "organization that runs the program", "facility": "branch or room", "secret": "secret",
}  # fmt: skip
"""Meanings whose names are not what a person calls them."""
STRONGEST = 3
_STRONG = 0.8
_IN_PART = 0.2


def reasons(
    source: Side, target: Side, row: int, column: int, shares: Mapping[str, float], features: Mapping[str, Matrix]
) -> list[tuple[str, str, float]]:
    """(ground, sentence, weight in log-odds): the strongest for it first, then the strongest against it."""
    totals: dict[str, float] = defaultdict(float)
    for name, share in shares.items():
        totals[_GROUND.get(name, name)] += share
    ours, theirs = source.items[row], target.items[column]
    value = {name: float(matrix[row, column]) for name, matrix in features.items()}
    ranked = sorted(totals.items(), key=lambda one: -one[1])
    out: list[tuple[str, str, float]] = []
    for ground, weight in ranked:
        text = _for(ground, ours, theirs, value) if weight > 0.05 else ""
        if text and len(out) < STRONGEST:
            out.append((ground, text, round(weight, 2)))
    if len(out) < STRONGEST and not any(ground == "type" for ground, _, _ in out):
        text = _for("type", ours, theirs, value)
        if text:
            out.append(("type", text, round(totals.get("type", 0.0), 2)))
    for ground, weight in reversed(ranked):
        text = _against(ground, ours, theirs, value) if weight < -0.2 else ""
        if text:
            out.append((f"against_{ground}", text, round(weight, 2)))
            break
    return out


def _for(  # noqa: PLR0911  one sentence per ground
    ground: str, ours: Item, theirs: Item, value: Mapping[str, float]
) -> str:
    if ground == "name":
        return _names(ours, theirs, value)
    if ground == "meaning":
        return _meaning(ours, theirs, value)
    if ground == "type" and value["type"] >= 0.6 and ours.column.type and theirs.column.type:
        one, other = ours.column.type.value, theirs.column.type.value
        return f"Both hold {_a(one)}." if one == other else f"Values of type {one} fit into {_a(other)}."
    if ground == "options" and value["picklist"] > 0:
        least = min(len(set(ours.column.picklist)), len(set(theirs.column.picklist)))
        return f"{round(value['picklist'] * least)} of {least} options occur on both sides."
    if ground == "samples" and value["shape"] > 0.5 and theirs.column.type:
        return f"The samples look like what {_a(theirs.column.type.value)} field holds."
    if ground == "samples" and value["values"] > 0:
        return f"{round(value['values'] * 100)} % of the values occur on both sides."
    if ground == "address" and value["block"]:
        return (
            f"It belongs to the {ours.block or 'main'} address, which goes into the {theirs.block or 'main'} address."
        )
    if ground == "reference" and value["reference"] > 0:
        return f"Both point to {theirs.column.reference}."
    if ground == "usage" and value["alias_exact"]:
        return f'Other systems call "{theirs.column.quoted}" the same.'
    if ground == "usage" and value["alias"] > 0.75:
        return f'Other systems have a like name for "{theirs.column.quoted}" ({round(value["alias"] * 100)} % alike).'
    if ground == "rival" and value["row_gap"] > 1:
        return "No other destination field comes close."
    return ""


def nothing_for(ours: Item, target: Side) -> str:
    """Why a field without a counterpart has none: what it means is no field there, or nothing is like it at all."""
    place = target.table.label or target.table.name
    if ours.top and not any(one.concepts.get(ours.top, 0.0) >= _STRONG for one in target.items):
        spelt = " ".join(ours.label or ours.name)[:QUOTED]
        if spelt == " ".join(split(ours.column.shown)):
            return f'No field of {place} holds "{ours.column.quoted}"'
        return f'"{ours.column.quoted}" reads as "{spelt}", and no field of {place} holds that'
    return f"No field of {place} is likely enough"


def _meaning(ours: Item, theirs: Item, value: Mapping[str, float]) -> str:
    if value["same_concept"]:
        return f'Both mean "{_said(theirs.top)}".'
    if theirs.top and ours.concepts.get(theirs.top, 0.0) > _IN_PART:
        return f'A part of "{ours.column.quoted}" means "{_said(theirs.top)}".'
    return ""


def _said(concept: str) -> str:
    """A meaning in words."""
    return _SAID.get(concept) or concept.replace("_", " ")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _names(ours: Item, theirs: Item, value: Mapping[str, float]) -> str:
    spelt = " ".join(ours.label or ours.name)
    if value["exact"]:
        here, there = ours.column.shown.casefold(), theirs.column.shown.casefold()
        if here == there:
            return f'The names are the same: "{theirs.column.quoted}".'
        if " ".join(split(ours.column.shown)) == spelt:
            return f'In these objects "{ours.column.quoted}" and "{theirs.column.quoted}" are the same name.'
        return f'"{ours.column.quoted}" reads as "{spelt[:QUOTED]}", and so does "{theirs.column.quoted}".'
    alike = max(value["token_sort"], value["name_sort"])
    return (
        f'"{ours.column.quoted}" and "{theirs.column.quoted}" are {round(alike * 100)} % alike.' if alike >= 0.4 else ""
    )


def _against(  # noqa: PLR0911  one sentence per ground
    ground: str, ours: Item, theirs: Item, value: Mapping[str, float]
) -> str:
    if ground == "type" and value["type"] < 0.7 and ours.column.type and theirs.column.type:
        return f"Against it: values of type {ours.column.type.value} hardly fit into {_a(theirs.column.type.value)}."
    if ground == "name" and value["token_sort"] < 0.8:
        return f'Against it: the names "{ours.column.quoted}" and "{theirs.column.quoted}" differ.'
    if ground == "meaning" and value["other_concept"]:
        one, other = _said(ours.top), _said(theirs.top)
        return f'Against it: one reads as "{one}", the other as "{other}".'
    if ground == "address" and value["block_clash"]:
        return "Against it: the two belong to different addresses."
    if ground == "samples" and value["shape"] < 0:
        return "Against it: the samples do not look like what the field takes."
    if ground == "stray" and value["stray"] > 0:
        return f'Against it: "{ours.column.quoted}" says more than "{theirs.column.quoted}" takes.'
    if ground == "words" and value["qualifiers"] > 0:
        return "Against it: a telling word stands on one side only."
    if ground == "number" and value["digits"]:
        return "Against it: the numbers in the names differ."
    if ground == "rival" and value["row_gap"] < 0.5:
        return "Against it: another destination field is as likely."
    if ground == "computed" and value["computed"]:
        return "Against it: the destination fills this field by itself."
    if ground == "reference" and value["reference"] < 0:
        return "Against it: the two point to different objects."
    return ""
