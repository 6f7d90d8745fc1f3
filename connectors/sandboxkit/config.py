"""How a sandbox is started: edition, seed, size, state and the clock it lives by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """One sandbox instance.

    `scale` is the approximate number of records to generate (0 = an empty account). `state_dir` keeps the SQLite
    file; without it the sandbox uses a temporary folder that is removed when it stops. `csv_dir` fills the sandbox
    from a folder of CSV files instead of the generator. `options` are vendor-specific switches, for facts on which
    the sources disagree.
    """

    edition: str | None = None
    seed: int = 1
    scale: int = 0
    state_dir: Path | None = None
    csv_dir: Path | None = None
    clock: Callable[[], datetime] = utc_now
    options: Mapping[str, str] = field(default_factory=dict)
