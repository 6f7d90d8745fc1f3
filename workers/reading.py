"""The reader's process, `python -m workers.reading`: started by a worker whose run has large files to read."""

from contextlib import AsyncExitStack
from typing import BinaryIO

import uvloop

from app import logs
from app.runs.claims import Lease, lease_seconds
from app.runs.opening import open_work
from app.runs.reader import Task, Telling, own_pipes, serve, task_of
from app.runs.stages.extract import extract
from app.runtime import open_runtime
from app.settings import Settings, load_settings
from workers import collector
from workers.priority import READING, give_way

POOL = 2


def main() -> None:
    """Reads its task and then stages from stdin until it ends."""
    pipe, out = own_pipes()
    # read as the worker has them (in production the bell's URL must be given), then without a bell: this one rings none
    settings = load_settings().model_copy(update={"redis_url": None})
    logs.configure(settings)
    collector.seldom()
    give_way(READING)
    task = task_of(pipe)
    if task is not None:
        uvloop.run(_read(settings, task, pipe, out))


async def _read(settings: Settings, task: Task, pipe: BinaryIO, out: BinaryIO) -> None:
    telling = Telling(out)
    async with open_runtime(settings, pool_size=POOL) as runtime, AsyncExitStack() as stack:
        # the worker keeps the lease; here its fence only guards what is committed
        lease = Lease(runtime, task.run_id, task.tenant_id, task.fence, lease_seconds(runtime), float("inf"), 0.0)
        work = await open_work(runtime, lease, stack, handover=telling)
        await serve(pipe, telling, lambda stage: extract(work, stage))


if __name__ == "__main__":
    main()
