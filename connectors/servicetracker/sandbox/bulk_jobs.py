"""Bulk API 2.0 query jobs: a result file per job, cut into pages at row borders.

Source fact sheet section 1.5.
"""

import csv
import sqlite3
import threading
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from connectors.servicetracker.sandbox.errors import ApiError, not_found
from connectors.servicetracker.sandbox.ids import IdMaker, full_id
from connectors.servicetracker.sandbox.soql_sql import Column, Plan, plan
from connectors.servicetracker.sandbox.soql_syntax import parse
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.values import moment_text, rest_moment

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
KEPT = timedelta(days=7)
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
_FETCH = 2_000
_READ = 256 * 1024


@dataclass(slots=True)
class Job:
    """One job as the vendor shows it, plus what it needs to run."""

    shown: dict[str, Any]
    query: str
    polls_left: int = 0

    @property
    def id(self) -> str:
        return str(self.shown["id"])

    @property
    def state(self) -> str:
        return str(self.shown["state"])


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of results: the byte ranges of its file, the locator of the next page and the number of rows."""

    path: Path
    header: int
    start: int
    end: int
    rows: int
    locator: str

    @property
    def size(self) -> int:
        return self.header + self.end - self.start

    def blocks(self) -> Iterator[bytes]:
        """The header row and the page's rows."""
        with self.path.open("rb") as file:
            yield file.read(self.header)
            file.seek(self.start)
            left = self.end - self.start
            while left > 0 and (block := file.read(min(_READ, left))):
                left -= len(block)
                yield block


class _RowSink:
    """Where the CSV writer writes: notes the offset behind every row."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.offsets = array("Q")
        self._position = 0

    def write(self, row: str) -> None:
        data = row.encode()
        self._file.write(data)
        self._position += len(data)
        self.offsets.append(self._position)


class BulkJobs:
    """All query jobs of the account; they and their results survive a restart of the sandbox."""

    def __init__(
        self, store: Store, folder: Path, clock: Callable[[], datetime], *, polls: int = 0, open_links: bool = False
    ) -> None:
        """`polls` is how often a job answers InProgress before it shows its end."""
        self._store = store
        self._folder = folder
        self._clock = clock
        self._polls = polls
        self._open_links = open_links
        self._lock = threading.RLock()
        self._maker = IdMaker("750")
        self._jobs: dict[str, Job] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.json")):
            self._recall(path)

    def create(self, request: dict[str, Any], user_id: str, version: str) -> Job:
        """Accepts a job; raises ApiError 400 for settings that no job can have."""
        if request.get("operation") not in {"query", "queryAll"}:
            raise ApiError(400, "INVALIDJOB", f"Unsupported operation: {request.get('operation')}")
        if request.get("contentType", "CSV") != "CSV":
            raise ApiError(400, "INVALIDJOB", f"Unsupported content type: {request['contentType']}")
        for key, known in (("columnDelimiter", DELIMITERS), ("lineEnding", LINE_ENDINGS)):
            if request.get(key, next(iter(known))) not in known:
                raise ApiError(400, "INVALIDJOB", f"Unsupported {key}: {request[key]}")
        query = request.get("query")
        if not isinstance(query, str) or not query.strip():
            raise ApiError(400, "INVALIDJOB", "A query job needs a query")
        now = rest_moment(moment_text(self._clock()))
        with self._lock:
            shown = {
                "id": self._maker(self._store_number()),
                "operation": request["operation"],
                "object": parse(query).sobject,
                "createdById": user_id,
                "createdDate": now,
                "systemModstamp": now,
                "state": "UploadComplete",
                "concurrencyMode": "Parallel",
                "contentType": "CSV",
                "apiVersion": float(version),
                "lineEnding": request.get("lineEnding", "LF"),
                "columnDelimiter": request.get("columnDelimiter", "COMMA"),
            }
            job = Job(shown, query, self._polls)
            self._jobs[job.id] = job
            self._remember(job)
        return job

    def process(self, job: Job, failure: str | None = None) -> None:
        """Runs the query into the job's file; a bad query, or a `failure` told from outside, makes it Failed."""
        if not self._move(job, {"UploadComplete"}, "InProgress"):
            return
        try:
            if failure is not None:
                raise ApiError(400, "UNKNOWN_EXCEPTION", failure)
            made = self._planned(job)
            rows = self._write(job, made)
        except ApiError as refusal:
            job.shown["errorMessage"] = f"{refusal.code}: {refusal.message}"
            self._move(job, {"InProgress"}, "Failed")
            return
        except (sqlite3.Error, OSError) as broken:
            job.shown["errorMessage"] = f"UNKNOWN_EXCEPTION: {broken}"
            self._move(job, {"InProgress"}, "Failed")
            return
        job.shown |= {"numberRecordsProcessed": rows, "retries": 0, "totalProcessingTime": rows // 50 + 1}
        self._move(job, {"InProgress"}, "JobComplete")

    def get(self, job_id: str) -> Job:
        """Raises ApiError 404 NOT_FOUND; results are dropped seven days after creation."""
        with self._lock:
            self._expire()
            job = self._jobs.get(full_id(job_id) or "")
            if job is None:
                raise not_found()
            return job

    def poll(self, job_id: str) -> dict[str, Any]:
        """What a client sees of a job now."""
        job = self.get(job_id)
        with self._lock:
            if job.state in ENDED - {"Aborted"} and job.polls_left > 0:
                job.polls_left -= 1
                hidden = {"errorMessage", "numberRecordsProcessed", "retries", "totalProcessingTime"}
                return {key: value for key, value in job.shown.items() if key not in hidden} | {"state": "InProgress"}
            return dict(job.shown)

    def all_shown(self) -> list[dict[str, Any]]:
        with self._lock:
            self._expire()
            return [dict(job.shown) for job in self._jobs.values()]

    def abort(self, job_id: str) -> dict[str, Any]:
        """Ends a job early; raises ApiError 400 for one that has ended already."""
        job = self.get(job_id)
        if not self._move(job, {"UploadComplete", "InProgress"}, "Aborted"):
            raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be aborted")
        return dict(job.shown)

    def delete(self, job_id: str) -> None:
        """Forgets an ended job and its results."""
        job = self.get(job_id)
        if job.state not in ENDED:
            raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
        self._forget(job)

    def results(self, job_id: str, locator: str | None, most: int | None) -> ResultPage:
        """One page; raises ApiError 400 for a job without results, a wrong locator or `maxRecords` below 1."""
        job = self.get(job_id)
        if job.state != "JobComplete" or job.polls_left > 0:
            raise ApiError(400, "INVALIDJOBSTATE", f"Results of a job in state {job.state} cannot be read")
        ends = array("Q")
        with self._path(job, "rows").open("rb") as file:
            ends.frombytes(file.read())
        total = len(ends) - 1
        first = _read_locator(locator)
        if first is None or (first and first >= total) or (most is not None and most < 1):
            raise ApiError(400, "INVALID_LOCATOR", f"invalid locator or maxRecords: {locator}, {most}")
        last = total if most is None else min(total, first + most)
        following = _write_locator(last) if last < total else "null"
        return ResultPage(self._path(job, "csv"), ends[0], ends[first], ends[last], last - first, following)

    def clear(self) -> None:
        with self._lock:
            for job in list(self._jobs.values()):
                self._forget(job)

    def _store_number(self) -> int:
        number = int(self._store.meta("bulk jobs") or 0) + 1
        self._store.set_meta("bulk jobs", str(number))
        return number

    def _planned(self, job: Job) -> Plan:
        everything = job.shown["operation"] == "queryAll"
        made = plan(job.query, include_deleted=everything, open_links=self._open_links)
        if made.count is not None or made.offset is not None:
            raise ApiError(400, "FEATURENOTENABLED", "Aggregates and OFFSET are not supported in Bulk Query")
        for column in made.columns:
            if column.field.type == "address":
                raise ApiError(400, "FEATURENOTENABLED", "Selecting compound data not supported in Bulk Query")
            if column.field.type == "base64":
                raise ApiError(400, "FEATURENOTENABLED", "Binary fields are not supported in Bulk Query")
        return made

    def _write(self, job: Job, made: Plan) -> int:
        columns = ", ".join(map(_csv_sql, made.columns))
        bounds = "" if made.limit is None else f" LIMIT {made.limit}"
        statement = f"SELECT {columns} {made.source} WHERE {made.where} ORDER BY {made.order}{bounds}"
        with self._path(job, "csv").open("wb") as file:
            sink = _RowSink(file)
            writer = csv.writer(
                sink,
                delimiter=DELIMITERS[job.shown["columnDelimiter"]],
                lineterminator=LINE_ENDINGS[job.shown["lineEnding"]],
                quoting=csv.QUOTE_ALL,
            )
            writer.writerow([column.written for column in made.columns])
            rows = self._store.reading.execute(statement, made.values)
            while (block := rows.fetchmany(_FETCH)) and job.state == "InProgress":
                writer.writerows(block)
        self._path(job, "rows").write_bytes(sink.offsets.tobytes())
        return len(sink.offsets) - 1

    def _move(self, job: Job, before: set[str], after: str) -> bool:
        with self._lock:
            if job.state not in before or job.id not in self._jobs:
                return False
            job.shown["state"] = after
            job.shown["systemModstamp"] = rest_moment(moment_text(self._clock()))
            self._remember(job)
            return True

    def _path(self, job: Job, ending: str) -> Path:
        return self._folder / f"{job.id}.{ending}"

    def _remember(self, job: Job) -> None:
        self._path(job, "json").write_bytes(orjson.dumps({"shown": job.shown, "query": job.query}))

    def _recall(self, path: Path) -> None:
        kept = orjson.loads(path.read_bytes())
        job = Job(kept["shown"], kept["query"])
        if job.state not in ENDED:
            job.shown |= {"state": "Failed", "errorMessage": "UNKNOWN_EXCEPTION: interrupted"}
        self._jobs[job.id] = job

    def _expire(self) -> None:
        for job in list(self._jobs.values()):
            created = datetime.fromisoformat(job.shown["createdDate"])
            if self._clock() - created >= KEPT and job.state in ENDED:
                self._forget(job)

    def _forget(self, job: Job) -> None:
        with self._lock:
            self._jobs.pop(job.id, None)
            for ending in ("csv", "rows", "json"):
                self._path(job, ending).unlink(missing_ok=True)


def _csv_sql(column: Column) -> str:
    if column.field.type == "boolean":
        return f"CASE {column.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    return column.sql


def _write_locator(row: int) -> str:
    """Opaque to clients: the number of the first row, in the vendor's manner of a short token."""
    return f"MT{row:x}"


def _read_locator(locator: str | None) -> int | None:
    if locator is None:
        return 0
    try:
        return int(locator[2:], 16) if locator.startswith("MT") and locator[2:].isalnum() else None
    except ValueError:
        return None
