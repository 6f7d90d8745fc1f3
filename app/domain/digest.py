"""Keyed hashes of canonical records, and Merkle trees over them.

The key belongs to the engagement: a plain hash of a birth date could be reversed by trying all of them (ruling 4).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from app.domain.schema import FieldSpec
from app.domain.values import CanonicalValue, canonical_record

SIZE = 16
_RECORD = b"tranship/record"
_LEAF, _NODE, _ROOT = b"\x00", b"\x01", b"\x02"


def record_hash(record: Mapping[str, Any], fields: Mapping[str, FieldSpec], key: bytes) -> bytes:
    """16 bytes over the canonical values of `record`: equal for equal meaning, whichever side it was read from."""
    digest = blake2b(digest_size=SIZE, key=_checked(key), person=_RECORD)
    for name, value in canonical_record(record, fields).items():
        digest.update(_framed(name.encode("utf-8", "surrogatepass")))
        digest.update(_token(value))
    return digest.digest()


def _checked(key: bytes) -> bytes:
    if not 16 <= len(key) <= 64:
        raise ValueError("a hash key has 16 to 64 bytes")
    return key


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _token(value: CanonicalValue) -> bytes:
    """A value with its type, framed by its length, so that no two records share one byte sequence."""
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, Decimal):
        return b"n" + _framed(format(value, "f").encode())
    if isinstance(value, datetime):
        return b"t" + _framed(value.isoformat().encode())
    if isinstance(value, frozenset):
        items = [_framed(item.encode("utf-8", "surrogatepass")) for item in sorted(value)]
        return b"l" + _framed(b"".join(items))
    return b"s" + _framed((value or "").encode("utf-8", "surrogatepass"))


class Leaf(NamedTuple):
    """One record in a tree: what names it, in the tree's order, and its hash."""

    key: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of leaves, both keys included, with its root."""

    first: str
    last: str
    count: int
    root: bytes


def leaf_hash(leaf: Leaf) -> bytes:
    """32 bytes that commit to key and hash; the prefix keeps leaves and nodes apart."""
    return blake2b(_LEAF + _framed(leaf.key.encode("utf-8", "surrogatepass")) + leaf.hash, digest_size=32).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return blake2b(_NODE + left + right, digest_size=32).digest()


def _sealed(count: int, top: bytes) -> bytes:
    return blake2b(_ROOT + count.to_bytes(8, "big") + top, digest_size=32).digest()


def _raise(level: Sequence[bytes]) -> list[bytes]:
    """The level above; an odd last hash moves up as it is."""
    paired = [_node(level[index], level[index + 1]) for index in range(0, len(level) - 1, 2)]
    return [*paired, level[-1]] if len(level) % 2 else paired


def merkle_root(leaves: Iterable[Leaf]) -> bytes:
    """32 bytes over the leaves in their order and their number. An empty tree has a root too."""
    level = [leaf_hash(leaf) for leaf in leaves]
    count = len(level)
    while len(level) > 1:
        level = _raise(level)
    return _sealed(count, level[0] if level else b"")


def ranges(leaves: Iterable[Leaf], size: int) -> Iterator[Range]:
    """Stretches of `size` leaves each, streaming; `leaves` ascend by key. Raises ValueError when they do not."""
    batch: list[Leaf] = []
    for leaf in leaves:
        if batch and leaf.key <= batch[-1].key:
            raise ValueError("leaves must ascend by key")
        if len(batch) == size:
            yield _range(batch)
            batch = []
        batch.append(leaf)
    if batch:
        yield _range(batch)


def ranges_within(leaves: Iterable[Leaf], bounds: Sequence[str]) -> Iterator[Range]:
    """The other side's leaves cut where ours end: one range per bound and one for what follows, empty ones too.

    `bounds` are the `last` keys of the ranges to compare with, ascending like the leaves.
    """
    pending = iter(leaves)
    leaf = next(pending, None)
    start = ""
    for bound in bounds:
        batch = []
        while leaf is not None and leaf.key <= bound:
            batch.append(leaf)
            leaf = next(pending, None)
        yield Range(start, bound, len(batch), merkle_root(batch))
        start = bound
    batch = [] if leaf is None else [leaf, *pending]
    if batch:
        yield _range(batch)


def _range(batch: Sequence[Leaf]) -> Range:
    return Range(batch[0].key, batch[-1].key, len(batch), merkle_root(batch))


def differing(ours: Iterable[Leaf], theirs: Iterable[Leaf], size: int) -> list[Range]:
    """Our ranges whose leaves differ on the other side, and the other side's stretch past our last key, if any."""
    mine = list(ranges(ours, size))
    other = list(ranges_within(theirs, [item.last for item in mine]))
    unequal = [left for left, right in zip(mine, other, strict=False) if left.root != right.root]
    return [*unequal, *other[len(mine) :]]
