"""A whole rehearsal as the command runs it: a short one in every test run, a hundred schedules in `make soak`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_ZEROS = ("duplicates", "missing", "unknown", "without_end", "unbalanced", "unequal_roots", "discrepancies")
SCHEDULES = int(os.environ.get("SOAK_SCHEDULES", "100"))


def rehearse(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, figures, and what was printed."""
    figures = folder / "figures.json"
    environment = {**os.environ, "TRANSHIP_DATA_DIR": str(folder / "data")}
    for name in ("TRANSHIP_DATABASE_URL", "TRANSHIP_REDIS_URL"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "rehearse", "--json", str(figures), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
    return done.returncode, found, done.stdout + done.stderr


def test_a_short_rehearsal_ends_in_zeros(tmp_path: Path) -> None:
    faults = "commit_drop,drop_answer,rejects,worker_kill,database_kill,queue_flush"
    code, figures, said = rehearse(tmp_path, "--faults", faults, "--records", "120", "--seed", "4")
    assert code == 0, (figures.get("broken"), said[-3_000:])
    assert {name: figures[name] for name in _ZEROS} == dict.fromkeys(_ZEROS, 0)
    assert figures["broken"] == []
    assert figures["roots"]["before"] == figures["roots"]["after"]
    assert figures["injected"]["worker_kill"] == 2
    assert figures["injected"]["database_kill"] == 2
    assert figures["injected"]["queue_flush"] == 1
    assert figures["workers_lost"] >= 1


def test_unknown_faults_are_wrong_usage(tmp_path: Path) -> None:
    code, figures, said = rehearse(tmp_path, "--faults", "meteor")
    assert code == 2
    assert figures == {}
    assert "unknown fault meteor" in said


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, SCHEDULES + 1))
def test_a_schedule_of_all_faults_ends_in_zeros(
    tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    pair = ("servicetracker:zoho_crm", "servicetracker:freshsales")[seed % 2]
    code, figures, said = rehearse(tmp_path, "--pair", pair, "--seed", str(seed), "--records", "200")
    record_property("figures", json.dumps(figures))
    assert code == 0, (figures.get("broken"), said[-3_000:])
    assert {name: figures[name] for name in _ZEROS} == dict.fromkeys(_ZEROS, 0)
    assert figures["slowest_resume"] <= 10
