"""Processor time of named processes with their children, from the kernel's books (Linux)."""

import os
import time
from pathlib import Path

from app.embedded import EmbeddedServers

_TICKS = os.sysconf("SC_CLK_TCK")


class Processor:
    """How many cores each part kept busy between `begin` and `end`."""

    def __init__(self, parts: dict[str, int]) -> None:
        self._parts = dict(parts)
        self._before: dict[str, float] = {}
        self._began = 0.0

    def add_servers(self, servers: EmbeddedServers) -> None:
        assert servers._postgres is not None
        assert servers._valkey is not None
        self._parts |= {"postgresql": servers._postgres.pid, "valkey": servers._valkey.pid}

    def begin(self) -> None:
        self._began = time.monotonic()
        self._before = self._now()

    def end(self) -> dict[str, float]:
        wall = time.monotonic() - self._began
        after = self._now()
        return {name: round((after[name] - self._before[name]) / wall, 3) for name in self._parts}

    def _now(self) -> dict[str, float]:
        return {name: _seconds(pid) for name, pid in self._parts.items()}


def _seconds(pid: int) -> float:
    """Of a process and all below it, those that have ended included."""
    total = 0.0
    for one in _family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / _TICKS
    return total


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return found
