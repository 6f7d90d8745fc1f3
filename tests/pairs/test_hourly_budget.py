"""A vendor's budget of calls per hour: runs wait for the hour to turn, and the customer's share is never touched.

Runtime and stand-in live by one clock of the test's own, so hours pass without waiting for them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.models.run import Run
from app.runtime import Runtime
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.company import Company
from tests.pairs.conftest import ADMINS
from tests.runs.road import Road, road, sandbox

PAIR = ("servicetracker", "freshsales")
HOURLY = 100
RESERVE = 0.2


class Hours:
    """The real clock, and the hours that the test lets pass."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def until(self, moment: datetime) -> None:
        self.ahead += max(moment - self(), timedelta())


class Patient:
    """Drives runs of a road, letting the hours pass that they wait for."""

    def __init__(self, way: Road, clock: Hours) -> None:
        self.way = way
        self.clock = clock
        self.runtime: Runtime = replace(way.runtime, now=clock)
        self.waits: list[datetime] = []

    async def run(self, kind: str) -> Run:
        return await self.drive(await self.way.start(kind))

    async def drive(self, run_id: Any) -> Run:
        for _ in range(40):
            run = await self._turn(run_id)
            if run.state == "waiting_admin":
                for action in ADMINS[PAIR[1]]:
                    await self.way.destination.post("admin", action)
                await self.way.resume(run_id)
            elif run.state == "waiting_quota":
                assert run.next_at is not None
                self.waits.append(run.next_at)
                self.clock.until(run.next_at + timedelta(seconds=1))
            else:
                break
        assert run.state == "completed", (run.kind, run.state, run.problem)
        return run

    async def _turn(self, run_id: Any) -> Run:
        for _ in range(400):
            run = await self.way.drive_once(run_id, runtime=self.runtime)
            if run.state not in ("running", "queued"):
                return run
            self.clock.ahead += timedelta(seconds=1)  # a hiccup is tried again a little later
        return run


@asynccontextmanager
async def account(database_url: str, source_url: str) -> AsyncIterator[Patient]:
    """A road to an account with few calls an hour, a fifth of them reserved."""
    clock = Hours()
    options = {"hourly_calls": str(HOURLY), "job_seconds": "0"}
    with sandbox("freshsales", SandboxConfig(edition="enterprise", clock=clock, options=options)) as url:
        async with road(database_url, source_url, url, pair=PAIR) as way:
            await way.execute(
                "UPDATE connections SET config = config || $2::jsonb WHERE id = $1",
                way.connections["destination"],
                {"reserve": RESERVE, "edition": "enterprise"},
            )
            yield Patient(way, clock)


async def test_hours_turn_and_the_reserve_stays(database_url: str, source: tuple[str, Company]) -> None:
    async with account(database_url, source[0]) as patient:
        way = patient.way
        for kind in ("discovery", "preflight"):
            await patient.run(kind)
        await way.confirm(await way.propose())
        await way.decide_owners()
        for kind in ("provision", "sample", "full"):
            await patient.run(kind)
        stats = await way.destination.stats()
        assert stats["too_many_requests"] == 0
        assert stats["calls"]["busiest_window"] <= HOURLY * (1 - RESERVE)
        assert len(patient.waits) >= 3
        for moment in patient.waits:
            past = moment.timestamp() % 3600
            assert min(past, 3600 - past) < 5  # the hour turns with the clock of the vendor
        full = await way.row(way.runs["full"])
        assert full.calls["rejected_429"] == 0
