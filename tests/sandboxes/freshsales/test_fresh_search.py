"""Search, lookup and filtered search (Freshsales fact sheet section 10)."""

from typing import Any

import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Start


async def rows(fresh: Fresh, entity: str, *rules: tuple[str, str, Any], query: str = "") -> list[int]:
    body = {"filter_rule": [{"attribute": a, "operator": o, "value": v} for a, o, v in rules]}
    answer = await fresh.good("POST", f"filtered_search/{entity}?{query}", body)
    (found,) = [value for key, value in answer.items() if key != "meta"]
    return [row["id"] for row in found]


async def test_section_10_search_is_a_bare_array_with_text_ids(fresh: Fresh) -> None:
    account = await fresh.account("Acme Heating")
    contact = await fresh.contact(last_name="Acmeson", emails="joe@acme.example", sales_accounts=[{"id": account}])
    found = await fresh.good("GET", "search?q=acme&include=contact,sales_account")
    assert [(row["id"], row["type"]) for row in found] == [(str(contact), "contact"), (str(account), "sales_account")]
    assert found[0]["primary_sales_account_name"] == "Acme Heating"
    assert found[0]["owner"]["name"] == "Account Admin"
    assert [row["id"] for row in await fresh.good("GET", "search?q=joe@acme.example&include=contact")] == [str(contact)]
    assert await fresh.good("GET", "search?q=100%25&include=contact") == []
    assert [row["type"] for row in await fresh.good("GET", "search?q=dana&include=user")] == ["user"]
    assert (await fresh.get("contacts/search?q=x")).status_code == 404


async def test_section_10_lookup(fresh: Fresh) -> None:
    name = await fresh.field("contact", "Legacy")
    key = await fresh.contact(emails="a@x.com", mobile_number="19266529503", external_id="st:1",
                              custom_field={name: "L-7"})  # fmt: skip
    for field, value in (
        ("email", "A@x.com"),
        ("mobile_number", "19266529503"),
        ("external_id", "st:1"),
        (name, "L-7"),
    ):
        answer = await fresh.good("GET", f"lookup?q={value}&f={field}&entities=contact")
        assert [row["id"] for row in answer["contacts"]["contacts"]] == [key], field
    none = await fresh.good("GET", "lookup?q=b@x.com&f=email&entities=contact,deal")
    assert none == {"contacts": {"contacts": []}, "deals": {"deals": []}}
    assert await fresh.refused("GET", "lookup?f=email&entities=contact")
    assert (await fresh.get("lookup?q=x&f=name&entities=lead")).status_code == 404


async def test_section_10_thin_rows(fresh: Fresh) -> None:
    await fresh.contact(emails="a@x.com", custom_field={})
    await fresh.deal()
    rule = {"filter_rule": [{"attribute": "contact_email.email", "operator": "is_in", "value": ["A@X.com", "b@x.com"]}]}
    answer = await fresh.good("POST", "filtered_search/contact", rule)
    (row,) = answer["contacts"]
    assert (row["partial"], row["emails"][0]["value"], "custom_field" in row) == (True, "a@x.com", False)
    assert answer["meta"]["total"] == 1
    deal = (await fresh.good("POST", "filtered_search/deal", {"filter_rule": []}))["deals"][0]
    assert not {"deal_pipeline_id", "deal_stage_id", "owner_id"} & set(deal)


async def test_section_10_operators_and_attributes(fresh: Fresh) -> None:
    name = await fresh.field("deal", "Region")
    account, stages = await fresh.account("Acme", website="https://acme.example"), await fresh.selector("deal_stages")
    one = await fresh.deal("Roof", sales_account_id=account, custom_field={name: "North"}, expected_close="2026-04-01")
    fresh.clock.advance(seconds=60)
    two = await fresh.deal("Gutter", deal_stage_id=stages["Won"]["id"], expected_close="2026-06-01")
    owner = (await fresh.selector("owners"))["Account Admin"]["id"]
    cases: list[tuple[list[tuple[str, str, Any]], list[int]]] = [
        ([("name", "equals", "roof")], [one]),
        ([("name", "contains", "UTT")], [two]),
        ([(name, "is_in", ["north", "south"])], [one]),
        ([("sales_account_id", "is_in", account)], [one]),
        ([("deal_stage_id", "is_in", [str(stages["Won"]["id"])])], [two]),
        ([("owner_id", "is_in", [owner])], [one, two]),
        ([("updated_at", "is_after", "2026-03-02T12:00:30Z")], [two]),
        ([("created_at", "is_before", "2026-03-02T07:00:30-05:00")], [one]),
        ([("expected_close", "is_after", "2026-05-01")], [two]),
        ([("owner_id", "is_in", [owner]), ("name", "contains", "roof")], [one]),
    ]
    for rules, expected in cases:
        assert await rows(fresh, "deal", *rules) == expected, rules
    assert await rows(fresh, "sales_account", ("website", "contains", "acme")) == [account]


@pytest.mark.parametrize(
    "rule",
    [{"attribute": "name", "operator": "resembles", "value": "x"}, {"attribute": "made_up", "operator": "is_in"},
     {"attribute": "updated_at", "operator": "is_after", "value": "soon"},
     {"attribute": "name", "operator": "is_in", "value": {}}, "x"],
)  # fmt: skip
async def test_section_10_rules_that_are_refused(fresh: Fresh, rule: Any) -> None:
    assert await fresh.refused("POST", "filtered_search/contact", {"filter_rule": [rule]})


async def test_section_19_16_paging_in_query_or_body(fresh: Fresh) -> None:
    keys = [await fresh.account(f"A{number}") for number in range(5)]
    paged = {"filter_rule": [], "per_page": 2, "page": 2, "sort": "name", "sort_type": "desc"}
    answer = await fresh.good("POST", "filtered_search/sales_account", paged)
    assert [row["id"] for row in answer["sales_accounts"]] == [keys[2], keys[1]]
    assert answer["meta"] == {"total_pages": 3, "total": 5}
    assert await rows(fresh, "sales_account", query="per_page=2&page=3") == [keys[4]]


async def test_section_10_the_index_lags_while_views_and_keys_do_not(start: Start) -> None:
    fresh = await start(search_lag_seconds=30)
    key = await fresh.contact(emails="a@x.com", last_name="Doe")
    path = "lookup?q=a@x.com&f=email&entities=contact"
    assert (await fresh.good("GET", path))["contacts"]["contacts"] == []
    assert await fresh.good("GET", "search?q=doe&include=contact") == []
    assert await rows(fresh, "contact") == []
    assert (await fresh.view("contacts", "All Contacts"))["meta"]["total"] == 1
    assert (await fresh.post("contacts", {"emails": "a@x.com"})).status_code == 400
    fresh.clock.advance(seconds=30)
    assert [row["id"] for row in (await fresh.good("GET", path))["contacts"]["contacts"]] == [key]
    await fresh.good("POST", "/_sandbox/faults", {"search_lag_seconds": 60})
    assert await rows(fresh, "contact") == []
