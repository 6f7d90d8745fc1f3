"""Reads an object through the Bulk API 2.0: one query job, its result in pages by locator.

Source fact sheet section 1.5. Accounts differ in whether they offer it (section 1), so a refusal is a value here.
"""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import msgspec

from connectors.base import Page
from connectors.errors import ContractBroken, CredentialsRejected, Transient
from connectors.http import ApiClient, Sleep
from connectors.servicetracker.reading import Cursor, Plan, row_id, write_cursor
from connectors.servicetracker.rows import read_csv
from connectors.servicetracker.soql import quoted, select

_NOT_OFFERED = frozenset({"FUNCTIONALITY_NOT_ENABLED", "API_DISABLED_FOR_ORG", "NOT_FOUND", "FEATURENOTENABLED"})
_ENDED_BADLY = frozenset({"Failed", "Aborted"})


class BulkUnavailable(Exception):
    """The account offers no bulk query, or not for this object: REST reads the same rows."""


class JobAnswer(msgspec.Struct, rename="camel"):
    id: str
    state: str
    error_message: str | None = None


_JOB = msgspec.json.Decoder(JobAnswer)


class BulkReader:
    """Walks results of bulk query jobs."""

    def __init__(
        self, api: ApiClient, root: str, *, page_size: int, poll: float, patience: float, sleep: Sleep = asyncio.sleep
    ) -> None:
        """`poll` and `patience` in seconds: between two looks at a job, and until we give up on it."""
        self._api = api
        self._root = f"{root}/jobs/query"
        self._size = page_size
        self._poll = poll
        self._patience = patience
        self._sleep = sleep

    async def everything(self, plan: Plan, cursor: Cursor) -> AsyncIterator[Page]:
        """All records in the order of their ids. Raises BulkUnavailable before the first page only."""
        job, locator, after = cursor.job, cursor.locator, cursor.after
        if not job or not await self._alive(job):
            job, locator = await self._finished_job(plan, after), ""
        while True:
            rows, locator = await self._page(plan, job, locator)
            if rows:
                after = row_id(rows[-1])
            records, deletions = plan.split(rows)
            more = bool(locator)
            following = write_cursor(Cursor(after=after, job=job, locator=locator)) if more else None
            yield Page(records, deletions, following)
            if not more:
                await self._discard(job)
                return

    async def _finished_job(self, plan: Plan, after: str) -> str:
        where = f"Id > {quoted(after)}" if after else ""
        body = {"operation": "queryAll", "query": select(plan.columns, plan.object_name, where)}
        try:
            answer = await self._api.request(
                "POST",
                self._root,
                purpose="bulk job",
                content=msgspec.json.encode(body),
                headers={"Content-Type": "application/json"},
            )
        except (ContractBroken, CredentialsRejected) as error:
            if error.code in _NOT_OFFERED or error.status in (404, 405):
                raise BulkUnavailable(error.detail) from None
            raise
        job = answer.decode(_JOB)
        waited, pause = 0.0, min(0.2, self._poll)
        while job.state != "JobComplete":
            if job.state in _ENDED_BADLY:
                raise BulkUnavailable(f"the bulk job ended as {job.state}: {(job.error_message or '')[:200]}")
            if waited >= self._patience:
                raise Transient(f"the bulk job for {plan.object_name} did not finish", retry_after=60.0)
            await self._sleep(pause)
            waited += max(pause, 0.001)
            pause = min(pause * 2, self._poll)
            job = (await self._api.request("GET", self._job(job.id), purpose="bulk poll")).decode(_JOB)
        return job.id

    async def _page(self, plan: Plan, job: str, locator: str) -> tuple[list[dict[str, str]], str]:
        """Rows of one page and the next locator; a page too large for memory is asked for again in smaller parts."""
        size = self._size
        while True:
            params = {"maxRecords": str(size)} | ({"locator": locator} if locator else {})
            try:
                answer = await self._api.request(
                    "GET",
                    f"{self._job(job)}/results",
                    params=params,
                    purpose=f"read {plan.object_name}",
                    headers={"Accept": "text/csv"},
                )
            except ContractBroken as error:
                if error.code != "UNREADABLE" or size == 1:
                    raise
                size = max(1, size // 8)
                continue
            following = answer.headers.get("sforce-locator", "null")
            rows = list(read_csv(answer.body, plan.object_name))
            return rows, "" if following == "null" else following

    async def _alive(self, job: str) -> bool:
        """Whether a job of an earlier reading still has its result; it is kept seven days."""
        try:
            found = await self._api.request("GET", self._job(job), purpose="bulk poll")
        except ContractBroken:
            return False
        return found.decode(_JOB).state == "JobComplete"

    async def _discard(self, job: str) -> None:
        """Frees the result; a job that cannot be deleted ends by itself after seven days."""
        await self._api.request(
            "DELETE", self._job(job), purpose="bulk discard", accept=frozenset({400, 403, 404, 405})
        )

    def _job(self, job: str) -> str:
        return f"{self._root}/{quote(job, safe='')}"
