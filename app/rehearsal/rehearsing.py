"""A rehearsal from its first line to its exit code: the demo's road in bad weather, then the judgement.

The road is walked by the same steps as the demo, so what is rehearsed is what a client does. Between the service and
both stand-ins stand our proxies; counters, dumps and the administrator's hand go past them.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from pydantic import SecretStr

from app.demo import agreeing, moving
from app.demo.administering import administrate
from app.demo.client import Client, NoAnswer, Refused
from app.demo.counting import OUTCOMES, LedgerFigures
from app.demo.errors import DemoFailed
from app.demo.result import Result
from app.demo.stage import Stage, Wish, demo_settings, stage_for
from app.demo.standins import STAND_INS
from app.demo.table import Screen
from app.demo.walking import Walk, stage_sums
from app.domain.ids import decode_id
from app.embedded import EmbeddedServersError
from app.rehearsal import rows as raw
from app.rehearsal.chaos import Chaos
from app.rehearsal.faults import FAULTS, Fault
from app.rehearsal.judging import Judge, dump_of
from app.rehearsal.outcome import Outcome
from app.rehearsal.patient import PatientClient
from app.rehearsal.proxy import Proxy
from app.rehearsal.rows import Rows
from app.rehearsal.schedule import make_schedule
from app.rehearsal.settled import settle
from app.rehearsal.summing import rows_of, summarise
from app.rehearsal.widening import NOTHING, Wider
from app.settings import Settings, SettingsError

_EXPECTED = (DemoFailed, Refused, NoAnswer, EmbeddedServersError, SettingsError, OSError, asyncpg.PostgresError)
RESUME_SECONDS = 10.0


@dataclass(slots=True)
class StormyWalk(Walk):
    """A walk whose runs meet the weather of a schedule, except those that are kept `quiet`."""

    chaos: Chaos | None = None
    quiet: set[str] = field(default_factory=set)

    def run(self, kind: str) -> dict[str, Any]:
        if self.chaos is None or kind in self.quiet:
            return Walk.run(self, kind)
        with self.chaos.around(kind):
            return Walk.run(self, kind)


def run_rehearsal(
    *,
    pair: tuple[str, str],
    faults: tuple[Fault, ...],
    seeds: Sequence[int],
    records: int,
    json_path: Path | None,
) -> int:
    """Walks through the weather of each seed and judges; 0 when every invariant holds, 1 otherwise, 2 when it cannot
    start.

    The figures go to `json_path`, or to standard output. For several seeds, or where it is one, that is a folder: a
    file per schedule, and `summary.json` over all that it holds.
    """
    folder = json_path if json_path is not None and (len(seeds) > 1 or json_path.is_dir()) else None
    screen = Screen()
    broken = False
    try:
        for outcome in rehearse_many(screen, pair, faults, seeds, records):
            place = json_path
            if folder is not None:
                place = folder / f"{pair[1]}-{outcome.seed:04}.json"
            _write(screen, place, outcome.as_json())
            for sentence in outcome.broken:
                screen.fail(f"broken: {sentence}")
            broken |= bool(outcome.broken)
    except CannotStart as wrong:
        screen.fail(f"tranship: {wrong}")
        return 2
    if folder is not None:
        sum_up(screen, folder)
    return 1 if broken else 0


def sum_up(screen: Screen, folder: Path) -> dict[str, Any]:
    """All schedules whose figures a folder holds, as a table and as `summary.json`."""
    figures = [json.loads(one.read_text(encoding="utf-8")) for one in sorted(folder.glob("*-[0-9]*.json"))]
    summary = summarise(figures)
    _write(screen, folder / "summary.json", summary)
    screen.table("All schedules so far", ("figure", "number"), rows_of(summary))
    return summary


def _write(screen: Screen, place: Path | None, figures: Mapping[str, Any]) -> None:
    text = json.dumps(figures, indent=2) + "\n"
    if place is None:
        screen.say(text)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{os.getpid()}")  # whoever sums the folder up beside us finds whole files
    part.write_text(text, encoding="utf-8")
    part.replace(place)


class CannotStart(Exception):
    """Settings or folders that a rehearsal cannot run with."""


def rehearse(
    screen: Screen, pair: tuple[str, str], faults: tuple[Fault, ...], seed: int, records: int, more: Wider
) -> Outcome:
    """One rehearsal on servers and stand-ins of its own, with `more` than the pair writes. Raises CannotStart."""
    [outcome] = rehearse_many(screen, pair, faults, [seed], records, more)
    return outcome


def rehearse_many(
    screen: Screen,
    pair: tuple[str, str],
    faults: tuple[Fault, ...],
    seeds: Iterable[int],
    records: int,
    more: Wider = NOTHING,
) -> Iterator[Outcome]:
    """A rehearsal per seed, one after the other. Servers and processes stay up between them; tenant, engagement and
    both accounts are fresh. After a broken one everything starts anew: its runs would go on. Raises CannotStart.
    """
    try:
        settings = demo_settings()
        settings = settings.model_copy(update={"data_dir": settings.data_dir.with_name("rehearsal")})
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except (SettingsError, OSError) as wrong:
        raise CannotStart(str(wrong)) from wrong
    left = [Outcome(":".join(pair), seed, records, [fault.name for fault in faults]) for seed in reversed([*seeds])]
    while left:
        yield from _on_one_stage(screen, settings, left, faults, more)


def _on_one_stage(
    screen: Screen, settings: Settings, left: list[Outcome], faults: tuple[Fault, ...], more: Wider
) -> Iterator[Outcome]:
    """Takes outcomes from the end of `left` until one is broken."""
    pair = left[-1].pair.split(":")
    wish = Wish((pair[0], pair[1]), left[-1].records, rollback=True, keep=False, json_path=None, source=None)
    logs, started = settings.data_dir / "logs", time.monotonic()
    try:
        with stage_for(settings, wish, logs) as first:
            stage = first
            while left:
                _rehearse(screen, stage, left[-1], faults, settings.lease_seconds, settings.data_dir / "papers", more)
                left[-1].seconds = time.monotonic() - started
                yield (done := left.pop())
                if done.broken or not left:
                    return
                started = time.monotonic()
                stage = _fresh(settings, stage)
    except _EXPECTED as error:
        if not left:
            raise
        left[-1].broken.append(f"the road ended early: {error}")
        problem = getattr(error, "problem", None)
        if problem:
            screen.say(json.dumps(problem, indent=2, ensure_ascii=False, default=str)[:4_000])
        screen.say(f"The logs of every process are in {logs}")
        left[-1].seconds = time.monotonic() - started
        yield left.pop()


def _fresh(settings: Settings, stage: Stage) -> Stage:
    """The same processes for a tenant of its own, both accounts as they were at first. Raises Refused, NoAnswer."""
    from app.keys_cli import create_record

    for url in (stage.source, stage.destination):
        Client(url).post("/_sandbox/reset")
    configured = settings.model_copy(update={"database_url": SecretStr(stage.database_url)})
    tenant = f"rehearsal {time.time_ns()}"
    return replace(stage, key=create_record(configured, stage.database_url, tenant=tenant, label="rehearsal"))


def _rehearse(
    screen: Screen,
    stage: Stage,
    outcome: Outcome,
    faults: tuple[Fault, ...],
    lease_seconds: float,
    papers: Path,
    more: Wider,
) -> None:
    papers.mkdir(parents=True, exist_ok=True)
    pair = (outcome.pair.split(":")[0], outcome.pair.split(":")[1])
    stands = (Client(stage.source), Client(stage.destination))
    rows = Rows(stage.database_url)
    with _proxies(stage, outcome.seed) as proxies:
        chaos = Chaos(
            make_schedule(outcome.seed, faults, pair, outcome.records, exact=faults != FAULTS),
            children=stage.children,
            servers=stage.servers,
            redis_url=stage.redis_url,
            rows=rows,
            proxies=proxies,
            stands=stands,
            stop_seconds=lease_seconds + 3,
            seed=outcome.seed,
            spare=[STAND_INS[pair[1]].key_field],
        )
        result = Result(outcome.pair)
        client = PatientClient(stage.api, stage.key["key"])
        walk = StormyWalk(
            client=client,
            source=stands[0],
            destination=stands[1],
            screen=screen,
            result=result,
            receiver=stage.receiver,
            papers=papers,
            watch=chaos.watch,
            pair=pair,
            scale=outcome.records,
            admin=_hand,
            chaos=chaos,
            doors=(proxies[0].url, proxies[1].url),
            more_loads=tuple(load.model_dump(mode="json") for load in more.loads),
            more_config=more.config,
        )
        for action in more.needs:
            stands[1].post("/_sandbox/admin", action)
        try:
            _walk(walk, stage, rows, outcome)
        finally:
            outcome.injected = +chaos.injected
            outcome.workers_lost = len(chaos.resumed)
            outcome.slowest_resume = max(chaos.resumed, default=0.0)
            outcome.losses = chaos.losses
            outcome.client_retries = client.retried
        outcome.broken += result.faults
        outcome.expect(
            outcome.slowest_resume <= RESUME_SECONDS,
            f"a lost worker's run stood still for {outcome.slowest_resume:.1f} s",
        )


@contextmanager
def _proxies(stage: Stage, seed: int) -> Iterator[tuple[Proxy, Proxy]]:
    with ExitStack() as stack:
        doors = []
        for number, url in enumerate((stage.source, stage.destination)):
            address = urlsplit(url)
            doors.append(stack.enter_context(Proxy(str(address.hostname), int(address.port or 0), seed=seed + number)))
        yield doors[0], doors[1]


def _walk(walk: StormyWalk, stage: Stage, rows: Rows, outcome: Outcome) -> None:
    """The road; each writing run is judged as it ends."""
    agreeing.engage(walk, agreeing.ask_price(walk))
    ids = (
        decode_id("engagement", walk.engagement_id),
        decode_id("connection", walk.connections["destination"]["id"]),
    )
    assert walk.chaos is not None
    walk.chaos.engagement_id = ids[0]
    agreeing.discover(walk)
    quality = agreeing.examine(walk)
    agreeing.agree_on_mapping(walk, quality)
    agreeing.decide_owners(walk)
    agreeing.prepare(walk)
    outcome.settled = settle(walk, outcome.seed)
    before = dump_of(walk, fields=True)
    tenant_id = decode_id("tenant", stage.key["tenant_id"])
    figures = LedgerFigures(stage.database_url, tenant_id, *ids, STAND_INS[walk.pair[1]].modules)
    judge = Judge(walk, rows, figures, before, outcome, ids)
    walk.screen.step("Sample, full run, reconciliation in this weather")
    sample = walk.run("sample")
    judge.after("sample", sample)
    walk.client.post(f"/v1/runs/{sample['id']}/approve")
    full = walk.run("full")
    judge.after("full", full)
    outcome.moved = {name: full["counts"].get(name, 0) for name in ("read", *OUTCOMES)}
    outcome.calls = {"forecast": full["calls"]["forecast"] or 0, "made": full["calls"]["made"]}
    if walk.chaos.changed:
        outcome.changed = list(walk.chaos.changed)
        outcome.repaired = stage_sums(walk.run("repair"), "repair").get("repaired", 0)
    judge.read_back()
    walk.screen.step("Changes at the source, delta")
    walk.source.post("/_sandbox/mutate", moving.CHANGES)
    judge.after("delta", walk.run("delta"))
    walk.screen.step("Everything once more without faults: what was refused lands, nothing else is written")
    walk.quiet.add("full")
    again = walk.run("full")
    judge.after("second full", again)
    outcome.quarantined = raw.quarantined(rows, *ids)
    judge.read_back()
    walk.screen.step("Rollback")
    run = walk.run("rollback")
    outcome.refused = refused_of(run)
    if outcome.refused:
        walk.screen.say(f"{outcome.refused} refused and listed: once more in calm weather")
        walk.quiet.add("rollback")
        run = walk.run("rollback")
        outcome.expect(refused_of(run) == 0, f"rollback: {refused_of(run)} records are refused without any fault")
    judge.rolled_back(run)


def _hand(walk: Walk, run: dict[str, Any]) -> int:
    """What the administrator does for a run that waits for him."""
    if run["problem"]["code"] == "schema-changed" and isinstance(walk, StormyWalk) and walk.chaos is not None:
        for text in run["problem"]["missing"]:
            walk.screen.say(f"the run asks: {text}")
        return walk.chaos.mend_schema()
    return administrate(walk, run)


def refused_of(run: dict[str, Any]) -> int:
    """What the destination would not give back or delete in a rollback, although its API can."""
    return stage_sums(run, "restore", "delete").get("refused", 0)
