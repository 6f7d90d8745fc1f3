"""Fact sheet section 14: lists, search, COQL, counts and related lists."""

from urllib.parse import quote

import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Zoho


async def many(zoho: Zoho, number: int) -> list[str]:
    ids: list[str] = []
    for start in range(0, number, 100):
        ids += await zoho.create("Leads", *({"Last_Name": f"L{n:04d}"} for n in range(start, min(start + 100, number))))
    return ids


async def test_section_14_fields_are_mandatory_and_at_most_fifty(zoho: Zoho) -> None:
    answer = await zoho.get("Leads")
    assert (answer.status_code, answer.json()["details"]) == (400, {"param_name": "fields"})
    names = ",".join(f"F{n}" for n in range(51))
    answer = await zoho.get(f"Leads?fields={names}")
    assert answer.json()["details"] == {"limit": 50, "param_name": "fields"}
    assert (await zoho.get("Leads?fields=id")).status_code == 204


async def test_section_14_pages_tokens_and_their_limits(zoho: Zoho) -> None:
    ids = await many(zoho, 450)
    first = (await zoho.get("Leads?fields=Last_Name")).json()
    assert (first["info"]["count"], first["info"]["more_records"], first["info"]["sort_order"]) == (200, True, "desc")
    assert first["data"][0]["id"] == ids[-1]
    assert (await zoho.get("Leads?fields=Last_Name&page=11")).json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    assert (await zoho.get("Leads?fields=id&per_page=201")).status_code == 400
    seen = [row["id"] for row in first["data"]]
    token = first["info"]["next_page_token"]
    while token:
        page = (await zoho.get(f"Leads?fields=Last_Name&page_token={quote(token)}")).json()
        seen += [row["id"] for row in page["data"]]
        token = page["info"]["next_page_token"]
    assert seen == ids[::-1]
    token = quote(first["info"]["next_page_token"])
    other = await zoho.get(f"Leads?fields=Company&page_token={token}")
    assert other.json()["code"] == "TOKEN_BOUND_DATA_MISMATCH"
    both = await zoho.get(f"Leads?fields=Last_Name&page=2&page_token={token}")
    assert both.json()["code"] == "AMBIGUITY_DURING_PROCESSING"
    assert (await zoho.get("Leads?fields=id&page_token=rubbish")).status_code == 400


async def test_section_14_page_token_ends_after_a_day(zoho: Zoho) -> None:
    await many(zoho, 2)
    token = (await zoho.get("Leads?fields=id&per_page=1")).json()["info"]["next_page_token"]
    zoho.clock.advance(seconds=24 * 3600 + 1)
    await zoho.renew()
    assert (await zoho.get(f"Leads?fields=id&per_page=1&page_token={quote(token)}")).json()["code"] == "EXPIRED_VALUE"


async def test_section_14_modified_since_and_sorting(zoho: Zoho) -> None:
    one, two = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    mark = (await zoho.record("Leads", one))["Modified_Time"]
    headers = {"If-Modified-Since": mark}
    assert (await zoho.get("Leads?fields=id", headers=headers)).status_code == 304
    zoho.clock.advance(seconds=2)
    await zoho.put(f"Leads/{one}", {"data": [{"City": "Rome"}]})
    found = (await zoho.get("Leads?fields=id", headers=headers)).json()["data"]
    assert [row["id"] for row in found] == [one]
    ordered = (await zoho.get("Leads?fields=id&sort_by=Modified_Time&sort_order=asc")).json()["data"]
    assert [row["id"] for row in ordered] == [two, one]
    assert (await zoho.get("Leads?fields=id&sort_by=City")).status_code == 400
    assert [row["id"] for row in (await zoho.get(f"Leads?fields=id&ids={two}")).json()["data"]] == [two]


async def test_section_14_search_by_criteria_email_phone_word(zoho: Zoho) -> None:
    one, two = await zoho.create(
        "Leads",
        {"Last_Name": "Smith (Jr)", "Email": "a@example.com", "Phone": "+1 555", "City": "Rome", "No_of_Employees": 5},
        {"Last_Name": "Smithson", "City": "Oslo", "No_of_Employees": 9},
    )

    async def ids(query: str) -> list[str]:
        answer = await zoho.get(f"Leads/search?{query}")
        return [row["id"] for row in answer.json()["data"]] if answer.status_code == 200 else []

    assert await ids("criteria=(Last_Name:equals:smith)") == [two, one]
    assert await ids("criteria=((Last_Name:starts_with:Smith)and(City:equals:Rome))") == [one]
    assert await ids("criteria=((City:in:Rome,Oslo)and((No_of_Employees:greater_than:5)or(City:equals:Nowhere)))") == [
        two
    ]
    escaped = quote(r"Smith \(Jr\)")
    assert await ids(f"criteria=(Last_Name:equals:{escaped})") == [one]
    assert await ids("email=A@example.com") == [one]
    assert await ids(f"phone={quote('+1 555')}") == [one]
    assert await ids("word=oslo") == [two]
    assert await ids("criteria=(City:equals:Rome)&email=nobody@example.com") == [one]
    assert (await zoho.get("Leads/search?word=nowhere")).status_code == 204
    assert (await zoho.get("Leads/search?criteria=(Nope:equals:1)")).json()["code"] == "INVALID_QUERY"
    assert (await zoho.get("Leads/search?criteria=((City:equals:Rome)")).json()["code"] == "INVALID_QUERY"
    eleven = "and".join(["(City:equals:Rome)"] * 11)
    assert (await zoho.get(f"Leads/search?criteria=({eleven})")).json()["code"] == "LIMIT_EXCEEDED"
    assert (await zoho.get("Leads/search?word=ro&page=11")).json()["code"] == "LIMIT_REACHED"


async def test_section_14_index_lag_hides_fresh_records_from_search_not_from_coql(zoho: Zoho) -> None:
    await zoho.post("/_sandbox/faults", {"search_lag_seconds": 30})
    await zoho.create("Leads", {"Last_Name": "Fresh"})
    assert (await zoho.get("Leads/search?criteria=(Last_Name:equals:Fresh)")).status_code == 204
    assert (await zoho.coql("select id from Leads where Last_Name = 'Fresh'")).status_code == 200
    zoho.clock.advance(seconds=30)
    assert (await zoho.get("Leads/search?criteria=(Last_Name:equals:Fresh)")).status_code == 200


async def test_section_14_counts(zoho: Zoho) -> None:
    await many(zoho, 3)
    assert (await zoho.get("Leads/actions/count")).json() == {"count": 3}
    assert (await zoho.get("Leads/actions/count?criteria=(Last_Name:equals:L0001)")).json() == {"count": 1}


async def coql_org(zoho: Zoho) -> tuple[list[str], list[str]]:
    await zoho.add_field("Accounts", "Source Id", external={"type": "org"})
    parent, child = await zoho.create(
        "Accounts", {"Account_Name": "Parent"}, {"Account_Name": "Child", "Source_Id": "s:1"}
    )
    await zoho.put(f"Accounts/{child}", {"data": [{"Parent_Account": {"id": parent}}]})
    contacts = await zoho.create(
        "Contacts",
        {"Last_Name": "O'Hara", "Email": "o@example.com", "Account_Name": {"id": child}, "Date_of_Birth": "1990-05-06"},
        {"Last_Name": "Berg", "Email_Opt_Out": True, "Account_Name": {"id": parent}},
        {"Last_Name": "Cole", "Title": "100% sure"},
    )
    return [parent, child], contacts


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Last_Name = 'O\\'Hara'", ["O'Hara"]),
        ("Last_Name = 'O''Hara'", ["O'Hara"]),
        ("last_name = 'x'", None),
        ("Email = 'O@EXAMPLE.com'", ["O'Hara"]),
        ("Last_Name in ('Berg', 'Cole')", ["Berg", "Cole"]),
        ("Last_Name not in ('Berg', 'Cole')", ["O'Hara"]),
        ("Last_Name like '%er%'", ["Berg"]),
        ("Title like '100%'", ["Cole"]),
        ("Email is null", ["Berg", "Cole"]),
        ("Email is not null and Last_Name != 'Berg'", ["O'Hara"]),
        ("(Last_Name = 'Berg' or Last_Name = 'Cole') and Title is null", ["Berg"]),
        ("Date_of_Birth between '1990-01-01' and '1990-12-31'", ["O'Hara"]),
        ("Date_of_Birth > '1990-05-06'", []),
        ("Email_Opt_Out = true", ["Berg"]),
        ("Account_Name.Account_Name = 'Child'", ["O'Hara"]),
        ("Account_Name.Source_Id = 's:1'", ["O'Hara"]),
        ("Account_Name.Parent_Account.Account_Name = 'Parent'", ["O'Hara"]),
        ("Created_Time >= '2026-03-02T12:00:00+00:00'", ["O'Hara", "Berg", "Cole"]),
        ("Created_Time < '2026-03-02T06:59:59-05:00'", []),
        ("id > '0' and Owner is not null", ["O'Hara", "Berg", "Cole"]),
        ("Last_Name = 'a' or Last_Name = 'b' or Last_Name = 'c'", None),
        ("Description like '%x%'", None),
        ("Nothing = 1", None),
        ("Last_Name ~ 'x'", None),
        ("Last_Name = 'open", None),
    ],
)
async def test_section_14_coql_conditions(zoho: Zoho, where: str, names: list[str] | None) -> None:
    await coql_org(zoho)
    answer = await zoho.coql(f"select Last_Name from Contacts where {where} order by id asc limit 200")
    if names is None:
        assert (answer.status_code, answer.json()["code"]) in {(400, "SYNTAX_ERROR"), (400, "INVALID_QUERY")}
    elif not names:
        assert answer.status_code == 204
    else:
        assert [row["Last_Name"] for row in answer.json()["data"]] == names


async def test_section_14_coql_columns_lookups_and_windows(zoho: Zoho) -> None:
    accounts, contacts = await coql_org(zoho)
    query = "select Last_Name, Account_Name, Account_Name.Account_Name, Owner from Contacts where id is not null"
    answer = (await zoho.coql(f"{query} order by Last_Name desc limit 1, 1")).json()
    assert answer["info"] == {"count": 1, "more_records": True}
    row = answer["data"][0]
    assert (row["Last_Name"], row["id"], row["Account_Name"]) == ("Cole", contacts[2], None)
    found = (
        await zoho.coql(
            f"select Account_Name, Account_Name.Account_Name from Contacts where Account_Name = '{accounts[1]}'"
        )
    ).json()
    assert found["data"] == [
        {"Account_Name": {"id": accounts[1]}, "Account_Name.Account_Name": "Child", "id": contacts[0]}
    ]
    offset = (await zoho.coql(f"{query} order by id limit 2 offset 2")).json()
    assert [row["id"] for row in offset["data"]] == [contacts[2]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Leads where id is not null limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Leads where id is not null limit 9000, 1001", "LIMIT_EXCEEDED"),
        (f"select {','.join(['City'] * 51)} from Leads where id is not null", "LIMIT_EXCEEDED"),
        (f"select id from Leads where id in ({','.join(['1'] * 51)})", "LIMIT_EXCEEDED"),
        ("select id from Leads", "SYNTAX_ERROR"),
        ("select * from Leads where id is not null", "SYNTAX_ERROR"),
        ("delete from Leads", "SYNTAX_ERROR"),
        ("select id from Nothing where id is not null", "INVALID_QUERY"),
        ("select Quoted_Items from Quotes where id is not null", "INVALID_QUERY"),
        ("select Owner.email.x.y from Leads where id is not null", "INVALID_QUERY"),
        ("select id from Leads where " + "(" * 40 + "id is null" + ")" * 40, "SYNTAX_ERROR"),
    ],
)
async def test_section_14_coql_limits_and_errors(zoho: Zoho, query: str, code: str) -> None:
    answer = await zoho.coql(query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_section_14_coql_row_limit_is_a_switch(start: object) -> None:
    zoho = await start(options={"coql_row_limit": "200"})  # type: ignore[operator]
    answer = await zoho.coql("select id from Leads where id is not null limit 201")
    assert answer.json()["details"] == {"limit": 200}


async def test_section_14_related_lists(zoho: Zoho) -> None:
    (account,) = await zoho.create("Accounts", {"Account_Name": "A"})
    contacts = await zoho.create(
        "Contacts", *({"Last_Name": f"C{n}", "Account_Name": {"id": account}} for n in range(3))
    )
    names = {
        item["api_name"] for item in (await zoho.get("settings/related_lists?module=Accounts")).json()["related_lists"]
    }
    assert {"Contacts", "Deals", "Notes", "Tasks", "Events", "Attachments", "Products"} <= names
    answer = (await zoho.get(f"Accounts/{account}/Contacts?fields=Last_Name&per_page=2")).json()
    assert [row["id"] for row in answer["data"]] == [contacts[2], contacts[1]]
    assert answer["info"]["more_records"] is True
    assert (await zoho.get(f"Accounts/{account}/Contacts")).json()["code"] == "REQUIRED_PARAM_MISSING"
    assert (await zoho.get(f"Accounts/{account}/Nothing?fields=id")).status_code == 400
    (product,) = await zoho.create("Products", {"Product_Name": "P"})
    assert (await zoho.put(f"Accounts/{account}/Products", {"data": [{"id": product}]})).status_code == 200
    assert (await zoho.get(f"Accounts/{account}/Products?fields=Product_Name")).json()["data"][0]["id"] == product
    assert (await zoho.delete(f"Accounts/{account}/Products/{product}")).status_code == 200
    assert (await zoho.get(f"Accounts/{account}/Products?fields=Product_Name")).status_code == 204


async def test_section_16_contact_roles(zoho: Zoho) -> None:
    (deal,) = await zoho.create(
        "Deals", {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": "Standard (Standard)"}
    )
    (contact,) = await zoho.create("Contacts", {"Last_Name": "C"})
    body = {"data": [{"Contact_Role": {"name": "Purchasing"}}]}
    assert (await zoho.put(f"Deals/{deal}/Contact_Roles/{contact}", body)).status_code == 200
    (row,) = (await zoho.get(f"Deals/{deal}/Contact_Roles?fields=Last_Name")).json()["data"]
    assert (row["id"], row["Contact_Role"]["name"]) == (contact, "Purchasing")


async def test_section_10_rich_text_is_cut_in_lists_and_whole_in_full_data(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Story", "textarea", length=50000, textarea={"type": "rich_text"})
    (lead,) = await zoho.create("Leads", {"Last_Name": "A", "Story": "s" * 900})
    assert len((await zoho.get("Leads?fields=Story")).json()["data"][0]["Story"]) == 500
    whole = (await zoho.get(f"Leads/{lead}/actions/fetch_full_data?fields=Story")).json()["data"][0]
    assert len(whole["Story"]) == 900
