"""Who will own records at the destination: decisions of people, e-mail matches, and the fallback."""

from collections.abc import Callable, Mapping, Sequence

from app.domain.schema import Inventory, UserSpec
from app.runs.deciding import Owners
from app.runs.stages.extract import source_inventory
from app.runs.work import Work


async def owners(work: Work, target: Inventory) -> Owners:
    """Destination users behind source users: what people decided, else the one active user of the same e-mail."""
    if "owners" not in work.cache:
        source: Inventory = await source_inventory(work)
        translate = await _decided_for(work, target)
        decisions = {user: translate(chosen) for user, chosen in (await _decisions(work)).items()}
        fallback = decisions.pop("*", None)
        work.cache["owners"] = match_owners(source.users, target.users, decisions, fallback)
    found: Owners = work.cache["owners"]
    return found


def match_owners(
    source: Sequence[UserSpec], target: Sequence[UserSpec], decisions: Mapping[str, str | None], fallback: str | None
) -> Owners:
    """Pure: a decision wins, then an e-mail that exactly one active user has, then nothing (the fallback)."""
    emails: dict[str, str] = {}
    double: set[str] = set()
    for user in target:
        if user.active and user.email:
            if user.email in emails:
                double.add(user.email)
            emails[user.email] = user.id
    unique = {email: user_id for email, user_id in emails.items() if email not in double}
    users = {user.id: decisions.get(user.id) or unique.get(user.email) for user in source}
    return Owners({user: chosen for user, chosen in users.items() if chosen}, unique, fallback)


async def _decisions(work: Work) -> dict[str, str]:
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT source_user_id, destination_user_id FROM owner_decisions WHERE engagement_id = $1"
            " AND destination_user_id IS NOT NULL",
            work.run.engagement_id,
        )
    return {row["source_user_id"]: row["destination_user_id"] for row in rows}


async def _decided_for(work: Work, target: Inventory) -> Callable[[str], str | None]:
    """Decisions name users of production; a rehearsal org has other ids for the same e-mail addresses."""
    from app.runs.opening import connection_for, newest_inventory

    production = await connection_for(work, "destination")
    if production.id == work.run.destination_id:
        return lambda chosen: chosen
    here = {user.email: user.id for user in target.users if user.active and user.email}
    anybody = next((user.id for user in target.users if user.active), None)
    there = {user.id: user.email for user in (await newest_inventory(work, production.id)).users}
    return lambda chosen: here.get(there.get(chosen, ""), anybody)
