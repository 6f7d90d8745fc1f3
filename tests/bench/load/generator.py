"""The callers: requests at a fixed mean rate whatever the answers do, each timed from when it was meant to be sent.

A process of its own, so that its processor share can be told. It reads lines from standard input: `run ENGAGEMENT`
when a run has begun, `gap` when there is none, `end`; and writes one JSON document when it ends.
"""

import asyncio
import contextlib
import json
import random
import resource
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop

SEED = 20261121
CONNECTIONS = 200
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    kind: str
    name: str
    milliseconds: float
    status: int


@dataclass
class Callers:
    """`fresh` are engagements on which nobody has started a run; each takes one."""

    base: str
    key: str
    rate: float
    quotes: list[str]
    fresh: list[str]
    engagement: str = ""
    run: str = ""
    ended: bool = False
    samples: list[Sample] = field(default_factory=list)
    outside: int = 0
    late_milliseconds: float = 0.0
    odd: dict[str, int] = field(default_factory=dict)

    async def listen(self) -> None:
        """Follows what the standard input says of the run."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode().split():
            if line[0] == "end":
                break
            self.engagement, self.run = (line[1], "") if line[0] == "run" else ("", "")
        self.ended = True

    async def call(self) -> None:
        """Sends until told to end, at random distances as independent callers do, and waits for the last answers."""
        chance = random.Random(SEED)
        deeds: list[tuple[Callable[[], tuple[str, str, str, Any]], int]] = [
            (self._list, 20), (self._engagement, 15), (self._runs, 10), (self._run, 20), (self._records, 5),
            (self._events, 5), (self._quote, 5), (self._ask_price, 8), (self._engage, 7), (self._start, 5),
        ]  # fmt: skip
        choices, weights = [deed for deed, _ in deeds], [weight for _, weight in deeds]
        limit = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(self.base, connector=connector, timeout=limit) as session:
            under_way: set[asyncio.Task[None]] = set()
            meant = time.perf_counter()
            while not self.ended:
                meant += chance.expovariate(self.rate)
                await asyncio.sleep(max(0.0, meant - time.perf_counter()))
                self.late_milliseconds = max(self.late_milliseconds, (time.perf_counter() - meant) * 1000)
                deed = chance.choices(choices, weights)[0]
                task = asyncio.create_task(self._send(session, meant, *deed()))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.gather(*under_way)

    async def _send(
        self, session: aiohttp.ClientSession, meant: float, method: str, name: str, path: str, body: Any
    ) -> None:
        during = self.engagement
        headers = {"Authorization": f"Bearer {self.key}"}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        status, content = 0, b""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.request(method, path, json=body, headers=headers) as answer:
                content = await answer.read()
                status = answer.status
        took = (time.perf_counter() - meant) * 1000
        if status not in (200, 201, 202):
            self.odd[f"{status} {name}"] = self.odd.get(f"{status} {name}", 0) + 1
        if not during:
            self.outside += 1
            return
        if name == "list_runs" and status == 200 and (found := json.loads(content)["data"]):
            self.run = found[0]["id"]
        self.samples.append(Sample("read" if method == "GET" else "post", name, took, status))

    def _list(self) -> tuple[str, str, str, Any]:
        return "GET", "list_engagements", "/v1/engagements?limit=25", None

    def _engagement(self) -> tuple[str, str, str, Any]:
        return "GET", "get_engagement", f"/v1/engagements/{self.fresh[0]}", None

    def _runs(self) -> tuple[str, str, str, Any]:
        return "GET", "list_runs", f"/v1/engagements/{self.engagement or self.fresh[-1]}/runs", None

    def _run(self) -> tuple[str, str, str, Any]:
        return ("GET", "get_run", f"/v1/runs/{self.run}", None) if self.run else self._runs()

    def _records(self) -> tuple[str, str, str, Any]:
        return ("GET", "list_records", f"/v1/runs/{self.run}/records?limit=50", None) if self.run else self._runs()

    def _events(self) -> tuple[str, str, str, Any]:
        return "GET", "list_events", "/v1/events?limit=50", None

    def _quote(self) -> tuple[str, str, str, Any]:
        return "GET", "get_quote", f"/v1/quotes/{self.quotes[len(self.samples) % len(self.quotes)]}", None

    def _ask_price(self) -> tuple[str, str, str, Any]:
        body = {"source": "servicetracker", "destination": "zoho_crm", "counts": {"Client": 1200, "Contact": 3400}}
        return "POST", "create_quote", "/v1/quotes", body

    def _engage(self) -> tuple[str, str, str, Any]:
        body = {"name": "Northwind Heating", "source": "servicetracker", "destination": "zoho_crm"}
        return "POST", "create_engagement", "/v1/engagements", body

    def _start(self) -> tuple[str, str, str, Any]:
        if len(self.fresh) < 2:
            return self._engage()
        return "POST", "create_run", f"/v1/engagements/{self.fresh.pop()}/runs", {"kind": "discovery"}


async def main() -> None:
    told = json.loads(sys.argv[1])
    callers = Callers(**told)
    began = time.perf_counter()
    await asyncio.gather(callers.listen(), callers.call())
    seconds = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "sent": len(callers.samples) + callers.outside,
        "most_late_milliseconds": callers.late_milliseconds,
        "odd": callers.odd,
        "samples": [[one.kind, one.name, round(one.milliseconds, 2), one.status] for one in callers.samples],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    uvloop.run(main())
