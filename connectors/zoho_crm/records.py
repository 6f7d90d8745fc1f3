"""Records of a Zoho org: writing in batches with a verdict per record, finding, fetching, deleting.

Batches arrive as encoded JSON objects and are joined, not encoded again. Every call sets `trigger` to an empty list:
no workflow, approval or blueprint of the customer runs (Zoho fact sheet section 13).
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.answers import Answer
from connectors.base import Found, WriteResult, WriteStatus, WriteStyle, WriteTarget
from connectors.errors import Ambiguous, ContractBroken
from connectors.http import ApiClient
from connectors.zoho_crm import wire

ROOT = "/crm/v8"
_JSON = {"Content-Type": "application/json"}
_PER_RECORD = frozenset({400})
_WHOLE_BATCH = frozenset({"LIMIT_EXCEEDED", "INVALID_MODULE", "AUTHORIZATION_FAILED", "NO_PERMISSION", "NOT_SUPPORTED"})
_FIELDS_PER_CALL = 50
_IDS_PER_CALL = 100
_VALUES_PER_QUERY = 50
_ROWS_PER_QUERY = 200
_ROWS_PER_SCAN = 2_000
_OWNERS_PER_CALL = 500
_API_NAME = re.compile(r"[A-Za-z$][\w$]{0,99}", re.ASCII)
_CHILDREN = {
    "Notes": "id,Note_Title,Note_Content,Created_Time,Modified_Time,Owner,Parent_Id",
    "Attachments": "id,File_Name,Size,Created_Time,Modified_Time,Owner,Parent_Id,$link_url",
}
_TRIGGERLESS = b'],"trigger":[]}'


def part(text: str) -> str:
    """A path segment."""
    return quote(text, safe="")


class Records:
    """Record calls of one org."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._aggregates = True

    async def write(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        """Inserts, or upserts by the key field alone: omitting it would match on names (section 11)."""
        if not records:
            return []
        path = f"{ROOT}/{part(target.object)}"
        tail = _TRIGGERLESS
        if target.object == "Notes":
            records = [_with_parent_module(one) for one in records]
        if target.style is WriteStyle.UPSERT and target.key_field:
            path += "/upsert"
            tail = b'],"duplicate_check_fields":[' + msgspec.json.encode(target.key_field) + b'],"trigger":[]}'
        return await self._batch("POST", path, records, tail, f"write {target.object}", WriteStatus.CREATED)

    async def update(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        """Changes the fields each record names; each carries its `id`."""
        if not records:
            return []
        path = f"{ROOT}/{part(target.object)}"
        return await self._batch("PUT", path, records, _TRIGGERLESS, f"update {target.object}", WriteStatus.UPDATED)

    async def _batch(
        self, method: str, path: str, records: Sequence[bytes], tail: bytes, purpose: str, plain: WriteStatus
    ) -> list[WriteResult]:
        """One credit per ten records; more than ten count as a heavy call (section 4)."""
        answer = await self._api.request(
            method,
            path,
            purpose=purpose,
            writing=True,
            content=b'{"data":[' + b",".join(records) + tail,
            headers=_JSON,
            credits=(len(records) + 9) // 10,
            heavy=len(records) > 10,
            accept=_PER_RECORD,
        )
        return [write_result(item, plain) for item in self._items(answer, len(records))]

    def _items(self, answer: Answer, expected: int) -> list[wire.Item]:
        """The results of a batch, whatever its status (section 19 item 2); a refusal as a whole raises."""
        try:
            items = answer.decode(wire.DATA).data
        except Ambiguous:
            if answer.status == 400:  # no list of results: the request was refused before any record was looked at
                raise self._api.refusal(answer) from None
            raise
        if len(items) == expected and not (answer.status == 400 and items[0].code in _WHOLE_BATCH):
            return items
        if answer.status == 400:
            raise self._api.refusal(answer)
        raise answer.unreadable(f"{len(items)} results for {expected} records")

    async def find(self, module: str, field: str, values: Sequence[str]) -> dict[str, list[Found]]:
        """By COQL, which reads the store; search lags behind it (section 14)."""
        found: dict[str, list[Found]] = {}
        for chunk in chunked(list(dict.fromkeys(value for value in values if value)), _VALUES_PER_QUERY):
            wanted = set(chunk)
            where = f"{api_name(field)} in ({','.join(literal(value) for value in chunk)})"
            columns = dict.fromkeys(("id", field, "Created_Time", "Modified_Time"))
            select = f"select {', '.join(columns)} from {api_name(module)} where {where}"  # noqa: S608 - checked names
            async for row in self._query(select, f"find {module}"):
                value = row.get(field)
                if value in wanted:
                    found.setdefault(str(value), []).append(_found(row))
        return found

    async def _query(self, select: str, purpose: str) -> AsyncIterator[dict[str, Any]]:
        """Rows of a query that matches few records, page by page."""
        offset = 0
        while True:
            window = f"limit {offset}, {_ROWS_PER_QUERY}" if offset else f"limit {_ROWS_PER_QUERY}"
            page = await self.coql(f"{select} order by id asc {window}", purpose)
            for row in page.data:
                yield row
            if not page.info.more_records or not page.data:
                return
            offset += _ROWS_PER_QUERY

    async def coql(self, text: str, purpose: str, rows: int = _ROWS_PER_QUERY) -> wire.Rows:
        """One query: 1, 2 or 3 credits for up to 200, 1,000 or 2,000 rows, and a heavy call (section 4)."""
        answer = await self._api.request(
            "POST",
            f"{ROOT}/coql",
            purpose=purpose,
            content=msgspec.json.encode({"select_query": text}),
            headers=_JSON,
            credits=1 if rows <= 200 else 2 if rows <= 1000 else 3,
            heavy=True,
        )
        return wire.Rows([]) if answer.status == 204 else answer.decode(wire.ROWS)

    async def count(self, module: str, filled: str | None = None) -> int:
        """Live records, or those in which `filled` is not blank."""
        if filled is None:
            answer = await self._api.request("GET", f"{ROOT}/{part(module)}/actions/count", purpose="count")
            return answer.decode(wire.COUNT).count if answer.status != 204 else 0
        if self._aggregates:
            try:
                where = f"{api_name(filled)} is not null"
                return _aggregate(await self.coql(f"select COUNT(id) from {api_name(module)} where {where}", "count"))  # noqa: S608
            except ContractBroken:
                self._aggregates = False  # aggregates are in the newest schema only: count rows from now on
        return await self._scan(module, filled)

    async def _scan(self, module: str, filled: str) -> int:
        """Counts by reading ids; filters here because multi-line fields are closed to criteria (section 14)."""
        total, after = 0, "0"
        while True:
            text = f"select id, {api_name(filled)} from {api_name(module)} where id > {literal(after)}"  # noqa: S608
            page = await self.coql(f"{text} order by id asc limit {_ROWS_PER_SCAN}", "count", _ROWS_PER_SCAN)
            total += sum(row.get(filled) not in (None, "", []) for row in page.data)
            if not page.info.more_records or not page.data:
                return total
            after = str(page.data[-1].get("id"))

    async def fetch(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Records by id, a hundred and fifty fields at a time; the vendor's JSON values."""
        found: dict[str, dict[str, Any]] = {}
        names = [name for name in dict.fromkeys(fields) if name != "id"]
        field_lists = list(chunked(names, _FIELDS_PER_CALL - 1)) or [[]]
        for chunk in chunked(list(dict.fromkeys(ids)), _IDS_PER_CALL):
            for chosen in field_lists:
                params = {"ids": ",".join(chunk), "fields": ",".join(["id", *chosen]), "per_page": "200"}
                if module == "Leads":
                    params["converted"] = "both"
                for row in await self._list(f"{ROOT}/{part(module)}", params, f"fetch {module}"):
                    found.setdefault(str(row.get("id")), {}).update(row)
        return found

    async def _list(self, path: str, params: dict[str, str], purpose: str) -> list[dict[str, Any]]:
        answer = await self._api.request("GET", path, params=params, purpose=purpose)
        return [] if answer.status == 204 else answer.decode(wire.ROWS).data

    async def children(self, child: str, parent: str, parent_id: str) -> list[dict[str, Any]]:
        """Notes or attachments of one record; none when the record itself is gone."""
        path = f"{ROOT}/{part(parent)}/{part(parent_id)}/{part(child)}"
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = await self._api.request(
                "GET",
                path,
                purpose=f"list {child}",
                params={"fields": _CHILDREN.get(child, "id"), "page": str(page), "per_page": "200"},
                accept=frozenset({400, 404}),
            )
            if answer.status in (400, 404):
                error = self._api.refusal(answer)
                if error.code in ("INVALID_DATA", "RESOURCE_NOT_FOUND"):
                    return []
                raise error
            if answer.status == 204:
                return rows
            found = answer.decode(wire.ROWS)
            rows += found.data
            if not found.info.more_records or not found.data:
                return rows
            page += 1

    async def delete(self, module: str, ids: Sequence[str], parent: str, parent_id: str) -> list[WriteResult]:
        """Deletes without workflows; attachments through their parent. Gone already is as good as gone now."""
        results: dict[str, WriteResult] = {}
        if module == "Attachments":
            if not parent or not parent_id:
                raise ContractBroken("an attachment is deleted through its parent, which was not named")
            for one in dict.fromkeys(ids):
                path = f"{ROOT}/{part(parent)}/{part(parent_id)}/Attachments/{part(one)}"
                results[one] = (await self._delete(path, {}, [one], module))[one]
            return [results[one] for one in ids]
        for chunk in chunked(list(dict.fromkeys(ids)), _IDS_PER_CALL):
            params = {"ids": ",".join(chunk)} | ({} if module == "Notes" else {"wf_trigger": "false"})
            results |= await self._delete(f"{ROOT}/{part(module)}", params, chunk, module)
        doubtful = [one for one, result in results.items() if result.code == "INVALID_DATA"]
        if doubtful:
            still = await self.fetch(module, doubtful, ["id"])
            results |= {one: _gone(one) for one in doubtful if one not in still}
        return [results[one] for one in ids]

    async def _delete(
        self, path: str, params: dict[str, str], ids: Sequence[str], module: str
    ) -> dict[str, WriteResult]:
        answer = await self._api.request(
            "DELETE",
            path,
            params=params or None,
            purpose=f"delete {module}",
            writing=True,
            accept=frozenset({400, 404}),
        )
        if answer.status == 204:
            return {one: _gone(one) for one in ids}
        try:
            items = answer.decode(wire.DATA).data
        except Ambiguous:
            if answer.status not in (400, 404):
                raise
            items = []
        if len(items) == len(ids):
            return {one: _deletion(one, item, module) for one, item in zip(ids, items, strict=True)}
        if answer.status in (400, 404):
            error = self._api.refusal(answer)
            if len(ids) == 1 and error.code in ("INVALID_DATA", "RESOURCE_NOT_FOUND"):
                return {ids[0]: _gone(ids[0])}
            raise error
        raise answer.unreadable(f"{len(items)} results for {len(ids)} records")

    async def reassign(self, module: str, ids: Sequence[str], user: str) -> list[WriteResult]:
        """Gives records to another active user without telling anybody (section 13)."""
        results: list[WriteResult] = []
        for chunk in chunked(ids, _OWNERS_PER_CALL):
            answer = await self._api.request(
                "POST",
                f"{ROOT}/{part(module)}/actions/change_owner",
                purpose=f"reassign {module}",
                writing=True,
                content=msgspec.json.encode({"ids": list(chunk), "owner": {"id": user}, "notify": False}),
                headers=_JSON,
                accept=_PER_RECORD,
            )
            items = self._items(answer, len(chunk))
            results += [write_result(item, WriteStatus.UPDATED) for item in items]
        return results


def write_result(item: wire.Item, plain: WriteStatus) -> WriteResult:
    """The verdict on one record. `plain` is what success means where no action is named."""
    details = item.details
    if item.code == "SUCCESS":
        action, found = item.action, details.id
        if action == "update" or (action is None and item.message == "record updated"):
            plain = WriteStatus.UPDATED
        return WriteResult(
            plain, found if found.__class__ is str or found is None else str(found), details.modified_time
        )
    cause = details
    if details.errors:
        cause = details.errors[0].details
    duplicate = details.duplicate_record
    blocking = duplicate.id if duplicate and duplicate.id else details.id
    return WriteResult(
        WriteStatus.REFUSED,
        code=(details.errors[0].code if details.errors else item.code)[:60],
        field=str(cause.api_name or cause.json_path or "")[:100],
        message=_explain(item.message, cause),
        duplicate_id=str(blocking) if item.code == "DUPLICATE_DATA" and blocking else None,
    )


def _explain(message: str, details: wire.Details) -> str:
    text = message[:200]
    if details.maximum_length is not None:
        text += f" (at most {str(details.maximum_length)[:12]} characters)"
    if details.expected_data_type:
        text += f" (expected {str(details.expected_data_type)[:40]})"
    return text


def _deletion(one: str, item: wire.Item, module: str) -> WriteResult:
    """Notes and attachments cannot be looked at by id afterwards, so a gone id is believed to be gone."""
    if item.code == "SUCCESS":
        return _gone(one)
    if item.code in ("INVALID_DATA", "RESOURCE_NOT_FOUND") and module in _CHILDREN:
        return _gone(one)
    return WriteResult(WriteStatus.REFUSED, one, code=item.code[:60], message=item.message[:200])


def _gone(one: str) -> WriteResult:
    return WriteResult(WriteStatus.UPDATED, one)


def _found(row: dict[str, Any]) -> Found:
    return Found(str(row.get("id")), _moment(row.get("Created_Time")), _moment(row.get("Modified_Time")))


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _aggregate(page: wire.Rows) -> int:
    values = [value for row in page.data for value in row.values() if type(value) is int]
    if len(values) != 1:
        raise ContractBroken("the count query did not answer with one number")
    return values[0]


def api_name(text: str) -> str:
    """A module or field name as COQL takes it. Raises ContractBroken for anything else."""
    if not _API_NAME.fullmatch(text):
        raise ContractBroken(f"{text[:60]!r} is not an API name", code="BAD_NAME")
    return text


def literal(text: str) -> str:
    """A COQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def chunked(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _with_parent_module(encoded: bytes) -> bytes:
    """A note names its parent's module inside `Parent_Id` (Zoho fact sheet section 16), not beside it as tasks do."""
    note = msgspec.json.decode(encoded)
    module = note.pop("$se_module", None)
    parent = note.get("Parent_Id")
    if module and isinstance(parent, dict) and "module" not in parent:
        note["Parent_Id"] = {**parent, "module": {"api_name": module}}
    return msgspec.json.encode(note)
