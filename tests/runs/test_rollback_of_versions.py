"""A rollback after the mapping was changed between runs: it goes by what each run wrote, not by one of the mappings."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.domain.mapping import FieldRule, Load, MappingDocument
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import by_id, edit, rollback_report, theirs
from tests.runs.road import Road, only, sandbox
from tests.runs.test_replaying import failures

_ALL = 10_000


def changed(document: MappingDocument, key: str, **update: Any) -> MappingDocument:
    """The document with one load changed."""
    loads = [one.model_copy(update=update) if one.key == key else one for one in document.loads]
    return document.model_copy(update={"loads": tuple(loads)})


def retargeted(load: Load, **sources: str) -> tuple[FieldRule, ...]:
    """The load's rules, these destination fields taken from other source fields; new ones are added."""
    kept = [rule for rule in load.fields if rule.target not in sources]
    return (*kept, *(FieldRule(target=target, sources=(source,)) for target, source in sources.items()))


class Company:
    """Accounts of which the first stood at the destination before; the others are ours."""

    def __init__(self, way: Road, tracker: Tracker, accounts: list[str], theirs: str) -> None:
        self.way = way
        self.tracker = tracker
        self.accounts = accounts
        self.theirs = theirs
        self.before: dict[str, dict[str, Any]] = {}

    async def ours(self, number: int) -> str:
        found = f"source_id = '{self.accounts[number]}' AND target_object = 'Accounts' AND part = ''"
        [row] = await self.way.ledger(found)
        return str(row["record_id"])

    async def second_version(self) -> None:
        """A field more, and one that takes its value from elsewhere."""
        document = await self.way.document()
        rules = retargeted(document.load("accounts"), Account_Site="Industry", Description="AccountNumber")
        await self.way.confirm(changed(document, "accounts", fields=rules))

    async def rolled_back(self) -> dict[str, Any]:
        await self.way.run("rollback")
        return await rollback_report(self.way)


@asynccontextmanager
async def company(open_way: OpenWay, more: Mapping[str, Any]) -> AsyncIterator[Company]:
    """A full run by the first version over three accounts; `more`: what theirs held beside its name."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker, open_way(source=url) as way:
            given = {"Industry": "Energy", "Description": "First words", "Phone": "+1 415 555 0100"}
            accounts = [
                await tracker.create("Account", Name=f"Client {number}", AccountNumber=f"N-{number}", **given)
                for number in range(3)
            ]
            await way.up_to("mapping")
            await way.confirm(only(await way.document(), ["accounts", "contacts", "products"]))
            await way.run("provision")
            found = Company(way, tracker, accounts, await theirs(way, accounts[0], **more))
            found.before = await by_id(way)
            await way.run("full")
            yield found


THEIR_WORDS = {"Account_Site": "Their site", "Fax": "+1 415 555 0188"}


@pytest.mark.parametrize("kind", ["delta", "replay", "full", "repair"])
async def test_what_a_newer_version_wrote_is_taken_back(open_way: OpenWay, kind: str) -> None:
    async with company(open_way, {"Fax": "+1 415 555 0188"} if kind == "delta" else THEIR_WORDS) as one:
        way = one.way
        for account in one.accounts[:2]:
            await one.tracker.change("Account", account, Phone="+1 415 555 0199")
        if kind == "replay":
            await way.destination.faults(reject_record=_ALL, seed=1)
            await way.delta()
            await way.destination.faults()
        await one.second_version()
        if kind == "delta":
            await way.delta()
        elif kind == "replay":
            [group] = await failures(way, "delta")
            await way.run("replay", options={"cause": group.cause})
        elif kind == "repair":
            await way.run("reconcile")
            await way.run("repair")
        else:
            await way.run("full")
        now = await by_id(way)
        for number, record in enumerate((one.theirs, await one.ours(1))):
            assert (now[record]["Account_Site"], now[record]["Description"]) == ("Energy", f"N-{number}")
        conflicts = await way.fetch("SELECT source_id, field, state FROM merge_findings")
        assert [one["field"] for one in conflicts if one["state"] == "open"] == []
        report = await one.rolled_back()
        assert (report["kept"], report["restored"], report["equal"]) == ([], 1, True)
        assert await by_id(way) == one.before
        assert await way.ledger("record_id IS NOT NULL") == []


async def test_an_edit_in_a_field_of_the_newer_version_stays_and_is_listed(open_way: OpenWay) -> None:
    async with company(open_way, THEIR_WORDS) as one:
        way = one.way
        await one.second_version()
        await way.run("full")
        for record in (one.theirs, ours := await one.ours(1)):
            await edit(way, "Accounts", record, Account_Site="Said by people")
        report = await one.rolled_back()
        assert sorted((kept["source_id"], kept["fields"]) for kept in report["kept"]) == [
            (account, ["Account_Site"]) for account in one.accounts[:2]
        ]
        now = await by_id(way)
        assert now.pop(ours)["Account_Site"] == "Said by people"
        assert now.pop(one.theirs) == {**one.before.pop(one.theirs), "Account_Site": "Said by people"}
        assert now == one.before


async def test_a_module_that_was_retargeted_is_emptied_on_both_sides(open_way: OpenWay) -> None:
    async with company(open_way, {}) as one:
        way = one.way
        products = [await one.tracker.create("Product2", Name=f"Part {number}") for number in range(2)]
        await way.delta()
        document = await way.document()
        rules = (FieldRule(target="Vendor_Name", sources=("Name",)),)
        await way.confirm(changed(document, "products", target_object="Vendors", fields=rules, unique=()))
        await way.run("provision")
        await one.tracker.change("Product2", products[0], Name="Part of another kind")
        await way.delta()
        targets = {row["target_object"] for row in await way.ledger("source_object = 'Product2' AND created")}
        assert targets == {"Products", "Vendors"}
        await one.rolled_back()
        assert await by_id(way) == one.before
        assert await way.ledger("record_id IS NOT NULL") == []


async def test_a_load_that_was_switched_off_is_taken_back(open_way: OpenWay) -> None:
    """Contacts of the newer version hang on accounts of the older one."""
    async with company(open_way, {"Fax": "+1 415 555 0188"}) as one:
        await one.way.confirm(changed(await one.way.document(), "accounts", enabled=False))
        for account in one.accounts:
            await one.tracker.create("Contact", LastName=f"Of {account}", AccountId=account)
        await one.way.delta()
        assert len(await one.way.ledger("target_object = 'Contacts' AND created")) == len(one.accounts)
        report = await one.rolled_back()
        assert (report["kept"], report["restored"], report["equal"]) == ([], 1, True)
        assert await by_id(one.way) == one.before
        assert await one.way.ledger("record_id IS NOT NULL") == []


async def test_what_was_written_before_two_refused_replays_is_proved(open_way: OpenWay) -> None:
    """The source went on before each of them: what stands there is the first version's write of the first state."""
    async with company(open_way, {"Fax": "+1 415 555 0188"}) as one:
        way = one.way
        await one.second_version()
        await way.destination.faults(reject_record=_ALL, seed=1)
        await way.run("full")
        for number in range(2):
            [group] = await failures(way, "replay" if number else "full")
            await one.tracker.change("Account", one.accounts[1], Phone=f"+1 415 555 020{number}", Industry="Media")
            await way.run("replay", options={"cause": group.cause})
        await way.destination.faults()
        report = await one.rolled_back()
        assert (report["kept"], report["restored"], report["equal"]) == ([], 1, True)
        assert await by_id(way) == one.before
