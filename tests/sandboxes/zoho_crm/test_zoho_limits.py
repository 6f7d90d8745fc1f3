"""Fact sheet section 4: credits of a rolling day, concurrency and sub-concurrency."""

import asyncio

import pytest

from connectors.sandboxkit.config import SandboxConfig
from connectors.zoho_crm.sandbox import create_app
from connectors.zoho_crm.sandbox.editions import edition
from tests.sandboxes.zoho_crm.zoho_kit import Start, Zoho


async def used(zoho: Zoho) -> int:
    credits_used: int = (await zoho.get("/_sandbox/stats")).json()["credits"]["used"]
    return credits_used


@pytest.mark.parametrize(
    ("name", "users", "credits"),
    [
        ("Free", 3, 5_000),
        ("Standard", 10, 52_500),
        ("Standard", 1_000, 100_000),
        ("Professional", 10, 55_000),
        ("Enterprise", 10, 60_000),
        ("Ultimate", 10_000_000, 20_000_050_000),
    ],
)
def test_section_4_daily_credits_by_edition(name: str, users: int, credits: int) -> None:
    assert edition(name).daily_credits(users) == credits


@pytest.mark.parametrize(
    ("method", "path", "body", "cost"),
    [
        ("GET", "org", None, 1),
        ("POST", "Leads", {"data": [{"Last_Name": "A"}] * 100}, 10),
        ("POST", "Leads", {"data": [{"Last_Name": "A"}] * 11}, 2),
        ("POST", "Accounts/upsert", {"data": [{"Account_Name": "A"}], "duplicate_check_fields": []}, 1),
        ("POST", "coql", {"select_query": "select id from Leads where id is not null limit 200"}, 1),
        ("POST", "coql", {"select_query": "select id from Leads where id is not null limit 201"}, 2),
        ("POST", "coql", {"select_query": "select id from Leads where id is not null limit 0, 2000"}, 3),
        ("POST", "Leads/actions/mass_delete", {"ids": ["1"] * 101}, 2),
        ("POST", "settings/modules", {"modules": []}, 500),
        ("POST", "/crm/bulk/v8/write", {}, 500),
        ("POST", "/crm/bulk/v8/read", {}, 50),
        ("GET", "Leads/deleted", None, 2),
    ],
)
async def test_section_4_cost_table(
    zoho: Zoho, method: str, path: str, body: dict[str, object] | None, cost: int
) -> None:
    before = await used(zoho)
    await zoho.call(method, path, body)
    assert await used(zoho) - before == cost


async def test_section_4_quota_is_rolling_and_header_comes_at_half(start: Start) -> None:
    zoho = await start(options={"daily_credits": "10", "empty": "1"})
    headers = [(await zoho.get("org")).headers.get("X-API-CREDITS-REMAINING") for _ in range(10)]
    assert headers == [None, None, None, None, "5", "4", "3", "2", "1", "0"]
    refused = await zoho.get("org")
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "retry-after" not in refused.headers
    zoho.clock.advance(seconds=24 * 3600 - 10)
    await zoho.renew()
    assert (await zoho.get("org")).status_code == 429
    zoho.clock.advance(seconds=10)
    assert (await zoho.get("org")).status_code == 200


async def test_section_4_concurrency_by_edition(start: Start) -> None:
    zoho = await start(edition="Standard", options={"empty": "1"})
    await zoho.post("/_sandbox/faults", {"latency_ms": 30})
    answers = await asyncio.gather(*(zoho.get("org") for _ in range(12)))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), codes.count(429)) == (10, 2)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"] == "The concurrency limit of the user for the app is exceeded"
    stats = (await zoho.get("/_sandbox/stats")).json()
    assert (stats["max_concurrency"], stats["too_many_requests"], stats["in_flight"]) == (10, 2, 0)


async def test_section_4_sub_concurrency_counts_only_heavy_calls(zoho: Zoho) -> None:
    await zoho.post("/_sandbox/faults", {"latency_ms": 30})
    heavy = {"data": [{"Last_Name": "A"}] * 11}
    answers = await asyncio.gather(*(zoho.post("Leads", heavy) for _ in range(12)))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(429)) == (10, 2)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"] == "The sub-concurrency limit of the user for the app is exceeded"
    light = {"data": [{"Last_Name": "A"}] * 10}
    answers = await asyncio.gather(*(zoho.post("Leads", light) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {201}


def test_options_and_editions_are_checked() -> None:
    with pytest.raises(ValueError, match="unknown option 'colour'"):
        create_app(SandboxConfig(options={"colour": "red"}))
    with pytest.raises(ValueError, match="unknown Zoho CRM edition"):
        create_app(SandboxConfig(edition="Gold"))
    with pytest.raises(ValueError, match="accept, reject"):
        create_app(SandboxConfig(options={"unlisted_picklist": "maybe"}))
