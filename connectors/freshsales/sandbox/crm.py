"""What every endpoint needs: configuration, store, schema, lists, quota, counters and the clock."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.freshsales.sandbox.book import Book
from connectors.freshsales.sandbox.options import Options, read_options
from connectors.freshsales.sandbox.plans import Plan, plan
from connectors.freshsales.sandbox.quota import Quota
from connectors.freshsales.sandbox.schema import Schema
from connectors.freshsales.sandbox.store import Store
from connectors.freshsales.sandbox.times import shown_seconds
from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import FaultSwitch


@dataclass(slots=True)
class Stats:
    """Our own counters, shown by `/_sandbox/stats`."""

    requests: Counter[str] = field(default_factory=Counter)
    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    most_jobs: int = 0


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"option 'time_zone' is not a known zone: {name!r}") from error


class Crm:
    """One running account. `open()` before use, `close()` afterwards."""

    def __init__(self, config: SandboxConfig, faults: FaultSwitch) -> None:
        self.config = config
        self.options: Options = read_options(config.options)
        self.plan: Plan = plan(config.edition)
        self.zone = _zone(self.options.time_zone)
        self.faults = faults
        self.stats = Stats()
        self.disturbances: list[Callable[[], None]] = []  # how to undo what `disturbing` did to the schema
        self.jobs: dict[int, float] = {}  # bulk jobs in flight and when each is due
        self._temporary: Path | None = None

    def open(self) -> None:
        folder = self.config.state_dir
        if folder is None:
            folder = self._temporary = Path(tempfile.mkdtemp(prefix="freshsales-sandbox-"))
        self.files = folder / "freshsales_files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "freshsales.sqlite")
        self.schema = Schema(self.store, self.plan, self.options)
        self.book = Book(self.store, self.plan, self.options.currency)
        self.quota = Quota(self.options, self.plan, self.seconds)
        self.load()

    def load(self) -> None:
        """Reads what the store holds, or makes a fresh account in it."""
        self.disturbances.clear()
        self.book.load()
        self.schema.load()
        self.jobs = {job["id"]: job["due"] for job in self.store.documents("job")}

    def close(self) -> None:
        self.store.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def seconds(self) -> float:
        return self.config.clock().timestamp()

    def now(self) -> int:
        """Whole seconds since the epoch: the resolution of the vendor's times (fact sheet section 1)."""
        return int(self.seconds())

    def utc_now(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def when(self, seconds: int) -> str:
        return shown_seconds(seconds, self.zone)

    def search_horizon(self) -> float:
        """What was created after this moment is not yet in the search index (fact sheet section 10)."""
        lag = self.faults.values.get("search_lag_seconds", self.options.search_lag_seconds)
        return self.seconds() - lag

    @property
    def storage_limit(self) -> int:
        """Bytes of files for the whole account: per user, pooled (fact sheet sections 8 and 16)."""
        return self.options.storage_bytes or self.plan.storage_per_user * self.book.active_users()
