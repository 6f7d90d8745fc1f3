"""Owners: who at the destination stands for whom at the source. Matched by e-mail, decided by people, never guessed.

The decisions table holds ids only; names and addresses are read from the sealed inventories when they are shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.engagement import Engagement, OwnerDecision

User = Mapping[str, Any]


class OwnerState(StrEnum):
    """How a source user stands. The last three block a run until somebody decides."""

    MATCHED = "matched"
    MAPPED = "mapped"
    FALLBACK = "fallback"
    UNMATCHED = "unmatched"
    INACTIVE = "inactive"
    DUPLICATE = "duplicate"


EVERYBODY = "*"
"""The source user id under which the fallback owner stands."""
RESOLVED = frozenset({OwnerState.MATCHED, OwnerState.MAPPED, OwnerState.FALLBACK})


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """One source user: whom the e-mail suggests (`candidates`), and whom the records will belong to."""

    source: User
    state: OwnerState
    destination_user_id: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnerCounts:
    """How the source users stand, in numbers."""

    total: int = 0
    matched: int = 0
    mapped: int = 0
    fallback: int = 0
    unmatched: int = 0
    inactive: int = 0
    duplicate: int = 0

    @property
    def unresolved(self) -> int:
        return self.unmatched + self.inactive + self.duplicate

    def as_dict(self) -> dict[str, int]:
        return {**asdict(self), "unresolved": self.unresolved}


def match_owners(
    source: Sequence[User], destination: Sequence[User], decisions: Mapping[str, OwnerDecision]
) -> list[OwnerLine]:
    """A line per source user, ordered by id. A decision counts while its destination user is active.

    Without one the e-mail decides: exactly one active user with the same address matches; only inactive ones, or
    several active ones, or an address that several source users share, are left to a person.
    """
    active = {str(user["id"]) for user in destination if user.get("active", True)}
    by_email: dict[str, list[User]] = {}
    for user in destination:
        if user.get("email"):
            by_email.setdefault(str(user["email"]), []).append(user)
    shared = _shared(source)
    lines = []
    for user in sorted(source, key=lambda one: str(one["id"])):
        decision = decisions.get(str(user["id"]))
        if decision is not None and decision.destination_user_id in active:
            lines.append(OwnerLine(user, OwnerState(decision.how), decision.destination_user_id))
        else:
            lines.append(_suggested(user, by_email.get(str(user.get("email") or ""), []), shared))
    return lines


def _shared(users: Iterable[User]) -> frozenset[str]:
    """Addresses that more than one active user has."""
    seen: dict[str, int] = {}
    for user in users:
        if user.get("email") and user.get("active", True):
            seen[str(user["email"])] = seen.get(str(user["email"]), 0) + 1
    return frozenset(email for email, count in seen.items() if count > 1)


def _suggested(user: User, found: Sequence[User], shared: frozenset[str]) -> OwnerLine:
    candidates = tuple(str(one["id"]) for one in found if one.get("active", True))
    if len(candidates) == 1 and user.get("email") not in shared:
        return OwnerLine(user, OwnerState.MATCHED, candidates[0], candidates)
    if candidates:
        return OwnerLine(user, OwnerState.DUPLICATE, None, candidates)
    return OwnerLine(user, OwnerState.INACTIVE if found else OwnerState.UNMATCHED)


def count_lines(lines: Sequence[OwnerLine]) -> OwnerCounts:
    """The lines in numbers."""
    numbers = {state.value: sum(1 for line in lines if line.state is state) for state in OwnerState}
    return OwnerCounts(total=len(lines), **numbers)


def count_owners(
    source: Sequence[User], destination: Sequence[User], decisions: Mapping[str, OwnerDecision]
) -> OwnerCounts:
    """The match in numbers."""
    return count_lines(match_owners(source, destination, decisions))


async def load_decisions(session: AsyncSession, engagement_id: UUID) -> dict[str, OwnerDecision]:
    """The stored decisions by source user id."""
    rows = await session.exec(select(OwnerDecision).where(OwnerDecision.engagement_id == engagement_id))
    return {row.source_user_id: row for row in rows.all()}


async def store_matches(
    session: AsyncSession,
    engagement: Engagement,
    lines: Sequence[OwnerLine],
    decisions: Mapping[str, OwnerDecision],
    *,
    at: datetime,
    fallback: str | None = None,
) -> int:
    """Writes what the e-mail settles, so that the engine reads one table; returns how many rows changed.

    With `fallback`, a destination user id, the users that nothing settles go to that user.
    """
    changed = 0
    for line in lines:
        how, user_id = OwnerState.MATCHED, line.destination_user_id
        if line.state not in RESOLVED and fallback is not None:
            how, user_id = OwnerState.FALLBACK, fallback
        elif line.state is not OwnerState.MATCHED:
            continue
        known = decisions.get(str(line.source["id"]))
        if known is not None and (known.how, known.destination_user_id) == (how, user_id):
            continue
        row = known or _row(engagement, str(line.source["id"]), at)
        row.destination_user_id, row.how, row.decided_by, row.decided_at = user_id, how.value, None, at
        session.add(row)
        changed += 1
    await session.flush()
    return changed


async def replace_decisions(
    session: AsyncSession,
    engagement: Engagement,
    chosen: Mapping[str, str],
    fallback: Mapping[str, str],
    *,
    by: UUID,
    at: datetime,
) -> None:
    """Replaces everything people decided: `chosen` maps source to destination user ids, `fallback` likewise, with
    EVERYBODY for those who are not named."""
    await session.exec(delete(OwnerDecision).where(col(OwnerDecision.engagement_id) == engagement.id))
    for how, pairs in ((OwnerState.MAPPED, chosen), (OwnerState.FALLBACK, fallback)):
        for source_user_id, user_id in pairs.items():
            row = _row(engagement, source_user_id, at)
            row.destination_user_id, row.how, row.decided_by = user_id, how.value, by
            session.add(row)
    await session.flush()


async def decide_owner(
    session: AsyncSession, engagement: Engagement, source_user_id: str, user_id: str, *, by: UUID, at: datetime
) -> None:
    """One person's choice for one source user."""
    row = await session.get(OwnerDecision, (engagement.id, source_user_id)) or _row(engagement, source_user_id, at)
    row.destination_user_id, row.how, row.decided_by, row.decided_at = user_id, OwnerState.MAPPED.value, by, at
    session.add(row)
    await session.flush()


def _row(engagement: Engagement, source_user_id: str, at: datetime) -> OwnerDecision:
    return OwnerDecision(
        engagement_id=engagement.id,
        source_user_id=source_user_id,
        tenant_id=engagement.tenant_id,
        how=OwnerState.MATCHED.value,
        decided_at=at,
    )
