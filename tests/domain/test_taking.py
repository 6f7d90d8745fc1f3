"""Counts of loads with conditions: own fields, fields of a referred record that may come later, blanks and orphans."""

from app.domain.mapping import Collect, Condition, Load, MappingDocument
from app.domain.schema import Record
from app.domain.taking import TakeCounter


def load(key: str, *when: Condition, **more: object) -> Load:
    base = {"key": key, "source_object": "Order", "target_object": "x", "when": when}
    return Load.model_validate({**base, **more})


def test_counts_by_conditions() -> None:
    text = Collect(field="Lines", object="Task", via="What", template="{Subject}")
    loads = (
        load("open", Condition(field="State", any_of=("Open ", None))),
        load("paid", Condition(field="Contract.Value", none_of=(None, "0"))),
        load("unpaid", Condition(field="Contract.Value", any_of=(None, "0")), Condition(field="State", none_of=("x",))),
        load("flagged", Condition(field="Marks", any_of=("a",)), Condition(field="On", any_of=(True,))),
        load("lined", Condition(field="Lines", none_of=(None,)), collect=(text,)),
        load("all"),
    )
    counter = TakeCounter(MappingDocument(source="s", destination="d", loads=loads))
    orders: list[Record] = [
        {"State": "open", "Contract": "c1", "Marks": ["a", "b"], "On": True},
        {"Contract": "c2", "Marks": ["b"], "On": True},
        {"State": "x", "Contract": "gone", "On": False},
        {"State": "shut"},
    ]
    for number, record in enumerate(orders):
        counter.add("Order", str(number), record)
    counter.add("Contract", "c1", {"Value": "12.50"})
    counter.add("Contract", "c2", {"Value": "0"})
    assert counter.counts() == {"open": 2, "paid": 1, "unpaid": 2, "flagged": 1}
