"""The engine as one peer of the shared bench: reads the export, stages it, writes it to the sink, and keeps its books.

`python -m tests.bench.engine_peer` runs the whole job and ends; see README.md here. `--prepare` only migrates.
"""

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # as the commands do
    gc.disable()  # until everything is imported: there is nothing to collect among definitions
    for name in ("click", "rich"):  # command lines and coloured tracebacks, which httpx and structlog bring if they can
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    import logging

    import structlog
    import uvloop

    from tests.bench.export_run import drive
    from workers import collector
    from workers.priority import give_way

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    give_way(int(os.environ.get("BENCH_NICENESS", "0")))
    collector.seldom()  # this and the loop are a worker's own
    uvloop.run(drive())
    sys.stdout.flush()
    os._exit(0)  # all is committed and given back; taking a heap apart is not what is measured


def prepare() -> None:
    """Brings the bench's database to our schema, which is not part of what is timed."""
    from app.migrations import upgrade

    upgrade(os.environ["BENCH_DSN"])


if __name__ == "__main__":
    prepare() if "--prepare" in sys.argv else main()
