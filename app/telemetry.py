"""Traces by OpenTelemetry, when the standard OTEL_* variables name a collector; otherwise nothing of it is imported.

Spans stand around requests, a worker's turn at a run, its stages and its calls to vendors. They carry ids, names of
routes and stages, counts and the types of errors: never paths, parameters, bodies, texts of errors or record values.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors.tracing import Answered, trace_calls

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

Value = str | int | float | bool

STOP_SECONDS = 3.0
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NAMED_BY = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES")

_tracer: "Tracer | None" = None


def configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard variables ask for traces over OTLP. Raises SettingsError for an exporter we do not have."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if exporter == "none" or not any(environment.get(name, "").strip() for name in _ENDPOINTS):
        return False
    if exporter != "otlp":
        raise _refused(f"OTEL_TRACES_EXPORTER: {exporter} is not offered; use otlp or none")
    names = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next((environment[name].strip() for name in names if environment.get(name, "").strip()), "http/protobuf")
    if protocol != "http/protobuf":
        raise _refused(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol} is not offered; use http/protobuf")
    return True


def _refused(text: str) -> Exception:
    from app.settings import SettingsError  # a worker's engine asks for spans, not for settings

    return SettingsError(text)


@contextmanager
def tracing(role: str) -> Iterator[None]:
    """Traces this process while open, if `configured`; `role` (api, worker) ends its name. Raises SettingsError."""
    global _tracer  # noqa: PLW0603  one tracer a process
    if not configured():
        yield
        return
    provider = _open(role)
    _tracer = provider.get_tracer("tranship")
    trace_calls(_around_call)
    try:
        yield
    finally:
        _tracer = None
        trace_calls(None)
        # a collector that does not answer must not keep the process from ending
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        closing.join(STOP_SECONDS)


def _open(role: str) -> "TracerProvider":
    """The SDK with its exporter; sampling, batching, headers and limits are its own OTEL_* variables."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        raise _refused("OTEL_*: traces need the extra `otel`: pip install 'tranship[otel]'") from missing
    named = any("service.name=" in os.environ.get(name, "") for name in _NAMED_BY[1:]) or os.environ.get(_NAMED_BY[0])
    resource = Resource.create({} if named else {"service.name": f"tranship-{role}"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


@contextmanager
def span(name: str, kind: str = "internal", parent: str = "", **attributes: Value) -> Iterator[None]:
    """A span while open; an exception marks it with its type alone. `parent` is a traceparent; "" is the span around.

    `kind`: internal | server | client | consumer. Attributes are named `tranship.NAME`.
    """
    if _tracer is None:
        yield
        return
    with _started(name, kind, parent) as opened:
        opened.set_attributes({f"tranship.{key}": value for key, value in attributes.items()})
        yield


@contextmanager
def request_span(method: str, traceparent: str) -> Iterator[None]:
    """The span of a request to us; `request_answered` names its route."""
    if _tracer is None:
        yield
        return
    with _started(method, "server", traceparent) as opened:
        opened.set_attribute("http.request.method", method)
        yield


def request_answered(method: str, route: str, status: int, **attributes: Value) -> None:
    """Names the request's span by its route: the path itself may hold a token."""
    if _tracer is None:
        return
    from opentelemetry.trace import StatusCode, get_current_span

    current = get_current_span()
    current.update_name(f"{method} {route}")
    current.set_attributes({"http.route": route, "http.response.status_code": status})
    current.set_attributes({f"tranship.{key}": value for key, value in attributes.items()})
    if status >= 500:
        current.set_status(StatusCode.ERROR)


def note(**attributes: Value) -> None:
    """Adds attributes to the span that is open here."""
    if _tracer is None:
        return
    from opentelemetry.trace import get_current_span

    get_current_span().set_attributes({f"tranship.{key}": value for key, value in attributes.items()})


def traceparent() -> str:
    """The span that is open here, as W3C Trace Context writes it, for work that goes on elsewhere; "" when untraced."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def _started(name: str, kind: str, parent: str) -> "Iterator[Span]":
    from opentelemetry.trace import SpanKind, StatusCode, use_span

    assert _tracer is not None
    opened = _tracer.start_span(name, context=_context(parent), kind=SpanKind[kind.upper()])
    try:
        with use_span(opened, record_exception=False, set_status_on_exception=False):
            yield opened
    except BaseException as error:
        opened.set_attribute("error.type", type(error).__name__)
        if isinstance(error, Exception):
            opened.set_status(StatusCode.ERROR)
        raise
    finally:
        opened.end()


def _context(parent: str) -> "Context | None":
    """None is the context around; what cannot be read begins a trace of its own."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent}, Context()) if parent else None


@contextmanager
def _around_call(purpose: str, method: str, host: str) -> Iterator[Answered]:
    with _started(f"call {purpose}", "client", "") as opened:
        opened.set_attributes(
            {"tranship.purpose": purpose, "http.request.method": method, "server.address": host.rpartition("@")[2]}
        )
        yield lambda status: opened.set_attribute("http.response.status_code", status)
