"""Proves the audit log: every block's root, the chain over them, and one record's history; names what is broken.

Works block by block in the chain's order. A block that was altered is named with the first entry that does not match
the mark kept beside it; a block that is missing or out of place is named by its sequence.
"""

import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.audit_chain import GENESIS, leaf, link, root_of, unpacked

_BLOCKS = """
    SELECT sequence, subject, entries, root, chain, count FROM audit_blocks
    WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT 16
"""
_HEAD = "SELECT sequence, chain FROM audit_heads WHERE tenant_id = $1"
_MARK = 8


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that does not hold; `entry` counts from 0 within its block, None when the block is the fault."""

    sequence: int
    entry: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a record's history and where it stands in the chain."""

    sequence: int
    entry: int
    subject: str
    source_object: str
    source_id: str
    target_object: str
    part: str
    destination_id: str | None
    outcome: str
    reason: str
    at: str


@dataclass(slots=True)
class Proof:
    """What a walk over the whole chain found; `head` is the last link, in hexadecimal."""

    blocks: int = 0
    entries: int = 0
    head: str = GENESIS.hex()
    broken: Broken | None = None
    history: list[Event] = field(default_factory=list)


Connect = Callable[[], Any]


async def prove(connect: Connect, tenant_id: UUID, record: tuple[str, str] | None = None) -> Proof:
    """Walks a tenant's whole chain; `connect()` is an async context manager that yields a raw connection.

    With `record` (source object, source id) its entries are gathered. The walk ends at the first break.
    """
    proof = Proof()
    previous, expected = GENESIS, 1
    async for block in _blocks(connect, tenant_id):
        proof.broken = _check(block, previous, expected)
        if proof.broken is not None:
            return proof
        content, _ = unpacked(block["entries"])
        entries = orjson.loads(content)
        proof.blocks, proof.entries = proof.blocks + 1, proof.entries + len(entries)
        if record is not None:
            proof.history += _of_record(block, entries, record)
        previous, expected = block["chain"], block["sequence"] + 1
    proof.head = previous.hex()
    async with connect() as connection:
        head = await connection.fetchrow(_HEAD, tenant_id)
    if head is not None and (head["sequence"], head["chain"]) != (expected - 1, previous):
        proof.broken = Broken(expected, None, f"the chain ends at {expected - 1}, its head says {head['sequence']}")
    return proof


async def _blocks(connect: Connect, tenant_id: UUID) -> AsyncIterator["asyncpg.Record"]:
    after = 0
    while True:
        async with connect() as connection:
            rows = await connection.fetch(_BLOCKS, tenant_id, after)
        if not rows:
            return
        for row in rows:
            yield row
        after = rows[-1]["sequence"]


def _check(block: Any, previous: bytes, expected: int) -> Broken | None:
    sequence = block["sequence"]
    if sequence != expected:
        return Broken(expected, None, f"block {expected} is missing; the next one is {sequence}")
    try:
        content, marks = unpacked(block["entries"])
        entries = orjson.loads(content)
    except (zlib.error, orjson.JSONDecodeError):
        return Broken(sequence, None, "the block does not open any more")
    leaves = [leaf(entry) for entry in entries]
    if root_of(leaves) != block["root"]:
        return Broken(sequence, _altered(leaves, marks), "its entries do not give its root")
    if len(entries) != block["count"]:
        return Broken(sequence, None, f"it holds {len(entries)} entries and says {block['count']}")
    if link(previous, sequence, block["root"]) != block["chain"]:
        return Broken(sequence, None, "its link does not follow from the one before")
    return None


def _altered(leaves: list[bytes], marks: bytes) -> int | None:
    """The first entry whose hash is not the one that was kept."""
    for number, one in enumerate(leaves):
        if one[:_MARK] != marks[number * _MARK : (number + 1) * _MARK]:
            return number
    return len(leaves) if len(marks) > len(leaves) * _MARK else None


def _of_record(block: Any, entries: list[list[Any]], record: tuple[str, str]) -> list[Event]:
    found = []
    for number, entry in enumerate(entries):
        source_object, source_id, target, part, destination, outcome, reason, _, stamp = entry
        if (source_object, source_id) == record:
            at = datetime.fromtimestamp(stamp / 1000, UTC).isoformat() if isinstance(stamp, int | float) else str(stamp)
            found.append(
                Event(
                    *(block["sequence"], number, block["subject"], source_object, source_id, target, part),
                    *(destination, outcome, reason, at),
                )
            )
    return found
