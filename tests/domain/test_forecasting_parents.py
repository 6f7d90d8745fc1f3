"""Calls of records that are written with their parent, as a deal's lines are: the number of parents decides."""

import pytest

from app.domain.forecasting import CallFacts, StageCalls, forecast_stage
from app.domain.mapping import Condition, FieldRule, Load, LookupRule, MappingDocument
from app.domain.taking import ParentCounter

FACTS = CallFacts(
    batch={"*": 100, "lines": 50}, calls_per_batch={"lines": 2}, with_parent=("lines",), keyless=("lines",),
    records_per_credit=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "parents", "expected"),
    [
        ("load", 400, StageCalls(writes=400 + 23, reads=48, credits=471)),  # 1,200 lines in 24 batches
        ("load", 1200, StageCalls(writes=1200, reads=48, credits=1248)),
        ("load", None, StageCalls(writes=1200, reads=48, credits=1248)),
        ("delete", 400, StageCalls(writes=400 + 11, reads=24, credits=435)),
        ("reconcile", 400, StageCalls(reads=4 + 3, credits=7)),
        ("reassign", 400, StageCalls()),
    ],
)
def test_each_parent_is_written_once_and_once_more_where_a_batch_ends(
    kind: str, parents: int | None, expected: StageCalls
) -> None:
    assert forecast_stage(kind, "lines", 1200, FACTS, parents) == expected


def load(*when: Condition) -> Load:
    rule = FieldRule(target="deal_id", sources=("booking",), lookup=LookupRule(loads=("deals",)))
    return Load(key="lines", source_object="Line", target_object="lines", when=when, fields=(rule,))


@pytest.mark.parametrize("many", [1, 300, 30_000])
def test_parents_are_counted_in_fixed_memory(many: int) -> None:
    counter = ParentCounter(MappingDocument(source="s", destination="d", loads=(load(),)), {"lines": "deal_id"})
    for number in range(3 * many):
        counter.add("Line", str(number), {"booking": f"B-{number % many}"})
    counter.add("Line", "orphan", {"booking": None})
    counter.add("Other", "1", {"booking": "X"})
    assert counter.counts()["lines"] == pytest.approx(many, rel=0.01)


def test_only_records_that_the_load_takes_count() -> None:
    when = Condition(field="void", none_of=(True,))
    counter = ParentCounter(MappingDocument(source="s", destination="d", loads=(load(when),)), {"lines": "deal_id"})
    counter.add("Line", "1", {"booking": "B-1", "void": True})
    counter.add("Line", "2", {"booking": "B-2", "void": False})
    assert counter.counts() == {"lines": 1}
