"""Proves audit chains for people at the terminal. Works as the database's owner, tenant by tenant."""

import asyncio
from collections.abc import Callable

import asyncpg

from app.db import plain_url
from app.domain.ids import encode_id
from app.runs.audit_proof import Proof, prove

_TENANTS = "SELECT id, name FROM tenants WHERE $1::text IS NULL OR name = $1 ORDER BY created_at, id"


def prove_chains(database_url: str, tenant: str | None, record: str | None, say: Callable[[str], None]) -> int:
    """Says what holds: 0 when every chain is whole, 1 with the first broken entry, 2 for wrong usage.

    `record` is "Object/id" as the source calls it; its history is printed with the place of each entry.
    """
    wanted: tuple[str, str] | None = None
    if record is not None:
        name, slash, source_id = record.partition("/")
        if not slash or not name or not source_id:
            say(f'a record is named "Object/id", not {record!r}')
            return 2
        wanted = (name, source_id)
    proofs = asyncio.run(_prove(database_url, tenant, wanted))
    if not proofs:
        say(f"there is no tenant {tenant!r}" if tenant else "there is no tenant")
        return 2
    for label, proof in proofs:
        _tell(label, proof, say)
    if wanted is not None and not any(proof.history for _, proof in proofs):
        say(f"no entry speaks of {record}")
    return 1 if any(proof.broken for _, proof in proofs) else 0


async def _prove(database_url: str, tenant: str | None, record: tuple[str, str] | None) -> list[tuple[str, Proof]]:
    pool = await asyncpg.create_pool(plain_url(database_url), min_size=1, max_size=2)
    try:
        rows = await pool.fetch(_TENANTS, tenant)
        return [
            (f"{row['name']} ({encode_id('tenant', row['id'])})", await prove(pool.acquire, row["id"], record))
            for row in rows
        ]
    finally:
        await pool.close()


def _tell(label: str, proof: Proof, say: Callable[[str], None]) -> None:
    if proof.broken is not None:
        place = f"block {proof.broken.sequence}"
        if proof.broken.entry is not None:
            place += f", entry {proof.broken.entry}"
        say(f"{label}: BROKEN at {place}: {proof.broken.why}")
    else:
        say(f"{label}: whole, {proof.entries} entries in {proof.blocks} blocks, head {proof.head[:16]}…")
    for one in proof.history:
        where = f"{one.target_object or '(nowhere)'}{f':{one.part}' if one.part else ''}"
        reason = f" ({one.reason})" if one.reason else ""
        say(f"  {one.at}  {one.subject:<24} {one.source_object}/{one.source_id} → {where} {one.destination_id or '-'}"
            f"  {one.outcome}{reason}  [block {one.sequence}, entry {one.entry}]")  # fmt: skip
