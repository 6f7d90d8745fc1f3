"""The sample: closed under references, spanning every load, covering what it can, the same for any order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.sampling import Candidate, SampleChooser, choose_sample

OBJECTS = ("Account", "Contact", "WorkOrder")


def build_candidates(accounts=60, per_account=4):
    """A small company: contacts and orders of accounts, with features of values."""
    found = []
    for number in range(accounts):
        found.append(Candidate("Account", f"a{number}", (), frozenset({f"Tier={number % 3}"})))
        for child in range(per_account):
            name = f"{number}.{child}"
            found.append(Candidate("Contact", f"c{name}", (("Account", f"a{number}"),),
                                   frozenset({"Email=null"} if child else {"Email=set"})))  # fmt: skip
            refs = (("Account", f"a{number}"), ("Contact", f"c{name}"))
            found.append(Candidate("WorkOrder", f"w{name}", refs, frozenset({f"Status={(number + child) % 6}"})))
    return found


def refs_of(sample):
    return {(name, one) for name, ids in sample.records.items() for one in ids}


def test_a_sample_is_closed_spans_every_object_and_covers_everything():
    candidates = build_candidates()
    sample = choose_sample(candidates, OBJECTS)
    chosen = refs_of(sample)
    by_ref = {(one.object, one.id): one for one in candidates}
    assert 100 <= sample.size <= 500
    assert set(sample.records) == set(OBJECTS)
    assert all(set(by_ref[ref].refs) <= chosen for ref in chosen)
    assert sample.uncovered == frozenset()
    assert ("WorkOrder", "Status=5") in sample.covered


def test_the_order_of_the_stream_does_not_matter():
    candidates = build_candidates()
    mixed = candidates[:]
    random.Random(7).shuffle(mixed)
    assert choose_sample(mixed, OBJECTS) == choose_sample(candidates, OBJECTS)


def test_a_rare_feature_is_found_among_many():
    candidates = build_candidates(accounts=400)
    candidates[1234] = candidates[1234]._replace(features=frozenset({"Name=rtl"}))
    sample = choose_sample(candidates, OBJECTS)
    assert (candidates[1234].object, "Name=rtl") in sample.covered


def test_references_outside_the_retained_candidates_are_asked_for():
    candidates = build_candidates(accounts=300)
    chooser = SampleChooser(("WorkOrder",))
    by_ref = {(one.object, one.id): one for one in candidates}
    for one in candidates:
        if one.object == "WorkOrder":
            chooser.offer(one)
    rounds = 0
    while wanted := chooser.missing():
        rounds += 1
        assert {name for name, _ in wanted} <= {"Account", "Contact"}
        chooser.supply([by_ref[ref] for ref in wanted])
    assert rounds >= 1
    assert {"Account", "Contact", "WorkOrder"} == set(chooser.result().records)


def test_the_result_waits_for_missing_references():
    chooser = SampleChooser(("Contact",))
    chooser.offer(Candidate("Contact", "c", (("Account", "a"),)))
    assert chooser.missing() == {("Account", "a")}
    with pytest.raises(ValueError, match="missing"):
        chooser.result()
    chooser.supply([])
    sample = chooser.result()
    assert sample.orphans == {("Account", "a")}
    assert sample.records == {"Contact": ("c",)}


def test_a_chain_longer_than_the_maximum_is_left_out():
    chain = [Candidate("Account", f"a{n:04}", (("Account", f"a{n + 1:04}"),) if n < 999 else (), frozenset({f"f{n}"}))
             for n in range(1_000)]  # fmt: skip
    sample = choose_sample(chain, ("Account",), minimum=10, maximum=50)
    assert 1 <= sample.size <= 50
    assert sample.uncovered


def test_cycles_of_references_end():
    ring = [Candidate("Account", f"a{n}", (("Account", f"a{(n + 1) % 3}"),)) for n in range(3)]
    assert choose_sample(ring, ("Account",)).records == {"Account": ("a0", "a1", "a2")}


def test_every_object_keeps_a_record_when_the_maximum_is_tight():
    sample = choose_sample(build_candidates(), OBJECTS, minimum=1, maximum=9)
    assert set(sample.records) == set(OBJECTS)
    assert sample.size <= 9


def test_a_small_tenant_gives_all_it_has():
    assert choose_sample(build_candidates(accounts=2, per_account=1), OBJECTS).size == 6


def test_limits_are_checked():
    with pytest.raises(ValueError, match="minimum"):
        SampleChooser(OBJECTS, minimum=10, maximum=5)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sets(st.sampled_from("abcdef"))), max_size=60))
def test_samples_are_closed_for_any_graph(rows):
    candidates = {}
    for one, other, features in rows:
        candidates[one] = Candidate("X", f"{one}", (("X", f"{other}"),), frozenset(features))
    sample = choose_sample(candidates.values(), ("X",), minimum=5, maximum=20)
    chosen = refs_of(sample)
    known = {("X", f"{one}") for one in candidates}
    for ref in chosen:
        assert set(candidates[int(ref[1])].refs) & known <= chosen
    assert sample.size <= 20
