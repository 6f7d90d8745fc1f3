"""A reader's process stages what the worker would have staged, and neither its death nor a lost lease changes that."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
import pytest

from app.runs.handover import Handover
from app.runs.reader import Reader
from app.runs.staging import place
from app.runs.work import StageRow, Work
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.uploading import csv_file, send_files
from tests.runs.road import Road, road, sandbox

ROWS = 4500  # more than two pages
FILES = {
    "Account.csv": csv_file("Id|Name|Phone", ((f"001{n:012d}", f"Company {n}", "") for n in range(ROWS))),
    "Contact.csv": csv_file("Id|LastName|AccountId", ((f"003{n:012d}", f"P{n}", f"001{n:012d}") for n in range(9))),
}
ABSENT = (
    "ServiceResource, WorkOrder, ServiceContract, Asset, Product2, ProductConsumed, Task, Event, Note, User, Site__c"
)
APART, HERE = 1, 1 << 40


@pytest.fixture(scope="module")
def zoho_url() -> Iterator[str]:
    with sandbox("zoho_crm", SandboxConfig(edition="enterprise", options={"token_limit": "1000"})) as url:
        yield url


@asynccontextmanager
async def uploaded(database_url: str, zoho_url: str, read_apart_bytes: int) -> AsyncIterator[Road]:
    async with road(database_url, "", zoho_url, read_apart_bytes=read_apart_bytes) as way:
        await send_files(way, FILES, absent=ABSENT)
        await way.run("discovery")
        yield way


async def staged(way: Road) -> dict[tuple[str, str], object]:
    """Every staged record in clear."""
    key = await way.key()
    rows = await way.fetch("SELECT object, source_id, payload FROM staged")
    return {
        (row["object"], row["source_id"]): orjson.loads(
            key.unseal(row["payload"], place(row["object"], row["source_id"]))
        )
        for row in rows
    }


def starts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Process ids of the readers that are started from here on."""
    found: list[int] = []
    start = Reader.start

    async def started(self: Reader) -> None:
        await start(self)
        assert self._process is not None
        if self._process.pid not in found:
            found.append(self._process.pid)

    monkeypatch.setattr(Reader, "start", started)
    return found


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_large_uploads_are_read_apart_and_staged_alike(
    database_url: str, zoho_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = starts(monkeypatch)
    async with uploaded(database_url, zoho_url, HERE) as way:
        here = await way.stages(await way.run("preflight"))
        expected = await staged(way)
    assert pids == []
    async with uploaded(database_url, zoho_url, APART) as way:
        apart = await way.stages(await way.run("preflight"))
        assert await staged(way) == expected
    assert len(expected) == ROWS + 9
    assert len(pids) == 1  # one process reads all objects of a run
    assert not running(pids[0])
    assert {key: (one.state, one.cursor, one.counts) for key, one in apart.items() if one.kind == "extract"} == {
        key: (one.state, one.cursor, one.counts) for key, one in here.items() if one.kind == "extract"
    }


async def test_a_full_run_takes_its_pages_from_the_reader(
    database_url: str, zoho_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []
    put = Handover.put_block

    def counted(self: Handover, name: str, ids: list[str], text: bytes) -> None:
        offered.extend(ids)
        put(self, name, ids, text)

    monkeypatch.setattr(Handover, "put_block", counted)
    async with uploaded(database_url, zoho_url, APART) as way:
        await way.run("preflight")
        document = await way.propose()
        loads = tuple(load for load in document.loads if f"{load.source_object}.csv" in FILES)
        await way.confirm(document.model_copy(update={"loads": loads}))
        await way.decide_owners()
        await way.run("provision")
        await way.execute("DELETE FROM staged")
        run_id = await way.run("full")
        written = await way.ledger(f"run_id = '{run_id}' AND source_object = 'Contact' AND part = ''")
    assert [one for one in offered if one.startswith("003")] == [f"003{n:012d}" for n in range(9)]
    assert {row["outcome"] for row in written} == {"created"}


async def test_a_reader_that_is_killed_is_started_again(
    database_url: str, zoho_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids, killed = starts(monkeypatch), []
    follow = Reader._follow

    async def kill_once(self: Reader, work: Work, stage: StageRow) -> bool:
        done = await follow(self, work, stage)
        if not killed and stage.counts.get("read"):
            assert self._process is not None
            os.kill(self._process.pid, signal.SIGKILL)
            killed.append(self._process.pid)
        return done

    monkeypatch.setattr(Reader, "_follow", kill_once)
    async with uploaded(database_url, zoho_url, APART) as way:
        run_id = await way.start("preflight")
        run = await way.drive_once(run_id)
        assert (run.state, run.problem["code"]) == ("running", "retrying")
        await way.execute("UPDATE runs SET next_at = created_at WHERE id = $1", run_id)
        await way.drive(run_id)
        assert len(await staged(way)) == ROWS + 9
        extracted = (await way.stages(run_id))["extract:Account"]
    assert extracted.counts["read"] == ROWS  # a page counts once, however often it is read
    assert len(pids) == 2


async def test_a_reader_stages_nothing_for_a_worker_that_lost_its_lease(
    database_url: str, zoho_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = starts(monkeypatch)
    async with uploaded(database_url, zoho_url, APART) as way:
        run_id = await way.start("preflight")
        start = Reader.start

        async def overtaken(self: Reader) -> None:
            await way.execute("UPDATE runs SET fence = fence + 1 WHERE id = $1", run_id)
            await start(self)

        monkeypatch.setattr(Reader, "start", overtaken)
        run = await way.drive_once(run_id)
        assert run.state == "running"  # for the worker that has the fence now
        assert await staged(way) == {}
    assert len(pids) == 1
    assert not running(pids[0])


@pytest.mark.parametrize("kind", ["development", "production"])
def test_a_process_whose_worker_is_gone_ends(database_url: str, kind: str) -> None:
    """Also where no setting has a default: it starts with what its worker had."""
    environment = {
        **os.environ,
        "TRANSHIP_ENVIRONMENT": kind,
        "TRANSHIP_DATABASE_URL": database_url,
        "TRANSHIP_REDIS_URL": "redis://127.0.0.1:1/0",
        "TRANSHIP_MASTER_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "workers.reading"],
        stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, b"")
