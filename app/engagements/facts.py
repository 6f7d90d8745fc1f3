"""What is known of an engagement at one moment, gathered once and judged by pure functions (`gates`, `road`)."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal_column
from sqlalchemy import select as sql_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.engagements.agreeing import agreement_of
from app.engagements.inventories import load_raw
from app.engagements.owners import OwnerCounts, count_owners, load_decisions
from app.models.engagement import Connection, Engagement, Question
from app.models.mapping import InventoryDocument, Mapping
from app.models.run import Run
from app.runtime import Runtime

SOURCE, DESTINATION, REHEARSAL = "source", "destination", "rehearsal"
ROLES = (SOURCE, DESTINATION, REHEARSAL)
TERMINAL = frozenset({"completed", "failed", "cancelled", "rolled_back"})
WRITING = frozenset({"provision", "sample", "full", "delta", "repair", "replay", "rollback", "reassign_owners"})


@dataclass(frozen=True, slots=True)
class Account:
    """A connection: `state` untested | ok | failed; `described` when discovery has its inventory."""

    id: UUID
    role: str
    platform: str
    state: str
    described: bool = False


@dataclass(frozen=True, slots=True)
class MappingFact:
    """`sensitive` is whether loads that run send sensitive fields."""

    id: UUID
    version: int
    state: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class RunFact:
    """A run without its documents; `facts.runs` is ordered from the newest to the oldest."""

    id: UUID
    kind: str
    state: str
    mapping_id: UUID | None = None
    destination_id: UUID | None = None
    problem: Map[str, Any] = field(default_factory=dict)
    started_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.state not in TERMINAL


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the gates and the road need."""

    engagement_id: UUID
    state: str = "draft"
    purged: bool = False
    accounts: Map[str, Account] = field(default_factory=dict)
    draft: MappingFact | None = None
    confirmed: MappingFact | None = None
    owners: OwnerCounts | None = None
    open_questions: int = 0
    runs: tuple[RunFact, ...] = ()
    approved_run_id: UUID | None = None
    agreed: bool = False

    def account(self, role: str) -> Account | None:
        return self.accounts.get(role)

    def completed(self, kind: str, destination: Account | None = None) -> RunFact | None:
        """The newest completed run of a kind, at that destination when one is given."""
        for run in self.runs:
            if run.kind == kind and run.state == "completed" and _at(run, destination):
                return run
        return None

    def started(self, kind: str, destination: Account | None = None) -> RunFact | None:
        """The newest run of a kind that may have written something, whatever became of it."""
        for run in self.runs:
            if run.kind == kind and run.state != "queued" and _at(run, destination):
                return run
        return None

    def provisioned(self, destination: Account | None) -> bool:
        """Whether provisioning of the confirmed mapping has completed at the destination."""
        return self.confirmed is not None and any(
            run.kind == "provision"
            and run.state == "completed"
            and run.mapping_id == self.confirmed.id
            and _at(run, destination)
            for run in self.runs
        )

    @property
    def approved(self) -> bool:
        """Whether the approved sample is one of the mapping that is confirmed now."""
        if self.confirmed is None or self.approved_run_id is None:
            return False
        return any(run.id == self.approved_run_id and run.mapping_id == self.confirmed.id for run in self.runs)

    @property
    def active_writing(self) -> RunFact | None:
        return next((run for run in self.runs if run.active and run.kind in WRITING), None)


def _at(run: RunFact, destination: Account | None) -> bool:
    return destination is None or run.destination_id == destination.id


async def gather(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> Facts:
    """Reads all facts of an engagement in the caller's transaction."""
    facts = (await gather_light(session, [engagement]))[engagement.id]
    return replace(
        facts,
        owners=await _owners(runtime, session, engagement),
        open_questions=await _open_questions(session, engagement.id),
    )


async def gather_light(session: AsyncSession, engagements: Sequence[Engagement]) -> dict[UUID, Facts]:
    """The facts of several engagements without owners and questions, in four queries."""
    ids = [engagement.id for engagement in engagements]
    accounts = await _accounts(session, ids)
    mappings = await _mappings(session, ids)
    runs = await _runs(session, ids)
    return {
        one.id: Facts(
            engagement_id=one.id,
            state=one.state,
            purged=one.data_key is None,
            accounts=accounts.get(one.id, {}),
            draft=mappings.get((one.id, "draft")),
            confirmed=mappings.get((one.id, "confirmed")),
            runs=tuple(runs.get(one.id, ())),
            approved_run_id=one.approved_run_id,
            agreed=agreement_of(one) is not None,
        )
        for one in engagements
    }


async def _accounts(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, dict[str, Account]]:
    connections = await session.exec(select(Connection).where(col(Connection.engagement_id).in_(ids)))
    documents = await session.exec(
        select(InventoryDocument.connection_id).where(col(InventoryDocument.engagement_id).in_(ids)).distinct()
    )
    described = set(documents.all())
    found: dict[UUID, dict[str, Account]] = {}
    for row in connections.all():
        account = Account(row.id, row.role, row.platform, row.state, described=row.id in described)
        found.setdefault(row.engagement_id, {})[row.role] = account
    return found


async def _mappings(session: AsyncSession, ids: Sequence[UUID]) -> dict[tuple[UUID, str], MappingFact]:
    """The newest version per state."""
    statement = _SELECT(Mapping.engagement_id, Mapping.id, Mapping.version, Mapping.state, _SENSITIVE)
    rows = await session.exec(
        statement.where(col(Mapping.engagement_id).in_(ids), col(Mapping.state).in_(("draft", "confirmed"))).order_by(
            col(Mapping.version)
        )
    )
    return {(owner, state): MappingFact(id_, number, state, bool(s)) for owner, id_, number, state, s in rows.all()}


# in variables of their own, because select() is not typed for so many columns
_COLUMNS: Any = (
    *(Run.engagement_id, Run.id, Run.kind, Run.state),
    *(Run.mapping_id, Run.destination_id, Run.problem, Run.started_at),
)
_SELECT: Any = sql_select
_SENSITIVE: Any = func.jsonb_path_exists(
    col(Mapping.document),
    literal_column("CAST('$.loads[*] ? (@.enabled == true).fields[*] ? (@.sensitive == true)' AS jsonpath)"),
)


async def _runs(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[RunFact]]:
    statement = _SELECT(*_COLUMNS).where(col(Run.engagement_id).in_(ids))
    rows = await session.exec(statement.order_by(col(Run.created_at).desc(), col(Run.id).desc()))
    found: dict[UUID, list[RunFact]] = {}
    for owner, *values in rows.all():
        found.setdefault(owner, []).append(RunFact(*values))
    return found


async def _owners(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> OwnerCounts | None:
    """None before both sides are described, and after the purge."""
    if engagement.data_key is None:
        return None
    source = await load_raw(runtime, session, engagement, SOURCE)
    destination = await load_raw(runtime, session, engagement, DESTINATION)
    if destination is None:
        destination = await load_raw(runtime, session, engagement, REHEARSAL)
    if source is None or destination is None:
        return None
    decisions = await load_decisions(session, engagement.id)
    return count_owners(source["users"], destination["users"], decisions)


async def _open_questions(session: AsyncSession, engagement_id: UUID) -> int:
    count = await session.exec(
        select(func.count())
        .select_from(Question)
        .where(Question.engagement_id == engagement_id, col(Question.answered_at).is_(None))
    )
    return int(count.one())
