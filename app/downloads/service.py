"""Makes and checks download links: they need no key, name one file, and end by themselves."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.ids import encode_id
from app.errors import NotFound
from app.runtime import Runtime

LINK_DAYS = 90
_SIGNATURE = 40


def link_signature(runtime: Runtime, artifact_id: UUID, expires: int) -> str:
    """The signature of a link; `expires` in Unix seconds."""
    secret = runtime.keys.pepper(b"download links")
    return hmac.new(secret, f"{artifact_id}:{expires}".encode(), "sha256").hexdigest()[:_SIGNATURE]


def signed_link(runtime: Runtime, artifact_id: UUID, now: datetime) -> str:
    """A link to a file, good for 90 days."""
    expires = int((now + timedelta(days=LINK_DAYS)).timestamp())
    base = runtime.settings.public_base_url.rstrip("/")
    signature = link_signature(runtime, artifact_id, expires)
    return f"{base}/v1/downloads/{encode_id('artifact', artifact_id)}?expires={expires}&signature={signature}"


async def tenant_behind(runtime: Runtime, artifact_id: UUID, expires: int, signature: str) -> UUID:
    """The tenant whose file a valid link names. Raises NotFound for every other link, without saying why."""
    right = hmac.compare_digest(link_signature(runtime, artifact_id, expires), signature)
    if not right or runtime.now().timestamp() > expires:
        raise NotFound("This link is not valid or has expired. Ask whoever ran the migration for a new one.")
    async with runtime.db.connection(None) as connection:
        tenant_id = await connection.fetchval("SELECT artifact_tenant($1)", artifact_id)
    if tenant_id is None:
        raise NotFound("This link is not valid or has expired. Ask whoever ran the migration for a new one.")
    return UUID(str(tenant_id))
