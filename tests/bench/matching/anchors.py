"""The matchers to beat on the same pairs: rapidfuzz on names and labels, and COMA in an environment of its own."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from app.domain.matching.names import split
from tests.bench.matching.tasks import Task

ROOT = Path(__file__).parents[3]
PATIENCE = 600


class NotMeasured(Exception):
    """A matcher could not be run here; the text says why."""


def _texts(task: Task, which: str, side: str) -> list[str]:
    return [" ".join(split(getattr(one, which) or one.name)) for one in getattr(task, side).columns]


def rapidfuzz_scores(task: Task) -> np.ndarray:
    """The better token-set ratio of names and labels; token-sort breaks ties."""
    pairs = [(_texts(task, which, "source"), _texts(task, which, "target")) for which in ("label", "name")]
    best = np.max([process.cdist(a, b, scorer=fuzz.token_set_ratio) for a, b in pairs], axis=0)
    ties = np.max([process.cdist(a, b, scorer=fuzz.token_sort_ratio) for a, b in pairs], axis=0)
    return best / 100 + ties / 1e4


def coma_scores(tasks: Sequence[Task]) -> list[np.ndarray]:
    """COMA (valentine's, pure Python) over labels of all pairs. Raises NotMeasured where it cannot be had.

    It brings pandas and older releases of packages that the project pins, hence the process and environment of its own.
    """
    names = [(_texts(one, "shown", "source"), _texts(one, "shown", "target")) for one in tasks]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["bench"]
    command = [str(Path(sys.executable).with_name("uv")), "run", "--quiet", "--no-project", "--isolated"]
    command += ["--python", sys.executable, *(word for one in wanted for word in ("--with", one))]
    command += ["python", str(Path(__file__).with_name("coma.py"))]
    plain = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    try:
        done = subprocess.run(
            command, input=json.dumps(names), capture_output=True, text=True, timeout=PATIENCE, env=plain, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise NotMeasured(f"COMA was not run: {wrong.__class__.__name__}") from wrong
    if done.returncode:
        raise NotMeasured(f"COMA was not run: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:160]}")
    return [np.array(one) for one in json.loads(done.stdout)]
