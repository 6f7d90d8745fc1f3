"""Owners: matched by e-mail, decided, translated for a rehearsal org, re-assigned once users exist (ruling 19)."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from app.domain.schema import UserSpec
from app.engagements.connecting import seal_credentials
from app.models.engagement import Connection, OwnerDecision
from app.runs.owning import match_owners
from connectors.registry import PLATFORMS
from connectors.sandboxkit.config import SandboxConfig
from tests.runs.road import Road, road
from tests.runs.stands import CREDENTIALS, config_for, sandbox

SOURCE = (UserSpec(id="a", email="one@example.com"), UserSpec(id="b", email="two@example.com"), UserSpec(id="c"))


def test_a_decision_wins_then_a_unique_email():
    target = (
        UserSpec(id="1", email="one@example.com"),
        UserSpec(id="2", email="two@example.com"),
        UserSpec(id="3", email="two@example.com"),
        UserSpec(id="4", email="gone@example.com", active=False),
    )
    found = match_owners(SOURCE, target, {"c": "3"}, "1")
    assert found.users == {"a": "1", "c": "3"}, "two users share the e-mail of b: nobody is guessed"
    assert found.emails == {"one@example.com": "1"}
    assert found.fallback == "1"


@pytest.fixture
async def two_orgs(fresh_database_url: str) -> AsyncIterator[tuple[Road, str]]:
    """A road whose engagement has a rehearsal org beside production."""
    with (
        sandbox("servicetracker", SandboxConfig(scale=100)) as source,
        sandbox("zoho_crm", SandboxConfig(edition="enterprise")) as production,
        sandbox("zoho_crm", SandboxConfig(edition="enterprise", seed=7)) as rehearsal,
    ):
        async with road(fresh_database_url, source, production) as one:
            now = one.runtime.now()
            async with one.runtime.db.transaction(one.tenant_id) as session:
                connection = Connection(
                    tenant_id=one.tenant_id,
                    engagement_id=one.engagement_id,
                    role="rehearsal",
                    platform="zoho_crm",
                    config=config_for("zoho_crm", rehearsal),
                    created_at=now,
                    updated_at=now,
                )
                model = PLATFORMS["zoho_crm"].credentials.model_validate(CREDENTIALS["zoho_crm"])
                connection.credentials = seal_credentials(one.runtime, connection, model)
                session.add(connection)
                one.connections["rehearsal"] = connection.id
            yield one, rehearsal


async def test_a_rehearsal_writes_to_its_own_org_and_production_stays_untouched(two_orgs: tuple[Road, str]):
    one, _ = two_orgs
    before = await one.destination.dump()
    for kind in ("discovery", "preflight"):
        await one.run(kind)
    await one.confirm(await one.propose())
    await one.decide_owners()
    production = one.connections["destination"]
    one.connections["destination"] = one.connections["rehearsal"]
    for kind in ("provision", "sample", "full"):
        await one.run(kind)
    rows = await one.ledger("outcome = 'created'")
    assert rows
    assert {row["destination_id"] for row in rows} == {one.connections["rehearsal"]}
    assert not [row for row in rows if row["target_object"] == "Accounts" and not row["owner_id"]]
    assert await one.destination.dump() == before, "the production org has not been touched"
    one.connections["destination"] = production
    for kind in ("provision", "sample", "full"):
        await one.run(kind)
    mine = await one.ledger("outcome = 'created'")
    assert len({row["destination_id"] for row in mine}) == 2, "both orgs keep their own ledger rows"


async def test_owners_are_reassigned_once_users_exist(two_orgs: tuple[Road, str]):
    one, _ = two_orgs
    for kind in ("discovery", "preflight"):
        await one.run(kind)
    await one.confirm(await one.propose())
    await one.decide_owners()
    for kind in ("provision", "sample", "full"):
        await one.run(kind)
    destination = await one.inventory("destination")
    new_owner = next(user.id for user in destination.users if user.active and user.email == "owner6@example.com")
    owned = await one.ledger("owner_id <> '' AND target_object = 'Deals'")
    most = Counter(row["owner_id"] for row in owned).most_common(1)[0][0]
    source_user = (
        await one.fetch(
            "SELECT source_user_id FROM owner_decisions WHERE how = 'matched'"
            f" AND destination_user_id = '{most}' LIMIT 1"
        )
    )[0][0]
    async with one.runtime.db.transaction(one.tenant_id) as session:
        decision = await session.get_one(OwnerDecision, (one.engagement_id, source_user))
        decision.destination_user_id, decision.how = new_owner, "mapped"
    await one.run("reassign_owners")
    moved = await one.ledger(f"owner_id = '{new_owner}'")
    assert [row for row in moved if row["target_object"] == "Deals"], "deals have changed hands"
    dump = {row["id"]: row for row in await one.destination.dump()}
    for row in moved:
        owner = dump[row["record_id"]]["data"]["Owner"]
        assert (owner["id"] if isinstance(owner, dict) else str(owner)) == new_owner
