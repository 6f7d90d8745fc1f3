"""What a source says of itself joins the quality report; what it says in another form is passed over."""

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from app.domain.quality import QualityFinding, QualityReport
from app.domain.schema import Inventory
from app.domain.telling import with_told

OWN = QualityFinding(code="bad_email", object="deals", field="mail", count=3)
REPORT = QualityReport(records={"deals": 4}, findings=(OWN,), fill=())


def source(**facts: JsonValue) -> Inventory:
    return Inventory(platform="rsoft", taken_at=datetime(2026, 1, 1, tzinfo=UTC), facts=facts)


def test_references_and_findings_are_told_beside_what_was_found() -> None:
    told = with_told(
        REPORT,
        source(
            unresolved={"deals.contact": {"ambiguous": 5, "unknown": 0}, "activities.related_to": {"unknown": 1}},
            findings=[{"code": "data_gap", "field": "Chats", "count": 1}],
        ),
    )
    assert [(one.code, one.object, one.field, one.count) for one in told.findings] == [
        ("data_gap", "", "Chats", 1),
        ("reference_unknown", "activities", "related_to", 1),
        ("reference_ambiguous", "deals", "contact", 5),
        ("bad_email", "deals", "mail", 3),
    ]
    assert told.records == REPORT.records


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"unresolved": [], "findings": {}},
        {"unresolved": {"deals.contact": 3}, "findings": ["x", {"code": "a"}]},
        {"unresolved": None, "findings": [{"code": "a", "count": "many"}]},
    ],
)
def test_facts_of_another_form_are_passed_over(facts: dict[str, JsonValue]) -> None:
    assert with_told(REPORT, source(**facts)) == REPORT
