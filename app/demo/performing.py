"""The demo from its first line to its exit code: lets the client walk, counts, and clears away however it ends."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import asyncpg
import typer

from app.demo import agreeing, moving
from app.demo.administering import administrate
from app.demo.client import Client, NoAnswer, Refused
from app.demo.counting import LedgerFigures
from app.demo.dumps import read_dump
from app.demo.errors import DemoFailed
from app.demo.result import Result
from app.demo.stage import Stage, Wish, demo_settings, stage_for
from app.demo.standins import STAND_INS, has_export, has_server
from app.demo.table import Screen
from app.demo.walking import Walk
from app.domain.ids import decode_id
from app.embedded import EmbeddedServersError
from app.settings import SettingsError
from connectors.registry import BLUEPRINTS

DELIVERY_SECONDS = 20.0
_EXPECTED = (DemoFailed, Refused, NoAnswer, EmbeddedServersError, SettingsError, OSError, asyncpg.PostgresError)


class Ended(BaseException):
    """SIGTERM: everything is cleared away, then the process ends with this signal's code."""


def run_demo(*, pair: str, scale: int, rollback: bool, keep: bool, json_path: Path | None, source: Path | None) -> int:
    """Walks the whole road once and returns the exit code: 0 when everything holds, 1 when something does not, 2 for
    a pair without stand-ins, 130 and 143 after SIGINT and SIGTERM. `source` is a folder of CSV files for the source."""
    screen = Screen()
    ends = tuple(pair.split(":"))
    if ends not in BLUEPRINTS or not _can_walk(ends):
        known = ", ".join(":".join(one) for one in sorted(BLUEPRINTS) if _can_walk(one))
        typer.echo(f"tranship: the demo cannot walk {pair!r}; there are: {known}", err=True)
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


def _can_walk(pair: tuple[str, ...]) -> bool:
    """Whether both ends can be stood in for: the source by a server or a generated export."""
    return len(pair) == 2 and (has_server(pair[0]) or has_export(pair[0])) and has_server(pair[1])


def _perform(wish: Wish, screen: Screen) -> int:
    """One demo with everything around it; what is expected to go wrong becomes a message."""
    result = Result(":".join(wish.pair))
    started = time.monotonic()
    try:
        configured = demo_settings()
        if wish.json_path is not None:
            wish.json_path.unlink(missing_ok=True)  # what an earlier demo found is not this one's
    except (SettingsError, OSError) as wrong:
        screen.fail(f"tranship: {wrong}")
        return 2
    screen.step("Setting the stage")
    logs, papers = configured.data_dir / "logs", configured.data_dir / "demo-reports"
    try:
        with stage_for(configured, wish, logs) as stage:
            _introduce(screen, stage, logs)
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


def _introduce(screen: Screen, stage: Stage, logs: Path) -> None:
    screen.list(
        {"API": stage.api, "source": stage.source or stage.export or "", "destination": stage.destination, "logs": logs}
    )
    screen.say("processes: " + ", ".join(f"{name} {pid}" for name, pid in stage.children.pids().items()))


def _explain(screen: Screen, error: BaseException, logs: Path) -> None:
    screen.fail(f"\nThe demo failed: {error}")
    problem = getattr(error, "problem", None)
    if problem:
        screen.say(json.dumps(problem, indent=2, ensure_ascii=False, default=str))
    screen.say(f"The logs of every process are in {logs}")


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
        export=stage.export,
        admin=administrate,
    )
    before = read_dump(walk.destination, STAND_INS[walk.pair[1]].beside, fields=True)
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
    moving.collect_files(walk)
    moving.move_again(walk, figures, before)
    if wish.rollback:
        moving.take_back(walk, figures, before)
    moving.collect_reports(walk)
    _count_calls(walk)
    _count_webhooks(walk)


def _figures(stage: Stage, walk: Walk) -> LedgerFigures:
    return LedgerFigures(
        stage.database_url,
        decode_id("tenant", stage.key["tenant_id"]),
        decode_id("engagement", walk.engagement_id),
        decode_id("connection", walk.connections["destination"]["id"]),
        STAND_INS[walk.pair[1]].modules,
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
            "try": f"curl -H 'Authorization: Bearer {stage.key['key']}' {stage.api}/v1/engagements",
            "source stand-in": stage.source,
            "destination stand-in": stage.destination,
            "data": stage.data_dir,
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

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
