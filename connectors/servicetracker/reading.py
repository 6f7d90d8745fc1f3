"""Reads an object's records page by page over REST: all of them by id, or what changed since a moment.

Both walks are keysets (the last id, or the last change and id), so a cursor never expires with the vendor's own.
Source fact sheet sections 1.4 and 1.7.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.domain.schema import Record
from connectors.base import Clock, Deletion, Page
from connectors.errors import ContractBroken
from connectors.http import ApiClient, Call
from connectors.servicetracker.rows import RowReader, canonical_datetime
from connectors.servicetracker.schema import Shape
from connectors.servicetracker.soql import moment, quoted, select, split_fields

_DELETED_REACH = timedelta(days=15) - timedelta(hours=1)
_DELETED_SHORTEST = timedelta(minutes=2)


class QueryAnswer(msgspec.Struct, rename="camel"):
    records: list[dict[str, Any]]
    total_size: int = 0
    done: bool = True
    next_records_url: str | None = None


class DeletedRow(msgspec.Struct, rename="camel"):
    id: str
    deleted_date: str


class DeletedAnswer(msgspec.Struct, rename="camel"):
    deleted_records: list[DeletedRow]
    latest_date_covered: str = ""


class Cursor(msgspec.Struct, omit_defaults=True):
    """Where a walk goes on. `after` is the last id; `stamp` and `since` belong to a delta, `job` to a Bulk result."""

    after: str = ""
    stamp: str = ""
    since: str = ""
    kind: str = ""
    job: str = ""
    locator: str = ""


# The number text is kept as it came: float_hook sees it before it could become a float.
_QUERY = msgspec.json.Decoder(QueryAnswer, float_hook=str)
_DELETED = msgspec.json.Decoder(DeletedAnswer)
_CURSOR = msgspec.json.Decoder(Cursor)


def write_cursor(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def read_cursor(text: str | None) -> Cursor:
    """Raises ContractBroken for a text that no page of ours carried."""
    if not text:
        return Cursor()
    try:
        return _CURSOR.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise ContractBroken("the cursor is not one of this source") from None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one walk over an object asks for: the columns, and how a row becomes a record or a deletion."""

    shape: Shape
    columns: tuple[str, ...]
    reader: RowReader

    @property
    def object_name(self) -> str:
        return self.shape.spec.name

    def split(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Record], list[Deletion]]:
        """Records and deletions of some rows, each in the order of the rows."""
        records: list[Record] = []
        deletions: list[Deletion] = []
        for row in rows:
            if row.get("IsDeleted") in (True, "true"):
                deletions.append(self._deletion(row))
            else:
                records.append(self.reader.record(row))
        return records, deletions

    def _deletion(self, row: Mapping[str, Any]) -> Deletion:
        try:
            at = datetime.fromisoformat(canonical_datetime(row.get(self.shape.stamp)))
        except ValueError:
            raise ContractBroken(f"a deleted row of {self.object_name} has no usable {self.shape.stamp}") from None
        return Deletion(id=row_id(row), at=at, merged_into=row.get("MasterRecordId") or None)


def make_plan(shape: Shape, fields: Sequence[str]) -> Plan:
    """Columns for `fields` plus those we need ourselves. Raises ContractBroken for a field the tenant lacks."""
    name = shape.spec.name
    blobs = {field.name for field in shape.spec.fields if field.name not in shape.types}
    wanted = dict.fromkeys(("Id", *(field for field in fields if field not in blobs)))
    unknown = [field for field in wanted if field not in shape.types]
    if unknown:
        raise ContractBroken(f"{name} has no field {', '.join(unknown[:5])} that this user can read", code="NO_FIELD")
    if shape.stamp:
        wanted.setdefault(shape.stamp)
    columns = dict(wanted)
    for field in ("IsDeleted", "MasterRecordId"):
        if field in shape.types:
            columns.setdefault(field)
    return Plan(shape, tuple(columns), RowReader(name, tuple(wanted), shape.types))


def row_id(row: Mapping[str, Any]) -> str:
    found = row.get("Id")
    if not isinstance(found, str) or not found:
        raise ContractBroken("the platform sent a row without an Id")
    return found


class Query:
    """SOQL over REST."""

    def __init__(self, api: ApiClient, version: str) -> None:
        self._api = api
        self.root = f"/services/data/v{version}"

    async def run(self, soql: str, *, purpose: str, everything: bool = True) -> QueryAnswer:
        """One page. `everything` is queryAll: deleted and archived rows as well."""
        path = f"{self.root}/{'queryAll' if everything else 'query'}/"
        answer = await self._api.request("GET", path, params={"q": soql}, purpose=purpose)
        return answer.decode(_QUERY)

    async def all_rows(self, soql: str, *, purpose: str, everything: bool = True) -> list[dict[str, Any]]:
        """All rows of a query that is known to be small, through the vendor's own paging."""
        found = await self.run(soql, purpose=purpose, everything=everything)
        rows = found.records
        while not found.done:
            url = found.next_records_url or ""
            if not url.startswith(f"{self.root}/"):
                raise ContractBroken("the platform names a next page outside its own API")
            found = (await self._api.send(Call("GET", url, purpose))).decode(_QUERY)
            rows = rows + found.records
        return rows

    async def count(self, object_name: str, where: str = "") -> int:
        """SELECT COUNT() with archived rows, as `read` sees them."""
        soql = select(("COUNT()",), object_name, where, order="")
        return (await self.run(soql, purpose="count")).total_size


class RestReader:
    """Keyset walks over one object."""

    def __init__(self, api: ApiClient, query: Query, *, page_size: int, overlap: timedelta, clock: Clock) -> None:
        self._api = api
        self._query = query
        self._size = page_size
        self._overlap = overlap
        self._clock = clock

    async def everything(self, plan: Plan, cursor: Cursor) -> AsyncIterator[Page]:
        """All records in the order of their ids."""
        after = cursor.after
        while True:
            where = f"Id > {quoted(after)}" if after else ""
            rows, more = await self._rows(plan, where, "Id")
            if rows:
                after = row_id(rows[-1])
            records, deletions = plan.split(rows)
            yield Page(records, deletions, write_cursor(Cursor(after=after)) if more else None)
            if not more:
                return

    async def changes(self, plan: Plan, since: datetime, cursor: Cursor) -> AsyncIterator[Page]:
        """What changed from `since` on, an overlap earlier because commits become visible late; then purged rows."""
        stamp_field = plan.shape.stamp
        start = cursor.since or moment(since - self._overlap)
        at, after = cursor.stamp, cursor.after
        gone: set[str] = set()
        while True:
            where = f"{stamp_field} >= {start}"
            if at:
                where = f"({stamp_field} > {at}) OR ({stamp_field} = {at} AND Id > {quoted(after)})"
            rows, more = await self._rows(plan, where, f"{stamp_field}, Id")
            if rows:
                at, after = _stamp(rows[-1], stamp_field), row_id(rows[-1])
            records, deletions = plan.split(rows)
            gone.update(deletion.id for deletion in deletions)
            if not more:
                deletions += [one for one in await self._purged(plan, since) if one.id not in gone]
            yield Page(records, deletions, write_cursor(Cursor(after, at, start)) if more else None)
            if not more:
                return

    async def _rows(self, plan: Plan, where: str, order: str) -> tuple[list[dict[str, Any]], bool]:
        """One page of rows, joined from several queries where the field list is too long for a URL."""
        lists = split_fields(_ordering_first(plan, order))
        purpose = f"read {plan.object_name}"
        found = await self._query.run(select(lists[0], plan.object_name, where, order, self._size), purpose=purpose)
        rows = found.records
        if rows and len(lists) > 1:
            await self._complete(plan, rows, lists[1:], purpose)
        return rows, bool(rows) and (not found.done or len(rows) >= self._size)

    async def _complete(
        self, plan: Plan, rows: list[dict[str, Any]], lists: Sequence[Sequence[str]], purpose: str
    ) -> None:
        """Adds the other field lists, by chunks of ids; a row that vanished in between keeps what was read."""
        known = {row_id(row): row for row in rows}
        ids = list(known)
        for names in lists:
            for begin in range(0, len(ids), 200):
                chosen = ",".join(quoted(one) for one in ids[begin : begin + 200])
                soql = select(names, plan.object_name, f"Id IN ({chosen})", order="")
                for row in await self._query.all_rows(soql, purpose=purpose):
                    if row_id(row) in known:
                        known[row_id(row)].update(row)

    async def _purged(self, plan: Plan, since: datetime) -> list[Deletion]:
        """Rows that left the recycle bin, from the deleted resource: it reaches back fifteen days (section 1.7)."""
        if not plan.shape.replicateable:
            return []
        end = self._clock()
        start = min(max(since - self._overlap, end - _DELETED_REACH), end - _DELETED_SHORTEST)
        answer = await self._api.request(
            "GET",
            f"{self._query.root}/sobjects/{plan.object_name}/deleted/",
            params={"start": _zoned(start), "end": _zoned(end)},
            purpose=f"deleted {plan.object_name}",
        )
        rows = answer.decode(_DELETED).deleted_records
        return [Deletion(row.id, _moment_of(row.deleted_date)) for row in rows]


def _ordering_first(plan: Plan, order: str) -> list[str]:
    """Columns with those of the ordering and the deletion mark in front, so that the first list can stand alone."""
    first = [*(name.strip() for name in order.split(",")), "IsDeleted", "MasterRecordId"]
    leading = [name for name in dict.fromkeys(first) if name in plan.columns]
    return leading + [name for name in plan.columns if name not in leading]


def _stamp(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise ContractBroken(f"a changed row has no {field}")
    return moment(_moment_of(value))


def _moment_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(canonical_datetime(text))
    except ValueError:
        raise ContractBroken("the platform sent a time that cannot be read") from None


def _zoned(value: datetime) -> str:
    return moment(value).replace("Z", "+00:00")
