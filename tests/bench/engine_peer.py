"""The engine as one peer of the shared bench: reads the export, stages it, writes it to the sink, and keeps its books.

`python -m tests.bench.engine_peer` runs the whole job and ends; see README.md here. `--prepare` migrates and empties.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from tests.bench.lean import begin

Drive = Callable[..., Awaitable[None]]

_HURRIED = 0.0005  # seconds until a thread gives way, while there is a second one
_BUFFER = 4 * 1024 * 1024  # as `app.runs.reader` has it, which is not imported yet


def main() -> None:
    """The whole job, reader and worker."""
    begin()
    import uvloop

    uvloop.run(_run())
    sys.stdout.flush()
    os._exit(0)  # all is committed and given back; taking a heap apart is not what is measured


async def _run() -> None:
    """Starts the reader, then becomes the worker, so that the two import side by side."""
    if niceness := int(os.environ.get("BENCH_NICENESS", "0")):
        from workers.priority import give_way

        give_way(niceness)  # as a worker does, and its reader after it
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.bench.reader_peer")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_BUFFER)
    client = asyncio.create_task(asyncio.to_thread(_import_client))
    from tests.bench.export_rows import Job, bench_runtime

    sys.setswitchinterval(_HURRIED)  # the loop answers while a thread imports
    runtime, job = bench_runtime(), Job(os.environ.get("BENCH_AGAIN", ""))
    lease, drive, _ = await asyncio.gather(job.begin(runtime), asyncio.to_thread(_import_drive), client)
    await drive(runtime, job, lease, process)


def _import_client() -> None:
    import aiohttp  # noqa: F401  reads the system's certificates, which needs no interpreter


def _import_drive() -> Drive:
    import logging

    import structlog

    from tests.bench.export_run import drive

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return drive


def prepare() -> None:
    """Brings the bench's database to our schema and empties it, which is not part of what is timed."""
    from app.migrations import upgrade
    from tests.bench.export_rows import forget

    upgrade(os.environ["BENCH_DSN"])
    asyncio.run(forget())


if __name__ == "__main__":
    prepare() if "--prepare" in sys.argv else main()
