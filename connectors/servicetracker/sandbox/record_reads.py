"""Reading single records, their bytes, and the lists of deleted and updated ids.

Source fact sheet sections 1.2 and 1.7.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.servicetracker.sandbox import blobs
from connectors.servicetracker.sandbox.cursors import Cursors
from connectors.servicetracker.sandbox.errors import ApiError, invalid_field, not_found
from connectors.servicetracker.sandbox.fields import Field, SObject
from connectors.servicetracker.sandbox.record_writes import living
from connectors.servicetracker.sandbox.soql_sql import plan
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.values import BadValueError, moment_text, read_moment, rest_moment, store_form

MOST_IDS = 600_000
OLDEST_DELETED = timedelta(days=15)
OLDEST_UPDATED = timedelta(days=30)


def read_record(store: Store, cursors: Cursors, sobject: SObject, record_id: str, base: str, names: str | None) -> Any:
    """One record with all fields, or with those of the comma-separated `names`; raises ApiError 400 or 404."""
    row = living(store, sobject, record_id)
    wanted = [one.strip() for one in names.split(",")] if names else [one.name for one in sobject.fields]
    if strangers := [one for one in wanted if "." not in one and sobject.field(one) is None]:
        raise invalid_field(f"No such column '{strangers[0]}' on entity '{sobject.name}'")
    text = f"SELECT {', '.join(wanted)} FROM {sobject.name} WHERE Id = '{row['Id']}'"  # noqa: S608
    if sobject.name == "ContentDocumentLink":
        text += f" AND ContentDocumentId = '{row['ContentDocumentId']}'"
    made = plan(text, include_deleted=sobject.archived)
    return cursors.start(made, 1, base)["records"][0]


def find_external(store: Store, sobject: SObject, field: Field, value: str) -> list[str]:
    """Ids of the living records whose external id has this value; raises ApiError 404 for none.

    Some clients write a blank in the path as `+` (source fact sheet section 1.9), so that reading is tried second.
    """
    for reading in dict.fromkeys((value, value.replace("+", " "))):
        try:
            stored = store_form(field, reading)
        except BadValueError:
            continue
        rows = store.reading.execute(
            f'SELECT Id FROM "{sobject.name}" WHERE "{field.name}" = ? AND IsDeleted = 0 ORDER BY Id LIMIT 200',  # noqa: S608
            (stored,),
        ).fetchall()
        if rows:
            return [row[0] for row in rows]
    raise not_found()


def open_body(store: Store, sobject: SObject, record_id: str) -> tuple[int, str | None, Iterator[bytes]]:
    """Size, content type and blocks of a record's bytes; raises ApiError 404 for a missing record."""
    row = living(store, sobject, record_id)
    kind = row.get("ContentType") or row.get("DocumentContentType")
    if row["_Blob"] is not None:
        return len(row["_Blob"]), kind, iter([row["_Blob"]])
    size = row["_BlobSize"] or 0
    return size, kind, blobs.body(row["Id"], row["_BlobKind"], size)


def deleted(store: Store, sobject: SObject, start: str | None, end: str | None, now: datetime) -> dict[str, Any]:
    """Deletions between two moments; raises ApiError 400 INVALID_REPLICATION_DATE or EXCEEDED_ID_LIMIT."""
    after, before = _window(start, end, now, OLDEST_DELETED)
    rows = _changed(store, sobject, "Id, SystemModstamp", "IsDeleted = 1", after, before)
    return {
        "deletedRecords": [{"id": row[0], "deletedDate": rest_moment(row[1])} for row in rows],
        "earliestDateAvailable": rest_moment(moment_text(now - OLDEST_DELETED)),
        "latestDateCovered": rest_moment(moment_text(before)),
    }


def updated(store: Store, sobject: SObject, start: str | None, end: str | None, now: datetime) -> dict[str, Any]:
    """Ids created or changed between two moments; raises as `deleted` does."""
    after, before = _window(start, end, now, OLDEST_UPDATED)
    rows = _changed(store, sobject, "Id", "IsDeleted = 0", after, before)
    return {"ids": [row[0] for row in rows], "latestDateCovered": rest_moment(moment_text(before))}


def _changed(
    store: Store, sobject: SObject, columns: str, state: str, after: datetime, before: datetime
) -> list[tuple[Any, ...]]:
    rows = store.reading.execute(
        f'SELECT {columns} FROM "{sobject.name}" WHERE SystemModstamp >= ? AND SystemModstamp < ? AND {state} '  # noqa: S608
        "ORDER BY SystemModstamp, Id LIMIT ?",
        (moment_text(after), moment_text(before), MOST_IDS + 1),
    ).fetchall()
    if len(rows) > MOST_IDS:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"More than {MOST_IDS} records: choose a shorter range")
    return rows


def _window(start: str | None, end: str | None, now: datetime, reach: timedelta) -> tuple[datetime, datetime]:
    after, before = _moment("start", start), min(_moment("end", end), now)
    if after < now - reach:
        message = f"startDate cannot be more than {reach.days} days ago"
        raise ApiError(400, "INVALID_REPLICATION_DATE", message)
    if _moment("end", end) - after < timedelta(minutes=1):
        raise ApiError(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    return after, before


def _moment(name: str, value: str | None) -> datetime:
    try:
        # A plus sign that was not escaped in the URL arrives as a blank.
        return read_moment((value or "").replace(" ", "+"))
    except ValueError:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"{name} is not a valid dateTime: {value}") from None
