"""Traces of a whole move of health records, as a collector receives them: joined up, with nothing secret in them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.demo.standins import STAND_INS
from app.embedded import EmbeddedServers
from app.settings import SettingsError
from app.telemetry import configured

ROOT = Path(__file__).resolve().parents[2]
SCALE = 100
HEADER = "canary-of-the-collector-41c7"
ATTRIBUTES = {
    *("http.request.method", "http.route", "http.response.status_code", "server.address", "error.type"),
    *("tranship.request_id", "tranship.tenant_id", "tranship.run_id", "tranship.fence", "tranship.state"),
    *("tranship.problem", "tranship.stage", "tranship.phase", "tranship.purpose", "tranship.event"),
}


@dataclass(frozen=True)
class Span:
    service: str
    name: str
    trace: bytes
    own: bytes
    parent: bytes
    attributes: dict[str, Any]


@dataclass
class Collector:
    """What arrived over OTLP/HTTP."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    authorised: bool = True

    def spans(self) -> list[Span]:
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = _attributes(resource.resource.attributes)["service.name"]
                found += [
                    Span(service, one.name, one.trace_id, one.span_id, one.parent_span_id, _attributes(one.attributes))
                    for scope in resource.scope_spans
                    for one in scope.spans
                ]
        return found


def _attributes(pairs: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in pairs}


@dataclass(frozen=True)
class Traced:
    code: int
    said: str
    collector: Collector
    cells: set[str]
    runs: int


@pytest.fixture(scope="module")
def traced() -> Iterator[Traced]:
    """One demo of a clinic's move, every process of which tells its spans to the collector."""
    folder = Path(tempfile.mkdtemp(prefix="tranship-traces-"))
    folder.chmod(0o711)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRANSHIP_", "OTEL_"))}
    with collecting() as collector:
        wish = {
            "TRANSHIP_DATA_DIR": str(folder),
            "PAIR": "clinic:zoho_crm",
            "SCALE": str(SCALE),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-key={HEADER}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "app.cli", "demo"],
                cwd=ROOT,
                env=kept | wish,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            said = done.stdout + done.stderr
            runs = len(re.findall(r" run run_\w+ completed ", said))
            yield Traced(done.returncode, said, collector, cells(folder / "demo" / "export"), runs)
        finally:
            EmbeddedServers(folder / "demo").destroy()
            shutil.rmtree(folder, ignore_errors=True)


class _Stop:
    def __init__(self, server: ThreadingHTTPServer, collector: Collector) -> None:
        self._server, self._collector = server, collector

    def __enter__(self) -> Collector:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self._collector

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def collecting() -> _Stop:
    """A stand-in for a collector: takes POST /v1/traces as protobuf."""
    collector = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            right = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
            collector.authorised &= self.headers.get("x-key") == HEADER
            collector.bodies.append(body)
            self.send_response(200 if right else 400)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    return _Stop(server, collector)


def cells(folder: Path) -> set[str]:
    """What the clinic's files say of people: every cell and word long enough not to be there by chance."""
    found: set[str] = set()
    for file in folder.rglob("*"):
        if file.suffix.lower() in (".csv", ".json", ".txt", ".tsv"):
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
            found |= {cell.strip(' "') for line in lines for cell in re.split(r"[,;\t]", line)}
    return {cell for cell in found if len(cell) >= 9 and re.search(r"[ @\d]", cell)}


class TestTraces:
    def test_the_move_went_well(self, traced: Traced) -> None:
        assert traced.code == 0, traced.said
        assert traced.collector.authorised

    def test_spans_of_every_kind_arrive(self, traced: Traced) -> None:
        spans = traced.collector.spans()
        assert {one.service for one in spans} == {"tranship-api", "tranship-worker"}
        names = {one.name for one in spans}
        assert {"POST /v1/engagements/{engagement_id}/runs", "run full", "stage load", "call token"} <= names
        assert "deliver webhook" in names
        assert not {name for name in names if re.search(r"[a-z]+_[0-9a-hjkmnp-tv-z]{20,}", name)}, "a name holds an id"

    def test_a_run_belongs_to_the_request_that_asked_for_it(self, traced: Traced) -> None:
        spans = {one.own: one for one in traced.collector.spans()}
        runs = [one for one in spans.values() if one.name.startswith("run ")]
        assert len(runs) >= traced.runs > 5
        for run in runs:
            asked = spans[run.parent]
            assert (asked.service, asked.trace) == ("tranship-api", run.trace)
            assert run.attributes["tranship.run_id"].startswith("run_")  # what a client calls it
            assert run.attributes["tranship.tenant_id"].startswith("ten_")
            assert asked.name == "POST /v1/engagements/{engagement_id}/runs"

    def test_calls_stand_in_stages_and_stages_in_runs(self, traced: Traced) -> None:
        spans = {one.own: one for one in traced.collector.spans()}
        calls = [one for one in spans.values() if one.name.startswith("call ") and one.service == "tranship-worker"]
        assert len(calls) > 50
        for call in calls:
            chain, above = [], call
            while above.parent:
                above = spans[above.parent]
                chain.append(above.name.partition(" ")[0])
            assert chain[-2:] == ["run", "POST"], chain
        assert any(one.name == "stage load" and one.attributes["tranship.created"] > 0 for one in spans.values())

    def test_attributes_are_a_closed_list_of_ids_counts_and_names(self, traced: Traced) -> None:
        for one in traced.collector.spans():
            beyond = {name for name in one.attributes.keys() - ATTRIBUTES if not isinstance(one.attributes[name], int)}
            assert not beyond, (one.name, beyond)
            assert not any("?" in str(value) for value in one.attributes.values()), one

    def test_no_credential_and_no_record_value_leaves(self, traced: Traced) -> None:
        everything = b"\n".join(traced.collector.bodies)
        credentials = {value for stand_in in STAND_INS.values() for value in stand_in.credentials.values()}
        for secret in (*credentials, "tsk_", "tst_", "whsec_", "Bearer", HEADER):
            assert secret.encode() not in everything, secret
        assert len(traced.cells) > 500
        told = sorted(cell for cell in traced.cells if cell.encode() in everything)
        assert told == []


class TestOff:
    def test_without_the_variables_nothing_of_it_is_imported(self) -> None:
        code = (
            "import json, sys; import workers.main, app.runs.engine, connectors.http; from app import telemetry\n"
            "worker = sorted(name for name in sys.modules if name.startswith('opentelemetry'))\n"
            "import app.main\n"
            "with telemetry.tracing('api'), telemetry.span('x', count=1): telemetry.note(more=2)\n"
            "sdk = [name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exp'))]\n"
            "print(json.dumps([worker, sdk, telemetry.traceparent()]))"
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=kept, capture_output=True, check=True).stdout
        assert json.loads(said) == [[], [], ""]

    @pytest.mark.parametrize(
        ("environment", "wanted"),
        [
            ({}, False),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
            ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ],
    )
    def test_the_standard_variables_decide(self, environment: dict[str, str], wanted: bool) -> None:
        assert configured(environment) is wanted

    @pytest.mark.parametrize(("name", "value"), [("TRACES_EXPORTER", "zipkin"), ("EXPORTER_OTLP_PROTOCOL", "grpc")])
    def test_what_we_do_not_have_is_refused(self, name: str, value: str) -> None:
        with pytest.raises(SettingsError, match=value):
            configured({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", f"OTEL_{name}": value})
