"""The merge towards Freshsales, for every object without a key: what people changed there stays or is asked about."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select

from app.engagements.questions import MERGE_CONFLICT, answer_question
from app.models.columns import new_id
from app.models.engagement import Question
from app.rehearsal.widening import wider
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import provision
from tests.pairs.freshsales_account import Freshsales
from tests.pairs.vendors import Tracker
from tests.runs.road import Road, road, sandbox

PAIR = ("servicetracker", "freshsales")


@dataclass(frozen=True)
class Case:
    """One object: the load, its source record and what changes at both ends.

    `follows` is changed at the source alone, `kept` at the destination alone, `both` at both ends: (source field, its
    value, destination field). An object of one text alone has nothing that one side could keep.
    """

    load: str
    source: str
    module: str
    follows: tuple[str, Any, str]
    both: tuple[str, Any, str]
    kept: tuple[str, Any] | None = None


CASES = {
    "tasks": Case(
        *("visit_tasks", "Event", "task"),
        follows=("StartDateTime", "2026-05-01T08:00:00Z", "due_date"),
        kept=("title", "Renamed by people"),
        both=("Description", "Bring the key.", "description"),
    ),
    "sales_activities": Case(
        *("visit_log", "Event", "sales_activity"),
        follows=("StartDateTime", "2026-05-01T08:00:00Z", "start_date"),
        kept=("title", "Renamed by people"),
        both=("Description", "Bring the key.", "notes"),
    ),
    "appointments": Case(
        *("visits", "Event", "appointment"),
        follows=("StartDateTime", "2026-05-01T08:00:00Z", "from_date"),
        kept=("title", "Renamed by people"),
        both=("Location", "Gate 2", "location"),
    ),
    "notes": Case(
        *("history", "Task", "note"),
        follows=("Description", "More to say.", "description"),
        both=("Description", "Other words.", "description"),
    ),
    "phone_calls": Case(
        *("order_calls", "Task", "note"),
        follows=("Subject", "Called again", "description"),
        both=("Subject", "Called twice", "description"),
    ),
    "deal_products": Case(
        *("order_lines", "ProductConsumed", "deal_product"),
        follows=("UnitPrice", "11.50", "unit_price"),
        kept=("quantity", 7),
        both=("QuantityConsumed", "4", "quantity"),
    ),
}


@dataclass
class Both:
    """A company whose every kind of activity stands in both systems."""

    way: Road
    tracker: Tracker
    account: Freshsales
    ids: dict[str, str]

    async def held(self, case: Case) -> dict[str, Any]:
        """The record as the account holds it."""
        row = await self.row(case)
        lines = {(line["module"], str(line["id"])): line["data"] for line in await self.way.destination.dump()}
        found: dict[str, Any] = lines[case.module, row["record_id"]]
        return found

    async def row(self, case: Case) -> Any:
        rule = (await self.way.document()).load(case.load)
        [row] = await self.way.ledger(
            f"source_id = '{self.ids[case.load]}' AND target_object = '{rule.target_object}' AND part = '{rule.part}'"
        )
        return row

    async def edit(self, case: Case, **values: Any) -> None:
        """What somebody else writes, through the vendor's API."""
        record_id = (await self.row(case))["record_id"]
        if case.module == "deal_product":  # lines are edited on their deal
            deal, _, line = record_id.partition(".")
            held = await self.held(case)
            product = {**held, "id": held["product_id"], "association_id": line, **values}
            await self.account.send("PUT", f"/deals/{deal}", {"deal": {"products": [product]}})
            return
        path = f"/{case.module.replace('activity', 'activitie')}s/{record_id}"
        await self.account.send("PUT", path, {case.module: values})

    async def delta(self, case: Case) -> dict[str, int]:
        """One delta; the counts of the case's load."""
        self.way.batch += 1
        since = self.way.runtime.now().replace(year=2020)
        run_id = await self.way.run("delta", options={"batch": self.way.batch, "since": since.isoformat()})
        counts = (await self.way.stages(run_id))[f"load:{case.load}"].counts
        return {name: counts.get(name, 0) for name in ("updated", "kept_edits", "conflicts")}

    async def answer(self, choice: str) -> set[tuple[str, str]]:
        """Answers what is open; (load, field) of each."""
        way, asked = self.way, set()
        async with way.runtime.db.transaction(way.tenant_id) as session:
            rows = await session.exec(select(Question).where(Question.code == MERGE_CONFLICT))
            for row in [one for one in rows.all() if one.answered_at is None]:
                asked.add((row.detail["load"], row.detail["field"]))
                body = {"choice": choice}
                await answer_question(session, way.tenant_id, row.id, body, by=new_id(), at=way.runtime.now())
        return asked


@pytest.fixture(scope="module")
async def both(database_url: str) -> AsyncIterator[Both]:
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", SandboxConfig()) as destination:
        async with Tracker(source) as tracker:
            ids = await company(tracker)
            async with road(database_url, source, destination, pair=PAIR) as way:
                for kind in ("discovery", "preflight"):
                    await way.run(kind)
                more = wider(PAIR)
                for action in more.needs:
                    await way.destination.post("admin", action)
                await way.run("discovery")
                document = await way.propose()
                await way.confirm(document.model_copy(update={"loads": (*document.loads, *more.loads)}))
                await way.decide_owners()
                await provision(way)
                await way.run("full")
                account = Freshsales(destination)
                await account.sign_in()
                try:
                    yield Both(way, tracker, account, ids)
                finally:
                    await account.close()


async def company(tracker: Tracker) -> dict[str, str]:
    """One order of recurring money with a record of its own for every case; source ids by load."""
    account = await tracker.create("Account", Name="Cedar Ltd")
    contract = await tracker.create(
        "ServiceContract", Name="Plan", AccountId=account, StartDate="2026-01-01", Monthly_Value__c="90.00"
    )
    order = await tracker.create(
        "WorkOrder", Subject="Boiler", AccountId=account, ServiceContractId=contract, Status="Open"
    )
    part = await tracker.create("Product2", Name="Valve", ProductCode="V-1")
    values: dict[str, dict[str, Any]] = {
        "Event": {
            "Subject": "Visit", "WhatId": order, "Description": "Ring twice.", "StartDateTime": "2026-03-01T08:00:00Z",
            "EndDateTime": "2026-03-01T09:00:00Z",
        },
        "Task": {"Subject": "Called", "WhatId": order, "Status": "Completed", "Description": "Said so."},
        "ProductConsumed": {"WorkOrderId": order, "Product2Id": part, "QuantityConsumed": "2", "UnitPrice": "10.00"},
    }  # fmt: skip
    return {one.load: await tracker.create(one.source, **values[one.source]) for one in CASES.values()}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kept])
async def test_each_side_keeps_what_it_alone_changed(both: Both, name: str) -> None:
    case = CASES[name]
    assert case.kept is not None
    field, value, target = case.follows
    before = await both.held(case)
    await both.edit(case, **{case.kept[0]: case.kept[1]})
    await both.tracker.change(case.source, both.ids[case.load], **{field: value})
    counts = await both.delta(case)
    held = await both.held(case)
    assert str(held[case.kept[0]]).removesuffix(".0") == str(case.kept[1])
    assert held[target] != before[target]
    assert (counts["updated"], counts["kept_edits"], counts["conflicts"]) == (1, 1, 0)
    await both.way.run("reconcile")
    assert (await both.way.row(both.way.runs["reconcile"])).counts["readback"]["discrepancies"] == 0


@pytest.mark.parametrize("name", CASES)
async def test_what_both_changed_waits_for_a_person(both: Both, name: str) -> None:
    case = CASES[name]
    field, value, target = case.both
    theirs: Any = 9 if target == "quantity" else "What people say"
    await both.edit(case, **{target: theirs})
    await both.tracker.change(case.source, both.ids[case.load], **{field: value})
    assert (await both.delta(case))["conflicts"] == 1
    assert str((await both.held(case))[target]).removesuffix(".0") == str(theirs)
    assert (case.load, target) in await both.answer("source")
    await both.delta(case)
    assert value in str((await both.held(case))[target])
