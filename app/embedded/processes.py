"""Starting server processes that die with us, and stopping those that a killed supervisor left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from app.embedded.account import Account

GUARD = Path(__file__).with_name("guard.py")
POLL_SECONDS = 0.02
STOP_SECONDS = 20.0


def spawn(
    command: list[str], *, account: Account, log: IO[bytes], on_orphan: signal.Signals, stdin: bytes | None = None
) -> subprocess.Popen[bytes]:
    """Starts `command` under `account` in a session of its own, so that Ctrl-C reaches us and not the server.

    `on_orphan` is sent by the kernel when the calling thread ends (Linux). `stdin` is fed and closed.
    """
    drop = ("", "") if account.uid is None else (str(account.uid), str(account.gid))
    guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), *drop, str(int(on_orphan))]
    process = subprocess.Popen(
        guard + command,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    if process.stdin is not None:
        try:
            process.stdin.write(stdin or b"")
            process.stdin.close()
        except BrokenPipeError:
            process.wait()  # it ended before it read; whoever waits for readiness reports that with the log
    return process


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Polls `condition` until it holds or `seconds` passed; returns its last answer."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def stop(process: subprocess.Popen[bytes], gently: signal.Signals, firmly: signal.Signals) -> None:
    """Ends our own child: asks with `gently`, insists with `firmly` after STOP_SECONDS; returns when it is gone."""
    if process.poll() is None:
        process.send_signal(gently)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(firmly)
        process.wait()


def read_pid(path: Path) -> int | None:
    """The process id on the first line of `path`; None without one."""
    try:
        return int(path.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_alive(pid: int) -> bool:
    """Whether `pid` runs. A zombie does not: in a container without an init it may stay in the table for ever."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _stat_letter(pid) != "Z"


def stop_orphan(pid: int, program: str, folder: Path, signals: tuple[signal.Signals, ...]) -> bool:
    """Ends a server that outlived its supervisor, trying each signal in turn; True when nothing of it runs any more.

    A process that is not `program` with `folder` as working folder is somebody else who was given the same number: it
    is left alone, and counts as gone.
    """
    for each in signals:
        if not is_alive(pid) or not _is_server(pid, program, folder):
            return True
        os.kill(pid, each)
        wait_until(lambda: not is_alive(pid), STOP_SECONDS / 2)
    return not is_alive(pid)


def is_memory_attached(segment: int) -> bool | None:
    """Whether a process still uses System V shared memory `segment`; None where the system does not tell."""
    try:
        rows = Path("/proc/sysvipc/shm").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    names = rows[0].split()
    for row in rows[1:]:
        entry = dict(zip(names, row.split(), strict=False))
        if int(entry["shmid"]) == segment:
            return int(entry["nattch"]) > 0
    return False


def _stat_letter(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return "?"


def _is_server(pid: int, program: str, folder: Path) -> bool:
    """Both servers make their data folder the working folder; without /proc the command line has to do."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder) and program in Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
        return program.encode() in shown.stdout
    except OSError:
        return False
