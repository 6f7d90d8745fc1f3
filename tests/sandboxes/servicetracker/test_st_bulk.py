"""Bulk API 2.0 query jobs (source fact sheet section 1.5)."""

import csv
import io

import pytest

URL = "/services/data/v59.0/jobs/query"


async def start(account, query: str, **more: str) -> str:
    answer = await account.http.post(URL, json={"operation": "query", "query": query, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def test_a_job_from_start_to_end(large) -> None:
    """Steps 1 to 3: the answer at creation, the state, pages with a header row each, locators, `null` at the end."""
    answer = await large.http.post(URL, json={"operation": "query", "query": "SELECT Id, Name FROM Account"})
    job = answer.json()
    assert job["id"].startswith("750")
    assert job["state"] == "UploadComplete"
    assert {"object", "createdById", "createdDate", "systemModstamp", "apiVersion"} <= set(job)
    assert (job["contentType"], job["lineEnding"], job["columnDelimiter"]) == ("CSV", "LF", "COMMA")
    assert (job["concurrencyMode"], job["object"]) == ("Parallel", "Account")
    living = await large.ids("SELECT Id FROM Account")
    ended = (await large.http.get(f"{URL}/{job['id']}")).json()
    assert (ended["state"], ended["numberRecordsProcessed"], ended["retries"]) == ("JobComplete", len(living), 0)

    seen: list[str] = []
    locator, pages = None, []
    while locator != "null":
        asked = {"maxRecords": "150"} | ({"locator": locator} if locator else {})
        page = await large.http.get(f"{URL}/{job['id']}/results", params=asked)
        assert page.headers["Content-Type"].startswith("text/csv")
        header, *rows = csv.reader(io.StringIO(page.text, newline=""))
        assert header == ["Id", "Name"]
        assert page.headers["Sforce-NumberOfRecords"] == str(len(rows))
        seen += [row[0] for row in rows]
        locator = page.headers["Sforce-Locator"]
        pages.append((asked, page.content))
    assert seen == living
    assert len(pages) == 3
    assert (await large.http.get(f"{URL}/{job['id']}/results", params=pages[1][0])).content == pages[1][1]
    whole = await large.http.get(f"{URL}/{job['id']}/results")
    assert (whole.headers["Sforce-Locator"], whole.headers["Sforce-NumberOfRecords"]) == ("null", str(len(living)))


async def test_bulk_and_rest_agree(large) -> None:
    """Section 1.3: the same values; booleans as words, datetimes with Z, null as empty."""
    names = "Id, Subject, Description, Status, StartDate, Safety_Checked__c, GrandTotal, AssetId, Account.Name"
    rest = await large.rows(f"SELECT {names} FROM WorkOrder")
    job = await start(large, f"SELECT {names} FROM WorkOrder")
    text = (await large.http.get(f"{URL}/{job}/results")).content.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(rest) == 900
    for bulk, row in zip(rows, rest, strict=True):
        row["Account.Name"] = (row.pop("Account") or {}).get("Name")
        row["StartDate"] = row["StartDate"].replace("+0000", "Z")
        row["Safety_Checked__c"] = str(row["Safety_Checked__c"]).lower()
        row["GrandTotal"] = str(row["GrandTotal"])
        assert bulk == {key: value or "" for key, value in row.items()}
    assert any("\r\n" in row["Description"] and '"' in row["Description"] for row in rows)


@pytest.mark.parametrize(
    ("delimiter", "sign"), [("TAB", "\t"), ("SEMICOLON", ";"), ("PIPE", "|"), ("CARET", "^"), ("BACKQUOTE", "`")]
)
async def test_delimiters_and_line_endings(empty, delimiter: str, sign: str) -> None:
    await empty.create("Account", Name='a;b|c^d`e\tf "g"\nh')
    job = await start(empty, "SELECT Name, Phone FROM Account", columnDelimiter=delimiter, lineEnding="CRLF")
    text = (await empty.http.get(f"{URL}/{job}/results")).text
    assert text == f'"Name"{sign}"Phone"\r\n"a;b|c^d`e\tf ""g""\nh"{sign}""\r\n'


async def test_query_all_reads_deleted_rows(readonly) -> None:
    """Step 1: the operation queryAll."""
    answer = await readonly.http.post(URL, json={"operation": "queryAll", "query": "SELECT Id FROM Account"})
    page = await readonly.http.get(f"{URL}/{answer.json()['id']}/results")
    assert page.headers["Sforce-NumberOfRecords"] == str(
        len(await readonly.ids("SELECT Id FROM Account", everything=True))
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT Colour FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Id, BillingAddress FROM Account", "Selecting compound data not supported in Bulk Query"),
        ("SELECT Id, Body FROM Attachment", "FEATURENOTENABLED"),
        ("SELECT COUNT() FROM Account", "FEATURENOTENABLED"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 1", "FEATURENOTENABLED"),
    ],
)
async def test_bad_queries_fail_the_job(readonly, query: str, words: str) -> None:
    """Step 2 and limits: Failed with errorMessage; compound and base64 fields, aggregates and OFFSET are refused."""
    job = (await readonly.http.get(f"{URL}/{await start(readonly, query)}")).json()
    assert job["state"] == "Failed"
    assert words in job["errorMessage"]
    answer = await readonly.http.get(f"{URL}/{job['id']}/results")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "insert", "query": "SELECT Id FROM Account"},
        {"operation": "query"},
        {"operation": "query", "query": 5},
        {"operation": "query", "query": "nonsense"},
        {"operation": "query", "query": "SELECT Id FROM Account", "contentType": "JSON"},
        {"operation": "query", "query": "SELECT Id FROM Account", "columnDelimiter": "SPACE"},
        {"operation": "query", "query": "SELECT Id FROM Account", "lineEnding": "CR"},
        [],
    ],
)
async def test_jobs_that_are_refused_at_once(readonly, body: object) -> None:
    answer = await readonly.http.post(URL, json=body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), list)


async def test_waiting_aborting_deleting_listing(open_account) -> None:
    """Steps 2 and 4."""
    async with open_account(options={"bulk_polls": "2"}) as account:
        await account.create("Account", Name="A")
        job = await start(account, "SELECT Id FROM Account")
        assert (await account.http.get(f"{URL}/{job}/results")).status_code == 400
        states = [(await account.http.get(f"{URL}/{job}")).json()["state"] for _ in range(3)]
        assert states == ["InProgress", "InProgress", "JobComplete"]
        assert [one["id"] for one in (await account.http.get(URL)).json()["records"]] == [job]
        late = await account.http.patch(f"{URL}/{job}", json={"state": "Aborted"})
        assert (late.status_code, late.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
        assert (await account.http.delete(f"{URL}/{job}")).status_code == 204
        assert (await account.http.get(f"{URL}/{job}")).status_code == 404
        waiting = account.box.jobs.create({"operation": "query", "query": "SELECT Id FROM Account"}, "005", "59.0")
        assert (await account.http.delete(f"{URL}/{waiting.id}")).status_code == 400
        aborted = await account.http.patch(f"{URL}/{waiting.id}", json={"state": "Aborted"})
        assert aborted.json()["state"] == "Aborted"
        account.box.jobs.process(waiting)
        assert (await account.http.get(f"{URL}/{waiting.id}")).json()["state"] == "Aborted"


async def test_results_are_kept_seven_days(open_account) -> None:
    """Limits."""
    async with open_account(options={"token_ttl": "10000000"}) as account:
        job = await start(account, "SELECT Id FROM User")
        account.clock.advance(days=6, hours=23)
        assert (await account.http.get(f"{URL}/{job}/results")).status_code == 200
        account.clock.advance(hours=1)
        assert (await account.http.get(f"{URL}/{job}/results")).status_code == 404


@pytest.mark.parametrize("asked", ["locator=x", "locator=MTff", "maxRecords=0", "maxRecords=-1", "maxRecords=x"])
async def test_wrong_pages(readonly, asked: str) -> None:
    job = await start(readonly, "SELECT Id FROM Account")
    assert (await readonly.http.get(f"{URL}/{job}/results?{asked}")).status_code == 400


async def test_an_account_without_bulk(open_account) -> None:
    """Section 1 opens with the contradiction: some accounts have no bulk API, REST queries still work."""
    async with open_account(options={"bulk": "off"}) as account:
        for answer in (
            await account.http.post(URL, json={"operation": "query", "query": "SELECT Id FROM User"}),
            await account.http.get(URL),
        ):
            assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "API_DISABLED_FOR_ORG")
        assert await account.ids("SELECT Id FROM User")


async def test_the_daily_number_of_jobs(open_account) -> None:
    """Limits: DailyBulkV2QueryJobs."""
    async with open_account(options={"daily_bulk_jobs": "2"}) as account:
        for _ in range(2):
            await start(account, "SELECT Id FROM User")
        answer = await account.http.post(URL, json={"operation": "query", "query": "SELECT Id FROM User"})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
        left = (await account.get("/limits")).json()["DailyBulkV2QueryJobs"]
        assert left == {"Max": 2, "Remaining": 0}


async def test_jobs_survive_a_restart(open_account, tmp_path) -> None:
    async with open_account(state_dir=tmp_path) as account:
        job = await start(account, "SELECT Id FROM User")
        before = (await account.http.get(f"{URL}/{job}/results")).content
    async with open_account(state_dir=tmp_path) as account:
        assert (await account.http.get(f"{URL}/{job}/results")).content == before
        assert await start(account, "SELECT Id FROM User") != job
