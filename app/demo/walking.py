"""How the demo walks: one client with its own key, its runs followed to their end, its papers kept in a folder."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo.client import Client
from app.demo.errors import DemoFailed
from app.demo.receiver import Receiver
from app.demo.result import Result
from app.demo.table import Screen

POLL_SECONDS = 0.25
STILL_SECONDS = 300.0
_MOVING = frozenset({"queued", "running", "waiting_quota", "cancelling"})


@dataclass(slots=True)
class Walk:
    """One engagement on its way, and everything a step needs. `watch` is called while waiting and may say things;
    `admin` does at the destination what a run waits for.
    """

    client: Client
    source: Client
    destination: Client
    screen: Screen
    result: Result
    receiver: Receiver
    papers: Path
    watch: Callable[[], Iterable[str]]
    pair: tuple[str, str]
    scale: int | None
    engagement_id: str = ""
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected_429: int = 0
    export: Path | None = None
    """The folder of export files that stands for a source without an API."""
    admin: Callable[["Walk", dict[str, Any]], int] | None = None
    more_loads: tuple[dict[str, Any], ...] = ()
    """Loads that a person adds to what was proposed."""
    more_config: Mapping[str, Any] = field(default_factory=dict)
    """Options of the destination's connection beside the usual ones."""
    doors: tuple[str, str] = ("", "")
    """Where the connections lead when not straight to the stand-ins: source, destination."""

    @property
    def path(self) -> str:
        return f"/v1/engagements/{self.engagement_id}"

    def run(self, kind: str) -> dict[str, Any]:
        """Starts a run and follows it to its end; the finished run. Where it waits for an administrator, `admin` acts
        once and the run looks again. Raises Refused, DemoFailed, NoAnswer.
        """
        started = time.monotonic()
        accepted = self.client.post(f"{self.path}/runs", {"kind": kind}).body
        run = self._follow(accepted)
        if run["state"] == "waiting_admin" and self.admin is not None:
            self.screen.say(f"{kind} run {run['id']} waits for the administrator: {run['problem']['detail']}")
            self.admin(self, run)
            run = self._follow(self.client.post(f"/v1/runs/{run['id']}/resume").body)
        if run["state"] != "completed":
            raise DemoFailed(f"the {run['kind']} run {run['id']} is {run['state']}", run["problem"])
        calls = run["calls"]
        self.rejected_429 += calls["rejected_429"]
        forecast = f" of {calls['forecast']} forecast" if calls["forecast"] is not None else ""
        self.screen.say(
            f"{kind} run {run['id']} completed in {time.monotonic() - started:.1f} s: "
            f"{calls['made']} calls{forecast} at the destination, {calls['source']} at the source"
        )
        return run

    def _follow(self, run: dict[str, Any]) -> dict[str, Any]:
        seen, since = None, time.monotonic()
        with self.screen.progress() as progress:
            bar = progress.add_task(run["kind"], total=None, phase="")
            while run["state"] in _MOVING:
                time.sleep(POLL_SECONDS)
                for line in self.watch():
                    self.screen.warn(line)
                run = self.client.get(f"/v1/runs/{run['id']}").body
                moved = run["progress"]
                progress.update(
                    bar, completed=moved["done"], total=moved["total"] or None, phase=moved["phase"] or run["state"]
                )
                mark = (run["state"], moved["done"], [stage["state"] for stage in run["stages"]], run["calls"]["made"])
                if mark != seen:
                    seen, since = mark, time.monotonic()
                elif time.monotonic() - since > STILL_SECONDS:
                    raise DemoFailed(f"the {run['kind']} run {run['id']} has not moved for {STILL_SECONDS:.0f} s", run)
        return run

    def reports(self, run: dict[str, Any], kind: str) -> list[dict[str, Any]]:
        """The run's reports of a kind, opened."""
        found = self.client.pages(f"{self.path}/reports", run_id=run["id"], kind=kind)
        return [self.client.get(f"/v1/reports/{one['id']}").body for one in found]

    def report(self, run: dict[str, Any], kind: str) -> dict[str, Any]:
        """The one report of a kind that the run must have made."""
        found = self.reports(run, kind)
        if len(found) != 1:
            raise DemoFailed(f"the {run['kind']} run {run['id']} made {len(found)} reports of kind {kind}, not one")
        return found[0]

    def keep(self, name: str, content: Any) -> None:
        """Writes a paper as JSON."""
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (self.papers / name).write_text(text + "\n", encoding="utf-8")


def stage_sums(run: dict[str, Any], *kinds: str) -> dict[str, int]:
    """Counts summed over the run's stages of these kinds."""
    sums: dict[str, int] = {}
    for stage in run["stages"]:
        if stage["kind"] in kinds:
            for name, number in stage["counts"].items():
                sums[name] = sums.get(name, 0) + number
    return sums
