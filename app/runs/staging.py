"""Staged records: in by COPY, out by key order, sealed on the way (rulings 3 and 4)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from app.domain.json_texts import sorted_json_text
from app.domain.schema import Record
from app.security import DataKey

_TEMPORARY = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staging_in (
        source_id text, payload bytea, hash bytea, modified_at timestamptz, deleted_at timestamptz, merged_into text
    ) ON COMMIT DELETE ROWS
"""
_COLUMNS = ("source_id", "payload", "hash", "modified_at", "deleted_at", "merged_into")
_FIRST = """
    INSERT INTO staged (engagement_id, object, source_id, tenant_id, payload, hash, modified_at, deleted_at,
                        merged_into, batch)
    SELECT $1, $2, source_id, $3, payload, hash, modified_at, deleted_at, merged_into, $4 FROM staging_in
"""
_MERGE = (
    _FIRST
    + """
    ON CONFLICT (engagement_id, object, source_id) DO UPDATE
    SET payload = coalesce(excluded.payload, staged.payload), hash = coalesce(excluded.hash, staged.hash),
        modified_at = coalesce(excluded.modified_at, staged.modified_at), deleted_at = excluded.deleted_at,
        merged_into = excluded.merged_into, batch = excluded.batch
    WHERE staged.hash IS DISTINCT FROM coalesce(excluded.hash, staged.hash)
       OR staged.deleted_at IS DISTINCT FROM excluded.deleted_at
       OR staged.merged_into IS DISTINCT FROM excluded.merged_into
"""
)
_CHANGES = """
    INSERT INTO staged_changes (engagement_id, batch, object, source_id, tenant_id, kind, former)
    SELECT $1, $4, $2, fresh.source_id, $3,
           CASE WHEN fresh.merged_into IS NOT NULL THEN 'merged' WHEN fresh.deleted_at IS NOT NULL THEN 'deleted'
                WHEN old.source_id IS NULL THEN 'created' ELSE 'updated' END, old.payload
    FROM staging_in fresh
    LEFT JOIN staged old ON old.engagement_id = $1 AND old.object = $2 AND old.source_id = fresh.source_id
    WHERE old.source_id IS NULL OR old.hash IS DISTINCT FROM coalesce(fresh.hash, old.hash)
       OR (old.deleted_at IS NULL) <> (fresh.deleted_at IS NULL)
    ON CONFLICT (engagement_id, batch, object, source_id) DO UPDATE SET former = excluded.former
    WHERE staged_changes.former IS NULL AND staged_changes.kind = 'replayed'
"""
# One descent of the key per id, whatever the statistics say (see the ledger's lookups).
_EACH = """
    FROM unnest($3::text[]) AS wanted(id) CROSS JOIN LATERAL (
        SELECT * FROM staged WHERE engagement_id = $1 AND object = $2 AND source_id = wanted.id OFFSET 0) s
"""


def place(object_name: str, source_id: str) -> bytes:
    """What a staged payload is bound to."""
    return f"{object_name}\x00{source_id}".encode()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which staged records a stage sees: all live ones, a sample's ids, or one delta's changes."""

    ids: tuple[str, ...] | None = None
    batch: int | None = None


_SLICE = 250  # records sealed or opened before the loop may breathe: senders must not wait for a whole page


class StagedRow(NamedTuple):
    source_id: str
    record: Record


StoredRow = tuple[str, bytes | None, bytes | None, datetime | None, datetime | None, str | None]
"""Source id, sealed payload, keyed hash, when modified, when deleted, into which it was merged."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A page ready to be stored: its rows, and their ids and clear JSON texts."""

    rows: list[StoredRow]
    ids: list[str]
    texts: list[bytes]


class Staging:
    """Staged records of one engagement. Every method works inside the caller's transaction."""

    def __init__(self, engagement_id: UUID, tenant_id: UUID, key: DataKey) -> None:
        self._engagement_id = engagement_id
        self._tenant_id = tenant_id
        self._key = key

    async def seal(
        self, object_name: str, records: Sequence[Record], *, key_field: str, modified_field: str = ""
    ) -> Sealed:
        """Records as rows to be stored, and their texts; no I/O, but the loop breathes now and then."""
        seal, digest, text_of = self._key.seal, self._key.hash, sorted_json_text
        start = f"{object_name}\x00"
        made = Sealed([], [], [])
        for first in range(0, len(records), _SLICE):
            for record in records[first : first + _SLICE]:
                clear = text_of(record)
                source_id = str(record[key_field])
                stamp = record.get(modified_field) if modified_field else None
                modified = datetime.fromisoformat(stamp) if stamp else None
                place = (start + source_id).encode()
                made.rows.append((source_id, seal(clear, place), digest(clear), modified, None, None))
                made.ids.append(source_id)
                made.texts.append(clear)
            await asyncio.sleep(0)
        return made

    async def bring(self, connection: "asyncpg.Connection[Any]", rows: Sequence[StoredRow]) -> None:
        """Copies sealed rows to the server, once in a transaction and before any lock is taken (see `Book.bring`)."""
        await connection.execute(_TEMPORARY)
        await connection.copy_records_to_table("staging_in", records=rows, columns=_COLUMNS)

    async def insert(
        self,
        connection: "asyncpg.Connection[Any]",
        object_name: str,
        *,
        batch: int = 0,
        track: bool = False,
        fresh: bool = False,
    ) -> None:
        """Stores the sealed rows that `bring` copied in this transaction (its end empties the temporary table).

        Rows whose hash is unchanged are left alone. With `track` (a delta) what is new, changed, deleted or merged is
        listed in `staged_changes` under `batch`. `fresh` promises that none of them is there; UniqueViolationError
        where one is.
        """
        arguments = (self._engagement_id, object_name, self._tenant_id, batch)
        if track:
            await connection.execute(_CHANGES, *arguments)
        await connection.execute(_FIRST if fresh else _MERGE, *arguments)

    async def page(
        self,
        connection: "asyncpg.Connection[Any]",
        object_name: str,
        after: str,
        upto: str | None,
        limit: int,
        scope: Scope,
        *,
        gone_too: bool = False,
    ) -> list[StagedRow]:
        """Live records in key order, `after` excluded, `upto` included (None: open end); with `gone_too` also those
        that the source has let go since, as they last were.
        """
        living = "s.payload IS NOT NULL" if gone_too else "s.deleted_at IS NULL"
        sql, arguments = self._select("s.source_id, s.payload", object_name, after, upto, scope, living)
        rows = await connection.fetch(f"{sql} ORDER BY s.source_id LIMIT {int(limit)}", *arguments)
        unseal, loads, start = self._key.unseal, orjson.loads, f"{object_name}\x00"
        opened: list[StagedRow] = []
        for place in range(0, len(rows), _SLICE):
            part = rows[place : place + _SLICE]
            opened += [StagedRow(at, loads(unseal(payload, (start + at).encode()))) for at, payload in part]
            await asyncio.sleep(0)
        return opened

    async def count(self, connection: "asyncpg.Connection[Any]", object_name: str, scope: Scope) -> int:
        """How many live records the scope has."""
        sql, arguments = self._select("count(*)", object_name, "", None, scope)
        return int(await connection.fetchval(sql, *arguments))

    async def counts(self, connection: "asyncpg.Connection[Any]") -> dict[str, int]:
        """Live records per object."""
        rows = await connection.fetch(
            "SELECT object, count(*) AS n FROM staged WHERE engagement_id = $1 AND deleted_at IS NULL GROUP BY object",
            self._engagement_id,
        )
        return {row["object"]: row["n"] for row in rows}

    async def by_ids(
        self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str], *, gone_too: bool = False
    ) -> dict[str, Record]:
        """Records by id; with `gone_too` also those that the source has let go since, as they last were."""
        rows = await connection.fetch(
            f"SELECT s.source_id, payload {_EACH} WHERE payload IS NOT NULL AND ($4 OR deleted_at IS NULL)",
            *(self._engagement_id, object_name, list(ids), gone_too),
        )
        return {row["source_id"]: self._open(object_name, row["source_id"], row["payload"]).record for row in rows}

    async def gone(self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str]) -> set[str]:
        """Which of these records the source has deleted or merged away."""
        rows = await connection.fetch(
            f"SELECT s.source_id {_EACH} WHERE deleted_at IS NOT NULL", self._engagement_id, object_name, list(ids)
        )
        return {row["source_id"] for row in rows}

    async def survivors(
        self, connection: "asyncpg.Connection[Any]", object_name: str, ids: Sequence[str]
    ) -> dict[str, str]:
        """For ids that were merged away: the id that lives on (one step; the caller repeats for chains)."""
        rows = await connection.fetch(
            f"SELECT s.source_id, merged_into {_EACH} WHERE merged_into IS NOT NULL",
            *(self._engagement_id, object_name, list(ids)),
        )
        return {row["source_id"]: row["merged_into"] for row in rows}

    def _open(self, object_name: str, source_id: str, payload: bytes) -> StagedRow:
        return StagedRow(source_id, orjson.loads(self._key.unseal(payload, place(object_name, source_id))))

    def _select(
        self,
        what: str,
        object_name: str,
        after: str,
        upto: str | None,
        scope: Scope,
        living: str = "s.deleted_at IS NULL",
    ) -> tuple[str, list[Any]]:
        arguments: list[Any] = [self._engagement_id, object_name, after]
        conditions = ["s.engagement_id = $1", "s.object = $2", "s.source_id > $3", living]
        join = ""
        if upto is not None:
            arguments.append(upto)
            conditions.append(f"s.source_id <= ${len(arguments)}")
        if scope.ids is not None:
            arguments.append(list(scope.ids))
            conditions.append(f"s.source_id = ANY(${len(arguments)})")
        if scope.batch is not None:
            arguments.append(scope.batch)
            join = (
                " JOIN staged_changes c ON c.engagement_id = s.engagement_id AND c.object = s.object"
                f" AND c.source_id = s.source_id AND c.batch = ${len(arguments)}"
            )
        return f"SELECT {what} FROM staged s{join} WHERE {' AND '.join(conditions)}", arguments  # noqa: S608
