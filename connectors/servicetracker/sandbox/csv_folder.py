"""The account as CSV files named {Object}.csv with API names as headers: out, in, and out again the same.

Every row is written, deleted ones too. Bodies that the generator makes travel as their kind and size
(`_BlobKind`, `_BlobSize`), uploaded bodies as base64 under the name of their field.
"""

import base64
import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.servicetracker.sandbox.fields import SObject
from connectors.servicetracker.sandbox.generator import API_USER, API_USER_ID
from connectors.servicetracker.sandbox.ids import full_id, number_of
from connectors.servicetracker.sandbox.record_writes import body_columns
from connectors.servicetracker.sandbox.schema import OBJECTS, find_object
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.values import BadValueError, moment_text, store_form

LARGEST_CELL = 48 * 1024 * 1024
_HIDDEN = frozenset({"_BlobKind", "_BlobSize"})


def export_rows(store: Store, sobject: SObject) -> Iterator[list[str]]:
    """The header and every row in the order of ids, as text."""
    stored = [name for name in sobject.columns if name != "_Blob"]
    yield [*stored, *([sobject.blob.name] if sobject.blob else [])]
    flags = {place for place, name in enumerate(stored) if (field := sobject.field(name)) and field.type == "boolean"}
    for row in store.all_rows(sobject, sobject.columns):
        cells = ["" if value is None else str(value) for value in row[: len(stored)]]
        for place in flags:
            cells[place] = {"1": "true", "0": "false"}.get(cells[place], "")
        if sobject.blob:
            cells.append("" if row[-1] is None else base64.b64encode(row[-1]).decode("ascii"))
        yield cells


def export_csv(store: Store, folder: Path) -> dict[str, int]:
    """Writes one file per object that has rows; returns the rows per object."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for sobject in OBJECTS.values():
        if not store.count(sobject):
            continue
        with (folder / f"{sobject.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            rows = 0
            for rows, row in enumerate(export_rows(store, sobject)):  # noqa: B007  # the last number is the count
                writer.writerow(row)
        written[sobject.name] = rows
    return written


def import_csv(store: Store, folder: Path, clock: Callable[[], datetime]) -> dict[str, int]:
    """Fills an empty store from the files of `folder`; returns the rows per object.

    Columns may be left out: ids, autonumbers, flags and system dates are then filled in. Raises ValueError naming
    file and line for an unknown object, header or value, or an id that occurs twice.
    """
    csv.field_size_limit(LARGEST_CELL)
    written: dict[str, int] = {}
    for path in sorted(folder.glob("*.csv")):
        sobject = find_object(path.stem)
        if sobject is None:
            raise ValueError(f"{path.name}: there is no object {path.stem}")
        written[sobject.name] = _import_one(store, sobject, path, moment_text(clock()))
    if not written:
        raise ValueError(f"{folder} holds no CSV files")
    _ensure_api_user(store, moment_text(clock()))
    store.finish_fill()
    return written


def _ensure_api_user(store: Store, now: str) -> None:
    """The account always has the user its API credentials belong to."""
    users = OBJECTS["User"]
    if store.record(users, API_USER_ID) is not None:
        return
    stamps = {"CreatedDate": now, "CreatedById": API_USER_ID, "LastModifiedDate": now, "SystemModstamp": now}
    names = {"Username": API_USER, "Email": API_USER, "FirstName": "Integration", "LastName": "User"}
    flags = {"IsActive": 1, "UserType": "Standard", "IsDeleted": 0}
    store.insert(users, [{"Id": API_USER_ID, "Name": "Integration User", **names, **flags, **stamps}])


def _import_one(store: Store, sobject: SObject, path: Path, now: str) -> int:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        _check_header(sobject, path, reader.fieldnames or [])
        highest = _Highest(sobject)

        def rows() -> Iterator[dict[str, Any]]:
            for row in reader:
                try:
                    yield _completed(store, sobject, _typed(sobject, row), now, highest)
                except BadValueError as bad:
                    raise ValueError(f"{path.name} line {reader.line_num}: {bad}") from None

        count = store.insert(sobject, rows())
    # Numbers given later lie above everything that could have been imported.
    store.start_numbers(sobject, max(count, highest.number))
    return count


def _check_header(sobject: SObject, path: Path, header: Any) -> None:
    known = {one.name for one in sobject.fields} | (_HIDDEN if sobject.blob else frozenset())
    if strangers := [name for name in header if name not in known]:
        raise ValueError(f"{path.name}: {sobject.name} has no field {', '.join(strangers)}")


def _typed(sobject: SObject, row: Mapping[str | None, Any]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise BadValueError("CSV", "a row has more or fewer cells than the header")
    values: dict[str, Any] = {}
    for name, cell in row.items():
        assert name is not None
        if name in _HIDDEN:
            values[name] = (int(cell) if name == "_BlobSize" else cell) if cell else None
            continue
        field = sobject.by_name[name.lower()]
        if field.type == "base64":
            if cell:
                values |= body_columns(sobject, field, cell)
        elif field.type in {"email", "string", "textarea"} or not cell:
            # History holds addresses and texts that today's checks would refuse.
            values[name] = cell or None
        else:
            values[name] = store_form(field, cell)
    return values


class _Highest:
    """The largest number any imported id of an object may stand for."""

    def __init__(self, sobject: SObject) -> None:
        self._head = f"{sobject.prefix}5g00000"
        self.number = 0

    def see(self, record_id: str) -> None:
        if record_id.startswith(self._head):
            self.number = max(self.number, number_of(record_id))


def _completed(store: Store, sobject: SObject, values: dict[str, Any], now: str, highest: _Highest) -> dict[str, Any]:
    if values.get("Id") is None:
        values["Id"] = store.new_id(sobject)
    elif full_id(values["Id"]) is None or not values["Id"].startswith(sobject.prefix):
        raise BadValueError("MALFORMED_ID", f"{values['Id']} is no id of {sobject.name}")
    highest.see(values["Id"])
    for field in sobject.fields:
        if field.type == "boolean":
            if values.get(field.name) is None:
                values[field.name] = int(field.default == "true")
        elif field.auto_number and values.get(field.name) is None:
            values[field.name] = store.new_number(sobject, field)
    stamp = values.get("SystemModstamp") or values.get("LastModifiedDate") or now
    for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        values[name] = values.get(name) or stamp
    if (name_field := sobject.name_field) and name_field.calculated and values.get("Name") is None:
        values["Name"] = " ".join(filter(None, (values.get("FirstName"), values.get("LastName"))))
    if sobject.blob and values.get("_BlobSize") is None:
        values |= {"_BlobKind": "bytes", "_BlobSize": 0}
    return values
