"""Sealed JSON documents of an engagement (inventories, reports): orjson under the engagement's data key."""

from typing import Any
from uuid import UUID

import orjson

from app.errors import EngagementPurged
from app.models.engagement import Engagement
from app.runtime import Runtime
from app.security import DataKey


def engagement_key(runtime: Runtime, engagement: Engagement) -> DataKey:
    """The engagement's data key. Raises EngagementPurged when it was destroyed."""
    if engagement.data_key is None:
        raise EngagementPurged("The key of this engagement was destroyed; its payloads and reports cannot be read.")
    return runtime.data_key(engagement.id, engagement.data_key)


def seal_document(key: DataKey, document_id: UUID, document: Any) -> bytes:
    """The sealed bytes of a JSON-ready document, bound to its id."""
    return key.seal(orjson.dumps(document), document_id.bytes)


def unseal_document(key: DataKey, document_id: UUID, sealed: bytes) -> Any:
    """The document. Raises SealBroken."""
    return orjson.loads(key.unseal(sealed, document_id.bytes))
