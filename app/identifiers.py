"""Typed ids at the edge: pydantic types that read `run_01jd…` into a UUID and write it back, one per kind."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from app.domain.ids import PREFIXES, decode_id, encode_id

EXAMPLE = UUID("0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")


@dataclass(frozen=True, slots=True)
class Typed:
    """Metadata of an id type. Text is read only in the typed form; a bare UUID or another kind's id is refused."""

    kind: str

    def read(self, value: object) -> UUID:
        """Raises ValueError, which pydantic reports."""
        if isinstance(value, UUID):
            return value
        return decode_id(self.kind, value if isinstance(value, str) else "")

    def write(self, value: UUID) -> str:
        return encode_id(self.kind, value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.write, return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^{PREFIXES[self.kind]}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
            "examples": [encode_id(self.kind, EXAMPLE)],
        }


ApiKeyId = Annotated[UUID, Typed("api_key")]
QuoteId = Annotated[UUID, Typed("quote")]
EngagementId = Annotated[UUID, Typed("engagement")]
ConnectionId = Annotated[UUID, Typed("connection")]
MappingId = Annotated[UUID, Typed("mapping")]
RunId = Annotated[UUID, Typed("run")]
ReportId = Annotated[UUID, Typed("report")]
FileId = Annotated[UUID, Typed("artifact")]
QuestionId = Annotated[UUID, Typed("question")]
EventId = Annotated[UUID, Typed("event")]
WebhookEndpointId = Annotated[UUID, Typed("webhook_endpoint")]
WebhookDeliveryId = Annotated[UUID, Typed("webhook_delivery")]
UploadId = Annotated[UUID, Typed("upload")]
