"""Asynchronous bulk upserts: start, wait, read the report (Freshsales fact sheet section 10).

A job costs two calls where its end is guessed right: the length of earlier jobs says when to ask first. At most eight
of ours are under way, so that the account's ten are never all taken.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from connectors.errors import Ambiguous, ContractBroken, Transient
from connectors.freshsales import wire
from connectors.freshsales.modules import Module
from connectors.freshsales.reading import JSON, moment
from connectors.freshsales.refusals import JOBS_BUSY, messages
from connectors.http import ApiClient, Sleep

_OURS = 8
_BUSY_PAUSE = 5.0
_BUSY_TRIES = 24
_LONGEST_POLL = 30.0
_DONE = frozenset({"SUCCESS", "SUCCEEDED", "COMPLETED", "COMPLETE", "DONE", "PARTIAL_SUCCESS"})
_BROKEN = frozenset({"FAILED", "FAILURE", "ERROR", "CANCELLED", "ABORTED"})


@dataclass(slots=True)
class Report:
    """What became of a job's rows. `failures` are texts by row; `unplaced` are failures that name no row."""

    started: datetime | None = None
    failures: dict[int, list[str]] = field(default_factory=dict)
    unplaced: list[list[str]] = field(default_factory=list)


class BulkJobs:
    """Jobs of one account."""

    def __init__(self, api: ApiClient, sleep: Sleep, poll_seconds: float, timeout: float) -> None:
        self._api = api
        self._sleep = sleep
        self._poll = poll_seconds
        self._timeout = timeout
        self._gate = asyncio.Semaphore(_OURS)
        self._usual = poll_seconds

    async def run(self, module: Module, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Report:
        """Sends `rows` and waits for their end; `keys` are their key values, by which failures are placed.

        Raises BatchRefused when the vendor takes none of it, Ambiguous when the job's end cannot be learnt, Transient
        when all jobs of the account stay taken.
        """
        async with self._gate:
            identifier = await self._start(module, rows)
            job = await self._finish(module, identifier)
        return read_report(job, keys)

    async def _start(self, module: Module, rows: Sequence[Mapping[str, Any]]) -> str:
        content = msgspec.json.encode({module.name: list(rows)})
        for attempt in range(_BUSY_TRIES):
            try:
                answer = await self._api.request(
                    "POST",
                    f"{module.path}/bulk_upsert",
                    purpose=f"bulk {module.name}",
                    writing=True,
                    content=content,
                    headers=JSON,
                )
            except Transient as error:
                if error.code != JOBS_BUSY or attempt == _BUSY_TRIES - 1:
                    raise
                await self._sleep(_BUSY_PAUSE)
                continue
            # the address in the answer is the vendor's own; the id in it is all that is used
            identifier = answer.decode(wire.ACCEPTED).job_status_url.rstrip("/").rpartition("/")[2]
            if not identifier.isalnum() or len(identifier) > 64:
                raise answer.unreadable("it names no job")
            return identifier
        raise AssertionError  # the last attempt returned or raised

    async def _finish(self, module: Module, identifier: str) -> wire.Job:
        """Asks until the job has ended. The vendor has it, so nothing that goes wrong here means "not executed"."""
        waited, pause = 0.0, max(self._poll, self._usual)
        while waited < self._timeout:
            await self._sleep(pause)
            waited += pause or 0.05
            try:
                answer = await self._api.request("GET", f"/job_statuses/{identifier}", purpose=f"job {module.name}")
                job = answer.decode(wire.JOB)
            except (Transient, ContractBroken) as error:
                raise Ambiguous(f"the bulk job's end is not known: {error.detail}", code="JOB_LOST") from None
            word = (job.job_status or job.status).upper()
            if word in _BROKEN:
                raise Ambiguous(f"the bulk job ended as {word[:20]}", code="JOB_BROKEN")
            if word in _DONE:
                self._usual = (self._usual + waited) / 2
                return job
            pause = min(max(self._poll, pause * 0.5), _LONGEST_POLL)
        raise Ambiguous(f"the bulk job has not ended within {self._timeout:.0f} seconds", code="JOB_SLOW")


def read_report(job: wire.Job, keys: Sequence[str]) -> Report:
    """Places failures by their row number, their key, or not at all (the shape of a failure row is unverified).

    Raises Ambiguous when the report cannot be read or says less than it counts.
    """
    data = job.data
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except ValueError:
            raise Ambiguous("the bulk job's report is no JSON", code="UNREADABLE") from None
    if not isinstance(data, dict) or not isinstance(data.get("record_status"), dict):
        raise Ambiguous("the bulk job's report has another shape than documented", code="UNREADABLE")
    report = Report(started=moment(job.created_at))
    places = {key.strip().casefold(): place for place, key in enumerate(keys)}
    listed = data.get("detailed_failure_report")
    for row in listed if isinstance(listed, list) else []:
        texts = messages(row.get("errors", row) if isinstance(row, dict) else row) or ["the row was refused"]
        place = _place(row, places, len(keys))
        if place is None or place in report.failures:
            report.unplaced.append(texts)
        else:
            report.failures[place] = texts
    failed = data["record_status"].get("failed")
    lacking = (failed if isinstance(failed, int) else 0) - len(report.failures) - len(report.unplaced)
    report.unplaced += [["the row was refused"]] * max(0, min(lacking, len(keys)))
    return report


def _place(row: Any, places: Mapping[str, int], size: int) -> int | None:
    if not isinstance(row, dict):
        return None
    for value in _texts(row):
        if value.strip().casefold() in places:
            return places[value.strip().casefold()]
    number = row.get("row")
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < size else None


def _texts(value: Any) -> list[str]:
    """Every text in a failure row but those of its messages."""
    if isinstance(value, dict):
        return [text for name, one in value.items() if name not in ("errors", "message") for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [str(value)] if isinstance(value, str | int) and not isinstance(value, bool) else []
