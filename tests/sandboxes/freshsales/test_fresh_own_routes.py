"""`/_sandbox`, error shapes for hostile bodies, generated data, and what survives a restart."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from connectors.freshsales.sandbox import create_app
from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import AnswerCut
from tests.sandboxes.caller import noon
from tests.sandboxes.freshsales.fresh_kit import API, Fresh, Start, running


async def test_section_15_hostile_bodies(fresh: Fresh) -> None:
    assert await fresh.refused("POST", "contacts", status=400)
    for content, status in ((b"{", 400), (b"\xff\xfe", 400), (b"[1]", 500), (b'"x"', 500), (b'{"contact":[]}', 400)):
        answer = await fresh.client.post(f"{API}/contacts", content=content)
        assert answer.status_code == status, content
        assert answer.json()["errors"]["message"]
    assert (await fresh.client.post(f"{API}/contacts", content=b" " * (16 * 1024 * 1024 + 1))).status_code == 413
    for path in ("contacts/x", "contacts/-1", f"contacts/{10**30}", "nonsense", "job_statuses/x", "selector/x"):
        assert await fresh.refused("GET", path, status=404) == "not found"


@pytest.mark.parametrize("value", [None, 1.5, True, [], {}, [1], [{}], {"id": 1}, 10**18, "\x00", "NaN", 1e308])
async def test_section_15_any_value_anywhere_is_taken_or_refused(fresh: Fresh, value: Any) -> None:
    contact, deal = await fresh.contact(), await fresh.deal()
    product = (await fresh.good("POST", "cpq/products", {"product": {"name": "P"}}))["product"]["id"]
    on = {"targetable_type": "Contact", "targetable_id": contact}
    rule = {"attribute": "name", "operator": "contains", "value": value}
    for method, path, body in (
        ("PUT", f"contacts/{contact}", {"emails": value, "tags": value, "phone_numbers": value, "custom_field": value}),
        ("PUT", f"deals/{deal}", {"amount": value, "probability": value, "products": value}),
        ("PUT", f"deals/{deal}", {"probability": value}),
        ("PUT", f"deals/{deal}", {"products": [{"id": product, "quantity": value}]}),
        ("PUT", f"cpq/products/{product}", {"product_pricings": [{"currency_code": value, "unit_price": value}]}),
        ("POST", "cpq/products/filterize", {"filter_rule": [{"attribute": value, "value": value}]}),
        ("POST", "filtered_search/contact", {"filter_rule": [rule]}),
        ("POST", "filtered_search/contact", {"filter_rule": [{**rule, "operator": value, "attribute": value}]}),
        ("POST", "tasks", {**on, "title": value, "due_date": value, "owner_id": value}),
        ("POST", "phone_calls", {"phone_call": value}),
        ("POST", "settings/contacts/forms/1/fields", {"label": "L", "type": "lookup", "lookup_entity": value}),
        ("POST", "/_sandbox/admin", {"action": "create_record", "module": "contact", "values": value}),
    ):
        answer = await fresh.call(method, path, body)
        assert answer.status_code in (200, 201, 400) or "Symbol into String" in answer.text, (path, answer.text)
    assert (await fresh.get(f"deals/{deal}?include=products,owner")).status_code == 200


async def test_stats_count_calls_by_template_and_records_by_module(fresh: Fresh) -> None:
    key = await fresh.contact()
    await fresh.put(f"contacts/{key}", {"job_title": "Boss"})
    await fresh.delete(f"contacts/{key}")
    stats = await fresh.stats()
    assert stats["requests"][f"PUT {API}/contacts/{{id}}"] == 1
    records = stats["records"]
    assert (records["created"], records["updated"], records["deleted"]) == (
        {"contact": 1}, {"contact": 1}, {"contact": 1},
    )  # fmt: skip
    assert (records["live"], records["bin"]) == ({}, {"contact": 1})
    assert stats["calls"] == {"total": 3, "limit": 5000, "remaining": 4997, "busiest_window": 3}


async def test_dump_compares_equal_after_an_edit_was_undone(fresh: Fresh) -> None:
    account = await fresh.account("Acme")
    key = await fresh.contact(last_name="D", emails="a@x.com", sales_accounts=[{"id": account, "is_primary": True}])
    await fresh.deal(sales_account_id=account, contacts_added_list=[key])
    before = (await fresh.get("/_sandbox/dump")).text
    fresh.clock.advance(seconds=60)
    note = {"description": "x", "targetable_type": "Contact", "targetable_id": key}
    made = (await fresh.good("POST", "notes", {"note": note}))["note"]["id"]
    await fresh.good("PUT", f"contacts/{key}", {"last_name": "E", "job_title": "Boss", "emails": "b@x.com"})
    assert (await fresh.get("/_sandbox/dump")).text != before
    await fresh.good("DELETE", f"notes/{made}")
    await fresh.good("PUT", f"contacts/{key}", {"last_name": "D", "job_title": None, "emails": "a@x.com"})
    assert (await fresh.get("/_sandbox/dump")).text == before
    lines = [orjson.loads(line) for line in before.splitlines()]
    assert [line["module"] for line in lines] == ["sales_account", "contact", "deal"]
    assert lines[1]["links"] == {"contact_account": [[account, True]]}
    system = orjson.loads((await fresh.get("/_sandbox/dump?module=contact&include_system=1")).text)
    assert system["system"]["updated_at"] == "2026-03-02T07:01:00-05:00"


async def test_generated_data_is_the_same_for_the_same_seed(start: Start) -> None:
    one, two, other = await start(scale=200, seed=7), await start(scale=200, seed=7), await start(scale=200, seed=8)
    live = (await one.stats())["records"]
    assert (live["live"], live["created"]) == ({"sales_account": 60, "contact": 100, "deal": 40}, {})
    text = (await one.get("/_sandbox/dump")).text
    assert text == (await two.get("/_sandbox/dump")).text != (await other.get("/_sandbox/dump")).text
    page = await one.view("contacts", "All Contacts", "per_page=100&include=sales_accounts,owner")
    assert page["meta"] == {"total_pages": 1, "total": 100}
    assert all(row["sales_accounts"] for row in page["contacts"])
    email = page["contacts"][0]["email"]
    assert (await one.post("contacts", {"emails": email})).status_code == 400


async def test_reset_makes_a_fresh_account(fresh: Fresh) -> None:
    await fresh.contact()
    await fresh.field("contact", "Extra")
    await fresh.good("POST", "/_sandbox/faults", {"quota_gone": 1})
    await fresh.good("POST", "/_sandbox/reset")
    assert (await fresh.get("/_sandbox/dump")).text == ""
    names = {row["name"] for row in (await fresh.good("GET", "settings/contacts/fields"))["fields"]}
    assert "cf_extra" not in names
    assert (await fresh.selector("owners"))["Account Admin"]["is_active"]


async def test_faults_refuse_lose_and_reject(fresh: Fresh) -> None:
    await fresh.good("POST", "/_sandbox/faults", {"quota_gone": 1})
    gone = await fresh.get("contacts/filters")
    assert (gone.status_code, gone.headers["x-ratelimit-remaining"]) == (429, "0")
    await fresh.delete("/_sandbox/faults")
    await fresh.good("POST", "/_sandbox/faults", {"fail5xx_after": 10_000})
    answer = await fresh.post("contacts", {"last_name": "A"})
    assert (answer.status_code, answer.json()["errors"]["code"]) == (500, 500)
    await fresh.good("DELETE", "/_sandbox/faults")
    await fresh.good("POST", "/_sandbox/faults", {"drop": 10_000})
    with pytest.raises((AnswerCut, httpx.HTTPError)):
        await fresh.post("contacts", {"last_name": "B"})
    await fresh.good("DELETE", "/_sandbox/faults")
    assert (await fresh.stats())["records"]["live"] == {"contact": 2}
    await fresh.good("POST", "/_sandbox/faults", {"reject_row": 10_000, "job_seconds": 5})
    url = (await fresh.good("POST", "deals/bulk_upsert", {"deals": [{"name": "D", "data": {"amount": 1}}]}))[
        "job_status_url"
    ]
    fresh.clock.advance(seconds=4)
    assert (await fresh.good("GET", url))["data"] is None
    fresh.clock.advance(seconds=1)
    assert orjson.loads((await fresh.good("GET", url))["data"])["record_status"] == {"succeeded": 0, "failed": 1}
    assert (await fresh.post("/_sandbox/faults", {"latency_ms": "fast"})).status_code == 400
    assert (await fresh.client.post("/_sandbox/faults", content=b"{")).status_code == 400


async def test_rejected_records_are_the_same_ones_by_whichever_call(fresh: Fresh) -> None:
    await fresh.good("POST", "/_sandbox/faults", {"reject_record": 3_000, "seed": 3, "job_seconds": 0})
    keys = [f"k:{number}" for number in range(40)]
    singles = [
        (await fresh.post("contacts", {"contact": {"last_name": "P", "external_id": key}})).status_code for key in keys
    ]
    assert 5 < singles.count(400) < 25
    rows = [{"external_id": key, "data": {"last_name": "P"}} for key in keys]
    url = (await fresh.good("POST", "contacts/bulk_upsert", {"contacts": rows}))["job_status_url"]
    report = orjson.loads((await fresh.good("GET", url))["data"])
    assert {row["row"] for row in report["detailed_failure_report"]} == {
        number for number, status in enumerate(singles) if status == 400
    }
    assert (await fresh.stats())["records"]["live"] == {"contact": singles.count(200)}
    assert (await fresh.good("GET", "/_sandbox/faults"))["injected"]["reject_record"] == 2 * singles.count(400)


async def test_rejected_changes_and_activities_leave_nothing_behind(fresh: Fresh) -> None:
    key, deal = await fresh.contact(last_name="P"), await fresh.deal()
    on = {"targetable_type": "Contact", "targetable_id": key}
    await fresh.good("POST", "/_sandbox/faults", {"reject_record": 10_000})
    await fresh.refused("PUT", f"contacts/{key}", {"contact": {"city": "Rome"}})
    await fresh.refused("PUT", f"deals/{deal}", {"deal": {"products": []}})
    await fresh.refused("POST", "contacts/upsert", {"unique_identifier": {"external_id": "k"}, "contact": {}})
    await fresh.refused("POST", "notes", {"note": {"description": "n", **on}})
    await fresh.refused("POST", "cpq/products", {"product": {"name": "Valve"}})
    await fresh.refused("POST", "phone_calls", {"call_direction": "outgoing", "call_notes": "n", **on})
    assert (await fresh.good("GET", f"contacts/{key}"))["contact"]["city"] is None
    assert (await fresh.stats())["records"]["live"] == {"contact": 1, "deal": 1}


async def test_the_administrator_writes_as_a_person(fresh: Fresh) -> None:
    user = (await fresh.selector("owners"))["Dana Field"]["id"]
    key = await fresh.admin(
        "create_record", module="contact", values={"last_name": "D"}, **{"as": "dispatch@example.com"}
    )
    assert (await fresh.good("GET", f"contacts/{key}?include=creater"))["contact"]["creater_id"] == user
    fresh.clock.advance(seconds=5)
    await fresh.admin(
        "edit_record", module="contact", id=key, values={"city": "Rome"}, **{"as": "dispatch@example.com"}
    )
    shown = (await fresh.good("GET", f"contacts/{key}?include=updater"))["contact"]
    assert (shown["city"], shown["updated_at"]) == ("Rome", "2026-03-02T07:00:05-05:00")
    await fresh.admin("delete_record", module="contact", id=key)
    await fresh.admin("restore_record", module="contact", id=key)
    assert (await fresh.get(f"contacts/{key}")).status_code == 200


async def test_a_restart_keeps_everything_and_repeats_no_id(tmp_path: Path) -> None:
    clock = noon()
    async with running(clock, state_dir=tmp_path) as fresh:
        name = await fresh.field("contact", "Code")
        await fresh.admin("set_unique", module="contact", field=name)
        await fresh.admin("set_required", module="contact", field="city")
        view = await fresh.view_id("contacts", "All Contacts")
        first = await fresh.contact(last_name="A", city="Rome", custom_field={name: "x"})
        await fresh.good("POST", "deals/bulk_upsert", {"deals": [{"name": "D", "data": {"amount": 1}}]})
        dump = (await fresh.get("/_sandbox/dump")).text
    async with running(clock, state_dir=tmp_path) as fresh:
        assert (await fresh.get("/_sandbox/dump")).text == dump
        assert await fresh.view_id("contacts", "All Contacts") == view
        same = {"last_name": "B", "city": "Rome", "custom_field": {name: "X"}}
        answer = await fresh.post("contacts", same)
        assert answer.json()["errors"]["message"] == ["Contact is not unique"]
        assert await fresh.refused("POST", "contacts", {"last_name": "B"}) == ["City can't be empty"]
        assert await fresh.contact(last_name="B", city="Rome") > first
        clock.advance(seconds=1)
        assert (await fresh.stats())["records"]["live"] == {"contact": 2, "deal": 1}


def test_a_destination_takes_no_csv_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CSV"):
        create_app(SandboxConfig(csv_dir=tmp_path))
