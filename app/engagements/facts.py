"""What is known of an engagement at one moment, gathered once and judged by pure functions (`gates`, `road`)."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import driver_connection, flush
from app.engagements.agreeing import agreement_of
from app.engagements.inventories import load_raw
from app.engagements.owners import OwnerCounts, count_owners, load_decisions
from app.engagements.run_kinds import WRITING
from app.models.engagement import Engagement
from app.runtime import Runtime

SOURCE, DESTINATION, REHEARSAL = "source", "destination", "rehearsal"
ROLES = (SOURCE, DESTINATION, REHEARSAL)
TERMINAL = frozenset({"completed", "failed", "cancelled", "rolled_back"})


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
    read = (await _read(session, [engagement], whole=True))[engagement.id]
    return replace(read, owners=await _owners(runtime, session, engagement, read.accounts))


async def gather_light(session: AsyncSession, engagements: Sequence[Engagement]) -> dict[UUID, Facts]:
    """The facts of several engagements in one statement, without owners, questions and `sensitive`."""
    return await _read(session, engagements, whole=False)


# A request often asks for nothing else, so it is one way there and back; as JSON, because the parts differ in columns.
# Only `sensitive` opens the mapping's document, which may be large.
_FACTS = """
    SELECT (SELECT json_agg(json_build_array(c.engagement_id, c.id, c.role, c.platform, c.state,
                            EXISTS (SELECT FROM inventories i WHERE i.connection_id = c.id)))
            FROM connections c WHERE c.engagement_id = ANY ($1)),
           (SELECT json_agg(json_build_array(m.engagement_id, m.id, m.version, m.state, CASE WHEN $2 THEN
                            jsonb_path_exists(m.document, '$.loads[*] ? (@.enabled == true).fields[*] ?
                            (@.sensitive == true)') ELSE false END) ORDER BY m.version)
            FROM mappings m WHERE m.engagement_id = ANY ($1) AND m.state IN ('draft', 'confirmed')),
           (SELECT json_agg(json_build_array(r.engagement_id, r.id, r.kind, r.state, r.mapping_id, r.destination_id,
                            r.problem, r.started_at) ORDER BY r.created_at DESC, r.id DESC)
            FROM runs r WHERE r.engagement_id = ANY ($1)),
           CASE WHEN $2 THEN (SELECT count(*) FROM questions q
                              WHERE q.engagement_id = ANY ($1) AND q.answered_at IS NULL) END
"""


async def _read(session: AsyncSession, engagements: Sequence[Engagement], *, whole: bool) -> dict[UUID, Facts]:
    """`whole`, for one engagement: open questions as well, and whether mappings send sensitive fields."""
    await flush(session)
    connection = await driver_connection(session)
    row = await connection.fetchrow(_FACTS, [one.id for one in engagements], whole)
    assert row is not None
    accounts, mappings, runs = (part or [] for part in list(row)[:3])
    found = {
        one.id: _Found(Facts(one.id, one.state, one.data_key is None, agreed=agreement_of(one) is not None))
        for one in engagements
    }
    for owner, id_, role, platform, state, described in accounts:
        found[UUID(owner)].accounts[role] = Account(UUID(id_), role, platform, state, described)
    for owner, id_, version, state, sensitive in mappings:
        found[UUID(owner)].mappings[state] = MappingFact(UUID(id_), version, state, sensitive)
    for owner, *values in runs:
        found[UUID(owner)].runs.append(_run(*values))
    return {one.id: found[one.id].facts(one.approved_run_id, int(row[3] or 0)) for one in engagements}


@dataclass(frozen=True, slots=True)
class _Found:
    """What belongs to one engagement, while it is sorted out."""

    start: Facts
    accounts: dict[str, Account] = field(default_factory=dict)
    mappings: dict[str, MappingFact] = field(default_factory=dict)
    runs: list[RunFact] = field(default_factory=list)

    def facts(self, approved_run_id: UUID | None, open_questions: int) -> Facts:
        return replace(
            self.start,
            accounts=self.accounts,
            draft=self.mappings.get("draft"),
            confirmed=self.mappings.get("confirmed"),
            runs=tuple(self.runs),
            approved_run_id=approved_run_id,
            open_questions=open_questions,
        )


def _run(
    id_: str,
    kind: str,
    state: str,
    mapping: str | None,
    destination: str | None,
    problem: dict[str, Any],
    started: str | None,
) -> RunFact:
    return RunFact(
        UUID(id_),
        kind,
        state,
        UUID(mapping) if mapping else None,
        UUID(destination) if destination else None,
        problem,
        datetime.fromisoformat(started) if started else None,
    )


async def _owners(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, accounts: Map[str, Account]
) -> OwnerCounts | None:
    """None before both sides are described, and after the purge."""
    described = [role for role in (SOURCE, DESTINATION, REHEARSAL) if role in accounts and accounts[role].described]
    if engagement.data_key is None or len(described) < 2 or described[0] != SOURCE:
        return None
    source = await load_raw(runtime, session, engagement, SOURCE)
    destination = await load_raw(runtime, session, engagement, described[1])
    if source is None or destination is None:
        return None
    decisions = await load_decisions(session, engagement.id)
    return count_owners(source["users"], destination["users"], decisions)
