"""One SQLite file that holds everything the sandbox knows: records, keys, links, bin, attachments and documents.

All statements run on the event loop's thread through one connection, so a request is atomic without locks.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.zoho_crm.sandbox.answers import Json

# 19 digits, as ids of an org look: an org's own prefix followed by a running number (Zoho fact sheet section 1).
FIRST_ID = 5_725_767_000_000_100_001
_ID_BLOCK = 100_000
_CHUNK = 500

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
  id INTEGER PRIMARY KEY, module TEXT NOT NULL, name TEXT, data TEXT NOT NULL, created INTEGER NOT NULL,
  modified INTEGER NOT NULL, touched REAL NOT NULL, creator INTEGER NOT NULL, modifier INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS records_module ON records (module, id);
CREATE INDEX IF NOT EXISTS records_modified ON records (module, modified, id);
CREATE TABLE IF NOT EXISTS keys (
  slot INTEGER NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (slot, value, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
  target INTEGER NOT NULL, slot INTEGER NOT NULL, source INTEGER NOT NULL,
  PRIMARY KEY (target, slot, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bin (
  id INTEGER PRIMARY KEY, module TEXT NOT NULL, name TEXT, data TEXT, created INTEGER, modified INTEGER,
  creator INTEGER, modifier INTEGER, deleted_at INTEGER NOT NULL, deleted_by INTEGER NOT NULL, kind TEXT NOT NULL,
  root INTEGER NOT NULL, cleared TEXT);
CREATE INDEX IF NOT EXISTS bin_module ON bin (module, deleted_at);
CREATE INDEX IF NOT EXISTS bin_root ON bin (root);
CREATE TABLE IF NOT EXISTS attachments (
  id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
  sha256 TEXT, url TEXT, created INTEGER NOT NULL, modified INTEGER NOT NULL, creator INTEGER NOT NULL,
  root INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS attachments_parent ON attachments (parent);
CREATE TABLE IF NOT EXISTS relations (
  kind TEXT NOT NULL, left_id INTEGER NOT NULL, right_id INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, left_id, right_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Row:
    """A live record as it is kept: lookups are id texts, date-times are UTC texts."""

    id: int
    module: str
    name: str | None
    data: Json
    created: int
    modified: int
    creator: int
    modifier: int


ROW_COLUMNS = "id, module, name, data, created, modified, creator, modifier"


class Store:
    """The open database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-24000; PRAGMA temp_store=FILE;"
            + _TABLES
        )
        self._depth = 0
        counter = self.document("counter", "id")
        self._next = self._reserved = counter["next"] if counter else FIRST_ID

    def close(self) -> None:
        self._db.close()

    def clear(self) -> None:
        """Empties every table; ids go on counting."""
        with self.transaction():
            for table in ("records", "keys", "links", "bin", "attachments", "relations"):
                self.run(f"DELETE FROM {table}")  # noqa: S608 - our own table names
            self.run("DELETE FROM documents WHERE kind <> 'counter'")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end of the outermost block, rolls back on any exception."""
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("ROLLBACK")
                self._reserved = self._next
            raise
        self._depth -= 1
        if self._depth == 0:
            self._db.execute("COMMIT")

    def next_id(self) -> int:
        """The next 19-digit id; ids never repeat, not even after a restart."""
        if self._next >= self._reserved:
            self._reserved = self._next + _ID_BLOCK
            self.save_document("counter", "id", {"next": self._reserved})
        self._next += 1
        return self._next - 1

    def run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._db.execute(sql, values)

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._db.executemany(sql, rows)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
        return found

    # documents

    def document(self, kind: str, key: str | int) -> Json | None:
        found = self.one("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, str(key)))
        return orjson.loads(found[0]) if found else None

    def documents(self, kind: str) -> list[Json]:
        return [orjson.loads(b) for (b,) in self.all("SELECT body FROM documents WHERE kind = ? ORDER BY id", (kind,))]

    def save_document(self, kind: str, key: str | int, body: Json) -> None:
        self.run("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, str(key), orjson.dumps(body).decode()))

    def drop_document(self, kind: str, key: str | int) -> None:
        self.run("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, str(key)))

    # records

    def row(self, module: str, record_id: int) -> Row | None:
        found = self.one(f"SELECT {ROW_COLUMNS} FROM records WHERE id = ? AND module = ?", (record_id, module))  # noqa: S608
        return as_row(found) if found else None

    def rows(self, module: str, ids: Sequence[int]) -> dict[int, Row]:
        """The live records of `module` among `ids`."""
        found: dict[int, Row] = {}
        for part in chunks(ids):
            sql = f"SELECT {ROW_COLUMNS} FROM records WHERE id IN ({marks(part)}) AND module = ?"  # noqa: S608
            found.update((raw[0], as_row(raw)) for raw in self.all(sql, (*part, module)))
        return found

    def names(self, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
        """Module and display name of each live record among `ids`."""
        found: dict[int, tuple[str, str | None]] = {}
        for part in chunks(ids):
            sql = f"SELECT id, module, name FROM records WHERE id IN ({marks(part)})"  # noqa: S608
            found.update((raw[0], (raw[1], raw[2])) for raw in self.all(sql, part))
        return found

    def keyed(self, slot: int, values: Sequence[str]) -> dict[str, int]:
        """Lowest record id per folded key value of the field `slot`."""
        found: dict[str, int] = {}
        for part in chunks(values):
            sql = f"SELECT value, min(id) FROM keys WHERE slot = ? AND value IN ({marks(part)}) GROUP BY value"  # noqa: S608
            found.update(self.all(sql, (slot, *part)))
        return found


def as_row(raw: Sequence[Any]) -> Row:
    return Row(raw[0], raw[1], raw[2], orjson.loads(raw[3]), raw[4], raw[5], raw[6], raw[7])


def marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), _CHUNK):
        yield distinct[start : start + _CHUNK]
