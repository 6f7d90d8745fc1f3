"""A worker as a process of its own that drives one run to its end: what tests kill and stop.

Reads the database's URL and the run's id from its arguments, the rest from the defaults that all tests share.
"""

import asyncio
import sys
from uuid import UUID

from app import logs
from app.runs.engine import advance
from app.runtime import open_runtime
from tests.runs.road import settings_for


async def main(database_url: str, run_id: UUID, call_timeout: float) -> None:
    settings = settings_for(database_url, call_timeout_seconds=call_timeout, lease_seconds=1.0, flush_rows=6)
    logs.configure(settings)
    async with open_runtime(settings, pool_size=5) as runtime:
        await advance(runtime, run_id, "process")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), float(sys.argv[3])))
