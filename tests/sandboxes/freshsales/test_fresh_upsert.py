"""Upsert, bulk upsert, jobs and their ceiling (Freshsales fact sheet section 10)."""

from typing import Any

import orjson
import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Json, Start


def row(number: int) -> Json:
    return {"emails": f"p{number}@x.com", "data": {"last_name": f"P{number}"}}


async def report(fresh: Fresh, url: str) -> Any:
    job = await fresh.good("GET", url)
    assert (job["status"], job["progress"]) == ("SUCCESS", 100)
    return orjson.loads(job["data"])


async def test_section_10_201_when_created_200_when_updated(fresh: Fresh) -> None:
    account = await fresh.account("Acme")
    values = {"last_name": "Doe", "sales_accounts": [{"id": account}]}
    body = {"unique_identifier": {"emails": "a@x.com"}, "contact": values}
    first = await fresh.post("contacts/upsert?include=sales_accounts", body)
    assert first.status_code == 201
    contact = first.json()["contact"]
    assert (contact["email"], contact["sales_accounts"][0]["name"]) == ("a@x.com", "Acme")
    second = await fresh.post("contacts/upsert", {**body, "contact": {"job_title": "Boss"}})
    assert second.status_code == 200
    again = second.json()["contact"]
    assert (again["id"], again["last_name"], again["job_title"]) == (contact["id"], "Doe", "Boss")


async def test_section_10_identifiers_must_be_unique_in_the_account(fresh: Fresh, start: Start) -> None:
    wrong: list[Json] = [{"email": "a@x.com"}, {"mobile_number": "1"}, {"job_title": "x"}, {}, {"made_up": 1}]
    for identifier in wrong:
        body = {"unique_identifier": identifier, "contact": {"last_name": "D"}}
        assert "unique field" in (await fresh.refused("POST", "contacts/upsert", body))[0]
    body = {"unique_identifier": {"external_id": "src:123"}, "contact": {"last_name": "D"}}
    made = await fresh.good("POST", "contacts/upsert", body)
    assert made["contact"]["external_id"] == "src:123"
    name = await fresh.field("deal", "Legacy")
    body = {"unique_identifier": {name: "7"}, "deal": {"name": "D", "amount": 1}}
    assert await fresh.refused("POST", "deals/upsert", body)
    deal = await fresh.deal()
    body = {"unique_identifier": {"id": str(deal)}, "deal": {"name": "Renamed"}}
    assert (await fresh.good("POST", "deals/upsert", body))["deal"]["name"] == "Renamed"
    other = await start(upsert_email_key="both", mobile_unique="on")  # section 19 item 2
    for identifier in ({"email": "a@x.com"}, {"mobile_number": "1"}):
        body = {"unique_identifier": identifier, "contact": {"last_name": "D"}}
        assert (await other.post("contacts/upsert", body)).status_code == 201
        assert (await other.post("contacts/upsert", body)).status_code == 200


async def test_section_14_a_custom_field_made_unique_is_an_identifier(fresh: Fresh) -> None:
    name = await fresh.field("sales_account", "Legacy")
    await fresh.account("A", custom_field={name: "7"})
    await fresh.admin("set_unique", module="sales_account", field=name)
    body = {"unique_identifier": {name: "7"}, "sales_account": {"city": "Rome"}}
    assert (await fresh.good("POST", "sales_accounts/upsert", body))["sales_account"]["name"] == "A"
    body = {"unique_identifier": {name: "8"}, "sales_account": {"name": "B"}}
    answer = await fresh.post("sales_accounts/upsert", body)
    assert (answer.status_code, answer.json()["sales_account"]["custom_field"]) == (201, {name: "8"})
    duplicate = {"name": "C", "custom_field": {name: "8"}}
    assert await fresh.refused("POST", "sales_accounts", duplicate) == ["Legacy has already been taken"]
    spare = await fresh.field("sales_account", "Spare")
    action = {"action": "set_unique", "module": "sales_account", "field": spare}
    assert await fresh.refused("POST", "/_sandbox/admin", action)  # name and Legacy are the two (section 14)


@pytest.mark.parametrize("status", [200, 202])
async def test_section_10_a_job_succeeds_with_failed_rows_and_hides_new_ids(start: Start, status: int) -> None:
    fresh = await start(bulk_status=status)
    key = await fresh.contact(emails="p0@x.com")
    rows = [row(0), row(1), {"emails": "p2@x.com", "data": {"owner_id": "x"}}, {"id": str(key), "data": {"city": "R"}}]
    answer = await fresh.post("contacts/bulk_upsert", {"contacts": rows})
    assert answer.status_code == status
    url = answer.json()["job_status_url"]
    assert url.startswith("http://fresh.test/crm/sales/api/job_statuses/")
    pending = await fresh.good("GET", url)
    assert pending["status"] != "SUCCESS"
    assert pending["progress"] < 100
    assert (await fresh.view("contacts", "All Contacts"))["meta"]["total"] == 1
    fresh.clock.advance(seconds=1)
    data = await report(fresh, url)
    assert data["record_status"] == {"succeeded": 3, "failed": 1}
    (failure,) = data["detailed_failure_report"]
    assert failure["identifier"] == {"emails": "p2@x.com"}
    assert failure["errors"]["message"] == ["Sales owner is invalid"]
    found = await fresh.good("GET", "lookup?q=p1@x.com&f=email&entities=contact")
    assert [each["last_name"] for each in found["contacts"]["contacts"]] == ["P1"]
    shown = (await fresh.good("GET", f"contacts/{key}"))["contact"]
    assert (shown["last_name"], shown["city"]) == ("P0", "R")


async def test_section_10_accounts_and_deals_in_bulk(fresh: Fresh) -> None:
    bodies: dict[str, list[Json]] = {
        "sales_accounts": [{"name": "Acme", "data": {"city": "Rome"}}],
        "deals": [{"name": "Roof", "data": {"amount": 5}}],
    }
    for plural, rows in bodies.items():
        for _ in range(2):
            url = (await fresh.good("POST", f"{plural}/bulk_upsert", {plural: rows}))["job_status_url"]
            fresh.clock.advance(seconds=1)
            assert (await report(fresh, url))["record_status"]["succeeded"] == 1
    live = (await fresh.stats())["records"]["live"]
    assert live == {"sales_account": 1, "deal": 1}


async def test_section_10_at_most_a_hundred_rows(fresh: Fresh) -> None:
    body = {"contacts": [row(number) for number in range(101)]}
    assert "100" in (await fresh.refused("POST", "contacts/bulk_upsert", body))[0]
    assert await fresh.refused("POST", "contacts/bulk_upsert", {"contacts": []})
    assert await fresh.refused("POST", "contacts/bulk_upsert", {"contacts": "x"})


async def test_section_10_the_eleventh_job_is_405(fresh: Fresh) -> None:
    for number in range(10):
        await fresh.good("POST", "contacts/bulk_upsert", {"contacts": [row(number)]})
    refused = await fresh.refused("POST", "sales_accounts/bulk_upsert", {"sales_accounts": [{"name": "A", "data": {}}]},
                                  status=405)  # fmt: skip
    assert refused[0].startswith("Max of 10 transactions")
    assert (await fresh.stats())["jobs"] == {"in_flight": 10, "most_in_flight": 10}
    fresh.clock.advance(seconds=1)
    assert (await fresh.post("contacts/bulk_upsert", {"contacts": [row(11)]})).status_code == 200
    assert (await fresh.stats())["records"]["live"] == {"contact": 10}


async def test_section_10_unknown_job(fresh: Fresh) -> None:
    assert await fresh.refused("GET", "job_statuses/12", status=404) == "not found"
