"""Freshsales: tasks, appointments, notes, calls, product lines, products and files (fact sheet sections 5 to 9)."""

from typing import Any

import pytest

from connectors.base import WriteStatus
from connectors.errors import ContractBroken, CredentialsRejected
from tests.connectors.destination_cases import stream
from tests.connectors.freshsales_kit import Account, account

CREATED, UPDATED, REFUSED = WriteStatus.CREATED, WriteStatus.UPDATED, WriteStatus.REFUSED


def on(parent: str, object_name: str = "contacts", **values: Any) -> dict[str, Any]:
    return {"targetable_type": object_name, "targetable_id": int(parent), **values}


async def deal(fresh: Account, **more: Any) -> str:
    return await fresh.made("deals", **{"name": "D", "amount": 5600, **more})


async def test_tasks_and_appointments_keep_their_own_times() -> None:
    async with account() as fresh:
        parent = await fresh.made("contacts", last_name="P")
        task = await fresh.made(
            "tasks", **on(parent), title="Visit", due_date="2021-03-04T09:00:00+00:00", status="Done",
            task_type_id="Follow up", description="Bring keys\n\n[st:WorkOrder:1]",
        )  # fmt: skip
        visit = await fresh.made(
            "appointments", **on(parent), title="Slot", from_date="2016-01-01T08:00:00+00:00",
            end_date="2016-01-01T09:00:00+00:00", is_allday=False,
        )  # fmt: skip
        tasks = await fresh.destination.children("tasks", "contacts", parent)
        assert [(one["id"], one["status"], one["task_type_id"]) for one in tasks] == [(task, "Done", "Follow up")]
        assert (tasks[0]["targetable_type"], tasks[0]["targetable_id"]) == ("contacts", parent)
        (slot,) = (await fresh.destination.fetch("appointments", [visit, "77"], [])).values()
        assert slot["from_date"].startswith("2016-01-01T03:00:00")
        assert (await fresh.destination.count("tasks"), await fresh.destination.count("appointments")) == (1, 1)


async def test_activities_of_a_hundred_parents_are_one_call() -> None:
    async with account() as fresh:
        records = [{"last_name": f"P{n}", "external_id": f"k:{n}"} for n in range(100)]
        parents = [str(one.id) for one in await fresh.upsert("contacts", "external_id", *records)]
        await fresh.insert("notes", *(on(one, description=f"note [{n}]") for n, one in enumerate(parents[:40])))
        await fresh.destination.fetch("contacts", parents, [])
        calls = fresh.count()
        found = await fresh.destination.children_of("notes", "contacts", parents)
        assert calls.by_purpose() == {"fetch contacts": 1}
        assert [len(found[one]) for one in parents] == [1] * 40 + [0] * 60
        assert found[parents[7]][0]["description"] == "note [7]"


async def test_an_unknown_task_type_and_a_missing_parent_are_refusals() -> None:
    async with account() as fresh:
        parent = await fresh.made("contacts", last_name="P")
        results = await fresh.insert(
            "tasks",
            on(parent, title="T", due_date="2021-03-04", task_type_id="Fax"),
            on("31999999999", title="T", due_date="2021-03-04"),
            on(parent, title="T"),
        )
        assert [(one.status, one.code, one.field) for one in results] == [
            (REFUSED, "UNKNOWN_OPTION", "task_type_id"), (REFUSED, "INVALID_DATA", "targetable_id"),
            (REFUSED, "MANDATORY_NOT_FOUND", ""),
        ]  # fmt: skip


@pytest.mark.parametrize(("form", "calls"), [("both", 2), ("wrapped", 2), ("bare", 3)])
async def test_phone_calls_in_the_form_that_the_account_takes(form: str, calls: int) -> None:
    async with account(phone_call_body=form) as fresh:
        parent = await fresh.made("contacts", last_name="P")
        spent = fresh.count()
        made = []
        for number in range(2):
            call = on(parent, call_direction="Outgoing", description=f"talk\n\n[k:{number}]")
            made.append(await fresh.made("phone_calls", **call))
        assert spent.by_purpose() == {"write phone_calls": calls}
        listed = await fresh.destination.children("phone_calls", "contacts", parent)
        assert {one["id"]: one["description"] for one in listed} == {
            key: f"talk\n\n[k:{n}]" for n, key in enumerate(made)
        }
        (left,) = await fresh.destination.delete("phone_calls", made[:1])
        assert (left.status, left.code) == (REFUSED, "NO_DELETE_CALL")
        assert len(await fresh.destination.children("phone_calls", "contacts", parent)) == 1


@pytest.mark.parametrize("fault", ["fail5xx", "fail5xx_after", "fail429"])
async def test_one_lost_answer_among_many_deletions_and_changes_costs_one_call(fault: str) -> None:
    """Calls by id are repeated in place: none of the others is made again because of it."""
    async with account() as fresh:
        parent = await fresh.made("contacts", last_name="P")
        notes = [await fresh.made("notes", **on(parent, description=f"n{n}")) for n in range(40)]
        await fresh.faults(**{fault: 1_500}, seed=4)
        calls = fresh.count()
        changed = await fresh.update("notes", *({"id": key, "description": "new"} for key in notes))
        gone = await fresh.destination.delete("notes", notes)
        injected = (await fresh.stats())["faults"][fault]
        made = calls.by_purpose()
        assert [one.status for one in (*changed, *gone)] == [UPDATED] * 80
        assert injected >= 5
        assert made["update notes"] + made["delete notes"] == 80 + injected
        await fresh.faults(**{fault: 0})
        assert await fresh.destination.children("notes", "contacts", parent) == []


async def test_sales_activities_need_a_type_of_the_customers_own() -> None:
    async with account() as fresh:
        parent = await fresh.made("contacts", last_name="P")
        times = {"start_date": "2020-05-06T07:00:00+00:00", "end_date": "2020-05-06T08:00:00+00:00"}
        await fresh.admin("create_activity_type", name="Site visit")
        await fresh.made("sales_activities", **on(parent), title="V", sales_activity_type_id="Site visit", **times)
        (refused,) = await fresh.insert(
            "sales_activities", on(parent, title="V", sales_activity_type_id="Phone", **times)
        )
        assert (refused.status, refused.code) == (REFUSED, "UNKNOWN_OPTION")
        (seen,) = await fresh.destination.children("sales_activities", "contacts", parent)
        assert seen["start_date"].startswith("2020-05-06T03:00:00")


async def test_notes_have_no_call_by_id() -> None:
    async with account() as fresh:
        with pytest.raises(ContractBroken):
            await fresh.destination.fetch("notes", ["1"], [])
        assert await fresh.destination.children("notes", "contacts", "31999999999") == []


async def test_lines_of_a_deal_are_one_call_and_join_those_that_stand_there() -> None:
    async with account() as fresh:
        first, second = await deal(fresh), await deal(fresh)
        product = int(await fresh.made("products", name="Valve", unit_price=10))
        line = {"product_id": product, "quantity": 2, "unit_price": 12.5}
        (standing,) = await fresh.insert("deal_products", {"deal_id": int(first), **line})
        calls = fresh.count()
        results = await fresh.insert(
            "deal_products", {"deal_id": int(first), **line}, {"deal_id": int(second), **line},
            {"deal_id": int(first), "product_id": product, "quantity": 1, "unit_price": 1, "discount": 50},
            {"deal_id": int(first), "quantity": 1},
        )  # fmt: skip
        assert [one.status for one in results] == [CREATED, CREATED, CREATED, REFUSED]
        assert calls.by_purpose() == {"fetch deals": 2, "write deal_products": 2}
        lines = await fresh.destination.children("deal_products", "deals", first)
        assert [one["id"] for one in lines] == [standing.id, results[0].id, results[2].id]
        assert [float(one["unit_price"]) for one in lines] == [12.5, 12.5, 1.0]
        row = (await fresh.destination.fetch("deals", [first], ["amount"]))[first]
        assert (row["has_products"], float(row["amount"])) == (True, 50.5)  # recomputed from the lines (section 5)


async def test_a_call_keeps_its_note_when_only_its_direction_is_to_change() -> None:
    async with account() as fresh:
        parent = await fresh.made("contacts", last_name="P")
        made = await fresh.made("phone_calls", **on(parent, call_direction="Outgoing", description="talk"))
        (refused,) = await fresh.update("phone_calls", {"id": made, "call_direction": "Incoming"})
        assert (refused.status, refused.code) == (REFUSED, "NO_UPDATE_CALL")
        (changed,) = await fresh.update("phone_calls", {"id": made, "description": "more talk"})
        assert changed.status is UPDATED
        (seen,) = await fresh.destination.children("phone_calls", "contacts", parent)
        assert seen["description"] == "more talk"


async def test_a_line_takes_another_product() -> None:
    async with account() as fresh:
        key = await deal(fresh)
        first, second = [int(await fresh.made("products", name=name)) for name in ("Valve", "Pipe")]
        (made,) = await fresh.insert("deal_products", {"deal_id": int(key), "product_id": first, "quantity": 2})
        (changed,) = await fresh.update("deal_products", {"id": made.id, "product_id": second})
        (row,) = await fresh.destination.children("deal_products", "deals", key)
        assert (changed.status, row["id"], row["product_id"]) == (UPDATED, made.id, str(second))
        assert float(row["quantity"]) == 2


async def test_lines_change_and_go_one_at_a_time() -> None:
    async with account() as fresh:
        key = await deal(fresh)
        product = int(await fresh.made("products", name="Valve"))
        made = await fresh.insert(
            "deal_products", *({"deal_id": int(key), "product_id": product, "unit_price": n} for n in (1, 2, 3))
        )
        await fresh.update("deal_products", {"id": made[1].id, "unit_price": 9})
        for _ in range(2):
            gone = await fresh.destination.delete("deal_products", [str(made[0].id)])
            assert [one.status for one in gone] == [UPDATED]
        rows = await fresh.destination.fetch("deal_products", [str(one.id) for one in made], [])
        assert {one: float(row["unit_price"]) for one, row in rows.items()} == {made[1].id: 9.0, made[2].id: 3.0}


async def test_lines_of_a_refused_deal_are_refused_and_lines_that_are_gone_are_missing() -> None:
    async with account() as fresh:
        key = await deal(fresh)
        product = int(await fresh.made("products", name="Valve"))
        (made,) = await fresh.insert("deal_products", {"deal_id": int(key), "product_id": product, "unit_price": 1})
        await fresh.faults(reject_record=10_000)
        (changed,) = await fresh.update("deal_products", {"id": made.id, "unit_price": 9})
        (gone,) = await fresh.destination.delete("deal_products", [str(made.id)])
        assert (changed.status, changed.id) == (gone.status, gone.id) == (REFUSED, made.id)
        await fresh.faults(reject_record=0)
        rows = await fresh.destination.fetch("deal_products", [str(made.id)], [])
        assert float(rows[str(made.id)]["unit_price"]) == 1
        await fresh.destination.delete("deal_products", [str(made.id)])
        (lost,) = await fresh.update("deal_products", {"id": made.id, "unit_price": 9})
        assert (lost.status, lost.code) == (REFUSED, "NOT_FOUND")


@pytest.mark.parametrize("form", ["both", "wrapped", "bare"])
async def test_a_refused_phone_call_is_one_refusal_in_any_form(form: str) -> None:
    async with account(phone_call_body=form) as fresh:
        parent = await fresh.made("contacts", last_name="P")
        await fresh.faults(reject_record=10_000)
        (no,) = await fresh.insert("phone_calls", on(parent, call_direction="Outgoing", description="talk\n\n[k:1]"))
        assert (no.status, no.code) == (REFUSED, "HTTP_400")
        await fresh.faults(reject_record=0)
        await fresh.made("phone_calls", **on(parent, call_direction="Outgoing", description="talk\n\n[k:1]"))
        assert len(await fresh.destination.children("phone_calls", "contacts", parent)) == 1


async def test_products_with_a_price_are_found_by_code_and_by_key() -> None:
    async with account() as fresh:
        key = await fresh.field("products", "Source System ID")
        spent = fresh.count()
        valve = await fresh.made("products", name="Valve", product_code="V-1", unit_price=10.5, **{key: "st:P:1"})
        assert spent.by_purpose()["write products"] == 1
        assert "price products" not in spent.by_purpose()
        await fresh.made("products", name="Pump", product_code="P-1", unit_price=3, currency_code="EUR")
        rows = await fresh.destination.fetch("products", [valve], ["unit_price"])
        assert (float(rows[valve]["unit_price"]), rows[valve]["currency_code"]) == (10.5, "USD")
        assert [one.id for one in (await fresh.destination.find("products", key, ["st:P:1", "x"]))["st:P:1"]] == [valve]
        assert list(await fresh.destination.find("products", "product_code", ["V-1", "v-1"])) == ["V-1"]
        await fresh.update("products", {"id": valve, "unit_price": 11, "category": "Parts"})
        rows = await fresh.destination.fetch("products", [valve], [])
        assert (float(rows[valve]["unit_price"]), rows[valve]["category"], rows[valve][key]) == (
            11.0,
            "Parts",
            "st:P:1",
        )
        await fresh.destination.delete("products", [valve])
        assert await fresh.destination.count("products") == 1


async def test_a_plan_without_a_catalogue_shows_none_and_refuses_it() -> None:
    async with account(edition="growth") as fresh:
        inventory = await fresh.destination.describe()
        assert inventory.edition == "growth"
        assert {"products", "deal_products"}.isdisjoint(one.name for one in inventory.objects)
        with pytest.raises(CredentialsRejected):
            await fresh.insert("products", {"name": "Valve"})


async def test_files_and_links_on_what_the_api_takes_them_on() -> None:
    async with account(storage_bytes="100") as fresh:
        parent = await fresh.made("contacts", last_name="P")
        made = await fresh.destination.attach("contacts", parent, stream("a.txt", b"abc", size=3))
        full = await fresh.destination.attach("contacts", parent, stream("b.txt", b"x" * 200, size=200))
        module = await fresh.destination.attach("cm_visit", "1", stream("c.txt", b"abc", size=3))
        link = await fresh.destination.attach_link("contacts", parent, " Big  file\n", "https://files.example.org/x")
        unfit = await fresh.destination.attach_link("contacts", parent, "n", "https://files.example.org/\r\nx")
        assert [one.status for one in (made, full, module, link, unfit)] == [
            CREATED, REFUSED, REFUSED, CREATED, REFUSED,
        ]  # fmt: skip
        assert (full.code, module.code) == ("STORAGE_OR_RIGHT", "PARENT_NOT_SUPPORTED")
        rows = await fresh.destination.children("documents", "contacts", parent)
        assert {(one["File_Name"], one["Size"]) for one in rows} == {("a.txt", 3), ("Big  file", None)}
