"""A whole rehearsal as the command runs it: a short one in every test run, a hundred schedules in `make soak`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.rehearsal.summing import ZEROS

PAIRS = ("servicetracker:zoho_crm", "servicetracker:freshsales")
SCHEDULES = int(os.environ.get("SOAK_SCHEDULES", "100"))
RECORDS = os.environ.get("SOAK_RECORDS", "200")
STREAMS = int(os.environ.get("SOAK_STREAMS", "3"))  # of each pair
SLOW = "a lost worker's run stood still for"


def rehearse(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, figures, and what was printed."""
    figures = folder / "figures.json"
    code, said = call(folder, "--json", str(figures), *arguments)
    found = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
    return code, found, said


def call(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed; servers of their own in `folder`."""
    environment = {**os.environ, "TRANSHIP_DATA_DIR": str(folder / "data")}
    for name in ("TRANSHIP_DATABASE_URL", "TRANSHIP_REDIS_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "app.cli", "rehearse", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_two_short_schedules_end_in_zeros_and_are_summed_up(tmp_path: Path) -> None:
    """On the same servers: the second finds fresh accounts, whatever befell the first. Pace is the soak's to judge."""
    faults = "commit_drop,drop_answer,rejects,worker_kill,database_kill,queue_flush"
    options = ("--faults", faults, "--records", "120", "--seed", "4", "--schedules", "2")
    code, _, said = rehearse(tmp_path, *options)
    folder = tmp_path / "figures.json"
    found = [json.loads((folder / f"zoho_crm-{seed:04}.json").read_text(encoding="utf-8")) for seed in (4, 5)]
    slow = [sentence for one in found for sentence in one["broken"] if SLOW in sentence]
    assert code == (1 if slow else 0), ([one["broken"] for one in found], said[-3_000:])
    for figures in found:
        assert {name: figures[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0)
        assert [sentence for sentence in figures["broken"] if SLOW not in sentence] == []
        assert figures["roots"]["before"] == figures["roots"]["after"]
        assert figures["injected"]["worker_kill"] == 2
        assert figures["injected"]["database_kill"] == 2
        assert figures["injected"]["queue_flush"] == 1
        assert figures["workers_lost"] >= 1
        assert figures["settled"] > 0
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert (summary["schedules"], len(summary["broken"])) == (2, len(slow))
    assert summary["injected"]["worker_kill"] == 4


def test_unknown_faults_are_wrong_usage(tmp_path: Path) -> None:
    code, figures, said = rehearse(tmp_path, "--faults", "meteor")
    assert code == 2
    assert figures == {}
    assert "unknown fault meteor" in said


@pytest.mark.soak
@pytest.mark.parametrize("stream", range(STREAMS))
@pytest.mark.parametrize("pair", PAIRS)
def test_a_hundred_schedules_of_all_faults_end_in_zeros(
    pair: str, stream: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the schedules for each destination, several streams of them side by side. The figures of every schedule
    stay in SOAK_DIR; SOAK_FROM goes on where an earlier one stopped, and the summary is over all that the folder holds.
    """
    seeds = range(int(os.environ.get("SOAK_FROM", "1")), SCHEDULES // len(PAIRS) + 1)
    seeds = seeds[len(seeds) * stream // STREAMS : len(seeds) * (stream + 1) // STREAMS]
    if not seeds:
        pytest.skip("fewer schedules than streams")
    folder = Path(os.environ.get("SOAK_DIR", "build/soak")).absolute()
    place = folder / f"{pair.replace(':', '-')}-{stream}"
    place.mkdir(parents=True, exist_ok=True)
    arguments = ["--pair", pair, "--seed", str(seeds.start), "--schedules", str(len(seeds)), "--records", RECORDS]
    code, said = call(place, "--json", str(folder), *arguments)
    with capsys.disabled():
        sys.stdout.write("\n" + said[said.find("All schedules so far") :])
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["broken"] == []
    assert {name: summary[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0)
    assert summary["slowest_resume"] <= 10
    assert code == 0, said[-3_000:]
