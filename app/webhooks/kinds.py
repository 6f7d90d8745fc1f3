"""The closed list of events that are told to others, each with what it means."""

from enum import StrEnum


class EventType(StrEnum):
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_PHASE_COMPLETED = "run.phase.completed"
    RUN_PAUSED = "run.paused"
    RUN_WAITING_QUOTA = "run.waiting_quota"
    RUN_WAITING_ADMIN = "run.waiting_admin"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    RUN_ROLLED_BACK = "run.rolled_back"
    SAMPLE_READY = "sample.ready"
    MAPPING_CONFIRMED = "mapping.confirmed"
    OWNER_UNMATCHED = "owner.unmatched"
    RECONCILIATION_READY = "reconciliation.ready"
    QUOTE_CREATED = "quote.created"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_PING = "endpoint.ping"


MEANINGS = {
    EventType.RUN_QUEUED: "A run was accepted and waits for a worker.",
    EventType.RUN_STARTED: "A worker took up a run.",
    EventType.RUN_PHASE_COMPLETED: "A phase of a run closed on its row counts.",
    EventType.RUN_PAUSED: "A run stands still until it is resumed.",
    EventType.RUN_WAITING_QUOTA: "A run waits until the platform's quota renews.",
    EventType.RUN_WAITING_ADMIN: "A run waits until an administrator has done what the checklist says.",
    EventType.RUN_COMPLETED: "A run ended and its sums agree.",
    EventType.RUN_FAILED: "A run ended with a problem.",
    EventType.RUN_CANCELLED: "A run was cancelled.",
    EventType.RUN_ROLLED_BACK: "What a run had done was taken back.",
    EventType.SAMPLE_READY: "A sample's field-level diff waits for approval.",
    EventType.MAPPING_CONFIRMED: "A client confirmed a mapping version.",
    EventType.OWNER_UNMATCHED: "Owners without a counterpart block the next step.",
    EventType.RECONCILIATION_READY: "A reconciliation report is ready.",
    EventType.QUOTE_CREATED: "A quote was made.",
    EventType.ENDPOINT_DISABLED: "A webhook endpoint was switched off.",
    EventType.ENDPOINT_PING: "A test of one endpoint.",
}
