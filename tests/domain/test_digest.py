"""Hashes separate what differs, and ranges point to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.digest import (
    Leaf,
    differing,
    leaf_hash,
    merkle_root,
    ranges,
    record_hash,
)
from app.domain.schema import FieldSpec, FieldType

KEY = b"k" * 32
FIELDS = {
    "a": FieldSpec(name="a"),
    "b": FieldSpec(name="b"),
    "n": FieldSpec(name="n", type=FieldType.CURRENCY),
    "l": FieldSpec(name="l", type=FieldType.MULTIPICKLIST),
}
TREES = st.lists(st.binary(min_size=16, max_size=16), max_size=40).map(
    lambda hashes: [Leaf(f"{index:04d}", value) for index, value in enumerate(hashes)]
)


def hashed(**record: object) -> bytes:
    return record_hash(record, FIELDS, KEY)


class TestHashes:
    def test_record_hash_is_by_meaning(self) -> None:
        assert hashed(a="x", n="12.50", l=["p", "q"]) == hashed(n=12.5, l="q;p", a="x", b="", other=1)
        assert hashed(n="12.50") != hashed(n="12.51")
        assert hashed(a="x ") != hashed(a="x")

    def test_no_two_records_share_a_byte_sequence(self) -> None:
        assert hashed(a="xs") != hashed(a="x", b="s")
        assert hashed(a="1") != hashed(b="1")
        assert hashed(l=["ab", "c"]) != hashed(l=["a", "bc"])
        assert hashed(l=["a"]) != hashed(a="a")

    @given(st.text())
    def test_any_text_can_be_hashed(self, text: str) -> None:
        assert len(hashed(a=text + "\ud800")) == 16

    @pytest.mark.parametrize("key", [b"", b"short", b"x" * 65])
    def test_keys_have_a_length(self, key: bytes) -> None:
        with pytest.raises(ValueError, match="16 to 64"):
            record_hash({}, FIELDS, key)


class TestTree:
    @given(TREES, TREES)
    def test_roots_differ_when_leaves_do(self, left: list[Leaf], right: list[Leaf]) -> None:
        assert (merkle_root(left) == merkle_root(right)) == (left == right)

    def test_a_leaf_is_no_node(self) -> None:
        one, two = Leaf("a", b"1" * 16), Leaf("b", b"2" * 16)
        forged = Leaf("", leaf_hash(one) + leaf_hash(two))
        assert merkle_root([one, two]) != merkle_root([forged])
        assert merkle_root([]) != merkle_root([one])


class TestRanges:
    def test_leaves_ascend(self) -> None:
        with pytest.raises(ValueError, match="ascend"):
            list(ranges([Leaf("b", b""), Leaf("a", b"")], 10))

    @given(TREES, st.integers(1, 7))
    def test_equal_sides_have_no_difference(self, leaves: list[Leaf], size: int) -> None:
        assert differing(leaves, leaves, size) == []
        assert sum(item.count for item in ranges(leaves, size)) == len(leaves)

    @given(TREES.filter(bool), st.integers(1, 7), st.data())
    def test_a_change_is_found_in_its_range(self, leaves: list[Leaf], size: int, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(leaves) - 1))
        key = leaves[place].key
        changed = [*leaves[:place], Leaf(key, b"changed"), *leaves[place + 1 :]]
        gone = [*leaves[:place], *leaves[place + 1 :]]
        for theirs in (changed, gone):
            found = differing(leaves, theirs, size)
            assert len(found) == 1
            assert found[0].first <= key <= found[0].last

    def test_what_lies_past_our_last_key_is_found(self) -> None:
        ours = [Leaf("a", b"1"), Leaf("b", b"2")]
        assert [item.first for item in differing(ours, [*ours, Leaf("c", b"3")], 10)] == ["c"]
        assert [item.first for item in differing([], ours, 10)] == ["a"]
