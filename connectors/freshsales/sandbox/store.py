"""One SQLite file that holds everything the sandbox knows: records, keys, links, files and settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from connectors.freshsales.sandbox.answers import Json
from connectors.sandboxkit.database import Database

# Ids have 11 digits (Freshsales fact sheet section 1).
FIRST_ID = 31_000_000_001
_ID_BLOCK = 10_000
_CLEARED = ("records", "keys", "links", "targets", "files")

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
  id INTEGER PRIMARY KEY, module TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL, indexed REAL NOT NULL, deleted INTEGER NOT NULL, facet TEXT, owner INTEGER,
  creator INTEGER NOT NULL, updater INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS records_module ON records (module, deleted, id);
CREATE INDEX IF NOT EXISTS records_updated ON records (module, deleted, updated, id);
CREATE TABLE IF NOT EXISTS keys (
  module TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (module, field, value, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_id ON keys (id);
CREATE TABLE IF NOT EXISTS links (
  kind TEXT NOT NULL, left_id INTEGER NOT NULL, right_id INTEGER NOT NULL, flag INTEGER NOT NULL,
  PRIMARY KEY (kind, left_id, right_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_right ON links (right_id, kind);
CREATE TABLE IF NOT EXISTS targets (
  target INTEGER NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL, type TEXT NOT NULL,
  PRIMARY KEY (target, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS targets_id ON targets (id);
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY, target INTEGER NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
  sha256 TEXT, url TEXT, shared INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS files_target ON files (target);
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""
_COLUMNS = "id, module, name, data, created, updated, indexed, deleted, facet, owner, creator, updater"


@dataclass(slots=True)
class Row:
    """A record as it is kept: moments are UTC texts, money is text, custom fields sit under `custom_field`."""

    id: int
    module: str
    name: str
    data: Json = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    indexed: float = 0.0
    deleted: bool = False
    facet: str | None = None
    owner: int | None = None
    creator: int = 0
    updater: int = 0


def _row(found: tuple[Any, ...]) -> Row:
    key, module, name, data, created, updated, indexed, deleted, facet, owner, creator, updater = found
    return Row(
        key, module, name, orjson.loads(data), created, updated, indexed, bool(deleted), facet, owner, creator, updater
    )


class Store(Database):
    """The open database."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _TABLES, first_id=FIRST_ID, id_block=_ID_BLOCK, cleared=_CLEARED)

    def count(self, sql: str, values: Sequence[Any] = ()) -> int:
        found = self.one(sql, values)
        return int(found[0] or 0) if found else 0

    # records

    def row(self, module: str, record_id: int) -> Row | None:
        found = self.one(f"SELECT {_COLUMNS} FROM records WHERE id = ? AND module = ?", (record_id, module))  # noqa: S608
        return _row(found) if found else None

    def rows(self, where: str, values: Sequence[Any], tail: str = "ORDER BY id") -> list[Row]:
        """Rows for a condition written by this package; `tail` holds order and limit."""
        return [_row(found) for found in self.all(f"SELECT {_COLUMNS} FROM records WHERE {where} {tail}", values)]  # noqa: S608

    def live(self, module: str, ids: Iterable[int]) -> list[Row]:
        wanted = list(ids)
        marks = ",".join("?" * len(wanted))
        return self.rows(f"module = ? AND deleted = 0 AND id IN ({marks})", (module, *wanted))

    def save_row(self, row: Row) -> None:
        self.run("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row_values(row))

    def drop_row(self, record_id: int) -> None:
        """Removes a record with its keys, links and targets."""
        self.run("DELETE FROM records WHERE id = ?", (record_id,))
        self.run("DELETE FROM keys WHERE id = ?", (record_id,))
        self.run("DELETE FROM links WHERE right_id = ?", (record_id,))
        for kind in ("contact_account", "deal_account", "deal_contact", "account_parent"):
            self.run("DELETE FROM links WHERE kind = ? AND left_id = ?", (kind, record_id))
        self.run("DELETE FROM targets WHERE id = ? OR target = ?", (record_id, record_id))

    # keys and links

    def set_keys(self, module: str, record_id: int, pairs: Iterable[tuple[str, str]]) -> None:
        self.run("DELETE FROM keys WHERE id = ?", (record_id,))
        self.run_many(
            "INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", [(module, name, text, record_id) for name, text in pairs]
        )

    def by_key(self, module: str, name: str, value: str, *, with_bin: bool = False) -> list[int]:
        """Ids of the records that hold this value, oldest first."""
        found = self.all(
            "SELECT k.id FROM keys k JOIN records r ON r.id = k.id WHERE k.module = ? AND k.field = ? AND k.value = ?"
            " AND r.deleted <= ? ORDER BY k.id",
            (module, name, value, int(with_bin)),
        )
        return [row[0] for row in found]

    def set_links(self, kind: str, left: int, rights: Iterable[tuple[int, bool]]) -> None:
        self.run("DELETE FROM links WHERE kind = ? AND left_id = ?", (kind, left))
        for right, flag in rights:
            self.run("INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?)", (kind, left, right, int(flag)))

    def linked(self, kind: str, left: int) -> list[tuple[int, bool]]:
        """Live right-hand records of `left`, the flagged one first."""
        found = self.all(
            "SELECT l.right_id, l.flag FROM links l JOIN records r ON r.id = l.right_id"
            " WHERE l.kind = ? AND l.left_id = ? AND r.deleted = 0 ORDER BY l.flag DESC, l.right_id",
            (kind, left),
        )
        return [(right, bool(flag)) for right, flag in found]

    def linking(self, kind: str, right: int) -> list[int]:
        """Live left-hand records that link to `right`."""
        found = self.all(
            "SELECT l.left_id FROM links l JOIN records r ON r.id = l.left_id"
            " WHERE l.right_id = ? AND l.kind = ? AND r.deleted = 0 ORDER BY l.left_id",
            (right, kind),
        )
        return [row[0] for row in found]

    def set_target(self, kind: str, record_id: int, target: int, target_type: str) -> None:
        self.run("DELETE FROM targets WHERE id = ?", (record_id,))
        self.run("INSERT INTO targets VALUES (?, ?, ?, ?)", (target, kind, record_id, target_type))

    def targeting(self, target: int, kind: str) -> list[Row]:
        """Activities of one kind that hang on `target`."""
        found = self.all("SELECT id FROM targets WHERE target = ? AND kind = ? ORDER BY id", (target, kind))
        return self.live(kind, [row[0] for row in found])

    def last_note(self, target: int) -> str | None:
        """The text of the newest note on a record."""
        found = self.one(
            "SELECT json_extract(r.data, '$.description') FROM targets t JOIN records r ON r.id = t.id"
            " WHERE t.target = ? AND t.kind = 'note' ORDER BY t.id DESC LIMIT 1",
            (target,),
        )
        return found[0] if found else None


def row_values(row: Row) -> tuple[Any, ...]:
    """The columns of `records` in order."""
    return (
        row.id, row.module, row.name, orjson.dumps(row.data, option=orjson.OPT_SORT_KEYS).decode(), row.created,
        row.updated, row.indexed, int(row.deleted), row.facet, row.owner, row.creator, row.updater,
    )  # fmt: skip
