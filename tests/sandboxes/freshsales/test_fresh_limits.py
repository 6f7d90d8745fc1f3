"""Key, budget and plan limits (Freshsales fact sheet sections 1, 15 and 16)."""

import pytest

from connectors.freshsales.sandbox import create_app
from connectors.sandboxkit.config import SandboxConfig
from tests.sandboxes.freshsales.fresh_kit import Fresh, Start


@pytest.mark.parametrize("header", ["", "Bearer sandbox-key", "Token token=wrong", "Zoho-oauthtoken sandbox-key"])
async def test_section_1_other_credentials_are_refused(fresh: Fresh, header: str) -> None:
    answer = await fresh.get("contacts/filters", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "API key" in answer.json()["errors"]["message"][0]
    assert "x-ratelimit-remaining" not in answer.headers


async def test_section_1_the_short_scheme_and_the_classic_prefix_work(fresh: Fresh) -> None:
    short = {"Authorization": "Token sandbox-key"}
    assert (await fresh.get("contacts/filters", headers=short)).status_code == 200
    assert (await fresh.get("/api/contacts/filters")).status_code == 200


async def test_section_1_owners_may_be_refused_while_writes_work(start: Start) -> None:
    fresh = await start(owners_denied="on")
    message = await fresh.refused("GET", "selector/owners", status=403)
    assert message == ["You are not authorised to perform this operation."]
    assert await fresh.contact()


@pytest.mark.parametrize(("edition", "budget"), [("growth", 1000), ("pro", 2000), ("enterprise", 5000)])
async def test_section_16_budget_by_plan(start: Start, edition: str, budget: int) -> None:
    fresh = await start(edition=edition)
    headers = (await fresh.get("contacts/filters")).headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == (str(budget), str(budget - 1))
    assert headers["x-ratelimit-reset"] == "3600"


async def test_section_15_429_until_the_hour_turns_without_retry_after(start: Start) -> None:
    fresh = await start(hourly_calls=2)
    fresh.clock.advance(seconds=600)
    for _ in range(2):
        assert (await fresh.get("contacts/filters")).status_code == 200
    refused = await fresh.get("contacts/filters")
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    assert (refused.headers["x-ratelimit-remaining"], refused.headers["x-ratelimit-reset"]) == ("0", "3000")
    assert (await fresh.stats())["too_many_requests"] == 1
    fresh.clock.advance(seconds=3000)
    assert (await fresh.get("contacts/filters")).status_code == 200


async def test_section_19_8_switches_of_the_retry_headers_and_a_short_window(start: Start) -> None:
    fresh = await start(hourly_calls=1, quota_window=5, retry_after="on", reset_header="epoch")
    first = await fresh.get("contacts/filters")
    assert int(first.headers["x-ratelimit-reset"]) == int(fresh.clock.at.timestamp()) + 5
    assert (await fresh.get("contacts/filters")).headers["retry-after"] == "5"
    fresh.clock.advance(seconds=5)
    assert (await fresh.get("contacts/filters")).status_code == 200


async def test_section_16_a_minute_cap_where_the_plan_has_one(start: Start) -> None:
    fresh = await start(per_minute=1)
    assert (await fresh.get("contacts/filters")).status_code == 200
    assert (await fresh.get("contacts/filters")).status_code == 429
    fresh.clock.advance(seconds=60)
    assert (await fresh.get("contacts/filters")).status_code == 200


async def test_section_16_field_caps_by_kind_and_plan(start: Start) -> None:
    growth = await start(edition="growth")
    for number in range(5):
        await growth.field("contact", f"Box {number}", "textarea")
    action = {"action": "create_field", "module": "contact", "label": "Box 6", "type": "textarea"}
    assert "maximum number" in (await growth.refused("POST", "/_sandbox/admin", action))[0]
    assert await growth.field("sales_account", "Box", "textarea")
    action |= {"label": "Link", "type": "lookup"}
    assert "maximum number" in (await growth.refused("POST", "/_sandbox/admin", action))[0]
    pro = await start(edition="pro")
    for number in range(20):
        await pro.field("contact", f"D{number}", "dropdown", choices=["a"])
        await pro.field("contact", f"R{number}", "radio", choices=["a"])
    action |= {"label": "More", "type": "radio"}
    assert "maximum number" in (await pro.refused("POST", "/_sandbox/admin", action))[0]


async def test_section_16_what_higher_plans_add(start: Start) -> None:
    growth, pro = await start(edition="growth"), await start(edition="pro")
    module = {"entity_name": "visit", "singular_name": "Visit", "plural_name": "Visits", "icon": "x"}
    assert (await pro.post("settings/module_customizations", module)).status_code == 403
    assert (await growth.post("cpq/products", {"product": {"name": "P"}})).status_code == 403
    assert (await pro.post("cpq/products", {"product": {"name": "P"}})).status_code == 200
    pipeline = {"action": "create_pipeline", "name": "Service", "stages": [["New", 10, "Open"]]}
    assert (await growth.post("/_sandbox/admin", pipeline)).status_code == 403
    assert (await pro.post("/_sandbox/admin", pipeline)).status_code == 200
    activity = {"action": "create_activity_type", "name": "Visit"}
    assert (await pro.post("/_sandbox/admin", activity)).status_code == 403


async def test_section_16_storage_is_pooled_over_users(start: Start) -> None:
    growth = await start(edition="growth")
    assert (await growth.stats())["files"]["limit"] == 3 * 2 * 1024**3
    small = await start(storage_bytes=5)
    target = {"targetable_id": str(await small.contact()), "targetable_type": "Contact"}
    assert (await small.post("documents", data=target, files={"file": ("a.txt", b"12345")})).status_code == 200
    assert (await small.post("documents", data=target, files={"file": ("b.txt", b"6")})).status_code == 403


@pytest.mark.parametrize(
    "options",
    [{"nonsense": "1"}, {"quota_window": "0"}, {"custom_field_put": "x"}, {"classic": "maybe"},
     {"bulk_status": "500"}, {"time_zone": "Mars/Base"}],
)  # fmt: skip
def test_unknown_switches_and_editions_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="option"):
        create_app(SandboxConfig(options=options))
    with pytest.raises(ValueError, match="edition"):
        create_app(SandboxConfig(edition="gold"))
