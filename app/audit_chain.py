"""Writes the audit log: one block per flush, entries without values, chained per tenant (ruling 5).

An entry is a list: [source object, source id, target object, part, destination id, outcome, reason, owner id, time in
milliseconds]. The block's root is a Merkle root over its entries; the chain link covers the previous link and the root.
"""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.domain.json_texts import json_text

Entry = Sequence[str | int | None]

GENESIS = bytes(32)
_MARK = 8  # bytes of an entry's hash kept beside it
_FIRST = "INSERT INTO audit_heads (tenant_id, sequence, chain) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING"
# The tenant's head is locked from here to the commit, and every other writer of the tenant stands in line meanwhile:
# one statement, the last of its transaction, keeps that short. It computes what `link` does.
_APPEND = """
    WITH head AS (
        UPDATE audit_heads SET sequence = sequence + 1,
               chain = sha256('\\x02'::bytea || chain || int8send(sequence + 1) || $7::bytea)
        WHERE tenant_id = $1 RETURNING sequence, chain)
    INSERT INTO audit_blocks (tenant_id, sequence, engagement_id, run_id, subject, count, entries, root, chain,
                              written_at)
    SELECT $1, head.sequence, $2, $3, $4, $5, $6, $7, head.chain, $8 FROM head
"""


def leaf(entry: Entry) -> bytes:
    """The hash of one entry, domain-separated from inner nodes."""
    return hashlib.sha256(b"\x00" + json_text(entry)).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root; an odd node is carried up unchanged."""
    level = list(leaves) or [hashlib.sha256(b"\x00").digest()]
    sha = hashlib.sha256
    while len(level) > 1:
        paired = [sha(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def link(previous: bytes, sequence: int, root: bytes) -> bytes:
    """The chain link of a block."""
    return hashlib.sha256(b"\x02" + previous + sequence.to_bytes(8, "big") + root).digest()


def sealed(entries: Sequence[Entry]) -> tuple[bytes, bytes]:
    """(Merkle root, stored block) of entries; each is encoded once for both.

    The block is the compressed entries, then eight bytes of each entry's hash: so an altered entry can be named.
    """
    sha = hashlib.sha256
    encoded = [json_text(entry) for entry in entries]
    leaves = [sha(b"\x00" + one).digest() for one in encoded]
    packed = zlib.compress(b"[" + b",".join(encoded) + b"]", 1)
    return root_of(leaves), packed + b"".join([one[:_MARK] for one in leaves])


def unpacked(block: bytes) -> tuple[bytes, bytes]:
    """(entries as JSON, their marks) of a stored block. Raises zlib.error for one that does not open."""
    opened = zlib.decompressobj()
    content = opened.decompress(block)
    if not opened.eof:
        raise zlib.error("the block ends in the middle")
    return content, opened.unused_data


def expand(block: bytes) -> list[list[Any]]:
    """The entries of a stored block."""
    entries: list[list[Any]] = orjson.loads(unpacked(block)[0])
    return entries


async def append(
    connection: "asyncpg.Connection[Any]",
    tenant_id: UUID,
    entries: Sequence[Entry],
    *,
    subject: str,
    at: datetime,
    engagement_id: UUID | None = None,
    run_id: UUID | None = None,
) -> None:
    """Appends a block in the caller's transaction, best as its last statement; the head's row lock orders writers."""
    if not entries:
        return
    root, packed = sealed(entries)
    values = (tenant_id, engagement_id, run_id, subject, len(entries), packed, root, at)
    if await connection.execute(_APPEND, *values) == "INSERT 0 0":
        await connection.execute(_FIRST, tenant_id, GENESIS)
        await connection.execute(_APPEND, *values)
