"""Routes of data protection: the agreement that lets sensitive fields leave, and the end of the data."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field, StringConstraints

from app.dependencies import CallerDep, IdempotencyDep, RuntimeDep, SessionDep, require
from app.engagements import agreeing, purging
from app.engagements.schemas import AgreementView, Request
from app.engagements.service import find_engagement
from app.engagements.standing import EngagementNotThere
from app.engagements.views import show_agreement
from app.errors import AnotherRunActive, EngagementPurged, Invalid
from app.identifiers import EngagementId
from app.problems import responses
from app.routing import api_router

router = api_router("/engagements/{engagement_id}", "engagements")

Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class AgreementIn(Request):
    """The word of whoever answers for the data: an agreement with the destination's vendor covers them."""

    confirmed: Literal[True]
    reference: Annotated[Reference, Field(description="Which one, as you file it.", examples=["DPA 2026-17"])]


class PurgeIn(Request):
    """Naming the engagement keeps a slip of the hand from destroying another one's data."""

    engagement_id: EngagementId


class Signature(BaseModel):
    """Ed25519 over the document as canonical JSON; GET /v1/signing_key shows the key to compare with."""

    algorithm: str = Field(examples=["Ed25519"])
    public_key: str
    fingerprint: str = Field(examples=["1f0c-93ab-77d2-0e4b"])
    value: str


class Certificate(BaseModel):
    """What was destroyed, when and why: the engagement's key, and with it everything it had sealed."""

    document: dict[str, Any] = Field(
        examples=[{"kind": "purge_certificate", "why": "requested", "unreadable": {"staged_records": 1200}}]
    )
    signature: Signature


class Retention(BaseModel):
    """When the data go by themselves (null: nobody has closed the engagement), and when they went."""

    object: Literal["retention"] = "retention"
    purge_at: datetime | None
    purged_at: datetime | None


@router.put(
    "/agreement",
    operation_id="confirm_agreement",
    summary="Confirm the agreement with the destination's vendor",
    dependencies=[require("agreements:confirm")],
    responses=responses(EngagementPurged),
)
async def confirm_agreement(
    engagement_id: EngagementId, body: AgreementIn, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> AgreementView:
    """Without it no run sends a sensitive field (health data, national ids, access codes) to the destination."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    if engagement.data_key is None:
        raise EngagementPurged("The data of this engagement were destroyed; there is nothing left to send.")
    await agreeing.confirm_agreement(runtime, session, engagement, reference=body.reference, by=caller.key_id)
    shown = show_agreement(engagement)
    assert shown is not None
    return shown


@router.delete(
    "/agreement",
    operation_id="withdraw_agreement",
    summary="Withdraw the agreement with the destination's vendor",
    status_code=204,
    response_class=Response,
    dependencies=[require("agreements:confirm")],
)
async def withdraw_agreement(
    engagement_id: EngagementId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> None:
    """From now on no sensitive field leaves: a run that sends is asked to pause, and one that waits does not begin."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    await agreeing.withdraw_agreement(runtime, session, engagement)


@router.get(
    "/retention",
    operation_id="get_retention",
    summary="See when the data are destroyed",
    dependencies=[require("engagements:read")],
)
async def get_retention(engagement_id: EngagementId, caller: CallerDep, session: SessionDep) -> Retention:
    """The installation's retention begins when an engagement is closed or cancelled."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return Retention(purge_at=engagement.purge_at, purged_at=engagement.purged_at)


@router.post(
    "/purge",
    operation_id="purge_engagement",
    summary="Destroy the data now",
    dependencies=[require("engagements:purge")],
    responses=responses(EngagementNotThere, AnotherRunActive, EngagementPurged, Invalid),
)
async def purge_engagement(
    engagement_id: EngagementId,
    body: PurgeIn,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    _: IdempotencyDep,
) -> Certificate:
    """Destroys the engagement's key for good: nothing it sealed can be read again, by anybody. Needs a closed,
    cancelled or rolled-back engagement; the answer is the signed certificate."""
    if body.engagement_id != engagement_id:
        detail = "Name the engagement of the path; nothing was destroyed."
        raise Invalid(detail, errors=[{"pointer": "/engagement_id", "code": "other-engagement", "detail": detail}])
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    made = await purging.purge(runtime, session, engagement, why=purging.ON_REQUEST, by=caller.key_id)
    return Certificate.model_validate(made)


@router.get(
    "/purge_certificate",
    operation_id="get_purge_certificate",
    summary="Get the certificate of destruction",
    dependencies=[require("engagements:read")],
)
async def get_purge_certificate(engagement_id: EngagementId, caller: CallerDep, session: SessionDep) -> Certificate:
    """Signed; it can be checked offline, and names the place of the purge in the audit log."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return Certificate.model_validate(purging.certificate_of(engagement))
