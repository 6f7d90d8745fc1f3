"""Matching by name and type: what pairs, what never does, one partner each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.matching import match_fields
from app.domain.matching.likeness import likeness, words
from app.domain.matching.types import compatibility
from app.domain.schema import FieldSpec, FieldType


def field(name, kind="text", **more):
    return FieldSpec(name=name, type=FieldType(kind), **more)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("QtyOnHand__c", ("quantity", "on", "hand")),
        ("BillingPostalCode", ("billing", "postal", "code")),
        ("DOB", ("birthdate",)),
        ("e-mail 2", ("e", "email", "2")),
        ("URLSite", ("website", "website")),
        ("", ()),
    ],
)
def test_names_become_words(name, expected):
    assert words(name) == expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Annual_Revenue__c", "AnnualRevenue"),
        ("Tel", "Phone"),
        ("Zip_Code", "Postal Code"),
        ("Date_of_Birth", "Birth Date"),
    ],
)
def test_like_names_score_high(ours, theirs):
    assert likeness(ours, theirs) >= 0.85


def test_unlike_names_score_low():
    assert likeness("Warranty_Expiry__c", "Billing_City") < 0.5


def test_types_exclude_each_other():
    assert compatibility(field("a", "boolean"), field("b", "date")) == 0
    assert compatibility(field("a", "currency"), field("b", "decimal")) == 0.85
    assert match_fields([field("Amount", "boolean")], [field("Amount", "currency")]) == {}


def test_each_field_gets_one_partner_the_best_first():
    found = match_fields(
        [field("Mobile_Phone__c", "phone"), field("Phone__c", "phone")],
        [field("Phone", "phone"), field("Mobile_Phone", "phone")],
    )
    assert {name: match.target for name, match in found.items()} == {
        "Mobile_Phone__c": "Mobile_Phone", "Phone__c": "Phone",
    }  # fmt: skip
    assert all(match.reasons[0].code == "name" for match in found.values())


def test_what_cannot_be_written_is_no_partner():
    assert match_fields([field("Score")], [field("Score", writable=False)]) == {}


@given(st.permutations(["Alpha", "Beta_Name", "BetaName", "Gamma_Date", "Delta"]), st.randoms())
def test_the_order_of_the_inputs_does_not_matter(names, draw):
    sources = [field(f"{name}__c") for name in names]
    targets = [field(name) for name in names]
    draw.shuffle(targets)
    plain = match_fields([field(f"{name}__c") for name in sorted(names)], [field(name) for name in sorted(names)])
    assert match_fields(sources, targets) == plain
