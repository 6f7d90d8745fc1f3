"""Structured logs: one JSON object per line, with the ids bound to the request or run, and nothing secret in it."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app import telemetry
from app.settings import Settings

HIDDEN = "[hidden]"
_SECRET_NAME = re.compile(
    r"secret|password|passwd|token|authorization|credential|cookie|api_?key|private_?key|pepper", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"(ts[kt]_[0-9a-z_]{20,}|whsec_[A-Za-z0-9+/=]{8,}|(?i:(?:bearer|basic|zoho-oauthtoken)\s+)[A-Za-z0-9._~+/=-]{6,}"
    r"|(?<=://)[^\s/:@]*:[^\s/@]+(?=@))"
)
MAX_DEPTH = 6


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor that hides values under secret-sounding names, and keys, tokens and URL passwords anywhere."""
    for name in list(event):
        event[name] = HIDDEN if _SECRET_NAME.search(name) else _clean(event[name], 0)
    return event


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(HIDDEN, value)
    if depth >= MAX_DEPTH:
        return HIDDEN
    if isinstance(value, dict):
        return {
            key: HIDDEN if _SECRET_NAME.search(str(key)) else _clean(each, depth + 1) for key, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each, depth + 1) for each in value]
    return value


def _with_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The id under which a collector has the spans of what is logged."""
    if parent := telemetry.traceparent():
        event["trace_id"] = parent.split("-")[1]
    return event


def configure(settings: Settings) -> None:
    """Sends structlog's and the standard library's records through the same processors to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
    ]
    last: list[Any] = [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(default=str)]
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "arq", "arq.worker", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in ("uvicorn.access", "httpx", "httpcore", "arq.worker"):
        logging.getLogger(name).setLevel(logging.WARNING)
