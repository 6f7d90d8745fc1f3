"""Gives way: a worker is in no hurry, while somebody waits for every answer of an API on the same machine."""

import os
from pathlib import Path

READING = 5
"""How much further a reader gives way to the worker that sends what it has read: it is ahead of it anyway."""
_GROUP = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Lowers this process's claim to the processor by `niceness` (0 to 19) where the system knows such a thing.

    Linux may weigh sessions before processes; one that is ours alone is lowered as a whole.
    """
    if niceness <= 0 or not hasattr(os, "nice"):
        return
    os.nice(niceness)
    if os.getsid(0) == os.getpid() and _GROUP.exists():
        try:
            _GROUP.write_text(str(niceness))
        except OSError:  # forbidden in some containers, where sessions are not weighed anyway
            return
