"""The table over many schedules adds up what each of them found, and forgets none of the broken ones."""

from typing import Any

from app.rehearsal.outcome import Outcome
from app.rehearsal.summing import ZEROS, rows_of, summarise


def figures(seed: int, pair: str = "a:b", **changes: Any) -> dict[str, Any]:
    outcome = Outcome(pair, seed, 200, ["drop_answer"])
    outcome.injected.update({"network:drop": seed})
    outcome.moved = {"read": 100}
    outcome.calls = {"forecast": 9, "made": 10}
    for name, value in changes.items():
        setattr(outcome, name, value)
    return outcome.as_json()


def test_sums_over_pairs_and_the_slowest_of_all() -> None:
    found = summarise([figures(1, slowest_resume=3.25), figures(2, "a:c", slowest_resume=6.5), figures(3)])
    assert found["pairs"] == {"a:b": 2, "a:c": 1}
    assert (found["schedules"], found["faults"], found["injected"]) == (3, 6, {"network:drop": 6})
    assert (found["written"], found["calls"], found["slowest_resume"]) == (300, 30, 6.5)
    assert {name: found[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0)
    assert found["broken"] == []
    assert ("schedules", "3 (2 a:b, 1 a:c)") in rows_of(found)
    assert ("fault network:drop", "6") in rows_of(found)


def test_what_is_broken_names_its_schedule() -> None:
    found = summarise([figures(1), figures(2, missing=2, broken=["full: 2 records are missing"])])
    assert found["missing"] == 2
    assert found["broken"] == ["a:b 2: full: 2 records are missing"]
    assert ("broken", "1") in rows_of(found)


def test_nothing_at_all() -> None:
    found = summarise([])
    assert (found["schedules"], found["slowest_resume"], found["broken"]) == (0, 0.0, [])
