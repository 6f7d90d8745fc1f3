"""The demo through the command line, in a data folder of its own: exit code, JSON, papers, nothing left behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.embedded import EmbeddedServers

ROOT = Path(__file__).resolve().parents[2]
SCALE = 100
OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined", "held")
TARGETS = {
    ("Account", "Accounts"),
    ("Contact", "Contacts"),
    ("ServiceResource", "Contacts"),
    ("WorkOrder", "Deals"),
    ("ServiceContract", "Contracts_C"),
    ("Asset", "Assets_C"),
    ("Product2", "Products"),
    ("ProductConsumed", "Work_Order_Parts"),
    ("Task", "Tasks"),
    ("Event", "Tasks"),
    ("Event", "Events"),
    ("Note", "Notes"),
    ("File", "Attachments"),
}


@dataclass(frozen=True)
class Ended:
    code: int
    said: str
    found: dict[str, Any]
    data: Path


@pytest.fixture(scope="module")
def demo() -> Iterator[Ended]:
    """One demo with a rollback."""
    # not pytest's own folder, which is closed to the account that root hands the servers to
    folder = Path(tempfile.mkdtemp(prefix="tranship-demo-"))
    folder.chmod(0o711)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRANSHIP_")}
    wish = {"TRANSHIP_DATA_DIR": str(folder), "SCALE": str(SCALE), "ROLLBACK": "1"}
    wish["DEMO_JSON"] = str(folder / "found" / "demo.json")
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
        file = Path(wish["DEMO_JSON"])
        yield Ended(done.returncode, said, json.loads(file.read_text()) if file.exists() else {}, folder / "demo")
    finally:
        EmbeddedServers(folder / "demo").destroy()
        shutil.rmtree(folder, ignore_errors=True)


class TestDemo:
    def test_everything_holds(self, demo: Ended) -> None:
        assert "does not hold" not in demo.said, demo.said
        assert demo.code == 0, demo.said

    def test_the_json_has_the_agreed_shape(self, demo: Ended) -> None:
        assert list(demo.found) == [
            *("pair", "seconds", "objects", "sample", "reconciliation", "delta", "calls", "rollback"),
            "webhooks_delivered",
        ]
        assert demo.found["pair"] == "servicetracker:zoho_crm"
        for row in demo.found["objects"]:
            assert list(row) == ["object", "target", "read", *OUTCOMES]

    def test_each_record_has_one_end(self, demo: Ended) -> None:
        rows = demo.found["objects"]
        assert {(row["object"], row["target"]) for row in rows} >= TARGETS
        for row in rows:
            assert row["read"] == sum(row[name] for name in OUTCOMES), row
        assert sum(row["created"] for row in rows) > SCALE // 2

    def test_read_back_without_a_difference(self, demo: Ended) -> None:
        assert demo.found["sample"]["records"] > 0
        assert demo.found["sample"]["diff_fields"] > 0
        assert demo.found["sample"]["diff_mismatches"] == 0
        assert demo.found["reconciliation"]["checked_records"] > 0
        assert demo.found["reconciliation"]["checked_fields"] > demo.found["reconciliation"]["checked_records"]
        assert demo.found["reconciliation"]["discrepancies"] == 0

    def test_the_delta_brought_what_changed(self, demo: Ended) -> None:
        delta = demo.found["delta"]
        assert delta["created"] > 0
        assert delta["updated"] > 0
        assert delta["deleted_at_source"] == 3
        assert delta["merged_at_source"] == 2
        assert delta["discrepancies"] == 0

    def test_calls_stay_within_the_forecast(self, demo: Ended) -> None:
        calls = demo.found["calls"]
        assert 0 < calls["made"] <= calls["forecast"]
        assert calls["rejected_429"] == 0

    def test_the_rollback_gave_back_the_destination(self, demo: Ended) -> None:
        assert demo.found["rollback"] == {"equal": True, "kept_edits": 0}

    def test_webhooks_arrived(self, demo: Ended) -> None:
        assert demo.found["webhooks_delivered"] > 10

    def test_papers_are_kept(self, demo: Ended) -> None:
        papers = demo.data / "demo-reports"
        kinds = {path.stem.partition("-")[2] for path in papers.glob("[0-9]*.json")}
        assert kinds >= {"preflight", "gap", "provisioning", "readback", "reconcile", "delta", "rollback"}
        assert (papers / "mapping.xlsx").read_bytes()[:2] == b"PK"
        assert (papers / "audit.ndjson").stat().st_size > 0
        names = {path.name.partition("-")[2] for path in (papers / "files").iterdir()}
        assert names >= {"portal_users.csv", "dispatch_schedule.csv", "renewal_rules.json", "automation_inventory.json"}

    def test_nothing_is_left_running(self, demo: Ended) -> None:
        assert EmbeddedServers.attach(demo.data) is None
        environments = [path for path in Path("/proc").glob("[0-9]*/environ") if _mentions(path, demo.data)]
        assert environments == []


def _mentions(environ: Path, folder: Path) -> bool:
    """Whether a living process was started for this data folder; a zombie's environment reads empty."""
    try:
        return f"TRANSHIP_DATA_DIR={folder}".encode() in environ.read_bytes()
    except OSError:
        return False
