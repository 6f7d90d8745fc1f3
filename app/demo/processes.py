"""The demo's processes: every part a real one with a log of its own, all of them gone when the demo is gone."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.demo.errors import DemoFailed
from app.embedded.processes import GUARD

STOP_SECONDS = 15.0
MOST_FAILURES = 3
POLL_SECONDS = 0.03
LOG_TAIL = 16_384
_ERROR = re.compile(r"tranship: |[A-Za-z_.]*(Error|Exception|Refused|Listen): ")
_ADDRESS = re.compile(rb" on (http://\S+)")


class Child:
    """One process of ours, started again under the same name when it has to be."""

    def __init__(self, name: str, arguments: tuple[str, ...], log: Path) -> None:
        self.name = name
        self.arguments = arguments
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def last_words(self) -> str:
        """What its log says of its end: the error a traceback ends with, else the last lines."""
        text = self.log.read_bytes()[-LOG_TAIL:].decode(errors="replace") if self.log.exists() else ""
        lines = [line for line in text.splitlines() if line.strip()]
        return "\n".join([line for line in lines if _ERROR.match(line)][-3:] or lines[-10:])


class Children:
    """Starts commands of `tranship` that end with this process: the kernel asks them to when our main thread dies."""

    def __init__(self, logs: Path, environment: dict[str, str]) -> None:
        """`environment` is added to ours."""
        self._logs = logs
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._children: dict[str, Child] = {}

    def start(self, name: str, *arguments: str) -> Child:
        """Starts `tranship ARGUMENTS`, its output in `logs/NAME.log`."""
        child = self._children[name] = Child(name, arguments, self._logs / f"{name}.log")
        self._spawn(child)
        return child

    def address(self, child: Child, seconds: float) -> str:
        """The URL that the process announces once it answers. Raises DemoFailed when it ends or stays silent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := _ADDRESS.search(child.log.read_bytes()):
                return found[1].decode()
            if child.process is None or child.process.poll() is not None:
                break
            time.sleep(POLL_SECONDS)
        raise DemoFailed(f"{child.name} did not start:\n{child.last_words()}")

    def mend(self) -> list[str]:
        """Starts workers that have ended again, as `tranship serve` does; says what it did.

        Raises DemoFailed when the API or a stand-in has ended, whose state is gone, or a worker fails again and again.
        """
        said = []
        for child in self._children.values():
            if child.process is None or (code := child.process.poll()) is None:
                continue
            child.failures += code > 0
            if child.arguments[0] != "worker" or child.failures >= MOST_FAILURES:
                raise DemoFailed(f"{child.name} has ended with code {code}:\n{child.last_words()}")
            old = child.pid
            self._spawn(child)
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            said.append(f"{child.name} (pid {old}) {how}; started again as pid {child.pid}")
        return said

    def pids(self) -> dict[str, int]:
        return {child.name: child.pid for child in self._children.values()}

    def stop(self) -> None:
        """Asks all to end, the latest first, and insists after STOP_SECONDS."""
        running = [child.process for child in reversed(self._children.values()) if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _spawn(self, child: Child) -> None:
        guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), "", "", str(int(signal.SIGTERM))]
        command = [sys.executable, "-m", "app.cli", *child.arguments]
        self._logs.mkdir(parents=True, exist_ok=True)
        with child.log.open("ab") as log:
            # a session of its own, so that Ctrl-C reaches only us and the order of stopping is ours
            child.process = subprocess.Popen(
                guard + command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
