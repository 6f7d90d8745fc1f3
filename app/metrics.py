"""Prometheus counters of one process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUESTS = Counter("tranship_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "tranship_http_request_seconds",
    "Time to the end of the answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 1, 2.5, 10),
    registry=REGISTRY,
)
DELIVERIES = Counter("tranship_webhook_attempts", "Webhook attempts by result.", ["result"], registry=REGISTRY)
ADVANCES = Counter(
    "tranship_run_advances", "Times this worker advanced a run, by result.", ["result"], registry=REGISTRY
)
ACTIVE_RUNS = Gauge("tranship_runs_active", "Runs this worker is advancing now.", registry=REGISTRY)
SWEEPS = Counter("tranship_sweeps", "Sweeps for due work, by result.", ["result"], registry=REGISTRY)


def exposition() -> bytes:
    """The process's metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
