"""Runs a sandbox application on loopback until it is told to stop."""

import logging
from typing import Any

import uvicorn

from connectors.sandboxkit.faults import AnswerCut


class _QuietCuts(logging.Filter):
    """Answers cut on purpose are no errors of the sandbox; uvicorn would print a traceback for each."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], AnswerCut))


def server(app: Any, *, host: str, port: int) -> uvicorn.Server:
    """A uvicorn server for `app`; `await server(...).serve()` runs it, `.should_exit = True` ends it."""
    logging.getLogger("uvicorn.error").addFilter(_QuietCuts())
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, lifespan="on")
    return uvicorn.Server(config)
