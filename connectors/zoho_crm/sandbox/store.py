"""One SQLite file that holds everything the sandbox knows: records, keys, links, bin, attachments and documents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.sandboxkit.database import Database
from connectors.zoho_crm.sandbox.answers import Json

# 19 digits, as ids of an org look: an org's own prefix followed by a running number (Zoho fact sheet section 1).
FIRST_ID = 5_725_767_000_000_100_001
_ID_BLOCK = 100_000
_CHUNK = 500
_CLEARED = ("records", "keys", "links", "bin", "attachments", "relations")

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


class Store(Database):
    """The open database."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _TABLES, first_id=FIRST_ID, id_block=_ID_BLOCK, cleared=_CLEARED)

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
