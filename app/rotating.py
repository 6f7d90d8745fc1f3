"""Rotation of the master keys: everything sealed under an older key of the ring is sealed anew under the current one.

Works as the database's owner, row by row in short transactions, while the service runs: every process opens envelopes
of all keys on its ring, and a row that somebody changes meanwhile is left to its new value.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.db import plain_url
from app.engagements.connecting import credentials_place
from app.engagements.tokens import token_place
from app.security import KeyRing, SealBroken
from app.webhooks.signing import secret_place

Place = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of envelopes: what identifies its row, and what an envelope there is bound to."""

    table: str
    column: str
    key: tuple[str, ...]
    place: Place
    further: tuple[str, ...] = ()


@dataclass(slots=True)
class Rotation:
    """What was found: envelopes sealed anew, current ones left alone, and those that no key on the ring opens."""

    resealed: int = 0
    current: int = 0
    broken: int = 0


_OWN = ("tenant_id",)
COLUMNS = (
    Sealed("engagements", "data_key", ("id",), lambda row: f"engagement:{row['id']}:data_key"),
    Sealed("connections", "credentials", ("id",), lambda row: credentials_place(row["tenant_id"], row["id"]), _OWN),
    Sealed("connections", "token", ("id",), lambda row: token_place(row["tenant_id"], row["id"]), _OWN),
    Sealed("webhook_endpoints", "secret", ("id",), lambda row: secret_place(row["tenant_id"], row["id"]), _OWN),
    Sealed(
        "webhook_endpoints", "previous_secret", ("id",), lambda row: secret_place(row["tenant_id"], row["id"]), _OWN
    ),
    Sealed(
        "idempotency_keys",
        "body",
        ("tenant_id", "route", "key"),
        lambda row: f"idempotency:{row['tenant_id']}:{row['route']}:{row['key']}",
    ),
)


def rotate(ring: KeyRing, database_url: str) -> Rotation:
    """Seals everything under the ring's current key. May be run again; a second run finds nothing left to do."""
    return asyncio.run(reseal(ring, database_url))


async def reseal(ring: KeyRing, database_url: str) -> Rotation:
    """`rotate` on the running loop."""
    connection = await asyncpg.connect(plain_url(database_url))
    found = Rotation()
    try:
        for one in COLUMNS:
            await _column(ring, connection, one, found)
    finally:
        await connection.close()
    return found


async def _column(ring: KeyRing, connection: "asyncpg.Connection[Any]", one: Sealed, found: Rotation) -> None:
    names = ", ".join((*one.key, *one.further, one.column))
    rows = await connection.fetch(f"SELECT {names} FROM {one.table} WHERE {one.column} IS NOT NULL")  # noqa: S608  ours
    where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(one.key, start=3))
    update = f"UPDATE {one.table} SET {one.column} = $1 WHERE {one.column} = $2 AND {where}"  # noqa: S608  names of ours
    for row in rows:
        old = bytes(row[one.column])
        try:
            if ring.is_current(old):
                found.current += 1
                continue
            fresh = ring.seal(ring.unseal(old, place=one.place(row)), place=one.place(row))
        except SealBroken:
            found.broken += 1
            continue
        await connection.execute(update, fresh, old, *(row[name] for name in one.key))
        found.resealed += 1
