"""What changed in a Zoho module since a moment: ids by COQL over Modified_Time, and ids of the recycle bin's list."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.http import ApiClient
from connectors.zoho_crm import wire
from connectors.zoho_crm.records import ROOT, Records, api_name, literal, part

_PER_QUERY = 2_000
_PER_PAGE = 200
CLOSED = frozenset({"Notes", "Attachments"})
"""Modules that COQL does not read (section 14)."""


class Changes:
    """Reads the changes of one org."""

    def __init__(self, api: ApiClient, records: Records) -> None:
        self._api = api
        self._records = records

    async def created(self, module: str, moment: datetime, blank: str) -> AsyncIterator[Sequence[str]]:
        """Ids of records entered from `moment` on in which `blank` is empty, in pages."""
        where = f"({api_name(blank)} is null and Created_Time >= {literal(_stamp(moment))})"
        async for page in self._ids(module, where, f"find {module}"):
            yield page

    async def since(self, module: str, moment: datetime) -> AsyncIterator[Sequence[str]]:
        """Ids of records modified or deleted from `moment` on, in pages; an id may come twice."""
        where = f"Modified_Time >= {literal(_stamp(moment))}"
        async for page in self._ids(module, where, f"changes {module}"):
            yield page
        async for ids in self._deleted(module, moment):
            yield ids

    async def _ids(self, module: str, where: str, purpose: str) -> AsyncIterator[Sequence[str]]:
        after = "0"
        while True:
            text = f"select id from {api_name(module)} where ({where} and id > {literal(after)})"  # noqa: S608
            page = await self._records.coql(f"{text} order by id asc limit {_PER_QUERY}", purpose, _PER_QUERY)
            if page.data:
                yield [str(row["id"]) for row in page.data]
                after = str(page.data[-1]["id"])
            if not page.info.more_records or not page.data:
                return

    async def _deleted(self, module: str, moment: datetime) -> AsyncIterator[Sequence[str]]:
        """The newest come first, so the first older one ends it (section 15)."""
        number = 1
        while True:
            params = {"type": "all", "page": str(number), "per_page": str(_PER_PAGE)}
            path = f"{ROOT}/{part(module)}/deleted"
            answer = await self._api.request("GET", path, purpose=f"changes {module}", params=params)
            if answer.status == 204:
                return
            page = answer.decode(wire.ROWS)
            fresh = [row for row in page.data if _moment(row) >= moment]
            if fresh:
                yield [str(row["id"]) for row in fresh]
            if len(fresh) < len(page.data) or not page.info.more_records:
                return
            number += 1


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _moment(row: dict[str, Any]) -> datetime:
    """When a record was deleted; one without a time counts as new."""
    text = row.get("deleted_time")
    return datetime.fromisoformat(text) if isinstance(text, str) else datetime.max.replace(tzinfo=UTC)
