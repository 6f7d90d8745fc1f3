"""Leads of the classic suite, absent in the new one (Freshsales fact sheet sections 2 and 3)."""

from tests.sandboxes.freshsales.fresh_kit import Fresh, Start


async def test_section_3_no_leads_in_the_new_suite(fresh: Fresh) -> None:
    for path in ("leads/filters", "settings/leads/fields", "selector/lead_stages"):
        assert (await fresh.get(path)).status_code == 404
    assert (await fresh.post("leads", {"lead": {"last_name": "D"}})).status_code == 404
    assert (await fresh.post("filtered_search/lead", {"filter_rule": []})).status_code == 404


async def test_section_3_lead_life_on_the_classic_host(start: Start) -> None:
    fresh = await start(classic="on")
    company = {"name": "Acme", "city": "Rome"}
    values = {"last_name": "Doe", "emails": ["d@x.com"], "company": company, "deal": {"name": "Roof", "amount": 5}}
    lead = (await fresh.good("POST", "/api/leads", {"lead": values}))["lead"]
    assert (lead["email"], lead["company"], lead["lead_stage_id"]) == (
        "d@x.com", company, (await fresh.selector("lead_stages"))["New"]["id"],
    )  # fmt: skip
    assert await fresh.refused("POST", "leads", {"lead": {"first_name": "X"}}) == ["Last name can't be empty"]
    assert [row["id"] for row in (await fresh.view("leads", "All Leads"))["leads"]] == [lead["id"]]
    rule = {"filter_rule": [{"attribute": "contact_email.email", "operator": "is_in", "value": "d@x.com"}]}
    found = await fresh.good("POST", "filtered_search/lead", rule)
    assert [row["id"] for row in found["leads"]] == [lead["id"]]
    note = {"description": "x", "targetable_type": "Lead", "targetable_id": lead["id"]}
    await fresh.good("POST", "notes", {"note": note})
    made = await fresh.good("POST", f"leads/{lead['id']}/convert", {})
    assert (made["contact"]["email"], made["sales_account"]["name"], made["deal"]["amount"]) == (
        "d@x.com", "Acme", "5.0",
    )  # fmt: skip
    assert (await fresh.get(f"leads/{lead['id']}")).status_code == 404
