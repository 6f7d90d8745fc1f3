"""The README's walk, taken from its text and run line by line in a shell, with ports of its own.

It needs curl and jq, as the README's reader does; without them the test says that it was not run.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("bash", "curl", "jq", "python3")
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_START_SECONDS = 90.0

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"not run: needs {', '.join(TOOLS)}"
)


def blocks() -> list[str]:
    """The shell blocks between "The road, by hand" and the next heading of that size."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    walk = text.partition("## The road, by hand")[2].partition("\n## ")[0]
    return _BLOCK.findall(walk)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def servers(commands: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """What the first block starts in terminals of their own; ready when every port answers."""
    running = []
    ports = [int(found) for command in commands for found in re.findall(r"--port (\d+)", command)]
    try:
        for number, command in enumerate(commands):
            with (folder / f"{number}.log").open("wb") as log:
                line = ["bash", "-c", f"exec env {command}"]  # `NAME=value command` is nothing that exec takes
                running.append(subprocess.Popen(line, cwd=folder, env=environment, stdout=log, stderr=log))
        deadline = time.monotonic() + _START_SECONDS
        for port in ports:
            while not _answers(port):
                assert time.monotonic() < deadline, [path.read_text() for path in folder.glob("*.log")]
                assert all(one.poll() is None for one in running), [path.read_text() for path in folder.glob("*.log")]
                time.sleep(0.05)
        yield
    finally:
        for one in running:
            one.send_signal(signal.SIGTERM)
        for one in running:
            one.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_every_line_of_the_walk_works(tmp_path: Path) -> None:
    found = blocks()
    assert len(found) > 8
    script = "\n".join(found)
    for port in ("9001", "9002", "8000"):
        script = script.replace(port, str(free_port()))
    script = script.replace(".venv/bin/tranship", f"{sys.executable} -m app.cli").replace(".data/walk", "data")
    lines = script.splitlines()
    started = [line for line in lines if re.search(r"app\.cli (sandbox|serve) ", line)]
    assert len(started) == 3
    rest = [line for line in lines if line not in started]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRANSHIP_")},
        "PYTHONPATH": str(ROOT),
    }
    with servers(started, tmp_path, environment):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(rest)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert done.returncode == 0, f"{done.stdout[-3_000:]}\n{done.stderr[-3_000:]}"
    assert '"state": "failed"' not in done.stdout, done.stdout[-3_000:]
    assert done.stdout.count('"state": "completed"') >= 8
    assert '"type": "/problems/' not in done.stdout, done.stdout[-3_000:]
