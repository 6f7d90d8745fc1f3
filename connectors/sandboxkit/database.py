"""A sandbox's SQLite file: nested transactions, documents by kind and key, and ids that never repeat.

All statements run on the event loop's thread through one connection, so a request is atomic without locks.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-24000; PRAGMA temp_store=FILE;"


class Database:
    """The open file. `tables` creates what a vendor's stand-in keeps, a table `documents (kind, id, body)` among it;
    SQLite turns keys into the type of its column `id`.
    """

    def __init__(self, path: Path, tables: str, *, first_id: int, id_block: int, cleared: Sequence[str]) -> None:
        """`first_id` is the first id given out; `id_block` ids are reserved at a time. `cleared` tables hold data."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(_PRAGMAS + tables)
        self._depth = 0
        self._id_block = id_block
        self._cleared = tuple(cleared)
        counter = self.document("counter", 0)
        self._next = self._reserved = counter["next"] if counter else first_id

    def close(self) -> None:
        self._db.close()

    def clear(self) -> None:
        """Empties every table; ids go on counting."""
        with self.transaction():
            for table in self._cleared:
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
        """The next id; ids never repeat, not even after a restart."""
        if self._next >= self._reserved:
            self._reserved = self._next + self._id_block
            self.save_document("counter", 0, {"next": self._reserved})
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

    def document(self, kind: str, key: str | int) -> dict[str, Any] | None:
        found = self.one("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key))
        return orjson.loads(found[0]) if found else None

    def documents(self, kind: str) -> list[dict[str, Any]]:
        return [orjson.loads(b) for (b,) in self.all("SELECT body FROM documents WHERE kind = ? ORDER BY id", (kind,))]

    def save_document(self, kind: str, key: str | int, body: dict[str, Any]) -> None:
        self.run("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, orjson.dumps(body).decode()))

    def drop_document(self, kind: str, key: str | int) -> None:
        self.run("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))
