"""The bench's reader, `python -m tests.bench.export_reader`: extracts the export beside the loads."""

import gc
import os
import sys


def main() -> None:
    """Reads its task and then stages from stdin, until it ends."""
    os.nice(5)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # until everything is imported, as in engine_peer
    for name in ("click", "rich"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    import logging

    import structlog
    import uvloop

    from app.runs.reader import own_pipes
    from tests.bench.export_run import read_apart
    from workers import collector

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    collector.seldom()
    uvloop.run(read_apart(*own_pipes()))


if __name__ == "__main__":
    main()
