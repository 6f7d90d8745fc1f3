"""The jobs that arq carries. A job is only a bell: it starts the work here and returns, so nothing hangs on arq's
timeouts, retries or result keys (stack notes, section 1).
"""

from typing import Any
from uuid import UUID

import structlog

from workers.station import Station

log = structlog.get_logger()


async def advance_run(ctx: dict[str, Any], run_id: str) -> bool:
    """Rings for a run; True when this worker took it up."""
    station: Station = ctx["station"]
    try:
        wanted = UUID(run_id)
    except ValueError:
        log.warning("bell_unreadable", job=str(ctx.get("job_id")))
        return False
    return station.ring(wanted)
