"""The query language and paging (source fact sheet sections 1.4 and 1.6)."""

import pytest


@pytest.fixture(scope="module")
async def shop(open_account):
    """Five clients that differ in what the conditions look at."""
    async with open_account(options={"token_ttl": "100000"}) as account:
        rows = (
            ("Alpha", "Customer", 10.5, True, "2020-01-01"),
            ("beta", "Prospect", 9, False, "2021-06-30"),
            ("Gamma 100%", None, None, False, None),
            ("O'Neil", "Customer", 1000, False, "1900-01-01"),
            ("Back\\slash_", "Former", 10.25, True, "2020-01-01"),
        )
        for name, kind, limit, stop, since in rows:
            account.clock.advance(hours=1)
            values = {
                "Name": name,
                "Type": kind,
                "Credit_Limit__c": limit,
                "On_Stop__c": stop,
                "Customer_Since__c": since,
            }
            await account.create("Account", **values)
        parent = (await account.ids("SELECT Id FROM Account WHERE Name = 'Alpha'"))[0]
        await account.create("Contact", LastName="Nine", AccountId=parent)
        await account.create("Contact", LastName="Ten")
        yield account


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Name = 'ALPHA'", "a"),  # section 1.4: comparison ignores case
        ("Name != 'alpha'", "bgos"),
        ("Type != 'Customer'", "bgs"),  # a null differs from every value
        ("Type = null", "g"),
        ("Type = ''", "g"),  # section 1.4: blanks are null
        ("Type != null", "abos"),
        ("Type IN ('customer', 'Former')", "aos"),
        ("Type NOT IN ('Customer')", "bgs"),
        ("Type IN ('Former', null)", "gs"),
        ("Credit_Limit__c > 9.5", "aos"),  # as numbers, not as text
        ("Credit_Limit__c = 10.50", "a"),
        ("Credit_Limit__c <= 10.25", "bs"),
        ("Credit_Limit__c IN (9, 1000)", "bo"),
        ("On_Stop__c = TRUE", "as"),
        ("On_Stop__c != true", "bgo"),
        ("Customer_Since__c < 2020-01-01", "o"),
        ("Customer_Since__c = 2020-01-01", "as"),
        ("CreatedDate >= 2026-07-01T15:00:00Z", "gos"),
        ("CreatedDate > 2026-07-01T17:00:00.000+02:00", "os"),
        ("Name LIKE 'al%'", "a"),
        ("Name LIKE '%\\%'", "g"),
        ("Name LIKE '_eta'", "b"),
        ("Name LIKE '%\\_'", "s"),
        ("Name = 'O\\'Neil'", "o"),
        ("Name = 'Back\\\\slash_'", "s"),
        ("NOT Type = 'Customer'", "bgs"),
        ("NOT (Type = 'Customer' OR On_Stop__c = true)", "bg"),
        ("(Type = 'Customer' OR Type = 'Former') AND On_Stop__c = true", "as"),
        ("Type = 'Customer' AND On_Stop__c = true AND Name = 'Alpha'", "a"),
        ("Owner.Name = 'Integration User' AND Type = 'Prospect'", "b"),
        ("Id = '{alpha}'", "a"),
        ("Id IN ('{alpha15}')", "a"),
    ],
)
async def test_conditions(shop, condition: str, names: str) -> None:
    known = {one["Name"]: one["Id"] for one in await shop.rows("SELECT Name, Id FROM Account")}
    condition = condition.replace("{alpha}", known["Alpha"]).replace("{alpha15}", known["Alpha"][:15])
    found = await shop.rows(f"SELECT Name FROM Account WHERE {condition}")
    letters = {"Alpha": "a", "beta": "b", "Gamma 100%": "g", "O'Neil": "o", "Back\\slash_": "s"}
    assert "".join(letters[one["Name"]] for one in found) == names


@pytest.mark.parametrize(
    ("ending", "names"),
    [
        ("ORDER BY Credit_Limit__c", ["Gamma 100%", "beta", "Back\\slash_", "Alpha", "O'Neil"]),
        ("ORDER BY Credit_Limit__c DESC NULLS LAST", ["O'Neil", "Alpha", "Back\\slash_", "beta", "Gamma 100%"]),
        ("ORDER BY Type ASC NULLS LAST, Name DESC", ["O'Neil", "Alpha", "Back\\slash_", "beta", "Gamma 100%"]),
        ("ORDER BY Name", ["Alpha", "Back\\slash_", "beta", "Gamma 100%", "O'Neil"]),
        ("ORDER BY CreatedDate DESC LIMIT 2", ["Back\\slash_", "O'Neil"]),
        ("ORDER BY CreatedDate DESC LIMIT 2 OFFSET 1", ["O'Neil", "Gamma 100%"]),
        ("ORDER BY CreatedDate OFFSET 4", ["Back\\slash_"]),
        ("LIMIT 0", []),
    ],
)
async def test_order_and_bounds(shop, ending: str, names: list[str]) -> None:
    assert [one["Name"] for one in await shop.rows(f"SELECT Name FROM Account {ending}")] == names


async def test_parents_come_nested(shop) -> None:
    """Section 1.4: relationship fields are nested with attributes of their own, null where there is no parent."""
    answer = await shop.ask("select Id, Account.Name, account.owner.EMAIL, LastName from contact c order by c.LastName")
    nine, ten = answer.json()["records"]
    assert nine["Account"]["Name"] == "Alpha"
    assert nine["Account"]["attributes"]["type"] == "Account"
    assert nine["Account"]["Owner"]["Email"] == "integration@example.net"
    assert ten["Account"] is None


async def test_polymorphic_parents_offer_their_name(readonly) -> None:
    """Section 2: WhatId points to several objects."""
    rows = await readonly.rows("SELECT WhatId, What.Name FROM Task WHERE WhatId != null LIMIT 50")
    assert {one["What"]["attributes"]["type"] for one in rows} == {"Name"}
    assert all(one["What"]["Name"] for one in rows if one["What"])
    assert await readonly.refused("SELECT What.Phone FROM Task") == (400, "INVALID_FIELD")


async def test_counting(shop) -> None:
    body = (await shop.ask("SELECT COUNT() FROM Account WHERE Type != null")).json()
    assert body == {"totalSize": 4, "done": True, "records": []}
    body = (await shop.ask("SELECT COUNT(Id) FROM Account")).json()
    assert body["records"] == [{"attributes": {"type": "AggregateResult"}, "expr0": 5}]
    body = (await shop.ask("SELECT COUNT(Id) total FROM Account")).json()
    assert body["records"][0]["total"] == 5


async def test_all_fields(shop) -> None:
    """Section 1.4: FIELDS(ALL) only with a LIMIT of at most 200."""
    (record,) = (await shop.ask("SELECT FIELDS(ALL) FROM Account LIMIT 1")).json()["records"]
    described = (await shop.get("/sobjects/Account/describe")).json()["fields"]
    assert set(record) == {one["name"] for one in described} | {"attributes"}
    (custom,) = (await shop.ask("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")).json()["records"]
    assert {name for name in custom if not name.endswith("__c")} == {"attributes", "Id"}
    for query in ("SELECT FIELDS(ALL) FROM Account", "SELECT FIELDS(ALL) FROM Account LIMIT 201"):
        assert await shop.refused(query) == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),  # section 1.4: there is no star
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY"),
        ('SELECT Id FROM Account WHERE Name = "x"', "MALFORMED_QUERY"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account; DROP TABLE Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE " + "(" * 5_000 + "Name = 'a'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE " + "NOT " * 2_000 + "Name = 'a'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Colour FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Colour = 'red'", "INVALID_FIELD"),
        ("SELECT Id FROM Account ORDER BY Colour", "INVALID_FIELD"),
        ("SELECT Shop.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Account__r.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Credit_Limit__c = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2024-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2024-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE On_Stop__c = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'long text'", "INVALID_FIELD"),
        ("SELECT Id FROM Account ORDER BY BillingAddress", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE On_Stop__c > true", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Customer_Since__c = 2023-02-30", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2023-02-01T25:00:00Z", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY"),
        ("SELECT Id FROM ContentDocumentLink WHERE ShareType = 'V'", "MALFORMED_QUERY"),
    ],
)
async def test_queries_that_are_refused(shop, query: str, code: str) -> None:
    """Section 1.6: 400 and an array; section 1.8 for ContentDocumentLink."""
    assert await shop.refused(query) == (400, code)


async def test_the_wording_of_an_unknown_column(shop) -> None:
    """Section 1.6."""
    (error,) = (await shop.ask("SELECT Colour FROM Account")).json()
    assert error["message"].startswith("No such column 'Colour' on entity 'Account'")


async def test_links_of_files_need_a_filter(readonly, open_account) -> None:
    """Section 1.8: by document or by entity, unless the user holds Query All Files."""
    works = await readonly.ids("SELECT Id FROM WorkOrder")
    listed = ", ".join(f"'{one}'" for one in works)
    found = await readonly.rows(f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId IN ({listed})")
    assert found
    async with open_account(scale=100, options={"content_links": "open"}) as account:
        assert await account.ids("SELECT Id FROM ContentDocumentLink")


async def test_a_thousand_alternatives(shop) -> None:
    """Section 1.4: a query may hold 100,000 characters."""
    condition = " OR ".join(f"Name = 'n{number}'" for number in range(700))
    assert (await shop.ask(f"SELECT Id FROM Account WHERE {condition}")).json()["totalSize"] == 0


async def test_the_length_of_a_url(shop) -> None:
    """Section 1.4: about 16 kB; section 1.6: 414."""
    answer = await shop.ask("SELECT Id FROM Account WHERE Name = '" + "x" * 17_000 + "'")
    assert answer.status_code == 414
    assert isinstance(answer.json(), list)


async def test_pages(large) -> None:
    """Section 1.4: at most 2,000 rows, batchSize as a hint, an opaque next page, every row once."""
    query = "SELECT Id FROM WorkOrder"
    first = (await large.ask(query, **{"Sforce-Query-Options": "batchSize=250"})).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (900, False, 250)
    assert first["nextRecordsUrl"].startswith("/services/data/v59.0/query/0r8")
    seen, page = [one["Id"] for one in first["records"]], first
    while not page["done"]:
        page = (await large.http.get(page["nextRecordsUrl"])).json()
        seen += [one["Id"] for one in page["records"]]
    assert "nextRecordsUrl" not in page
    assert len(seen) == len(set(seen)) == 900
    assert seen == sorted(seen)
    again = (await large.http.get(first["nextRecordsUrl"])).json()
    assert [one["Id"] for one in again["records"]] == seen[250:500]
    for hint, rows in (("batchSize=1", 200), ("batchSize=5000", 900), ("batchSize=x", 900)):
        page = (await large.ask(query, **{"Sforce-Query-Options": hint})).json()
        assert len(page["records"]) == rows
    assert (await large.ask("SELECT Id FROM WorkOrder LIMIT 300")).json()["totalSize"] == 300


async def test_the_largest_page(open_account) -> None:
    async with open_account() as account:
        records = [{"attributes": {"type": "Account"}, "Name": f"N{number}"} for number in range(200)]
        for _ in range(11):
            await account.http.post("/services/data/v59.0/composite/sobjects", json={"records": records})
        page = (await account.ask("SELECT Id FROM Account")).json()
        assert (page["totalSize"], len(page["records"])) == (2_200, 2_000)


async def test_a_cursor_keeps_its_rows_and_ends(open_account) -> None:
    """Section 1.4: the result is fixed when the query starts; two days; ten open, the oldest is dropped."""
    options = {"token_ttl": "1000000"}
    async with open_account(scale=2_000, options=options) as account:
        hint = {"Sforce-Query-Options": "batchSize=200"}
        first = (await account.ask("SELECT Id FROM WorkOrder", **hint)).json()
        await account.create("WorkOrder")
        second = (await account.http.get(first["nextRecordsUrl"])).json()
        assert second["totalSize"] == first["totalSize"]
        account.clock.advance(days=2)
        for url in (first["nextRecordsUrl"], "/services/data/v59.0/query/0r8xyz-200", "/services/data/v59.0/query/x"):
            answer = await account.http.get(url)
            assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
        urls = [(await account.ask("SELECT Id FROM WorkOrder", **hint)).json()["nextRecordsUrl"] for _ in range(11)]
        assert (await account.http.get(urls[0])).status_code == 400
        assert (await account.http.get(urls[1])).status_code == 200


async def test_query_all(readonly) -> None:
    """Sections 1.2 and 1.7: deleted rows, merged ones with their winner, archived activities."""
    living, everything = (
        await readonly.ids("SELECT Id FROM Account"),
        "SELECT Id, IsDeleted, MasterRecordId FROM Account",
    )
    rows = await readonly.rows(everything, everything=True)
    deleted = [one for one in rows if one["IsDeleted"]]
    assert {one["Id"] for one in rows} - set(living) == {one["Id"] for one in deleted}
    winners = {one["MasterRecordId"] for one in deleted if one["MasterRecordId"]}
    assert winners
    assert winners <= set(living)
    assert any(one["MasterRecordId"] is None for one in deleted)
    tasks = await readonly.rows("SELECT Id, IsArchived FROM Task", everything=True)
    assert {one["Id"] for one in tasks if not one["IsArchived"]} == set(await readonly.ids("SELECT Id FROM Task"))
    assert any(one["IsArchived"] for one in tasks)
    only = await readonly.ids("SELECT Id FROM Account WHERE IsDeleted = true", everything=True)
    assert set(only) == {one["Id"] for one in deleted}
