"""Depth: parents before children, rings and what hangs below them last."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.depth import depths

NAMES = st.sampled_from("abcdefgh")


def test_a_tree_has_a_level_for_each_generation() -> None:
    found = depths({"root": (), "child": ("root",), "grandchild": ("child",), "other": ("missing",)})
    assert found == ({"child": 1, "grandchild": 2}, frozenset(), None)


def test_a_ring_is_told_from_what_hangs_below_it() -> None:
    found = depths({"a": ("b",), "b": ("c",), "c": ("a",), "below": ("a",), "self": ("self",), "root": ()})
    assert found.rings == {"a", "b", "c", "self"}
    assert {found.levels[one] for one in ("a", "b", "c", "below", "self")} == {found.last}
    assert "root" not in found.levels


@given(st.dictionaries(NAMES, st.sets(NAMES, max_size=2)))
def test_who_is_on_no_ring_comes_after_all_it_refers_to(parents: dict[str, set[str]]) -> None:
    found = depths(parents)
    for one, ups in parents.items():
        level = found.levels.get(one, 0)
        if level == found.last:
            continue
        assert all(found.levels.get(up, 0) < level for up in ups if up in parents)
    for one in found.rings:
        assert parents[one] & found.rings  # somebody on a ring is always above it


def test_a_chain_of_many_thousands_is_no_recursion() -> None:
    found = depths({str(n): (str(n - 1),) for n in range(50_000)})
    assert found.levels["49999"] == 49_999
