"""The owner's word that an agreement with the destination's vendor covers the sensitive fields that will be sent."""

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.ids import encode_id
from app.engagements.run_kinds import SENDING
from app.models.engagement import Engagement
from app.models.run import Run
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


async def withdraw_agreement(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> None:
    """Takes the word back, also when none was given. A run that sends is asked to pause; no worker takes one up."""
    engagement.settings = {name: value for name, value in engagement.settings.items() if name != SETTING}
    engagement.updated_at = runtime.now()
    session.add(engagement)
    await session.flush()
    await session.exec(
        update(Run)
        .where(
            col(Run.engagement_id) == engagement.id,
            col(Run.kind).in_(SENDING),
            col(Run.state) == "running",
            col(Run.requested) == "",
        )
        .values(requested="pause")
    )
