"""What a stage works with: the run, its engagement, the two platforms, and the flags that tell it to stop."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from uuid import UUID

import asyncpg
import orjson

from app.domain.mapping import MappingDocument
from app.runs.claims import Lease
from app.runs.handover import Handover
from app.runs.ledger import Book
from app.runs.resolved import ResolvedIds
from app.runs.staging import Scope, Staging
from app.runs.wire import Wire
from app.runtime import Runtime
from app.security import DataKey
from connectors.base import CallMeter, Destination, Platform, Source


class Stopped(Exception):
    """The stage gave up its place in good order: everything it knows is committed."""


LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class RunRow:
    id: UUID
    tenant_id: UUID
    engagement_id: UUID
    kind: str
    destination_id: UUID | None
    mapping_id: UUID | None
    parent_run_id: UUID | None
    options: dict[str, Any]
    started_at: datetime = LONG_AGO


@dataclass(slots=True)
class StageRow:
    """One node of the plan as stored; `cursor` and `detail` are the stage's own memory across workers."""

    key: str
    kind: str
    phase: str
    load: str
    after: tuple[str, ...]
    state: str
    cursor: str
    total: int | None
    counts: dict[str, Any]
    detail: dict[str, Any]


class OpenConnection(Protocol):
    """Opens the engagement's connection by role or id; closed when the run is put down."""

    async def __call__(self, role: str, connection_id: UUID | None, meter: CallMeter) -> Source | Destination: ...


class Extracting(Protocol):
    """Extracts elsewhere what would keep the worker busy (see `reader`)."""

    async def extract(self, work: "Work", stage: StageRow) -> None: ...


@dataclass(slots=True)
class Work:
    """Shared by all stages of one run while one worker drives it."""

    runtime: Runtime
    run: RunRow
    lease: Lease
    key: DataKey
    source_platform: Platform
    destination_platform: Platform
    stack: AsyncExitStack
    staging: Staging
    open_connection: OpenConnection
    calls_before: dict[str, Any] = field(default_factory=dict)
    document: MappingDocument | None = None
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    stopping: str = ""
    source_meter: CallMeter = field(default_factory=CallMeter)
    destination_meter: CallMeter = field(default_factory=CallMeter)
    cache: dict[str, Any] = field(default_factory=dict)
    advanced: int = 0
    """Ends booked and stages finished by this worker: a run that advances is not hindered for long."""
    calm: asyncio.Event = field(default_factory=asyncio.Event)
    handover: Handover = field(default_factory=Handover)
    reader: Extracting | None = None
    resolved: ResolvedIds = field(default_factory=ResolvedIds)
    _wire: Wire | None = None
    _hurried: set[object] = field(default_factory=set)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _source: Source | None = None
    _destination: Destination | None = None

    def __post_init__(self) -> None:
        self.calm.set()

    def wire(self, places: int) -> Wire:
        """The run's places for calls to the destination, shared by all its loads."""
        if self._wire is None:
            self._wire = Wire(places)
        return self._wire

    def hurry(self) -> Callable[[], None]:
        """A load is about to send its first records: stages that only prepare wait for `calm`.

        To be called back (more than once does no harm) as soon as records are on their way, or will not be.
        """
        token = object()
        self._hurried.add(token)
        self.calm.clear()

        def relax() -> None:
            self._hurried.discard(token)
            if not self._hurried:
                self.calm.set()

        return relax

    async def source(self) -> Source:
        """The source platform, opened on first use."""
        async with self._opening:
            if self._source is None:
                self._source = cast("Source", await self.open_connection("source", None, self.source_meter))
            return self._source

    async def destination(self) -> Destination:
        """The run's destination (production or rehearsal), opened on first use."""
        async with self._opening:
            if self._destination is None:
                opened = await self.open_connection("destination", self.run.destination_id, self.destination_meter)
                self._destination = cast("Destination", opened)
            return self._destination

    def object_name(self, key: str) -> str:
        """The API name of an object at the destination (ruling 15)."""
        return self.names.get((key, ""), key)

    def field_name(self, object_key: str, key: str) -> str:
        """The API name of a field at the destination."""
        return self.names.get((object_key, key), key)

    def now(self) -> datetime:
        return self.runtime.now()

    def stop(self, reason: str) -> None:
        """Asks every stage to end in good order. `reason`: pause | cancel | shutdown | failure."""
        self.stopping = self.stopping or reason

    def check_stop(self) -> None:
        """Raises Stopped when somebody asked for it, LeaseLost when the lease is gone."""
        if self.lease.requested:
            self.stop(self.lease.requested)
        if self.stopping or self.lease.lost:
            raise Stopped

    @property
    def options(self) -> dict[str, Any]:
        """The run's options; a stage may add to them what later stages go by (it stores them too)."""
        return self.run.options

    @property
    def book(self) -> Book:
        """The ledger at the run's destination."""
        if self.run.destination_id is None:
            raise RuntimeError("this kind of run has no destination")
        return Book(self.run.tenant_id, self.run.engagement_id, self.run.destination_id, self.run.id)

    def mapping(self) -> MappingDocument:
        if self.document is None:
            raise RuntimeError("this kind of run has no mapping")
        return self.document

    def scope(self, object_name: str) -> Scope:
        """Which staged records this run is about."""
        batch = self.options.get("batch")
        if batch is not None:
            return Scope(batch=int(batch))
        sample = self.options.get("sample")
        if sample is not None:
            return Scope(ids=tuple(sample.get(object_name, ())))
        return Scope()

    def transaction(self) -> Any:
        """A raw connection in one transaction for the run's tenant. It outlives a stopped worker by two leases."""
        return self.runtime.db.connection(self.run.tenant_id, idle_seconds=2 * self.lease.seconds)

    def seal_before(self, source_id: str, values: Mapping[str, Any]) -> bytes:
        """What the destination held before we touched it."""
        return self.key.seal(orjson.dumps(values), b"before\x00" + source_id.encode())

    def open_before(self, source_id: str, sealed: bytes) -> dict[str, Any]:
        values: dict[str, Any] = orjson.loads(self.key.unseal(sealed, b"before\x00" + source_id.encode()))
        return values

    async def save_settled(self, connection: "asyncpg.Connection[Any]", stage: StageRow) -> None:
        """Stores only how many ends are booked: cursor and counts of what was taken are saved with what they announce,
        perhaps at this moment.
        """
        await connection.execute(
            "UPDATE run_stages SET counts = counts || $3 WHERE run_id = $1 AND key = $2",
            *(self.run.id, stage.key, {"settled": stage.counts.get("settled", 0)}),
        )

    async def save_stage(self, connection: "asyncpg.Connection[Any]", stage: StageRow) -> None:
        """Stores a stage's progress in the caller's transaction."""
        await connection.execute(
            "UPDATE run_stages SET cursor = $3, total = $4, counts = $5, detail = $6 WHERE run_id = $1 AND key = $2",
            *(self.run.id, stage.key, stage.cursor, stage.total, stage.counts, stage.detail),
        )
