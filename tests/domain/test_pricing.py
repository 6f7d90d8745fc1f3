"""Quotes and grades: by rules, without a price per record, reproducible."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.grading import DestinationFacts, Grade, grade
from app.domain.pricing import QuoteRefused, QuoteRequest, quote
from app.domain.pricing_rules import CURRENT, CategoryPrice
from app.domain.proposing import propose
from tests.domain.tenants import load_blueprint, source_inventory, zoho_inventory

BLUEPRINT = load_blueprint()
PAIR = {"category": "crm", "source": "servicetracker", "destination": "zoho_crm"}


def ask(**more):
    return QuoteRequest.model_validate({**PAIR, "counts": {"Account": 500, "WorkOrder": 4_000}, **more})


def test_the_pair_is_grade_b_with_its_five_reasons():
    made = quote(ask(), BLUEPRINT)
    assert (made.complexity.grade, made.complexity.label, made.timeline.label) == (Grade.B, "Standard", "2–4 weeks")
    assert [factor.key for factor in made.complexity.factors] == [
        "object_compatibility", "mapping_clarity", "timeline", "api_constraints", "data_volume",
    ]  # fmt: skip
    assert all(factor.text for factor in made.complexity.factors)
    assert "1 of 8 objects" in made.complexity.factors[0].text


def test_the_price_is_the_sum_of_its_lines():
    made = quote(ask(options={"hypercare": 2, "extra_sample": 0}), BLUEPRINT)
    lines = {line.code: line.amount for line in made.lines}
    assert lines == {"base": 249_000, "objects": 3 * 12_000, "option:hypercare": 36_000}
    assert made.total == 321_000
    assert made.currency == "USD"
    assert not made.needs_review


@given(st.integers(0, 90_000), st.integers(0, 90_000))
def test_within_a_grade_records_cost_nothing(few, many):
    first, second = (quote(ask(counts={"Account": number}), BLUEPRINT) for number in (few, many))
    assert first.total == second.total


@pytest.mark.parametrize(("records", "review"), [(2_000_000, False), (2_000_001, True)])
def test_two_million_records_are_priced_by_a_person(records, review):
    made = quote(ask(counts={"Account": records}), BLUEPRINT)
    assert made.needs_review is review
    assert (made.total is None) is review
    assert bool(made.review_reason) is review


@pytest.mark.parametrize(
    ("records", "expected"), [(0, Grade.B), (150_000, Grade.B), (1_900_000, Grade.B), (2_500_000, Grade.C)]
)
def test_volume_weighs_in_the_grade(records, expected):
    assert grade(BLUEPRINT, {"Account": records}).grade is expected


def test_a_plan_without_what_is_needed_raises_the_grade():
    assert grade(BLUEPRINT, {}, DestinationFacts(api_access=False)).grade is Grade.C
    assert grade(BLUEPRINT, {}, DestinationFacts(custom_objects=False)).grade is Grade.C
    slow = grade(BLUEPRINT, {"Account": 1_000_000}, DestinationFacts(credits_per_day=20_000))
    assert slow.factors[3].points == 3
    assert "100,000 credits" in slow.factors[3].text


def test_the_proposal_sharpens_the_clarity():
    document = propose(BLUEPRINT, source_inventory(), zoho_inventory())
    assert grade(BLUEPRINT, {}, document=document).factors[1].points == 0


def test_a_narrow_edition_and_a_high_grade_cost_more():
    plain = quote(ask(), BLUEPRINT)
    narrow = quote(ask(destination_edition="Professional "), BLUEPRINT)
    assert narrow.total == plain.total + 15_000
    hard = quote(ask(), BLUEPRINT, facts=DestinationFacts(api_access=False))
    assert hard.total == 384_800  # 285,000 × 1.35 = 384,750, the surcharge rounded to whole dollars
    assert next(line for line in hard.lines if line.code == "complexity").amount % 100 == 0


def test_a_quote_can_be_made_again():
    first = quote(ask(options={"hypercare": 1, "extra_sample": 1}), BLUEPRINT)
    again = quote(
        ask(options={"extra_sample": 1, "hypercare": 1}, counts={"WorkOrder": 4_000, "Account": 500}), BLUEPRINT
    )
    assert first == again
    dearer = CURRENT.model_copy(
        update={
            "version": "2027-01",
            "categories": {"crm": CategoryPrice(label="CRM", base=260_000, objects_included=8, per_object=12_000)},
        }
    )
    changed = quote(ask(), BLUEPRINT, rules=dearer)
    assert changed.rules_version == "2027-01"
    assert changed.fingerprint != quote(ask(), BLUEPRINT).fingerprint


def test_the_validity_is_in_days():
    made = quote(ask(), BLUEPRINT)
    assert made.valid_until(datetime(2026, 11, 1, tzinfo=UTC)) == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"category": "erp"}, "unknown_category"),
        ({"options": {"gold": 1}}, "unknown_option"),
        ({"options": {"hypercare": 99}}, "bad_option"),
        ({"options": {"hypercare": -1}}, "bad_option"),
        ({"counts": {"Account": -1}}, "bad_count"),
        ({"counts": {"Account": 10**13}}, "bad_count"),
        ({"destination": "freshsales"}, "pair_mismatch"),
    ],
)
def test_what_cannot_be_priced_is_named(more, code):
    with pytest.raises(QuoteRefused) as refused:
        quote(ask(**more), BLUEPRINT)
    assert refused.value.code == code


def test_every_line_is_named_as_people_say_it():
    """The estimator shows these labels to the public: no slug of ours among them."""
    for category in CURRENT.categories:
        lines = quote(ask(category=category, destination_edition="standard"), BLUEPRINT).lines
        assert not [line.label for line in lines if "_" in line.label or re.search(r"\b(crm|standard)\b", line.label)]
    assert quote(ask(), BLUEPRINT).lines[0].label == "Migration, CRM"
