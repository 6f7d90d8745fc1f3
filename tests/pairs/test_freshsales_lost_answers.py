"""Every object without a key at Freshsales under lost answers: one record each, and nothing stays after a rollback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.rehearsal.widening import wider
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import provision
from tests.pairs.vendors import Tracker
from tests.runs.road import Road, road, sandbox

PAIR = ("servicetracker", "freshsales")
EACH = 8
LINK_OVER = 2_000
MODULES = {
    "tasks": "task", "sales_activities": "sales_activity", "appointments": "appointment", "notes": "note",
    "phone_calls": "note", "deal_products": "deal_product", "documents": "file", "deals": "deal",
}  # fmt: skip
"""What the loads write, by the names of the stand-in's dump."""


@pytest.fixture
async def way(database_url: str) -> AsyncIterator[Road]:
    """A mapping that writes every object, up to the full run; files over two thousand bytes become links."""
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", SandboxConfig()) as destination:
        async with Tracker(source) as tracker:
            await company(tracker)
        async with road(database_url, source, destination, pair=PAIR) as made:
            await made.execute(
                "UPDATE connections SET config = config || $2 WHERE id = $1",
                *(made.connections["destination"], {"link_files_over": LINK_OVER}),
            )
            for action in wider(PAIR).needs:
                await made.destination.post("admin", action)
            for kind in ("discovery", "preflight"):
                await made.run(kind)
            document = await made.propose()
            await made.confirm(document.model_copy(update={"loads": (*document.loads, *wider(PAIR).loads)}))
            await made.decide_owners()
            await provision(made)
            yield made


async def company(tracker: Tracker) -> None:
    account = await tracker.create("Account", Name="Cedar Ltd")
    contract = await tracker.create(
        "ServiceContract", Name="Plan", AccountId=account, StartDate="2026-01-01", Monthly_Value__c="90.00"
    )
    order = await tracker.create(
        "WorkOrder", Subject="Boiler", AccountId=account, ServiceContractId=contract, Status="Open"
    )
    part = await tracker.create("Product2", Name="Valve", ProductCode="V-1")
    for number in range(EACH):
        start = f"2026-03-0{number + 1}T08:00:00Z"
        await tracker.create("Event", Subject="Visit", WhatId=order, StartDateTime=start, EndDateTime=start)
        await tracker.create("Task", Subject="Called", WhatId=order, Status="Completed")
        await tracker.create("Note", ParentId=account, Title="Same", Body="The same words.")
        await tracker.create(
            "ProductConsumed", WorkOrderId=order, Product2Id=part, QuantityConsumed="2", UnitPrice="10.00"
        )
        body = bytes([number]) * (LINK_OVER + 500 if number % 2 else LINK_OVER - 500)
        await tracker.create("Attachment", ParentId=order if number % 4 else account, Name="same.png", Body=body)


def live(dump: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in dump:
        found.setdefault(line["module"], set()).add(str(line["id"]))
    return found


@pytest.mark.parametrize("fault", ["drop", "fail5xx_after"])
async def test_lost_answers_lose_and_double_nothing(way: Road, fault: str) -> None:
    """Equal names, texts and lines on purpose: what tells them apart is the marker, the size, or the ledger."""
    before = live(await way.destination.dump())
    await way.destination.faults(seed=5, **{fault: 700})
    await way.run("full")
    assert (await way.destination.stats())["faults"][fault] > 3
    await way.destination.faults()
    dump = await way.destination.dump()
    rows = await way.ledger("created AND record_id IS NOT NULL")
    assert {row["target_object"] for row in rows} >= MODULES.keys()
    for module in set(MODULES.values()):
        ours = [row["record_id"] for row in rows if MODULES.get(row["target_object"]) == module]
        assert sorted(ours) == sorted(live(dump)[module] - before.get(module, set())), module
    files = [line["data"] for line in dump if line["module"] == "file"]
    assert (len(files), sum(bool(one["url"]) for one in files)) == (EACH, EACH // 2)
    counts = (await way.row(way.runs["full"])).counts
    assert counts["quarantined"] == counts["held"] == counts["readback"]["discrepancies"] == 0
    await way.run("rollback")
    left = {row["target_object"] for row in await way.ledger("record_id IS NOT NULL")}
    assert left == {"documents", "phone_calls"}  # no call deletes these
