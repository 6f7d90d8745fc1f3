"""The parts one running sandbox shares between its routes."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

from fastapi import Request

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import FaultSwitch
from connectors.servicetracker.sandbox.bulk_jobs import BulkJobs
from connectors.servicetracker.sandbox.cursors import Cursors
from connectors.servicetracker.sandbox.errors import ApiError, not_found
from connectors.servicetracker.sandbox.fields import SObject
from connectors.servicetracker.sandbox.schema import find_object
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.tokens import TokenBook
from connectors.servicetracker.sandbox.usage import RollingDay, Statistics

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 4
OLDEST_VERSION, NEWEST_VERSION = 50, 67
LARGEST_BODY = 64 * 1024 * 1024
# Daily requests by edition with the eleven licences of the generated account (source fact sheet section 1.6).
DAILY_REQUESTS = {"developer": 15_000, "enterprise": 111_000, "unlimited": 155_000, "full_sandbox": 5_000_000}
OPTIONS = frozenset(
    {
        "bulk",
        "bulk_polls",
        "client_id",
        "client_secret",
        "content_links",
        "cursor_ttl",
        "daily_bulk_jobs",
        "daily_requests",
        "open_cursors",
        "password",
        "refresh_token",
        "rotate_refresh_token",
        "today",
        "token_ttl",
        "username",
    }
)


@dataclass(slots=True)
class Sandbox:
    """Configuration and state of one instance."""

    config: SandboxConfig
    store: Store
    tokens: TokenBook
    cursors: Cursors
    jobs: BulkJobs
    faults: FaultSwitch
    calls: RollingDay
    folder: Path
    statistics: Statistics = field(default_factory=Statistics)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "servicetracker"))

    @property
    def daily_requests(self) -> int:
        return int(self.config.options.get("daily_requests") or DAILY_REQUESTS[self.config.edition or "enterprise"])

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs blocking work on one of the few threads that hold database connections."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: work(*args, **kwargs))


def check_options(options: Mapping[str, str], edition: str | None) -> None:
    """Raises ValueError for an option or an edition the sandbox does not know."""
    if unknown := sorted(set(options) - OPTIONS):
        raise ValueError(f"unknown options of the servicetracker sandbox: {', '.join(unknown)}")
    if edition is not None and edition not in DAILY_REQUESTS:
        raise ValueError(f"unknown edition {edition!r}; one of {', '.join(DAILY_REQUESTS)}")


def sandbox_of(request: Request) -> Sandbox:
    found: Sandbox = request.app.state.sandbox
    return found


def data_path(request: Request) -> str:
    """`/services/data/v59.0` of this request; raises 404 NOT_FOUND for a version outside v50..v67."""
    version: str = request.path_params["version"]
    whole, _, rest = version.partition(".")
    if not whole.isdigit() or rest != "0" or not OLDEST_VERSION <= int(whole) <= NEWEST_VERSION:
        raise not_found()
    return f"/services/data/v{version}"


def object_of(request: Request) -> SObject:
    found = find_object(request.path_params["sobject"])
    if found is None:
        raise not_found()
    return found


async def body_of(request: Request) -> bytes:
    """The request body, refused above 64 MiB."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise ApiError(413, "REQUEST_ENTITY_TOO_LARGE", "The request body is too large")
        parts.append(part)
    return b"".join(parts)
