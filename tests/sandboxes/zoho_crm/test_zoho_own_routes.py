"""`/_sandbox`: our own counters, dump, faults and administrator; and what survives a restart."""

from pathlib import Path

import httpx
import orjson
import pytest

from connectors.sandboxkit.faults import AnswerCut
from tests.sandboxes.caller import noon
from tests.sandboxes.zoho_crm.zoho_kit import Json, Start, Zoho, running


def lines(text: str) -> list[Json]:
    return [orjson.loads(line) for line in text.splitlines()]


async def test_stats_count_requests_by_template_and_records_by_module(zoho: Zoho) -> None:
    one, _ = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    await zoho.put(f"Leads/{one}", {"data": [{"City": "Rome"}]})
    await zoho.delete(f"Leads/{one}")
    stats = (await zoho.get("/_sandbox/stats")).json()
    assert stats["requests"]["PUT /crm/v8/Leads/{id}"] == 1
    records = stats["records"]
    assert (records["created"], records["updated"], records["deleted"]) == ({"Leads": 2}, {"Leads": 1}, {"Leads": 1})
    assert records["live"] == {"Leads": 1}


async def test_dump_is_ordered_and_equal_after_an_edit_was_undone(zoho: Zoho) -> None:
    await zoho.create("Leads", {"Last_Name": "A"})
    (account,) = await zoho.create("Accounts", {"Account_Name": "X", "Phone": "1"})
    before = (await zoho.get("/_sandbox/dump?module=*")).text
    zoho.clock.advance(seconds=60)
    await zoho.put(f"Accounts/{account}", {"data": [{"Phone": "2"}]})
    await zoho.put(f"Accounts/{account}", {"data": [{"Phone": "1"}]})
    after = (await zoho.get("/_sandbox/dump")).text
    assert after == before
    assert [line["module"] for line in lines(after)] == ["Leads", "Accounts"]
    system = lines((await zoho.get("/_sandbox/dump?module=Accounts&include_system=1")).text)
    assert system[0]["system"]["Modified_Time"] == "2026-03-02T07:01:00-05:00"


async def test_an_org_starts_with_customer_data_and_grows_with_scale(start: Start) -> None:
    plain = await start()
    live = (await plain.get("/_sandbox/stats")).json()["records"]
    assert (live["live"], live["created"]) == ({"Accounts": 5, "Contacts": 8, "Products": 3}, {})
    scaled = await start(scale=500, seed=7)
    counts = (await scaled.get("/_sandbox/stats")).json()["records"]["live"]
    assert (counts["Accounts"], counts["Contacts"]) == (200, 300)
    again = await start(scale=500, seed=7)
    assert (await again.get("/_sandbox/dump")).text == (await scaled.get("/_sandbox/dump")).text


async def test_reset_makes_a_fresh_org(zoho: Zoho) -> None:
    await zoho.create("Leads", {"Last_Name": "A"})
    await zoho.add_field("Leads", "Extra")
    assert (await zoho.post("/_sandbox/reset")).status_code == 200
    assert (await zoho.get("/_sandbox/dump")).text == ""
    await zoho.renew()
    names = {item["api_name"] for item in (await zoho.get("settings/fields?module=Leads")).json()["fields"]}
    assert "Extra" not in names


async def test_rejected_records_are_the_same_ones_each_time(zoho: Zoho) -> None:
    await zoho.post("/_sandbox/faults", {"reject_record": 2_000, "seed": 3})
    batch = {"data": [{"Last_Name": f"L{n}"} for n in range(100)]}
    first, second = [(await zoho.post("Leads", batch)).json()["data"] for _ in range(2)]
    codes = [result["code"] for result in first]
    assert 5 < codes.count("INVALID_DATA") < 40
    assert codes == [result["code"] for result in second]
    faults = (await zoho.get("/_sandbox/faults")).json()
    assert faults["injected"]["reject_record"] == 2 * codes.count("INVALID_DATA")


async def test_refused_batch_succeeds_once_its_bad_record_stands_alone(zoho: Zoho) -> None:
    await zoho.post("/_sandbox/faults", {"refuse_batch": 100})
    pending: list[list[Json]] = [[{"Last_Name": f"L{n}"} for n in range(100)]]
    bad = 0
    while pending:
        batch = pending.pop()
        answer = await zoho.post("Leads", {"data": batch})
        if answer.status_code == 201:
            continue
        if len(batch) == 1:
            bad += 1
            assert answer.json()["data"][0]["code"] == "INVALID_DATA"
            continue
        assert answer.json()["details"] == {"api_name": "data"}
        pending += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
    assert 0 < bad < 10
    assert (await zoho.get("Leads/actions/count")).json() == {"count": 100 - bad}


async def test_expired_tokens_and_quota_faults(zoho: Zoho) -> None:
    await zoho.post("/_sandbox/faults", {"expire_tokens": 10_000})
    assert (await zoho.get("org")).json()["code"] == "INVALID_TOKEN"
    await zoho.delete("/_sandbox/faults")
    await zoho.post("/_sandbox/faults", {"quota_gone": 1})
    assert (await zoho.get("org")).status_code == 429
    await zoho.delete("/_sandbox/faults")
    assert (await zoho.get("org")).status_code == 200
    assert (await zoho.post("/_sandbox/faults", {"latency_ms": "fast"})).status_code == 400


async def test_work_is_done_although_the_answer_is_lost(zoho: Zoho) -> None:
    await zoho.post("/_sandbox/faults", {"fail5xx_after": 10_000})
    assert (await zoho.post("Leads", {"data": [{"Last_Name": "A"}]})).status_code == 500
    await zoho.delete("/_sandbox/faults")
    await zoho.post("/_sandbox/faults", {"drop": 10_000})
    with pytest.raises((AnswerCut, httpx.HTTPError)):
        await zoho.post("Leads", {"data": [{"Last_Name": "B"}]})
    await zoho.delete("/_sandbox/faults")
    assert (await zoho.get("Leads/actions/count")).json() == {"count": 2}
    assert (await zoho.get("/_sandbox/stats")).json()["in_flight"] == 0


async def test_the_administrator_adds_users_and_stages_and_edits_as_a_person(zoho: Zoho) -> None:
    await zoho.post(
        "/_sandbox/admin", {"action": "create_user", "first_name": "Tess", "last_name": "T", "email": "t@example.com"}
    )
    assert (await zoho.user("t@example.com")).isdigit()
    stage = {"action": "create_stage", "name": "Invoiced", "probability": 100, "forecast_type": "Closed Won"}
    assert (await zoho.post("/_sandbox/admin", stage)).status_code == 200
    (deal,) = await zoho.create("Deals", {"Deal_Name": "D", "Stage": "Invoiced", "Pipeline": "Standard (Standard)"})
    edit = {
        "action": "edit_record",
        "module": "Deals",
        "id": deal,
        "values": {"Amount": 5},
        "as": "dispatch@example.com",
    }
    assert (await zoho.post("/_sandbox/admin", edit)).status_code == 200
    stored = await zoho.record("Deals", deal)
    assert (stored["Modified_By"]["email"], stored["Amount"]) == ("dispatch@example.com", 5)
    off = {"action": "set_user_status", "email": "owner1@example.com", "status": "inactive"}
    assert (await zoho.post("/_sandbox/admin", off)).status_code == 200
    assert len((await zoho.get("users?type=DeactiveUsers")).json()["users"]) == 2
    assert (await zoho.post("/_sandbox/admin", {"action": "fly"})).status_code == 400


async def test_a_restart_keeps_everything_and_repeats_no_id(tmp_path: Path) -> None:
    clock = noon()
    async with running(clock, state_dir=tmp_path, options={"empty": "1"}) as zoho:
        await zoho.add_field("Leads", "Code", unique={"case_sensitive": False})
        (lead,) = await zoho.create("Leads", {"Last_Name": "A", "Code": "x"})
        await zoho.post(f"Leads/{lead}/Attachments", files={"file": ("a.txt", b"bytes")})
        header = zoho.client.headers["Authorization"]
        dump = (await zoho.get("/_sandbox/dump")).text
    async with running(clock, state_dir=tmp_path, options={"empty": "1"}) as zoho:
        zoho.client.headers["Authorization"] = header
        assert (await zoho.get("/_sandbox/dump")).text == dump
        (row,) = (await zoho.get(f"Leads/{lead}/Attachments?fields=id")).json()["data"]
        assert (await zoho.get(f"Leads/{lead}/Attachments/{row['id']}")).content == b"bytes"
        assert (await zoho.refused("Leads", {"Last_Name": "B", "Code": "X"}))["code"] == "DUPLICATE_DATA"
        (later,) = await zoho.create("Leads", {"Last_Name": "C"})
        assert int(later) > int(row["id"])
