"""The owner's word that an agreement with the destination's vendor covers the sensitive fields that will be sent."""

from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.ids import encode_id
from app.models.engagement import Engagement
from app.runtime import Runtime

SETTING = "agreement"


def agreement_of(engagement: Engagement) -> dict[str, Any] | None:
    """What was confirmed for this engagement's destination: reference, confirmed_by, confirmed_at; None before."""
    found: dict[str, Any] | None = engagement.settings.get(SETTING)
    return found


async def confirm_agreement(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, *, reference: str, by: UUID
) -> None:
    """Stores the word of whoever answers for the data; it may be given again with another reference."""
    word = {
        "destination": engagement.destination,
        "reference": reference,
        "confirmed_by": encode_id("api_key", by),
        "confirmed_at": runtime.now().isoformat(),
    }
    engagement.settings = {**engagement.settings, SETTING: word}
    engagement.updated_at = runtime.now()
    session.add(engagement)
    await session.flush()
