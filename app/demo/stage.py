"""Sets the stage for the demo, lets the client walk, and clears everything away, however it ends."""

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import asyncpg

from app.demo import agreeing, moving
from app.demo.client import Client, NoAnswer, Refused
from app.demo.counting import LedgerFigures
from app.demo.dumps import read_dump
from app.demo.errors import DemoFailed
from app.demo.fresh import empty_servers
from app.demo.processes import Children
from app.demo.receiver import Receiver, receiving
from app.demo.result import Result
from app.demo.table import Screen
from app.demo.walking import Walk
from app.domain.ids import decode_id
from app.embedded import EmbeddedServersError
from app.keys_cli import create_record
from app.migrations import upgrade
from app.serving import backing_servers, environment
from app.settings import Settings, SettingsError, load_settings
from connectors.registry import BLUEPRINTS

WORKERS = 2
START_SECONDS = 60.0
RECORDS_PER_SECOND = 2_000  # what a stand-in generates at the least while it starts
DELIVERY_SECONDS = 20.0
_STANDS_IN = frozenset({("servicetracker", "zoho_crm")})
_EXPECTED = (DemoFailed, Refused, NoAnswer, EmbeddedServersError, SettingsError, OSError, asyncpg.PostgresError)


class Ended(BaseException):
    """SIGTERM: everything is cleared away, then the process ends with this signal's code."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    pair: tuple[str, str]
    scale: int
    rollback: bool
    keep: bool
    json_path: Path | None
    source: Path | None


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    settings: Settings
    children: Children
    api: str
    source: str
    destination: str
    key: dict[str, Any]
    receiver: Receiver


def run_demo(*, pair: str, scale: int, rollback: bool, keep: bool, json_path: Path | None, source: Path | None) -> int:
    """Walks the whole road once and returns the exit code: 0 when everything holds, 1 when something does not, 2 for
    a pair without stand-ins, 130 and 143 after SIGINT and SIGTERM. `source` is a folder of CSV files for the source."""
    screen = Screen()
    ends = tuple(pair.split(":"))
    if ends not in BLUEPRINTS or ends not in _STANDS_IN:
        known = ", ".join(":".join(one) for one in sorted(BLUEPRINTS) if one in _STANDS_IN)
        print(f"tranship: the demo cannot walk {pair!r}; there are: {known}", file=sys.stderr)
        return 2
    absolute = source.absolute() if source else None
    wish = Wish((ends[0], ends[1]), scale, rollback, keep, json_path, absolute)
    try:
        with _ended_by_signal():
            return _perform(wish, screen)
    except KeyboardInterrupt:
        screen.warn("interrupted; everything is stopped")
        return 130
    except Ended:
        screen.warn("terminated; everything is stopped")
        return 143


def _perform(wish: Wish, screen: Screen) -> int:
    """One demo with everything around it; what is expected to go wrong becomes a message."""
    result = Result(":".join(wish.pair))
    started = time.monotonic()
    try:
        configured = _settings()
    except SettingsError as wrong:
        screen.fail(str(wrong))
        return 2
    logs, papers = configured.data_dir / "logs", configured.data_dir / "demo-reports"
    try:
        with _set(configured, wish, screen, logs) as stage:
            code = 1
            try:
                _walk(wish, screen, stage, result, papers)
                result.seconds = time.monotonic() - started
                screen.ending(result, {"reports": papers, "logs": logs})
                code = 1 if result.faults else 0
            except _EXPECTED as error:
                _explain(screen, error, logs)
            if wish.json_path is not None and result.seconds:
                wish.json_path.parent.mkdir(parents=True, exist_ok=True)
                wish.json_path.write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
            if wish.keep:
                _stay(screen, stage)
            return code
    except _EXPECTED as error:
        _explain(screen, error, logs)
        return 1


def _settings() -> Settings:
    base = load_settings().data_dir.absolute()
    chosen = load_settings(
        data_dir=base / "demo", allow_private_targets=True, call_timeout_seconds=3.0, lease_seconds=6.0
    )
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    return chosen


def _explain(screen: Screen, error: BaseException, logs: Path) -> None:
    screen.fail(f"\nThe demo failed: {error}")
    problem = getattr(error, "problem", None)
    if problem:
        screen.say(json.dumps(problem, indent=2, ensure_ascii=False, default=str))
    screen.say(f"The logs of every process are in {logs}")


@contextmanager
def _set(configured: Settings, wish: Wish, screen: Screen, logs: Path) -> Iterator[Stage]:
    """Servers, schema, stand-ins, API, workers, a key, and a webhook receiver, in that order; gone afterwards."""
    screen.step("Setting the stage")
    shutil.rmtree(logs, ignore_errors=True)
    with backing_servers(configured) as settings, receiving() as receiver:
        assert settings.database_url is not None
        database_url = settings.database_url.get_secret_value()
        children = Children(logs, environment(settings))
        try:
            source = children.start(wish.pair[0], "sandbox", wish.pair[0], "--port", "0", *_filled(wish))
            destination = children.start(wish.pair[1], "sandbox", wish.pair[1], "--port", "0")
            if configured.database_url is None:
                empty_servers(settings)
            upgrade(database_url)
            api = children.start("api", "api", "--port", "0")
            key = create_record(settings, database_url, tenant=f"demo {time.time():.0f}", label="demo")
            addresses = {
                "api": children.address(api, START_SECONDS),
                "source": children.address(source, START_SECONDS + wish.scale / RECORDS_PER_SECOND),
                "destination": children.address(destination, START_SECONDS),
            }
            children.environment["TRANSHIP_PUBLIC_BASE_URL"] = addresses["api"]
            for number in range(1, WORKERS + 1):
                children.start(f"worker-{number}", "worker")
            stage = Stage(settings, children, key=key, receiver=receiver, **addresses)
            _await_ready(stage)
            screen.list({**addresses, "data": settings.data_dir, "logs": logs})
            screen.say("processes: " + ", ".join(f"{name} {pid}" for name, pid in children.pids().items()))
            yield stage
        finally:
            children.stop()


def _filled(wish: Wish) -> list[str]:
    if wish.source is not None:
        return ["--csv-dir", str(wish.source)]
    return ["--scale", str(wish.scale)]


def _await_ready(stage: Stage) -> None:
    """Until the API finds database, queue, schema and a worker."""
    client, deadline = Client(stage.api, timeout=5.0), time.monotonic() + START_SECONDS
    while True:
        try:
            client.get("/readyz")
            return
        except Refused as refused:
            if time.monotonic() > deadline:
                raise DemoFailed(f"the service is not ready after {START_SECONDS:.0f} s", refused.problem) from refused
        stage.children.mend()
        time.sleep(0.1)


def _walk(wish: Wish, screen: Screen, stage: Stage, result: Result, papers: Path) -> None:
    """The road, from the quote to the rollback, as a client walks it."""
    shutil.rmtree(papers, ignore_errors=True)
    papers.mkdir(parents=True)
    walk = Walk(
        client=Client(stage.api, stage.key["key"]),
        source=Client(stage.source),
        destination=Client(stage.destination),
        screen=screen,
        result=result,
        receiver=stage.receiver,
        papers=papers,
        watch=stage.children.mend,
        pair=wish.pair,
        scale=None if wish.source else wish.scale,
    )
    before = read_dump(walk.destination)
    agreeing.engage(walk, agreeing.ask_price(walk))
    agreeing.discover(walk)
    quality = agreeing.examine(walk)
    document = agreeing.agree_on_mapping(walk, quality)
    agreeing.decide_owners(walk)
    agreeing.prepare(walk)
    figures = _figures(stage, walk)
    moving.foresee(walk)
    moving.sample(walk)
    moving.move_all(walk, figures, document["loads"], before)
    screen.step("Reconciliation")
    result.reconciliation = moving.reconcile(walk)
    moving.follow_changes(walk, figures, before)
    moving.collect(walk)
    moving.move_again(walk, figures, before)
    if wish.rollback:
        moving.take_back(walk, before)
    _count_calls(walk)
    _count_webhooks(walk)


def _figures(stage: Stage, walk: Walk) -> LedgerFigures:
    assert stage.settings.database_url is not None
    return LedgerFigures(
        stage.settings.database_url.get_secret_value(),
        decode_id("tenant", stage.key["tenant_id"]),
        decode_id("engagement", walk.engagement_id),
        decode_id("connection", walk.connections["destination"]["id"]),
    )


def _count_calls(walk: Walk) -> None:
    """Rejections as the runs counted them and as the stand-in did."""
    theirs = int(moving.destination_stats(walk.destination)["too_many_requests"])
    walk.result.calls["rejected_429"] = theirs
    same = theirs == walk.rejected_429
    walk.result.expect(same, f"the destination rejected {theirs} calls with 429, the runs counted {walk.rejected_429}")


def _count_webhooks(walk: Walk) -> None:
    """Waits until every event up to now has been delivered, and counts those whose signature was right."""
    endpoint = next(iter(walk.client.pages("/v1/webhook_endpoints")))
    deadline = time.monotonic() + DELIVERY_SECONDS
    while True:
        deliveries = list(walk.client.pages(f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"))
        open_ones = [one for one in deliveries if one["state"] == "pending"]
        if not open_ones or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    delivered = sum(one["state"] == "delivered" for one in deliveries)
    arrived = walk.receiver.messages
    walk.result.webhooks_delivered = len(arrived)
    kinds = sorted({str(one.get("type")) for one in arrived.values()})
    walk.screen.step("Webhooks")
    walk.screen.say(f"{len(arrived)} arrived with a valid signature: {', '.join(kinds)}")
    walk.result.expect(not open_ones, f"{len(open_ones)} webhooks are still to be delivered")
    walk.result.expect(walk.receiver.refused == 0, f"{walk.receiver.refused} webhooks came with a wrong signature")
    walk.result.expect(delivered == len(arrived), f"{delivered} webhooks delivered, {len(arrived)} arrived")


def _stay(screen: Screen, stage: Stage) -> None:
    """KEEP=1: shows what there is and waits for Ctrl-C; workers that end are started again."""
    screen.step("Left running until Ctrl-C")
    screen.list(
        {
            "API": f"{stage.api}/v1",
            "documentation": f"{stage.api}/docs",
            "key": stage.key["key"],
            "source stand-in": stage.source,
            "destination stand-in": stage.destination,
            "data": stage.settings.data_dir,
        }
    )
    try:
        while True:
            for line in stage.children.mend():
                screen.warn(line)
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.say("stopping")


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """SIGTERM clears everything away as Ctrl-C does."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
