"""Several contacts say that they are the primary one: the first by id is, and the others end with a reason."""

from typing import Any

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.doom import after, one_life
from tests.runs.road import Road, sandbox

LINKS = "source_object = 'Contact' AND part = 'primary'"


async def ends(way: Road) -> dict[str, tuple[str, str]]:
    return {row["source_id"]: (row["outcome"], row["reason"]) for row in await way.ledger(LINKS)}


async def primary(way: Road, account: str) -> str:
    """The source id of the contact that the account shows."""
    dump = await way.destination.dump()
    former = {line["id"]: line["data"].get("Source_System_ID") for line in dump if line.get("module") == "Contacts"}
    [record] = [
        line["data"]
        for line in dump
        if line.get("module") == "Accounts"
        and line["data"].get("Source_System_ID") == f"servicetracker:Account:{account}"
    ]
    shown: Any = former.get(record["Primary_Contact"])
    return str(shown).rpartition(":")[2]


async def test_the_first_by_id_wins_and_loses_only_when_it_steps_back(open_way: OpenWay) -> None:
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            account = await tracker.create("Account", Name="Shared")
            people = [
                await tracker.create(
                    "Contact", LastName=f"Person {number}", AccountId=account, Is_Primary__c=number > 0
                )
                for number in range(4)
            ]
            async with open_way(source=url) as way:
                await way.up_to("provision")
                await way.run("full")
                assert await primary(way, account) == people[1]
                lost = ("skipped", "another_is_primary")
                found = await ends(way)
                assert (found[people[2]], found[people[3]]) == (lost, lost)
                assert found[people[1]][0] in ("created", "updated")
                # the first steps back at the source: the next one follows, with the one call that this takes
                await tracker.change("Contact", people[1], Is_Primary__c=False)
                await way.delta()
                assert await primary(way, account) == people[2]
                # somebody with a lower id becomes primary
                await tracker.change("Contact", people[0], Is_Primary__c=True)
                await way.delta()
                assert await primary(way, account) == people[0]
                assert (await ends(way))[people[2]] == (await ends(way))[people[3]] == lost


async def test_a_death_among_the_links_changes_no_winner(open_way: OpenWay) -> None:
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            accounts = [await tracker.create("Account", Name=f"Shared {number}") for number in range(3)]
            first: dict[str, str] = {}
            for number in range(9):
                account = accounts[number % 3]
                made = await tracker.create(
                    "Contact", LastName=f"Person {number}", AccountId=account, Is_Primary__c=True
                )
                first.setdefault(account, made)
        async with open_way(source=url, call_timeout_seconds=0.5) as way:
            await way.up_to("provision")
            run_id = await way.start("full")
            for patience in (8, 15):
                await one_life(way, run_id, after(patience))
            await way.drive(run_id)
            assert {account: await primary(way, account) for account in accounts} == first
            assert sum(reason == "another_is_primary" for _, reason in (await ends(way)).values()) == 6
