"""The same at Freshsales, which inserts deals and products one by one and whose searches know no blanks."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.base import WriteResult, WriteTarget
from connectors.errors import QuotaExhausted
from connectors.freshsales.destination import FreshsalesDestination
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import ADMINS, provision
from tests.pairs.vendors import Tracker
from tests.runs.road import Road, road, sandbox
from tests.runs.test_schema_under_way import discrepancies, restore
from tests.runs.test_written_without_key import KEYS, robbed, unkeyed

PAIR = ("servicetracker", "freshsales")
EACH = 12


@pytest.fixture
async def way(database_url: str) -> AsyncIterator[Road]:
    """A client, recurring orders that differ in little but their numbers, and the catalogue; provisioned."""
    config = SandboxConfig(edition="enterprise")
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", config) as destination:
        async with Tracker(source) as tracker:
            account = await tracker.create("Account", Name="Cedar Ltd")
            contract = await tracker.create(
                "ServiceContract", Name="Plan", AccountId=account, StartDate="2026-01-01", Monthly_Value__c="90.00"
            )
            for number in range(EACH):
                order = {"Subject": f"Boiler {number // 2}", "AccountId": account, "Status": "Open"}
                await tracker.create("WorkOrder", ServiceContractId=contract, **order)
                await tracker.create("Product2", Name=f"Valve {number}", ProductCode=f"V-{number}")
        async with road(database_url, source, destination, pair=PAIR, flush_rows=6) as made:
            for kind in ("discovery", "preflight"):
                await made.run(kind)
            await made.confirm(await made.propose())
            await made.decide_owners()
            await provision(made, administrate)
            yield made


async def administrate(way: Road) -> None:
    """What the provisioning waits for, and what it advises: accounts are upserted by their key."""
    for action in ADMINS["freshsales"]:
        await way.destination.post("admin", action)
    unique = {"module": "sales_account", "field": KEYS["freshsales"]}
    await way.destination.post("admin", {"action": "set_unique", **unique})


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize(("module", "kind"), [("deals", "deal"), ("products", "product")])
async def test_records_whose_key_was_lost_stand_once(way: Road, module: str, kind: str, back: bool) -> None:
    with robbed(way, module, kind, at=2, back=back):
        run_id = await way.start("full")
        if not back:
            run = await way.drive(run_id, expect="waiting_admin")
            assert "Source System ID" in run.problem["missing"][0]
            assert await unkeyed(way, kind)
            await restore(way)
            await way.resume(run_id)
        await way.drive(run_id)
    await discrepancies(way, "repair")
    rows = await way.ledger(f"target_object = '{module}'")
    there = [line for line in await way.destination.dump() if line["module"] == kind]
    assert sorted(row["record_id"] for row in rows) == sorted(str(line["id"]) for line in there)
    assert (len(rows), await unkeyed(way, kind)) == (EACH, [])


async def test_a_few_accounts_whose_key_is_gone_are_not_quarantined(way: Road) -> None:
    """Up to three go by calls of their own: what these are refused for is the account's, not the records'."""
    with robbed(way, "sales_accounts", "sales_account"):
        run_id = await way.start("full")
        run = await way.drive(run_id, expect="waiting_admin")
    assert "Source System ID" in run.problem["missing"][0]
    assert await way.ledger("outcome = 'quarantined'") == []
    await restore(way)
    await way.resume(run_id)
    await way.drive(run_id)
    [row] = await way.ledger("source_object = 'Account' AND target_object = 'sales_accounts'")
    accounts = [line for line in await way.destination.dump() if line["module"] == "sales_account"]
    assert row["record_id"] in [str(line["id"]) for line in accounts]
    assert len({line["data"]["name"] for line in accounts}) == len(accounts)


async def test_accounts_whose_key_field_was_made_anew_are_met_again(way: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget ends between the upsert and its booking; the field that is there afterwards is unique, and empty."""
    original = FreshsalesDestination.write
    stored: list[WriteResult] = []

    async def write(self: Any, target: WriteTarget, records: list[bytes]) -> list[WriteResult]:
        made = await original(self, target, records)
        if target.object == "sales_accounts" and not stored:
            stored.extend(made)
            raise QuotaExhausted("the budget is spent", until=way.runtime.now())
        return made

    monkeypatch.setattr(FreshsalesDestination, "write", write)
    run_id = await way.start("full")
    await way.drive(run_id, expect="waiting_quota")
    ids = {one.id for one in stored}
    for line in [line for line in await way.destination.dump() if str(line["id"]) in ids]:
        custom = {"custom_field": {**line["data"]["custom_field"], KEYS["freshsales"]: None}}
        emptied = {"module": "sales_account", "id": line["id"], "values": custom}
        await way.destination.post("admin", {"action": "edit_record", **emptied})
    assert len(await unkeyed(way, "sales_account")) == len(ids) > 0
    await way.drive(run_id)
    rows = await way.ledger("source_object = 'Account' AND target_object = 'sales_accounts'")
    assert {row["record_id"] for row in rows} == ids
    assert await unkeyed(way, "sales_account") == []
    assert await discrepancies(way, "reconcile") == 0
