"""The tables, one file per noun. Importing this package registers them all for migrations."""

from app.models.access import ApiKey, IdempotencyKey, OAuthToken, Tenant
from app.models.audit import AuditBlock, AuditHead
from app.models.engagement import Connection, Engagement, OwnerDecision, Question
from app.models.event import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.models.file import Artifact, ArtifactChunk
from app.models.learning import FieldLesson
from app.models.ledger import Intent, Ledger, Staged, StagedChange
from app.models.mapping import DestinationName, InventoryDocument, Mapping, Report
from app.models.merging import MergeFinding
from app.models.quote import Quote
from app.models.reading import Reading
from app.models.run import Run, RunStage, Worker
from app.models.undoing import Undone

__all__ = [
    "ApiKey",
    "Artifact",
    "ArtifactChunk",
    "AuditBlock",
    "AuditHead",
    "Connection",
    "DestinationName",
    "Engagement",
    "Event",
    "FieldLesson",
    "IdempotencyKey",
    "Intent",
    "InventoryDocument",
    "Ledger",
    "Mapping",
    "MergeFinding",
    "OAuthToken",
    "OwnerDecision",
    "Question",
    "Quote",
    "Reading",
    "Report",
    "Run",
    "RunStage",
    "Staged",
    "StagedChange",
    "Tenant",
    "Undone",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Worker",
]
