"""How hard a migration is: a grade from A to D with its five grounds (ruling 12: grade by rule, timeline as data)."""

from collections.abc import Mapping
from enum import StrEnum

from app.domain.blueprint import Blueprint
from app.domain.mapping import MappingDocument, Origin
from app.domain.schema import Frozen

VOLUMES = (100_000, 500_000, 2_000_000)
"""Records from which volume weighs one, two and three points."""


class Grade(StrEnum):
    A = "A"
    B = "B"
    C = "C"
    D = "D"


LABELS = {Grade.A: "Simple", Grade.B: "Standard", Grade.C: "Moderate", Grade.D: "Special"}


class Factor(Frozen):
    """One ground: `points` from 0 (easy) to 3 (hard) and the sentence behind it."""

    key: str
    title: str
    points: int
    text: str


class Complexity(Frozen):
    """The grade with its five factors in a fixed order."""

    grade: Grade
    label: str
    points: int
    factors: tuple[Factor, ...]


class DestinationFacts(Frozen):
    """What the API of the destination allows: access at all, credits per day (None: unknown or unlimited)."""

    api_access: bool = True
    credits_per_day: int | None = None
    records_per_credit: int = 10
    custom_objects: bool = True


def grade(
    blueprint: Blueprint,
    counts: Mapping[str, int],
    facts: DestinationFacts | None = None,
    document: MappingDocument | None = None,
) -> Complexity:
    """The complexity of a pair for given record counts; `document` is the proposal once there is one."""
    facts = facts or DestinationFacts()
    records = sum(counts.values())
    factors = (
        _compatibility(blueprint),
        _clarity(blueprint, document),
        _timeline(blueprint),
        _api(blueprint, records, facts),
        _volume(records),
    )
    points = sum(factor.points for factor in factors)
    found = _grade_of(points, max(factor.points for factor in factors))
    return Complexity(grade=found, label=LABELS[found], points=points, factors=factors)


def _grade_of(points: int, worst: int) -> Grade:
    """By the sum; a single hardest ground rules out the two easy grades."""
    if points >= 11:
        return Grade.D
    if points >= 7 or worst == 3:
        return Grade.C
    return Grade.B if points >= 3 else Grade.A


def _compatibility(blueprint: Blueprint) -> Factor:
    """The worse of two shares: rows that do not carry over one to one, and objects of the category to be mapped."""
    rows = len(blueprint.rows)
    share = blueprint.one_to_one / rows if rows else 0.0
    mapped = blueprint.mapped_of_eight / blueprint.objects_in_category
    unsupported = sum(1 for row in blueprint.rows if row.compatibility == "none")
    by_rows = 0 if share == 1 else 1 if share >= 0.75 else 2 if share >= 0.5 else 3
    by_category = 0 if mapped == 0 else 1 if mapped <= 0.25 else 2 if mapped < 0.5 else 3
    points = max(by_rows, by_category)
    text = (
        f"{blueprint.one_to_one} of {rows} object rows carry over one to one; "
        f"{blueprint.mapped_of_eight} of {blueprint.objects_in_category} objects of the category "
        f"{'needs' if blueprint.mapped_of_eight == 1 else 'need'} a mapping."
    )
    return Factor(
        key="object_compatibility", title="Object compatibility", points=min(3, points + bool(unsupported)), text=text
    )


def _clarity(blueprint: Blueprint, document: MappingDocument | None) -> Factor:
    title = "Field mapping clarity"
    if document is None:
        rules = sum(len(load.fields) for load in blueprint.loads)
        text = f"{rules} field rules come from the blueprint; the tenant's own fields are known after discovery."
        return Factor(key="mapping_clarity", title=title, points=1 if rules else 3, text=text)
    rules_made = [rule for load in document.loads if load.enabled for rule in load.fields]
    unsure = [rule for rule in rules_made if rule.origin is Origin.MATCHED]
    share = len(unsure) / len(rules_made) if rules_made else 1.0
    points = 0 if share <= 0.05 else 1 if share <= 0.25 else 2 if share <= 0.5 else 3
    text = f"{len(unsure)} of {len(rules_made)} field rules are proposals that a person has to look at."
    return Factor(key="mapping_clarity", title=title, points=points, text=text)


def _timeline(blueprint: Blueprint) -> Factor:
    hours = blueprint.timeline.max_hours
    points = 0 if hours <= 168 else 1 if hours <= 672 else 2 if hours <= 1_344 else 3
    text = f"Projects of this pair usually take {blueprint.timeline.label}."
    return Factor(key="timeline", title="Timeline", points=points, text=text)


def _api(blueprint: Blueprint, records: int, facts: DestinationFacts) -> Factor:
    title = "API constraints"
    if not facts.api_access:
        text = "The destination's plan has no API access; it has to be upgraded first."
        return Factor(key="api_constraints", title=title, points=3, text=text)
    if blueprint.plan.objects and not facts.custom_objects:
        text = "The destination's plan offers no custom modules; it has to be upgraded, or objects stay behind."
        return Factor(key="api_constraints", title=title, points=3, text=text)
    needed = -(-records // max(1, facts.records_per_credit))
    if facts.credits_per_day:
        days = -(-needed // facts.credits_per_day)
        points = 1 if days <= 1 else 2 if days <= 3 else 3
        text = f"Writing needs about {needed:,} credits of {facts.credits_per_day:,} a day."
        return Factor(key="api_constraints", title=title, points=points, text=text)
    text = "Both vendors limit calls; the plan stays below their limits."
    return Factor(key="api_constraints", title=title, points=1, text=text)


def _volume(records: int) -> Factor:
    points = sum(1 for limit in VOLUMES if records > limit)
    text = f"{records:,} records to move."
    return Factor(key="data_volume", title="Data volume", points=points, text=text)
