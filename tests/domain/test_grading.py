"""The grade follows from rules over the blueprint, and what the pages of the pairs say follows from both."""

import pytest

from app.domain.blueprint import Blueprint, Timeline
from app.domain.grading import Grade, grade
from connectors.registry import BLUEPRINTS, load_blueprint
from tests.domain import tenants

BASE = tenants.load_blueprint()
WEEKS = Timeline(label="2–4 weeks", min_hours=336, max_hours=672)
HOURS = Timeline(label="48–72 hours", min_hours=48, max_hours=72)
PAGES = {
    ("servicetracker", "freshsales"): ("11 of 11", 2, Grade.B, "48–72 hours"),
    ("servicetracker", "zoho_crm"): ("10 of 11", 1, Grade.B, "2–4 weeks"),
    ("octopuspro", "freshsales"): ("8 of 9", 2, Grade.B, "2–4 weeks"),
    ("clinic", "freshsales"): ("12 of 12", 2, Grade.B, "48–72 hours"),
    ("rsoft", "freshsales"): ("8 of 10", 4, Grade.C, "2–4 weeks"),
}
"""What the product pages state: rows one to one, objects of eight that need a mapping, grade, duration."""


def shaped(rows: int, one_to_one: int, mapped: int, timeline: Timeline) -> Blueprint:
    """A pair with these figures; its rows are copies."""
    copies = tuple(BASE.rows[0].model_copy(update={"key": f"row_{number}"}) for number in range(rows))
    return BASE.model_copy(
        update={"rows": copies, "one_to_one": one_to_one, "mapped_of_eight": mapped, "timeline": timeline}
    )


@pytest.mark.parametrize(
    ("rows", "one_to_one", "mapped", "timeline", "expected"),
    [
        (11, 11, 2, HOURS, Grade.B),
        (11, 10, 1, WEEKS, Grade.B),
        (9, 8, 2, WEEKS, Grade.B),
        (12, 12, 2, HOURS, Grade.B),
        (10, 8, 4, WEEKS, Grade.C),
        (10, 8, 3, WEEKS, Grade.B),
        (10, 8, 4, HOURS, Grade.C),
        (8, 8, 0, HOURS, Grade.A),
        (10, 4, 0, WEEKS, Grade.C),
    ],
)
def test_the_share_of_objects_to_be_mapped_weighs(
    rows: int, one_to_one: int, mapped: int, timeline: Timeline, expected: Grade
) -> None:
    assert grade(shaped(rows, one_to_one, mapped, timeline), {}).grade is expected


@pytest.mark.parametrize(("mapped", "points"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (8, 3)])
def test_half_of_the_category_is_the_hardest(mapped: int, points: int) -> None:
    factor = grade(shaped(8, 8, mapped, WEEKS), {}).factors[0]
    assert (factor.points, f"{mapped} of 8 objects" in factor.text) == (points, True)


def test_the_worse_share_counts() -> None:
    assert grade(shaped(10, 4, 1, WEEKS), {}).factors[0].points == 3
    assert grade(shaped(10, 10, 4, WEEKS), {}).factors[0].points == 3


@pytest.mark.parametrize("pair", sorted(set(BLUEPRINTS) & set(PAGES)))
def test_pairs_state_what_their_pages_state(pair: tuple[str, str]) -> None:
    blueprint = load_blueprint(*pair)
    made = grade(blueprint, {})
    share, mapped, expected, duration = PAGES[pair]
    assert f"{blueprint.one_to_one} of {len(blueprint.rows)}" == share
    assert (blueprint.mapped_of_eight, blueprint.objects_in_category) == (mapped, 8)
    assert (made.grade, blueprint.timeline.label) == (expected, duration)
    assert made.label == {Grade.B: "Standard", Grade.C: "Moderate"}[made.grade]


@pytest.mark.parametrize("pair", sorted(BLUEPRINTS))
def test_rows_one_to_one_are_counted_not_claimed(pair: tuple[str, str]) -> None:
    blueprint = load_blueprint(*pair)
    assert blueprint.one_to_one == sum(1 for row in blueprint.rows if row.cardinality == "1:1")
