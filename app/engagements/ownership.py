"""The owners of an engagement as one document: read with an ETag, replaced with If-Match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from app.engagements.inventories import load_raw
from app.engagements.owners import (
    EVERYBODY,
    RESOLVED,
    OwnerCounts,
    OwnerLine,
    OwnerState,
    User,
    count_lines,
    load_decisions,
    match_owners,
    replace_decisions,
    store_matches,
)
from app.engagements.questions import ask_about_owners
from app.errors import Invalid, StepMissing
from app.etags import etag
from app.events import emit
from app.models.engagement import Engagement, OwnerDecision
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Ownership:
    """Lines per source user, who can be chosen, and the version of all that."""

    lines: Sequence[OwnerLine]
    destination_users: Sequence[User]
    fallback_user_id: str | None
    tag: str

    @property
    def counts(self) -> OwnerCounts:
        return count_lines(self.lines)


def fallback_owner(decisions: Mapping[str, OwnerDecision]) -> str | None:
    """The destination user who takes what nobody else owns."""
    row = decisions.get(EVERYBODY)
    return row.destination_user_id if row else None


async def read_ownership(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> Ownership:
    """The owners as they stand. Raises StepMissing before both sides are discovered."""
    source, destination = await _users(runtime, session, engagement)
    decisions = await load_decisions(session, engagement.id)
    return _ownership(engagement, source, destination, decisions)


async def replace_ownership(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    *,
    chosen: Mapping[str, str],
    to_fallback: Sequence[str],
    fallback_user_id: str | None,
    places: Mapping[str, int],
    by: UUID,
) -> Ownership:
    """Replaces everything people decided. `chosen` maps source users to destination users, `to_fallback` names those
    who get the fallback owner in spite of a match, `places` says where each source user stands in the request.
    Raises Invalid with pointers, StepMissing."""
    source, destination = await _users(runtime, session, engagement)
    _check(source, destination, chosen, to_fallback, fallback_user_id, places)
    now = runtime.now()
    fallbacks = {} if fallback_user_id is None else dict.fromkeys((*to_fallback, EVERYBODY), fallback_user_id)
    await replace_decisions(session, engagement, chosen, fallbacks, by=by, at=now)
    return await _settle(session, engagement, source, destination, now)


async def settle_owners(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, *, again: bool = False
) -> Ownership:
    """Stores what the e-mails settle, asks about the ambiguous, announces who is left. `again` lets fallbacks give way
    to users who exist by now. Raises StepMissing."""
    source, destination = await _users(runtime, session, engagement)
    now = runtime.now()
    ownership = await _settle(session, engagement, source, destination, now, again=again)
    left = ownership.counts
    if left.unresolved:
        await emit(
            session, engagement.tenant_id, "owner.unmatched", left.as_dict(), at=now, engagement_id=engagement.id
        )
    return ownership


async def _settle(
    session: AsyncSession,
    engagement: Engagement,
    source: Sequence[User],
    destination: Sequence[User],
    now: datetime,
    *,
    again: bool = False,
) -> Ownership:
    decisions = await load_decisions(session, engagement.id)
    seen = {user: row for user, row in decisions.items() if not (again and row.how == OwnerState.FALLBACK)}
    lines = match_owners(source, destination, seen)
    active = {str(user["id"]) for user in destination if user.get("active", True)}
    fallback = fallback_owner(decisions)
    await store_matches(
        session, engagement, lines, decisions, at=now, fallback=fallback if fallback in active else None
    )
    fresh = _ownership(engagement, source, destination, await load_decisions(session, engagement.id))
    await ask_about_owners(session, engagement, [line for line in fresh.lines if line.state not in RESOLVED], now)
    return fresh


def _ownership(
    engagement: Engagement,
    source: Sequence[User],
    destination: Sequence[User],
    decisions: Mapping[str, OwnerDecision],
) -> Ownership:
    lines = match_owners(source, destination, decisions)
    parts = [
        f"{line.source['id']}={line.state}:{line.destination_user_id}:{','.join(line.candidates)}" for line in lines
    ]
    fallback = fallback_owner(decisions)
    return Ownership(lines, destination, fallback, etag("owners", engagement.id, fallback, *parts))


async def _users(
    runtime: Runtime, session: AsyncSession, engagement: Engagement
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    source = await load_raw(runtime, session, engagement, "source")
    destination = await load_raw(runtime, session, engagement, "destination")
    if destination is None:
        destination = await load_raw(runtime, session, engagement, "rehearsal")
    if source is None or destination is None:
        raise StepMissing('Owners are matched between two discovered sides; start a run of kind "discovery" first.')
    return source["users"], destination["users"]


def _check(
    source: Sequence[User],
    destination: Sequence[User],
    chosen: Mapping[str, str],
    to_fallback: Sequence[str],
    fallback_user_id: str | None,
    places: Mapping[str, int],
) -> None:
    known = {str(user["id"]) for user in source}
    active = {str(user["id"]) for user in destination if user.get("active", True)}
    faults: list[dict[str, str]] = []
    if fallback_user_id is not None and fallback_user_id not in active:
        faults.append(_fault("/fallback_user_id", "unknown-user", "No active destination user has this id."))
    if to_fallback and fallback_user_id is None:
        faults.append(_fault("/fallback_user_id", "missing", "Name the fallback user that the decisions refer to."))
    faults += [
        _fault(f"/decisions/{places[user]}/source_user_id", "unknown-source-user", f"The source has no user {user}.")
        for user in (*chosen, *to_fallback)
        if user not in known
    ]
    faults += [
        _fault(
            f"/decisions/{places[user]}/destination_user_id", "unknown-user", f"No active destination user is {owner}."
        )
        for user, owner in chosen.items()
        if owner not in active
    ]
    if faults:
        raise Invalid(
            "Correct the decisions named in `errors`; GET the same path shows who exists.", errors=faults[:100]
        )


def _fault(pointer: str, code: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "detail": detail}
