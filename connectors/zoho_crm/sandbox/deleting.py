"""Deleting into the recycle bin, and taking records back out of it."""

from collections.abc import Sequence
from typing import Any

import orjson

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, success
from connectors.zoho_crm.sandbox.changes import key_fields, targets
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.store import ROW_COLUMNS, Row, as_row
from connectors.zoho_crm.sandbox.values import fold

_BIN_SECONDS = 60 * 24 * 3600


def delete_records(
    crm: Crm, module: Module, ids: Sequence[int | None], *, message: str = "record deleted"
) -> list[Json]:
    """One result per id, in order (Zoho fact sheet section 15)."""
    results = []
    with crm.store.transaction():
        for record_id in ids:
            row = crm.store.row(module.api_name, record_id) if record_id is not None else None
            if row is None:
                refused = ItemProblem(
                    "INVALID_DATA", "record not deleted", {"id": str(record_id) if record_id else None}
                )
                results.append(refused.body())
                continue
            _to_bin(crm, module, row, row.id)
            crm.stats.deleted[module.api_name] += 1
            results.append(success(message, {"id": str(row.id)}))
    return results


def _to_bin(crm: Crm, module: Module, row: Row, root: int) -> None:
    """Moves a record with its notes and attachments; whoever looks it up loses the link."""
    store = crm.store
    notes = crm.schema.modules["Notes"]
    for (note_id,) in store.all(
        "SELECT source FROM links WHERE target = ? AND slot = ?", (row.id, notes.fields["Parent_Id"].id)
    ):
        note = store.row("Notes", note_id)
        if note is not None:
            _to_bin(crm, notes, note, root)
    store.run("UPDATE attachments SET root = ? WHERE parent = ? AND root = 0", (root, row.id))
    cleared = _clear_links(crm, row.id)
    store.run_many("DELETE FROM keys WHERE slot = ? AND value = ? AND id = ?", list(_keys(module, row)))
    store.run_many("DELETE FROM links WHERE target = ? AND slot = ? AND source = ?", list(_links(module, row)))
    store.run("DELETE FROM relations WHERE left_id = ? OR right_id = ?", (row.id, row.id))
    store.run("DELETE FROM records WHERE id = ?", (row.id,))
    store.run(
        "INSERT OR REPLACE INTO bin VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'recycle', ?, ?)",
        (
            row.id, row.module, row.name, orjson.dumps(row.data).decode(), row.created, row.modified, row.creator,
            row.modifier, crm.now(), crm.people.admin.id, root, orjson.dumps(cleared).decode(),
        ),
    )  # fmt: skip


def _keys(module: Module, row: Row) -> list[tuple[int, str, int]]:
    held = [(slot.id, row.data.get(slot.api_name)) for slot in key_fields(module)]
    return [(slot, fold(value), row.id) for slot, value in held if value is not None]


def _links(module: Module, row: Row) -> list[tuple[int, int, int]]:
    fields = [item for item in module.fields.values() if item.data_type in ("lookup", "multiselectlookup")]
    return [(target, item.id, row.id) for item in fields for target in targets(row.data.get(item.api_name))]


def _clear_links(crm: Crm, target: int) -> list[list[Any]]:
    """Empties every lookup to `target`; answers what was cleared, for a later restore."""
    store = crm.store
    cleared: list[list[Any]] = []
    slots = {item.id: item for module in crm.schema.modules.values() for item in module.fields.values()}
    for slot, source in store.all("SELECT slot, source FROM links WHERE target = ?", (target,)):
        item = slots.get(slot)
        if item is None:
            continue
        if item.data_type == "lookup":
            store.run(f"UPDATE records SET data = json_remove(data, '$.{item.api_name}') WHERE id = ?", (source,))  # noqa: S608
            cleared.append([slot, source])
        else:
            _drop_rows(crm, item, source, target)
    store.run("DELETE FROM links WHERE target = ?", (target,))
    return cleared


def _drop_rows(crm: Crm, item: Field, source: int, target: int) -> None:
    raw = crm.store.one(f"SELECT {ROW_COLUMNS} FROM records WHERE id = ?", (source,))  # noqa: S608
    if raw is None:
        return
    data = as_row(raw).data
    data[item.api_name] = [row for row in data.get(item.api_name, []) if target not in targets([row])]
    crm.store.run("UPDATE records SET data = ? WHERE id = ?", (orjson.dumps(data).decode(), source))


def expire_bin(crm: Crm) -> None:
    """What lay in the bin for sixty days is gone for good."""
    old = crm.store.all("SELECT id FROM bin WHERE kind = 'recycle' AND deleted_at < ?", (crm.now() - _BIN_SECONDS,))
    for (record_id,) in old:
        purge(crm, record_id)


def purge(crm: Crm, record_id: int) -> bool:
    """Takes a record out of the bin for good; False if it is not there."""
    done = crm.store.run(
        "UPDATE bin SET kind = 'permanent', data = NULL WHERE id = ? AND kind = 'recycle'", (record_id,)
    )
    if done.rowcount == 0:
        return False
    for (file_id,) in crm.store.all("SELECT id FROM attachments WHERE root = ?", (record_id,)):
        (crm.files / str(file_id)).unlink(missing_ok=True)
    crm.store.run("DELETE FROM attachments WHERE root = ?", (record_id,))
    crm.store.drop_document("photo", record_id)
    (crm.files / f"photo-{record_id}").unlink(missing_ok=True)
    crm.store.run("UPDATE bin SET kind = 'permanent', data = NULL WHERE root = ? AND kind = 'recycle'", (record_id,))
    return True


def restore(crm: Crm, record_id: int) -> Json:
    """Brings a record back with what went along with it; a unique value taken meanwhile is refused."""
    raw = crm.store.one(
        f"SELECT {ROW_COLUMNS}, cleared, root FROM bin WHERE id = ? AND kind = 'recycle'",  # noqa: S608
        (record_id,),
    )
    if raw is None:
        return ItemProblem("INVALID_DATA", "the id given seems to be invalid", {"id": str(record_id)}).body()
    row = as_row(raw)
    module = crm.schema.modules[row.module]
    for slot in module.keyed_fields:
        value = row.data.get(slot.api_name)
        if value is not None and (held := crm.store.keyed(slot.id, [fold(value)])):
            details = {"api_name": slot.api_name, "id": str(next(iter(held.values())))}
            return ItemProblem("DUPLICATE_DATA", "duplicate data", details).body()
    with crm.store.transaction():
        _bring_back(crm, module, row, orjson.loads(raw[8]))
        if raw[9] == record_id:
            for (child,) in crm.store.all("SELECT id FROM bin WHERE root = ? AND kind = 'recycle'", (record_id,)):
                restore(crm, child)
            crm.store.run("UPDATE attachments SET root = 0 WHERE root = ?", (record_id,))
    return success("record restored", {"id": str(record_id)})


def _bring_back(crm: Crm, module: Module, row: Row, cleared: list[list[Any]]) -> None:
    store = crm.store
    existing = store.names([target for target, _, _ in _links(module, row)])
    links = [link for link in _links(module, row) if link[0] in existing]
    values = (row.id, row.module, row.name, orjson.dumps(row.data).decode(), row.created, row.modified, crm.seconds())
    store.run("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, row.creator, row.modifier))
    store.run_many("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", _keys(module, row))
    store.run_many("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", links)
    store.run("DELETE FROM bin WHERE id = ?", (row.id,))
    slots = {item.id: item for other in crm.schema.modules.values() for item in other.fields.values()}
    for slot, source in cleared:
        if slot not in slots:
            continue
        path = f"$.{slots[slot].api_name}"
        done = store.run(
            "UPDATE records SET data = json_set(data, ?, ?) WHERE id = ? AND json_extract(data, ?) IS NULL",
            (path, str(row.id), source, path),
        )
        if done.rowcount:
            store.run("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", (row.id, slot, source))
