"""Folders that the servers' account can enter, and supervisors in processes of their own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.embedded import EmbeddedServers

ROOT = Path(__file__).resolve().parents[2]

# Starts the pair of folder argv[1], tells its state, and lives until its standard input closes. With argv[2] =
# "orphans" the servers are not told to end with it, as on systems without that ability.
SUPERVISOR = """
import sys
from pathlib import Path
import app.embedded.servers as servers
if sys.argv[2] == "orphans":
    spawn = servers.spawn
    servers.spawn = lambda command, **options: spawn(command, **(options | {"on_orphan": 0}))
pair = servers.EmbeddedServers(Path(sys.argv[1]), durable=False)
try:
    pair.start()
except servers.EmbeddedServersError as problem:
    print(type(problem).__name__, problem, flush=True)
    sys.exit(3)
print((Path(sys.argv[1]) / "state.json").read_text(), flush=True)
sys.stdin.read()
pair.stop()
"""


class Supervisor:
    """A process that runs the pair of `folder`."""

    def __init__(self, folder: Path, mode: str, *, python: str, user: dict[str, object]) -> None:
        packages = os.pathsep.join(path for path in sys.path if path.endswith(("site-packages", ".deps")))
        self.process = subprocess.Popen(
            [python, "-c", SUPERVISOR, str(folder), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={"PYTHONPATH": f"{ROOT}{os.pathsep}{packages}", "PATH": os.defpath},
            **user,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode()

    @property
    def state(self) -> dict[str, object]:
        return json.loads(self.said)

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Lets it end in order, if it still can."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


def end_servers(folder: Path) -> None:
    """Ends what a failed test left running in `folder`."""
    for name in ("postgres/postmaster.pid", "valkey/valkey.pid"):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / name).read_text().split()[0]), signal.SIGKILL)


@pytest.fixture(scope="session")
def initialised() -> Iterator[Path]:
    """A pair's folder after its first start."""
    parent = Path(tempfile.mkdtemp(prefix="tranship-embedded-"))
    parent.chmod(0o755)
    with EmbeddedServers(parent / "data", durable=False):
        pass
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def seeded(initialised: Path) -> Iterator[Path]:
    """A folder whose cluster exists already, shared by tests that leave it stopped: a first start takes a second."""
    yield initialised
    end_servers(initialised)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder to be made below one that everybody can enter; servers left in it are ended."""
    parent = Path(tempfile.mkdtemp(prefix="tranship-embedded-"))
    parent.chmod(0o755)
    try:
        yield parent / "data"
    finally:
        end_servers(parent / "data")
        shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def supervise() -> Iterator[Callable[..., Supervisor]]:
    """Starts supervisors and ends those that a test left."""
    started: list[Supervisor] = []

    def start(folder: Path, mode: str = "normal", *, python: str = sys.executable, **user: object) -> Supervisor:
        started.append(Supervisor(folder, mode, python=python, user=user))
        return started[-1]

    yield start
    for each in started:
        each.close()
