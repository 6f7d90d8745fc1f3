"""Standard Webhooks 1.0: secrets, and the signature headers over id, time and body."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

from app.security import KeyRing

SECRET_BYTES = 32
PREFIX = "whsec_"


def make_secret() -> str:
    """A new signing secret as the receiver gets it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def seal_secret(keys: KeyRing, tenant_id: UUID, endpoint_id: UUID, secret: str) -> bytes:
    """The secret as it is stored, bound to tenant and endpoint."""
    return keys.seal(secret.encode(), place=secret_place(tenant_id, endpoint_id))


def open_secret(keys: KeyRing, tenant_id: UUID, endpoint_id: UUID, sealed: bytes) -> str:
    """Raises SealBroken."""
    return keys.unseal(sealed, place=secret_place(tenant_id, endpoint_id)).decode()


def signed_headers(message_id: str, at: datetime, body: bytes, signing_secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt; several secrets, during a rotation, give several signatures."""
    text = body.decode()
    signatures = [Webhook(secret).sign(message_id, at, text) for secret in signing_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def secret_place(tenant_id: UUID, endpoint_id: UUID) -> str:
    """What a sealed signing secret is bound to."""
    return f"tenant:{tenant_id}:webhook_endpoint:{endpoint_id}:secret"
