"""What every endpoint needs: configuration, store, schema, people, limits, counters and the clock."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import FaultSwitch
from connectors.zoho_crm.sandbox.editions import Edition, edition
from connectors.zoho_crm.sandbox.limits import Meter
from connectors.zoho_crm.sandbox.options import Options, read_options
from connectors.zoho_crm.sandbox.people import People
from connectors.zoho_crm.sandbox.schema import Schema
from connectors.zoho_crm.sandbox.store import Store


@dataclass(slots=True)
class Stats:
    """Our own counters, shown by `/_sandbox/stats`."""

    requests: Counter[str] = field(default_factory=Counter)
    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Crm:
    """One running org. `open()` before use, `close()` afterwards."""

    def __init__(self, config: SandboxConfig, faults: FaultSwitch) -> None:
        self.config = config
        self.options: Options = read_options(config.options)
        self.edition: Edition = edition(config.edition)
        self.zone = ZoneInfo(self.options.time_zone)
        self.faults = faults
        self.stats = Stats()
        self.disturbances: list[Callable[[], None]] = []  # how to undo what `disturbing` did to the schema
        self._temporary: Path | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        folder = self.config.state_dir
        if folder is None:
            folder = self._temporary = Path(tempfile.mkdtemp(prefix="zoho-crm-sandbox-"))
        self.files = folder / "zoho_crm_files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "zoho_crm.sqlite")
        self.schema = Schema(self.store, self.now)
        self.people = People(self.store, self.now)
        self.load()
        self.meter = Meter(self.options, self.edition, self.people.active_count, self.seconds)

    def load(self) -> None:
        """Reads what the store holds, or makes a fresh org in it."""
        self.disturbances.clear()
        self.schema.modules.clear()
        self.schema.pipelines.clear()
        self.schema.global_picklists.clear()
        self.schema.load(currency=self.options.currency)
        self.people.load()

    def background(self, job: Coroutine[Any, Any, None]) -> None:
        """Runs a bulk job beside the requests until it ends or the sandbox stops."""
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def stop(self) -> None:
        """Ends the jobs that still run."""
        for task in self._jobs:
            task.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def close(self) -> None:
        self.store.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def seconds(self) -> float:
        return self.config.clock().timestamp()

    def now(self) -> int:
        """Whole seconds since the epoch: the resolution of Zoho's times."""
        return int(self.seconds())

    def search_lag(self) -> float:
        """Seconds until search finds a change: a fault value beats the option (Zoho fact sheet section 14)."""
        return self.faults.values.get("search_lag_seconds", self.options.search_lag_seconds)
