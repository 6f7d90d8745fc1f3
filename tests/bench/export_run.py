"""Drives the engine through the bench's job: a claimed run with its lease, stages, ledger, audit log and throttle."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from app.db import plain_url
from app.domain.compiling import compile_load
from app.domain.mapping import Load
from app.domain.planning import PlanFacts, RunKind, plan_run
from app.domain.schema import Inventory
from app.engagements.tokens import ConnectionTokens
from app.fresh import new_id
from app.runs.claims import claim
from app.runs.deciding import Owners
from app.runs.reader import Reader, Task
from app.runs.scheduling import Stage, run_stages
from app.runs.stages.extract import extract
from app.runs.stages.load import load
from app.runs.staging import Staging
from app.runs.work import RunRow, StageRow, Work
from app.runtime import Runtime
from app.security import DataKey
from connectors.base import CallMeter, ConnectionContext, Destination, ObjectFacts, ProbeStyle, Source
from connectors.throttle import AccountThrottle
from connectors.zoho_crm import PLATFORM as ZOHO
from connectors.zoho_crm.settings import ZohoCredentials
from tests.bench.export_job import document, target_object
from tests.bench.export_reader import bench_runtime, source_inventory
from tests.bench.export_schema import source_objects
from tests.bench.export_source import ExportSource

TABLES = "staged, staged_changes, ledger, intents, audit_blocks, audit_heads"
# The sink takes upserts and nothing else: what it holds already cannot be asked, but an upsert can be repeated.
PLATFORM = replace(ZOHO, objects={"*": ObjectFacts(probe=ProbeStyle.REPEAT)})
_LARGE = 2_000_000_000  # bytes of earlier measurements that may stay
STAGES: Mapping[str, Stage] = {"extract": extract, "load": load}


class Job:
    """Rows of one engagement in the database. `again` takes up the engagement of an earlier process."""

    def __init__(self, again: str = "") -> None:
        names = ("tenant", "engagement", "destination")
        self.ids: dict[str, UUID] = {name: new_id() for name in names}
        if again:
            self.ids = dict(zip(names, map(UUID, again.split(",")), strict=True))
        self.again = bool(again)
        self.run_id = new_id()

    async def insert(self, runtime: Runtime, dsn: str, key: bytes) -> bytes:
        """Inserts what the API would have inserted; returns the engagement's sealed key. Old jobs may go."""
        ids = self.ids
        owner = await asyncpg.connect(plain_url(dsn))
        try:
            if not self.again:
                if await owner.fetchval("SELECT pg_relation_size('staged')") > _LARGE:
                    await owner.execute(f"TRUNCATE {TABLES}")
                await self._insert_engagement(owner, key)
            await owner.execute(
                "INSERT INTO runs (id, tenant_id, engagement_id, kind, state, requested, destination_id, options,"
                " forecast, counts, calls, problem, fence, lease_owner, next_at, attempts, created_at)"
                " VALUES ($1, $2, $3, 'full', 'queued', '', $4, '{}', '{}', '{}', '{}', '{}', 0, '', $5, 0, $5)",
                *(self.run_id, ids["tenant"], ids["engagement"], ids["destination"], runtime.now()),
            )
            sealed = await owner.fetchval("SELECT data_key FROM engagements WHERE id = $1", ids["engagement"])
            return bytes(sealed)
        finally:
            await owner.close()

    async def _insert_engagement(self, owner: "asyncpg.Connection[Any]", key: bytes) -> None:
        ids = self.ids
        await owner.execute(
            "INSERT INTO tenants (id, name, kind, created_at) VALUES ($1, 'bench', 'customer', now())", ids["tenant"]
        )
        await owner.execute(
            "INSERT INTO engagements (id, tenant_id, name, source, destination, state, settings, calendar, data_key,"
            " batch, revision, created_at, updated_at)"
            " VALUES ($1, $2, 'bench', 'export', 'zoho_crm', 'draft', '{}', '{}', $3, 0, 1, now(), now())",
            *(ids["engagement"], ids["tenant"], key),
        )
        await owner.execute(
            "INSERT INTO connections (id, tenant_id, engagement_id, role, platform, name, state, problem, config,"
            " credentials, facts, budget, created_at, updated_at) VALUES ($1, $2, $3, 'destination', 'zoho_crm', '',"
            " 'ready', '{}', '{}', 'sealed', '{}', '{}', now(), now())",
            *(ids["destination"], ids["tenant"], ids["engagement"]),
        )


def compiled(one: Load, sources: Mapping[str, Any]) -> Any:
    """The load with the sink's own ids as external ids: the shared job writes them without our prefix."""
    job = document()
    target = target_object(one)
    made = compile_load(
        one,
        source=sources[one.source_object],
        target=target,
        names={},
        objects={other.key: other.target_object for other in job.loads},
        encoding=PLATFORM.encoding,
        value_maps=job.value_maps,
        platform="export",
        key_field="",
        related=sources,
    )
    return made, target


def known(runtime: Runtime, concurrency: int) -> dict[str, Any]:
    """What discovery and the owners' answers would have left for the stages."""
    job, sources = document(), source_objects()
    targets = tuple(target_object(one) for one in job.loads)
    now = runtime.now()
    facts: dict[str, Any] = {"concurrency": concurrency}
    return {
        "source_inventory": source_inventory(runtime),
        "target_inventory": Inventory(
            platform="zoho_crm", taken_at=now, edition="enterprise", objects=targets, facts=facts
        ),
        "owners": Owners(users={}, emails={}, fallback=None),
        **{f"compiled:{one.key}": compiled(one, sources) for one in job.loads},
    }


def stage_rows() -> list[StageRow]:
    """The plan of a full run in which phases overlap; files are read one after the other, in the order of the loads."""
    plan = plan_run(RunKind.FULL, document(), PlanFacts(), overlap=True)
    rows = []
    before: tuple[str, ...] = ()
    for stage in plan.stages:
        if stage.kind.value not in STAGES:
            continue  # the bench checks the sink by its digests, as for every peer
        after = before if stage.kind.value == "extract" else (*stage.after, stage.streams_from)
        detail = {"virgin": True} if stage.kind.value == "load" else {}  # the sink has no query to ask
        rows.append(
            StageRow(stage.key, stage.kind.value, stage.phase, stage.name, after, "pending", "", None, {}, detail)
        )
        if stage.kind.value == "extract":
            before = (stage.key,)
    return rows


def opener(runtime: Runtime, job: Job, url: str, concurrency: int, stack: AsyncExitStack) -> Any:
    """Opens the export as source and the sink as a Zoho org."""

    async def open_connection(role: str, connection_id: UUID | None, meter: CallMeter) -> Source | Destination:
        if role == "source":
            return ExportSource(Path(os.environ["BENCH_DATA"]))
        assert connection_id is not None
        assert PLATFORM.destination is not None
        context = ConnectionContext(
            credentials=ZohoCredentials.model_validate(
                {"client_id": "bench", "client_secret": "bench-secret", "refresh_token": "bench-refresh"}
            ),
            config={"base_url": url, "accounts_url": url, "upload_url": url},
            tokens=ConnectionTokens(runtime, job.ids["tenant"], connection_id, b"sealed"),
            throttle=AccountThrottle(clock=runtime.now, concurrency=concurrency, heavy_concurrency=concurrency),
            clock=runtime.now,
            meter=meter,
        )
        destination = PLATFORM.destination(context)
        stack.push_async_callback(destination.close)
        return destination

    return open_connection


async def drive(process: asyncio.subprocess.Process) -> None:
    """Does the whole job that BENCH_DATA, BENCH_URL, BENCH_CONC and BENCH_DSN describe, and reports on stdout."""
    dsn, url, concurrency = os.environ["BENCH_DSN"], os.environ["BENCH_URL"], int(os.environ.get("BENCH_CONC", "10"))
    job = Job(os.environ.get("BENCH_AGAIN", ""))
    runtime = bench_runtime(dsn)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runtime.db.close)
        fresh = runtime.keys.seal(DataKey.generate(), place=runtime.data_key_place(job.ids["engagement"]))
        sealed = await job.insert(runtime, dsn, fresh)
        lease = await claim(runtime, job.run_id, job.ids["tenant"], "bench", runtime.now())
        assert lease is not None
        keeper = asyncio.create_task(lease.keep())
        key = runtime.data_key(job.ids["engagement"], sealed)
        clear = runtime.keys.unseal(sealed, place=runtime.data_key_place(job.ids["engagement"]))
        task = Task(job.run_id, job.ids["tenant"], job.ids["engagement"], lease.fence, clear)
        reader = Reader((), {}, task, process=process)
        stack.push_async_callback(reader.close)
        work = Work(
            runtime=runtime,
            run=RunRow(
                *(job.run_id, job.ids["tenant"], job.ids["engagement"], "full", job.ids["destination"]),
                *(None, None, {}),
            ),
            lease=lease,
            key=key,
            source_platform=PLATFORM,
            destination_platform=PLATFORM,
            stack=stack,
            staging=Staging(job.ids["engagement"], job.ids["tenant"], key),
            open_connection=opener(runtime, job, url, concurrency, stack),
            document=document(),
            reader=reader,
            cache=known(runtime, concurrency),
        )
        stages = stage_rows()
        async with work.transaction() as connection:
            await connection.executemany(
                "INSERT INTO run_stages (run_id, key, tenant_id, ordinal, kind, phase, load, after, state, cursor,"
                " counts, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', '', '{}', '{}')",
                [
                    (work.run.id, row.key, work.run.tenant_id, number, row.kind, row.phase, row.load, list(row.after))
                    for number, row in enumerate(stages)
                ],
            )
        await run_stages(work, stages, STAGES)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await lease.release()
        _report(job, work, stages)


def _report(job: Job, work: Work, stages: list[StageRow]) -> None:
    meter = work.destination_meter
    lines = [f"engagement {','.join(map(str, job.ids.values()))}"]
    lines.append(f"calls {meter.made} {meter.by_purpose} refused with 429: {meter.rejected_429}")
    lines += [f"{stage.key} {stage.counts}" for stage in stages]
    sys.stdout.write("\n".join(lines) + "\n")
