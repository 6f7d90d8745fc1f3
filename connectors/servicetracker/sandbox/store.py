"""The SQLite file behind the sandbox: one table per object, readers per thread, one writer at a time."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.servicetracker.sandbox.fields import Field, SObject
from connectors.servicetracker.sandbox.ids import IdMaker
from connectors.servicetracker.sandbox.schema import OBJECTS

BATCH = 2_000
_AFFINITY = {"boolean": "INTEGER", "int": "INTEGER"}
_BINARY = frozenset({"id", "reference", "date", "datetime", "currency", "percent", "double"})
Row = Mapping[str, Any]


def quoted(name: str) -> str:
    return f'"{name}"'


def _column(field: Field) -> str:
    kind = _AFFINITY.get(field.type, "TEXT")
    # Text comparison ignores case (source fact sheet section 1.4); SQLite folds ASCII letters only.
    folding = "" if kind != "TEXT" or field.type in _BINARY else " COLLATE NOCASE"
    return f"{quoted(field.name)} {kind}{folding}"


class Store:
    """Opens `path`; every thread gets its own connection, writes go through `writing()`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._makers = {name: IdMaker(one.prefix) for name, one in OBJECTS.items()}
        with self.writing() as db:
            db.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")

    @property
    def reading(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = self._connect()
            with self._lock:
                self._opened.append(found)
        return found

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=60)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -8000")
        return db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed at the end and rolled back on an error; may be nested."""
        with self._lock:
            db = self.reading
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            for one in self._opened:
                one.close()
            self._opened.clear()

    def meta(self, name: str) -> str | None:
        row = self.reading.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        with self.writing() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @property
    def filled(self) -> bool:
        """Whether a fill ran to its end; a fill that was cut short is started over."""
        return self.meta("filled") == "yes"

    def clear(self) -> None:
        """Empty tables for every object."""
        with self.writing() as db:
            db.execute("DELETE FROM meta")
            for one in OBJECTS.values():
                db.execute(f"DROP TABLE IF EXISTS {quoted(one.name)}")
                columns = [_column(field) for field in one.fields if field.stored]
                if one.blob:
                    columns += ["_BlobKind TEXT", "_BlobSize INTEGER", "_Blob BLOB"]
                db.execute(f"CREATE TABLE {quoted(one.name)} ({', '.join(columns)}, PRIMARY KEY (Id)) WITHOUT ROWID")

    def finish_fill(self) -> None:
        """Indexes for cursors and parents; then the store counts as filled."""
        with self.writing() as db:
            for one in OBJECTS.values():
                names = ["SystemModstamp", *(field.name for field in one.fields if field.indexed or field.external_id)]
                for name in names:
                    index = quoted(f"{one.name}_{name}")
                    db.execute(f"CREATE INDEX {index} ON {quoted(one.name)} ({quoted(name)})")
            self.set_meta("filled", "yes")

    def insert(self, sobject: SObject, rows: Iterable[Row], rewrite: Callable[[Row], Row] | None = None) -> int:
        """Writes rows in batches, each in a transaction of its own; keys that are no column are an error.

        `rewrite` is applied to each row first. Returns the number of rows.
        """
        columns = sobject.columns
        known = frozenset(columns)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {quoted(sobject.name)} VALUES ({marks})"  # noqa: S608  # names come from the schema
        iterator = iter(rows)
        written = 0
        while batch := list(islice(iterator, BATCH)):
            if rewrite is not None:
                batch = [rewrite(row) for row in batch]
            if strangers := [row for row in batch if not known.issuperset(row)]:
                raise ValueError(f"{sobject.name} has no column {sorted(set(strangers[0]) - known)}")
            with self.writing() as db:
                db.executemany(statement, (tuple(map(row.get, columns)) for row in batch))
            written += len(batch)
        return written

    def new_id(self, sobject: SObject) -> str:
        """The next id of an object, above all that were ever given."""
        number = self._next(f"id:{sobject.name}")
        return self._makers[sobject.name](number)

    def new_number(self, sobject: SObject, field: Field) -> str:
        """The next autonumber."""
        assert field.auto_number is not None
        return field.auto_number.format(self._next(f"number:{sobject.name}"))

    def start_numbers(self, sobject: SObject, after: int) -> None:
        """Makes ids and autonumbers continue behind `after`."""
        self.set_meta(f"id:{sobject.name}", str(after))
        self.set_meta(f"number:{sobject.name}", str(after))

    def _next(self, name: str) -> int:
        with self.writing():
            number = int(self.meta(name) or 0) + 1
            self.set_meta(name, str(number))
        return number

    def record(self, sobject: SObject, record_id: str) -> dict[str, Any] | None:
        """The stored row, deleted ones included."""
        names = ", ".join(quoted(name) for name in sobject.columns)
        statement = f"SELECT {names} FROM {quoted(sobject.name)} WHERE Id = ?"  # noqa: S608
        row = self.reading.execute(statement, (record_id,)).fetchone()
        return None if row is None else dict(zip(sobject.columns, row, strict=True))

    def change(self, sobject: SObject, record_id: str, values: Row) -> None:
        """Overwrites columns of one row."""
        changes = ", ".join(f"{quoted(name)} = ?" for name in values)
        statement = f"UPDATE {quoted(sobject.name)} SET {changes} WHERE Id = ?"  # noqa: S608
        with self.writing() as db:
            db.execute(statement, (*values.values(), record_id))

    def count(self, sobject: SObject, where: str = "1") -> int:
        """Rows of an object; `where` is our own SQL."""
        statement = f"SELECT count(*) FROM {quoted(sobject.name)} WHERE {where}"  # noqa: S608
        return int(self.reading.execute(statement).fetchone()[0])

    def all_rows(self, sobject: SObject, columns: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Streams every row in the order of ids, deleted ones included.

        It reads on a connection of its own: a streamed answer may be carried on by another thread at every step.
        """
        names = ", ".join(quoted(name) for name in columns)
        db = self._connect()
        try:
            yield from db.execute(f"SELECT {names} FROM {quoted(sobject.name)} ORDER BY Id")  # noqa: S608
        finally:
            db.close()
