"""What the bench's loads need beside the run itself: the sink as a Zoho org and the compiled mapping.

Imported last, while the reader is at work already.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from app.domain.compiling import compile_load
from app.domain.mapping import Load
from app.domain.schema import Inventory
from app.engagements.tokens import ConnectionTokens
from app.runs.deciding import Owners
from app.runs.work import OpenConnection, Work
from connectors.base import CallMeter, ConnectionContext, Destination, ObjectFacts, ProbeStyle, Source
from connectors.throttle import AccountThrottle
from connectors.zoho_crm import PLATFORM as ZOHO
from connectors.zoho_crm.settings import ZohoCredentials
from tests.bench.export_job import document, target_object
from tests.bench.export_reader import source_inventory
from tests.bench.export_rows import Job
from tests.bench.export_schema import source_objects
from tests.bench.export_source import ExportSource

# The sink takes upserts and nothing else: what it holds already cannot be asked, but an upsert can be repeated.
PLATFORM = replace(ZOHO, objects={"*": ObjectFacts(probe=ProbeStyle.REPEAT)})


def equip(work: Work, job: Job) -> None:
    """Gives the run its platforms, and what discovery and the owners' answers would have left for the stages."""
    concurrency = int(os.environ.get("BENCH_CONC", "10"))
    work.source_platform = work.destination_platform = PLATFORM
    work.open_connection = _opener(work, job, os.environ["BENCH_URL"], concurrency)
    loads, sources = work.mapping().loads, source_objects()
    targets = tuple(target_object(one) for one in loads)
    facts: dict[str, Any] = {"concurrency": concurrency}
    work.cache |= {
        "source_inventory": source_inventory(work.runtime),
        "target_inventory": Inventory(
            platform="zoho_crm", taken_at=work.now(), edition="enterprise", objects=targets, facts=facts
        ),
        "owners": Owners(users={}, emails={}, fallback=None),
        **{f"compiled:{one.key}": _compiled(one, sources) for one in loads},
    }


def _compiled(one: Load, sources: Mapping[str, Any]) -> Any:
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


def _opener(work: Work, job: Job, url: str, concurrency: int) -> OpenConnection:
    """Opens the export as source and the sink as a Zoho org."""
    runtime = work.runtime

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
        work.stack.push_async_callback(destination.close)
        return destination

    return open_connection
