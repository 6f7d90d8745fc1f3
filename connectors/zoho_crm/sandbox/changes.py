"""What one write request changes, gathered first and put into the store in one go: rows, keys, links and tags."""

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from connectors.zoho_crm.sandbox.answers import Json
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.store import Row
from connectors.zoho_crm.sandbox.values import as_id, fold


class Changes:
    """The rows touched by a request, with the keys and links that follow from their data."""

    def __init__(self, crm: Crm, module: Module, actor: int) -> None:
        self._crm = crm
        self._module = module
        self.actor = actor
        self.now = crm.now()
        self.key_fields = key_fields(module)
        self._link_fields = [f for f in module.fields.values() if f.data_type in ("lookup", "multiselectlookup")]
        self._keys: dict[tuple[int, str], int] = {}
        self._rows: dict[int, Row] = {}
        self._dirty: dict[int, Row] = {}
        self._key_writes: dict[tuple[int, str, int], bool] = {}
        self._link_writes: dict[tuple[int, int, int], bool] = {}

    def fetch_keys(self, items: Iterable[Any]) -> None:
        """Loads who holds the key values that `items` carry."""
        dicts = [item for item in items if isinstance(item, dict)]
        for slot in self.key_fields:
            values = [fold(item[slot.api_name]) for item in dicts if item.get(slot.api_name) not in (None, "")]
            if values:
                held = self._crm.store.keyed(slot.id, values)
                self._keys.update({(slot.id, value): holder for value, holder in held.items()})

    def fetch_rows(self, ids: Sequence[int]) -> None:
        self._rows.update(self._crm.store.rows(self._module.api_name, ids))

    def row(self, record_id: int) -> Row | None:
        """The record as it stands after the items before this one."""
        if record_id not in self._rows:
            found = self._crm.store.row(self._module.api_name, record_id)
            if found is None:
                return None
            self._rows[record_id] = found
        return self._rows[record_id]

    def holder(self, slot: Field, value: Any) -> int | None:
        """Which record holds `value` in a key field."""
        return None if value in (None, "") else self._keys.get((slot.id, fold(value)))

    def put(self, row: Row, before: Json) -> None:
        """Keeps a new or changed row; `before` is its old data, empty for a new one."""
        row.name = str(row.data.get(self._module.name_field) or "")[:255]
        self._rows[row.id] = self._dirty[row.id] = row
        for slot in self.key_fields:
            old, new = before.get(slot.api_name), row.data.get(slot.api_name)
            if old == new:
                continue
            if old is not None:
                self._key_writes[(slot.id, fold(old), row.id)] = False
                if self._keys.get((slot.id, fold(old))) == row.id:
                    del self._keys[(slot.id, fold(old))]
            if new is not None:
                self._key_writes[(slot.id, fold(new), row.id)] = True
                self._keys.setdefault((slot.id, fold(new)), row.id)
        for link in self._link_fields:
            old_targets, new_targets = targets(before.get(link.api_name)), targets(row.data.get(link.api_name))
            for target in old_targets - new_targets:
                self._link_writes[(target, link.id, row.id)] = False
            for target in new_targets - old_targets:
                self._link_writes[(target, link.id, row.id)] = True

    def flush(self) -> None:
        """Writes everything; the caller holds the transaction."""
        store, touched = self._crm.store, self._crm.seconds()
        store.run_many(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    r.id,
                    r.module,
                    r.name,
                    orjson.dumps(r.data).decode(),
                    r.created,
                    r.modified,
                    touched,
                    r.creator,
                    r.modifier,
                )
                for r in self._dirty.values()
            ],
        )
        store.run_many(
            "DELETE FROM keys WHERE slot = ? AND value = ? AND id = ?",
            [k for k, add in self._key_writes.items() if not add],
        )
        store.run_many("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", [k for k, add in self._key_writes.items() if add])
        store.run_many(
            "DELETE FROM links WHERE target = ? AND slot = ? AND source = ?",
            [k for k, add in self._link_writes.items() if not add],
        )
        store.run_many(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?)", [k for k, add in self._link_writes.items() if add]
        )
        if self._dirty:
            register_tags(
                self._crm, self._module.api_name, {t for r in self._dirty.values() for t in r.data.get("Tag") or ()}
            )


def key_fields(module: Module) -> list[Field]:
    """The fields whose values are kept in the key table: unique, external and the system duplicate field."""
    system = module.fields.get(module.duplicate_field or "")
    keyed = module.keyed_fields
    return keyed if system is None or system in keyed else [*keyed, system]


def targets(value: Any) -> set[int]:
    """Ids a stored lookup or multi-select lookup points at."""
    if isinstance(value, str):
        found = as_id(value)
        return {found} if found is not None else set()
    if isinstance(value, list):
        inner = (
            part.get("id") for row in value if isinstance(row, dict) for part in row.values() if isinstance(part, dict)
        )
        return {found for found in map(as_id, inner) if found is not None}
    return set()


def register_tags(crm: Crm, module: str, names: set[str]) -> None:
    """Tags used for the first time in a module become known there (Zoho fact sheet section 16)."""
    for name in sorted(names):
        key = f"{module}:{name}"
        if crm.store.document("tag", key) is None:
            body = {"id": str(crm.store.next_id()), "name": name, "module": module, "color_code": None}
            crm.store.save_document("tag", key, body)


def unlucky(crm: Crm, fault: str, module: Module, item: Any) -> bool:
    """Whether a fault picks this record: by a hash of its key, so that the same record is always picked."""
    rate = crm.faults.values.get(fault, 0)
    if rate <= 0 or not isinstance(item, dict):
        return False
    names = [f.api_name for f in module.keyed_fields] + [module.name_field, "Last_Name", "Subject"]
    key = next((item[name] for name in names if item.get(name)), None)
    text = orjson.dumps([module.api_name, key if key is not None else item, crm.faults.values.get("seed", 1)])
    return zlib.crc32(text) % 10_000 < rate
