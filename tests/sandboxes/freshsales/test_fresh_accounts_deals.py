"""Accounts, deals, views and the recycle bin (Freshsales fact sheet sections 4, 5, 10 and 17)."""

import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Start


async def test_section_15_a_duplicate_account_name(fresh: Fresh, start: Start) -> None:
    await fresh.account("Acme")
    answer = await fresh.post("sales_accounts", {"sales_account": {"name": "ACME"}})
    assert answer.json() == {"errors": {"code": 400, "message": ["Name has already been taken"]}}
    assert await fresh.refused("POST", "sales_accounts", {"sales_account": {"city": "Rome"}}) == ["Name can't be empty"]
    loose = await start(account_name_unique="off")
    assert await loose.account("Acme") != await loose.account("Acme")


async def test_section_4_numbers_hierarchy_and_owner(fresh: Fresh) -> None:
    parent = await fresh.account("Parent")
    child = await fresh.make(
        "sales_accounts", name="Child", parent_sales_account_id=parent, annual_revenue="1500.5", number_of_employees=51
    )
    assert (child["annual_revenue"], child["number_of_employees"]) == (1500.5, 51)
    assert isinstance(child["owner_id"], int)
    children = await fresh.good("GET", f"sales_accounts/{parent}?include=child_sales_accounts")
    assert [row["name"] for row in children["sales_accounts"]] == ["Child"]
    assert await fresh.refused("PUT", f"sales_accounts/{parent}", {"parent_sales_account_id": parent})
    assert await fresh.refused("PUT", f"sales_accounts/{parent}", {"number_of_employees": 7})


async def test_section_5_money_is_text_and_amount_required(fresh: Fresh) -> None:
    deal = await fresh.make("deals", name="D", amount=5600, expected_close="2026-04-01")
    assert (deal["amount"], deal["base_currency_amount"], deal["expected_deal_value"]) == ("5600.0", "5600.0", "1120.0")
    assert deal["expected_close"] == "2026-04-01"
    assert await fresh.refused("POST", "deals", {"deal": {"name": "D"}}) == ["Deal value can't be empty"]
    assert await fresh.refused("POST", "deals", {"deal": {"name": "D", "amount": "much"}})
    assert await fresh.refused("POST", "deals", {"deal": {"name": "D", "amount": 10**12}})


async def test_section_19_6_deal_may_need_an_account(start: Start) -> None:
    fresh = await start(deal_needs_account="on")
    assert await fresh.refused("POST", "deals", {"name": "D", "amount": 1}) == ["Account name can't be empty"]
    assert await fresh.deal(sales_account={"name": "New Co"})


async def test_section_5_pipeline_stage_and_closing(fresh: Fresh) -> None:
    stages = await fresh.selector("deal_stages")
    deal = await fresh.make("deals", name="D", amount=1)
    assert (deal["deal_stage_id"], deal["probability"], deal["closed_date"]) == (stages["New"]["id"], 20, None)
    won = (await fresh.good("PUT", f"deals/{deal['id']}", {"deal": {"deal_stage_id": stages["Won"]["id"]}}))["deal"]
    assert (won["probability"], won["closed_date"]) == (100, "2026-03-02")
    old = await fresh.make("deals", name="E", amount=1, deal_stage_id=stages["Lost"]["id"], closed_date="2020-05-06")
    assert old["closed_date"] == "2020-05-06"
    other = await fresh.admin("create_pipeline", name="Service", stages=[["Start", 10, "Open"]])
    assert (await fresh.make("deals", name="F", amount=1, deal_pipeline_id=other))["probability"] == 10
    wrong = {"name": "G", "amount": 1, "deal_pipeline_id": other, "deal_stage_id": stages["New"]["id"]}
    assert await fresh.refused("POST", "deals", wrong) == ["Deal stage is invalid"]


async def test_section_5_account_by_name_and_contact_lists(fresh: Fresh) -> None:
    account, one, two = await fresh.account("Acme"), await fresh.contact(), await fresh.contact()
    key = await fresh.deal(sales_account={"name": "acme"}, contacts_added_list=[one, two])
    answer = await fresh.good("GET", f"deals/{key}?include=sales_account,contacts")
    assert answer["deal"]["sales_account_id"] == account
    assert answer["deal"]["contact_ids"] == [one, two]
    await fresh.good("PUT", f"deals/{key}", {"deal": {"contacts_removed_list": [one]}})
    assert (await fresh.good("GET", f"deals/{key}?include=contacts"))["deal"]["contact_ids"] == [two]
    shown = (await fresh.good("GET", f"contacts/{two}?include=deals"))["contact"]
    assert (shown["open_deals_amount"], shown["open_deals_count"]) == ("100.0", 1)
    assert shown["deal_ids"] == [key]
    reason = (await fresh.selector("deal_reasons"))["Price"]["id"]
    await fresh.good("PUT", f"deals/{key}", {"deal": {"deal_reason_id": reason}})
    assert "deal_reason_id" not in (await fresh.good("GET", f"deals/{key}"))["deal"]
    assert (await fresh.good("GET", f"deals/{key}?include=deal_reason"))["deal"]["deal_reason_id"] == reason


async def test_section_5_lines_recompute_the_amount(fresh: Fresh) -> None:
    product = (await fresh.good("POST", "cpq/products", {"product": {"name": "Filter"}}))["product"]["id"]
    key = await fresh.deal(amount=5600)
    body = {"deal": {"products": [{"id": product, "quantity": 2, "unit_price": 30, "discount": 10}], "amount": 999}}
    deal = (await fresh.good("PUT", f"deals/{key}?include=products", body))["deal"]
    assert (deal["amount"], deal["has_products"], deal["products"][0]["name"]) == ("54.0", True, "Filter")
    assert (await fresh.good("PUT", f"deals/{key}", {"deal": {"amount": 7}}))["deal"]["amount"] == "54.0"
    unpriced = {"deal": {"products": [{"id": product}]}}
    assert (await fresh.good("PUT", f"deals/{key}", unpriced))["deal"]["amount"] == "0.0"
    cleared = (await fresh.good("PUT", f"deals/{key}", {"deal": {"products": []}}))["deal"]
    assert (cleared["products"], cleared["has_products"]) == ([], False)
    assert (await fresh.good("PUT", f"deals/{key}", {"deal": {"amount": 7}}))["deal"]["amount"] == "7.0"
    assert await fresh.refused("PUT", f"deals/{key}", {"deal": {"products": [{"id": 5}]}}) == ["Product is invalid"]


@pytest.mark.parametrize("taken", [True, False])
async def test_section_19_12_lines_and_contacts_in_a_create(start: Start, taken: bool) -> None:
    fresh = await start(deal_create_lines=taken)
    product = (await fresh.good("POST", "cpq/products", {"product": {"name": "Filter"}}))["product"]["id"]
    lines = [{"id": product, "unit_price": 8}]
    key = await fresh.deal(amount=5, products=lines, contact_ids=[await fresh.contact()])
    answer = await fresh.good("GET", f"deals/{key}?include=contacts,products")
    assert (answer["deal"]["amount"], len(answer["contacts"])) == (("8.0", 1) if taken else ("5.0", 0))


async def test_section_5_views_by_name_and_their_rows(fresh: Fresh) -> None:
    stages = await fresh.selector("deal_stages")
    for name in ("Won", "Lost", "New"):
        await fresh.deal(name, deal_stage_id=stages[name]["id"])
    names = {row["name"] for row in (await fresh.good("GET", "deals/filters"))["filters"]}
    assert {"Open Deals", "Won Deals", "Lost Deals", "Recycle Bin"} <= names
    assert "All Deals" not in names
    for view, name in (("Open Deals", "New"), ("Won Deals", "Won"), ("Lost Deals", "Lost")):
        assert [row["name"] for row in (await fresh.view("deals", view))["deals"]] == [name]
    assert (await fresh.get("deals/view/1")).status_code == 404


async def test_section_10_paging(fresh: Fresh) -> None:
    for number in range(30):
        await fresh.account(f"A{number:02}")
        fresh.clock.advance(seconds=1)
    page = await fresh.view("sales_accounts", "All Accounts")
    assert (len(page["sales_accounts"]), page["meta"]) == (25, {"total_pages": 2, "total": 30})
    page = await fresh.view("sales_accounts", "All Accounts", "page=2&per_page=20&sort=updated_at&sort_type=desc")
    assert [row["name"] for row in page["sales_accounts"]][:2] == ["A09", "A08"]
    assert len((await fresh.view("sales_accounts", "All Accounts", "per_page=500"))["sales_accounts"]) == 30
    view = await fresh.view_id("sales_accounts", "All Accounts")
    first = (await fresh.good("GET", f"sales_accounts/scroll/{view}?limit=20"))["sales_accounts"]
    rest = await fresh.good("GET", f"sales_accounts/scroll/{view}?limit=20&last_fetched_id={first[-1]['id']}")
    assert (len(first), len(rest["sales_accounts"]), rest["meta"]["has_next"]) == (20, 10, False)
    for query in ("page=0", "per_page=x", "sort=nonsense", "sort_type=up"):
        assert await fresh.refused("GET", f"sales_accounts/view/{view}?{query}")


async def test_section_17_delete_shows_in_the_bin_until_forgotten(fresh: Fresh) -> None:
    key = await fresh.contact(last_name="Doe")
    gone = await fresh.delete(f"contacts/{key}")
    assert (gone.status_code, gone.json()) == (200, True)
    assert await fresh.refused("GET", f"contacts/{key}", status=404) == "not found"
    assert await fresh.refused("PUT", f"contacts/{key}", {"last_name": "X"}, status=404) == "not found"
    assert (await fresh.view("contacts", "All Contacts"))["contacts"] == []
    (row,) = (await fresh.view("contacts", "Recycle Bin"))["contacts"]
    assert (row["id"], row["is_deleted"]) == (key, True)
    assert (await fresh.delete(f"contacts/{key}/forget")).json() is True
    assert (await fresh.view("contacts", "Recycle Bin"))["contacts"] == []
    assert (await fresh.delete(f"contacts/{key}/forget")).status_code == 404


async def test_section_19_4_delete_may_answer_204_and_the_bin_may_be_readable(start: Start) -> None:
    fresh = await start(delete_status=204, deleted_view="row")
    key = await fresh.contact()
    gone = await fresh.delete(f"contacts/{key}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await fresh.good("GET", f"contacts/{key}"))["contact"]["is_deleted"] is True


async def test_section_17_a_restored_account_has_lost_its_deals(fresh: Fresh) -> None:
    account = await fresh.account("Acme")
    deal, contact = (
        await fresh.deal(sales_account_id=account),
        await fresh.contact(last_name="D", sales_accounts=[{"id": account}]),
    )
    await fresh.good("DELETE", f"sales_accounts/{account}")
    await fresh.admin("restore_record", module="sales_account", id=account)
    assert (await fresh.good("GET", f"deals/{deal}?include=sales_account"))["deal"]["sales_account_id"] is None
    shown = (await fresh.good("GET", f"contacts/{contact}?include=sales_accounts"))["contact"]
    assert [row["id"] for row in shown["sales_accounts"]] == [account]


async def test_section_2_bulk_destroy(fresh: Fresh) -> None:
    keys = [await fresh.deal(f"D{number}") for number in range(3)]
    message = (await fresh.good("POST", "deals/bulk_destroy", {"selected_ids": [*keys[:2], 5]}))["message"]
    assert message == "2 deals deleted."
    assert [row["id"] for row in (await fresh.view("deals", "Open Deals"))["deals"]] == keys[2:]
    assert await fresh.refused("POST", "deals/bulk_destroy", {"selected_ids": list(range(101))})
    assert await fresh.refused("POST", "deals/bulk_destroy", {"selected_ids": "all"})


async def test_section_2_clone(fresh: Fresh) -> None:
    account = await fresh.account("Acme", city="Rome")
    assert await fresh.refused("POST", f"sales_accounts/{account}/clone", {}) == ["Name can't be empty"]
    cloned = await fresh.good("POST", f"sales_accounts/{account}/clone", {"sales_account": {"name": "Other"}})
    assert (cloned["sales_account"]["city"], cloned["sales_account"]["name"]) == ("Rome", "Other")
    contact = await fresh.contact(last_name="Doe", emails="a@x.com", sales_accounts=[{"id": account}])
    copy = (await fresh.good("POST", f"contacts/{contact}/clone", {}))["contact"]
    assert (copy["last_name"], copy["emails"], copy["sales_accounts"][0]["id"]) == ("Doe", [], account)
    deal = await fresh.deal(amount=12, sales_account_id=account)
    copy = (await fresh.good("POST", f"deals/{deal}/clone?include=sales_account", {"deal": {"name": "Two"}}))["deal"]
    assert (copy["name"], copy["amount"], copy["sales_account_id"]) == ("Two", "12.0", account)
