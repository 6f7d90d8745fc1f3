"""Measures the API's answer times at 100 requests a second while 100,000-record runs go to the bench's sink.

`make bench-load`. Service (API and worker processes), servers, sink and callers share this machine. The run's engine is
the one of `tests.bench.engine_peer`, at a worker's priority: the sink cannot be discovered, so no run of its own kind
would get there. One run follows the other until all are done; only requests meant for the time of a run are counted.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from app.db import plain_url
from app.demo.client import Client
from app.demo.processes import Children
from app.demo.stage import START_SECONDS
from app.domain.ids import decode_id, encode_id
from app.embedded import EmbeddedServers
from app.fresh import new_id
from app.keys_cli import create_record
from app.migrations import upgrade
from app.settings import Settings, load_settings
from tests.bench.load.processor import Processor

ROOT = Path(__file__).resolve().parents[3]
BARS = {"read": 250.0, "post": 400.0}
RECORDS = 100_000
FRESH = 30


def main(arguments: Sequence[str]) -> int:
    """0 when the bars hold (or nothing can be measured here), 1 when they do not."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load")
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds that the sink lets every call wait")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep-logs", type=Path)
    chosen = parser.parse_args(arguments)
    shared = Path(os.environ.get("BENCH_DIR") or ROOT.parent / "shared" / "bench")
    scratch = Path(os.environ.get("BENCH_TMP") or Path(tempfile.gettempdir()) / "bench")
    sink = scratch / "sink"
    if not (shared / "data" / "gen.py").is_file() or not sink.is_file():
        _say(f"bench-load: not run, no bench at {shared} (BENCH_DIR) or no sink at {sink} (BENCH_TMP)")
        return 0
    export = scratch / "data" / str(RECORDS)
    if not (export / "service_history.csv").is_file():
        subprocess.run([sys.executable, shared / "data" / "gen.py", str(RECORDS), str(export)], check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # everything started is stopped again
    found = measure(chosen, sink, export)
    _tell(found)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if found["holds"] else 1


def measure(chosen: argparse.Namespace, sink: Path, export: Path) -> dict[str, Any]:
    """Everything started, loaded and stopped again; the figures."""
    folder = Path(tempfile.mkdtemp(prefix="tranship-load-"))
    folder.chmod(0o711)
    settings = load_settings(data_dir=folder, allow_private_targets=True)
    servers = EmbeddedServers(folder)
    try:
        with servers, _sink(sink, chosen.latency) as (sink_process, sink_url):
            children = Children(folder / "logs", _environment(settings, servers))
            try:
                return _load(chosen, settings, servers, children, (sink_process.pid, sink_url), export)
            finally:
                children.stop()
                if chosen.keep_logs:
                    shutil.copytree(folder / "logs", chosen.keep_logs, dirs_exist_ok=True)
    finally:
        servers.destroy()
        shutil.rmtree(folder, ignore_errors=True)


def _load(
    chosen: argparse.Namespace,
    settings: Settings,
    servers: EmbeddedServers,
    children: Children,
    sink: tuple[int, str],
    export: Path,
) -> dict[str, Any]:
    upgrade(servers.database_url)
    key = create_record(settings, servers.database_url, tenant="load", label="load")
    api = children.start("api", "api", "--port", "0")
    worker = children.start("worker", "worker")
    base = children.address(api, START_SECONDS)
    client = Client(base, key["key"])
    told = {"base": base, "key": key["key"], "rate": chosen.rate, **_prepare(client, servers, sink[1], chosen.runs)}
    engagements = asyncio.run(_engagements(servers.database_url, key["tenant_id"], chosen.runs))
    command = [sys.executable, "-m", "tests.bench.load.generator", json.dumps(told)]
    callers = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    processor = Processor({"api": api.pid, "worker": worker.pid, "sink": sink[0], "callers": callers.pid})
    processor.add_servers(servers)
    peers, seconds = [], []
    try:
        time.sleep(2.0)  # the callers' connections and the API's pool are warm before anything counts
        processor.begin()
        for ids in engagements:
            urllib.request.urlopen(urllib.request.Request(f"{sink[1]}/reset?hard=1", method="POST")).read()
            peer, took = _run(servers, settings, callers, ids, sink[1], export)
            peers.append(peer)
            seconds.append(took)
        shares = processor.end()
        _tell_callers(callers, "end")
        answered, _ = callers.communicate(timeout=120)
    finally:
        callers.kill()
    return _figures(chosen, json.loads(answered), shares, peers, seconds)


def _run(
    servers: EmbeddedServers,
    settings: Settings,
    callers: "subprocess.Popen[str]",
    ids: tuple[str, ...],
    sink_url: str,
    export: Path,
) -> tuple[float, float]:
    """One run of the engine; its processor seconds and its wall seconds."""
    environment = {
        **os.environ,
        "BENCH_DATA": str(export),
        "BENCH_URL": sink_url,
        "BENCH_CONC": "10",
        "BENCH_DSN": servers.database_url,
        "BENCH_NICENESS": str(settings.worker_niceness),
        "BENCH_AGAIN": ",".join(ids),
        "PYTHONPATH": str(ROOT),
    }
    began = time.monotonic()
    peer = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.engine_peer"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,  # as `tranship serve` starts its workers
    )
    try:
        _tell_callers(callers, f"run {encode_id('engagement', UUID(ids[1]))}")
        assert peer.stdout is not None
        said = peer.stdout.read().decode()
    except BaseException:
        peer.kill()
        raise
    _, status, usage = os.wait4(peer.pid, 0)
    took = time.monotonic() - began
    _tell_callers(callers, "gap")
    if status:
        raise SystemExit(f"bench-load: the run did not go well ({status}):\n{said[-2000:]}")
    return usage.ru_utime + usage.ru_stime, took


def _tell_callers(callers: "subprocess.Popen[str]", line: str) -> None:
    assert callers.stdin is not None
    callers.stdin.write(f"{line}\n")
    callers.stdin.flush()


def _prepare(client: Client, servers: EmbeddedServers, sink_url: str, runs: int) -> dict[str, Any]:
    """Quotes to fetch, and engagements whose connections are proved, so that a discovery may be started."""
    price = {"source": "servicetracker", "destination": "zoho_crm", "counts": {"Client": 40}}
    quotes = [client.post("/v1/quotes", price).body["id"] for _ in range(10)]
    fresh = []
    for number in range(FRESH * runs):
        body = {"name": f"Company {number}", "source": "servicetracker", "destination": "zoho_crm"}
        fresh.append(client.post("/v1/engagements", body).body["id"])
    for role, names in {"source": ("base_url",), "destination": ("base_url", "accounts_url", "upload_url")}.items():
        secrets = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}
        if role == "source":
            del secrets["refresh_token"]
        body = {"config": dict.fromkeys(names, sink_url), "credentials": secrets}
        for one in fresh:
            client.put(f"/v1/engagements/{one}/connections/{role}", body)
    asyncio.run(_execute(servers.database_url, "UPDATE connections SET state = 'ok'"))
    return {"quotes": quotes, "fresh": fresh}


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _engagements(url: str, tenant: str, runs: int) -> list[tuple[str, ...]]:
    """Rows that the engine takes up: tenant, engagement and destination of each run."""
    import hashlib

    from app.security import DataKey, KeyRing

    ring = KeyRing({"bench": hashlib.sha256(b"bench").digest()})  # what the engine's process holds
    tenant_id = decode_id("tenant", tenant)
    made = []
    connection = await asyncpg.connect(plain_url(url))
    try:
        for number in range(runs):
            engagement, destination = new_id(), new_id()
            sealed = ring.seal(DataKey.generate(), place=f"engagement:{engagement}:data_key")
            await connection.execute(
                "INSERT INTO engagements (id, tenant_id, name, source, destination, state, settings, calendar,"
                " data_key, batch, revision, created_at, updated_at) VALUES ($1, $2, $3, 'servicetracker', 'zoho_crm',"
                " 'draft', '{}', '{}', $4, 0, 1, now(), now())",
                *(engagement, tenant_id, f"Run {number}", sealed),
            )
            await connection.execute(
                "INSERT INTO connections (id, tenant_id, engagement_id, role, platform, name, state, problem, config,"
                " credentials, facts, budget, created_at, updated_at) VALUES ($1, $2, $3, 'destination', 'zoho_crm',"
                " '', 'ready', '{}', '{}', 'sealed', '{}', '{}', now(), now())",
                *(destination, tenant_id, engagement),
            )
            made.append((str(tenant_id), str(engagement), str(destination)))
    finally:
        await connection.close()
    return made


def _environment(settings: Settings, servers: EmbeddedServers) -> dict[str, str]:
    from app.serving import environment

    found = environment(settings)
    return found | {"TRANSHIP_DATABASE_URL": servers.database_url, "TRANSHIP_REDIS_URL": servers.redis_url}


@contextmanager
def _sink(program: Path, latency: int) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([program, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/stats").read()
                break
            except OSError:
                time.sleep(0.02)
        urllib.request.urlopen(urllib.request.Request(f"{url}/config?latency_ms={latency}", method="POST")).read()
        yield process, url
    finally:
        process.terminate()
        process.wait()


def _figures(
    chosen: argparse.Namespace,
    heard: dict[str, Any],
    shares: dict[str, float],
    peers: list[float],
    seconds: list[float],
) -> dict[str, Any]:
    """Percentiles in milliseconds, processor shares in cores."""
    kinds = {}
    for kind, bar in BARS.items():
        times = sorted(one[2] for one in heard["samples"] if one[0] == kind)
        kinds[kind] = {"count": len(times), "bar_p99": bar, **{name: _at(times, part) for name, part in _PARTS.items()}}
    names = sorted({one[1] for one in heard["samples"]})
    each = {}
    for name in names:
        times = sorted(one[2] for one in heard["samples"] if one[1] == name)
        each[name] = {"count": len(times), **{part: _at(times, share) for part, share in _PARTS.items()}}
    wall = sum(seconds)
    return {
        "rate": chosen.rate,
        "sent_a_second": heard["sent"] / heard["seconds"],
        "runs": len(seconds),
        "records": RECORDS,
        "run_seconds": [round(one, 1) for one in seconds],
        "cores": {**shares, "engine": round(sum(peers) / wall, 3)},
        "callers_of_their_time": round(heard["cpu_seconds"] / heard["seconds"], 3),
        "most_late_milliseconds": round(heard["most_late_milliseconds"], 1),
        "unexpected": heard["odd"],
        **kinds,
        "each": each,
        "holds": not heard["odd"] and all(kinds[kind]["p99"] < bar for kind, bar in BARS.items()),
    }


_PARTS = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def _at(times: list[float], part: float) -> float:
    return times[min(len(times) - 1, int(part * len(times)))] if times else float("nan")


def _tell(found: dict[str, Any]) -> None:
    rows = {kind: found[kind] for kind in BARS} | found["each"]
    _say(f"{'':18} {'count':>6} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}  milliseconds from the intended time")
    for name, row in rows.items():
        _say(f"{name:18} {row['count']:6} {row['p50']:8.1f} {row['p95']:8.1f} {row['p99']:8.1f} {row['max']:8.1f}")
    for name in (
        "sent_a_second",
        "run_seconds",
        "cores",
        "callers_of_their_time",
        "most_late_milliseconds",
        "unexpected",
    ):
        _say(f"{name}: {found[name]}")
    bars = f"p99 of reads < {BARS['read']:.0f}, of posts < {BARS['post']:.0f}"
    _say(f"the bars ({bars}) {'hold' if found['holds'] else 'DO NOT hold'}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
