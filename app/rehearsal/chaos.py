"""Carries a schedule out: sets the weather around a run, and strikes when the destination has answered often enough."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

import redis

from app.demo.client import Client, NoAnswer
from app.demo.processes import Children
from app.embedded import EmbeddedServers
from app.rehearsal.faults import FAULTS, Place
from app.rehearsal.proxy import Proxy
from app.rehearsal.rows import Rows
from app.rehearsal.schedule import Schedule

QUOTA_SECONDS = 1.5
_CHANGES = frozenset(fault.name for fault in FAULTS if fault.place is Place.SCHEMA)
_HOLD = "SELECT id, fence, lease_owner, state FROM runs WHERE engagement_id = $1 ORDER BY created_at DESC LIMIT 1"


class Chaos:
    """One rehearsal's weather. `injected` counts what struck, `resumed` the seconds until somebody drove on."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        children: Children,
        servers: EmbeddedServers | None,
        redis_url: str,
        rows: Rows,
        proxies: tuple[Proxy, Proxy],
        stands: tuple[Client, Client],
        stop_seconds: float,
        seed: int = 0,
        spare: Iterable[str] = (),
    ) -> None:
        """`proxies` and `stands` are the source's and the destination's; a stopped worker sleeps `stop_seconds`.
        `spare` are fields that no change of the schema takes away.
        """
        self._schedule = schedule
        self._children = children
        self._servers = servers
        self._redis_url = redis_url
        self._rows = rows
        self._proxies = proxies
        self._stands = stands
        self._stop_seconds = stop_seconds
        self._due: list[tuple[int, str]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._bereaved: tuple[float, UUID, int] | None = None
        self._why = ""
        self._counted: Counter[str] = Counter()
        self.engagement_id: UUID | None = None
        self.injected: Counter[str] = Counter()
        self.resumed: list[float] = []
        self.losses: list[str] = []
        """Each loss with the seconds until somebody drove on, in their order."""
        self.changed: list[str] = []
        """What was changed in the destination's schema, and is put back by the end of the run at the latest."""
        self._draw = random.Random(seed)  # noqa: S311  a rehearsal is to be repeatable, not secret
        self._spare = list(spare)

    @contextmanager
    def around(self, kind: str) -> Iterator[None]:
        """The weather of one run of `kind`; calm again afterwards, and every worker awake."""
        weather = self._schedule.get(kind)
        if weather is None:
            yield
            return
        for proxy, stand, values in zip(
            self._proxies, self._stands, (weather.source, weather.destination), strict=True
        ):
            proxy.values = dict(weather.network)
            if values:
                stand.post("/_sandbox/faults", values)
        passed = self._proxies[1].answers
        self._due = [(passed + moment.answers, moment.name) for moment in weather.events]
        try:
            yield
        finally:
            self._calm()

    def watch(self) -> Iterable[str]:
        """Called while a run is followed: strikes what is due, mends what has ended; says what happened."""
        now = time.monotonic()
        ripe = [action for moment, action in self._later if moment <= now]
        self._later = [one for one in self._later if one[0] > now]
        for action in ripe:
            action()
        for due_at, name in [one for one in self._due if one[0] <= self._proxies[1].answers]:
            said = self._strike(name)
            if said is None:  # nobody drives the run at this moment: it strikes later
                continue
            self._due.remove((due_at, name))
            self.injected[name] += 1
            yield said
        self._look_for_successor()
        with suppress(NoAnswer):
            yield from self._children.mend()

    # ── strikes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _strike(self, name: str) -> str | None:
        if name in _CHANGES:
            return self._change_schema(name)
        strikes: dict[str, Callable[[], str | None]] = {
            "worker_kill": self._kill_worker,
            "worker_stop": self._stop_worker,
            "queue_flush": self._flush_queue,
            "queue_restart": self._restart_queue,
            "database_kill": self._end_sessions,
            "database_restart": self._restart_database,
            "quota_gone": self._spend_quota,
        }
        return strikes[name]()

    def _kill_worker(self) -> str | None:
        found = self._driver()
        if found is None:
            return None
        pid, run_id, fence = found
        os.kill(pid, signal.SIGKILL)
        self._bereave("worker_kill", run_id, fence)
        return f"SIGKILL to worker {pid}"

    def _stop_worker(self) -> str | None:
        found = self._driver()
        if found is None:
            return None
        pid, run_id, fence = found
        os.kill(pid, signal.SIGSTOP)
        self._bereave("worker_stop", run_id, fence)

        def wake() -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        self._later.append((time.monotonic() + self._stop_seconds, wake))
        return f"SIGSTOP to worker {pid} for {self._stop_seconds:.0f} s"

    def _flush_queue(self) -> str:
        with redis.Redis.from_url(self._redis_url) as connection:
            connection.flushall()
        return "FLUSHALL on the queue"

    def _restart_queue(self) -> str:
        if self._servers is None:
            return "the queue's server is not ours: not restarted"
        self._servers.restart_valkey()
        return "the queue's server was killed and started again"

    def _end_sessions(self) -> str:
        return f"{self._rows.end_sessions()} database sessions ended"

    def _restart_database(self) -> str:
        if self._servers is None:
            return "the database server is not ours: not restarted"
        self._servers.restart_postgres()
        return "the database crashed and was started again"

    def _spend_quota(self) -> str:
        stand = self._stands[1]
        stand.post("/_sandbox/faults", {"quota_gone": 1})
        self._later.append(
            (time.monotonic() + QUOTA_SECONDS, lambda: _ignore(stand.post("/_sandbox/faults", {"quota_gone": 0})))
        )
        return f"the account's budget is spent for {QUOTA_SECONDS} s"

    def _change_schema(self, how: str) -> str:
        body = {"action": "change_schema", "how": how, "draw": self._draw.randrange(1 << 16), "spare": self._spare}
        made = self._stands[1].post("/_sandbox/admin", body).body
        place = ".".join(str(made[name]) for name in ("module", "field") if name in made)
        self.changed.append(f"{how} {place}")
        return f"the administrator changes the schema: {how} {place}"

    def mend_schema(self) -> int:
        """The administrator puts everything back, and leaves it for the rest of the run; how many changes there were.

        Raises Refused, NoAnswer.
        """
        self._due = [one for one in self._due if one[1] not in _CHANGES]
        return int(self._stands[1].post("/_sandbox/admin", {"action": "restore_schema"}).body["restored"])

    # ── who drives ────────────────────────────────────────────────────────────────────────────────────────────────

    def _driver(self) -> tuple[int, UUID, int] | None:
        """Process, run and fence of the worker that drives the newest run; None while nobody does.

        After a loss nobody else is struck before the successor has begun: each loss is measured by itself.
        """
        if self.engagement_id is None or self._bereaved is not None:
            return None
        rows = self._rows.fetch(_HOLD, self.engagement_id)
        if not rows or rows[0]["state"] != "running" or not rows[0]["lease_owner"]:
            return None
        pid = int(rows[0]["lease_owner"].split(":")[1])
        return (pid, rows[0]["id"], rows[0]["fence"]) if pid in self._children.pids().values() else None

    def _bereave(self, name: str, run_id: UUID, fence: int) -> None:
        """From now on it counts how long the run stands still."""
        wall = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
        self._why, self._bereaved = f"{wall} {name}", (time.monotonic(), run_id, fence)

    def _look_for_successor(self) -> None:
        if self._bereaved is None or self.engagement_id is None:
            return
        since, run_id, fence = self._bereaved
        rows = self._rows.fetch("SELECT fence, state FROM runs WHERE id = $1", run_id)
        if rows and rows[0]["fence"] > fence:
            self.resumed.append(time.monotonic() - since)
            self.losses.append(f"{self._why} {self.resumed[-1]:.1f}")
            self._bereaved = None
        elif rows and rows[0]["state"] not in ("running", "queued"):
            self._bereaved = None  # it had finished or put the run down itself (for the quota, say) just before

    def _calm(self) -> None:
        self._due = []
        for _, action in self._later:
            action()
        self._later = []
        if self.changed:
            self.mend_schema()
        for place, proxy, stand in zip(("source", "destination"), self._proxies, self._stands, strict=True):
            proxy.values = {}
            told = stand.get("/_sandbox/faults").body["injected"]
            for name, number in told.items():
                key = f"{place}:{name}"
                self.injected[key] += number - self._counted[key]
                self._counted[key] = number
            for name, number in proxy.injected.items():
                key = f"network:{name}"
                self.injected[key] += number - self._counted[f"{place}/{key}"]
                self._counted[f"{place}/{key}"] = number
            stand.delete("/_sandbox/faults")


def _ignore(_: object) -> None:
    """A value nobody needs."""
