"""Usage header, daily limit and faults (source fact sheet section 1.6)."""

import httpx
import pytest

from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker.sandbox import create_app


async def test_every_answer_tells_the_usage(empty) -> None:
    """Section 1.6: also the refusals."""
    first = await empty.get("/limits")
    assert first.headers["Sforce-Limit-Info"] == "api-usage=1/111000"
    assert first.json()["DailyApiRequests"] == {"Max": 111_000, "Remaining": 110_999}
    refused = await empty.ask("nonsense")
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/111000"


@pytest.mark.parametrize(
    ("edition", "most"), [("developer", 15_000), ("unlimited", 155_000), ("full_sandbox", 5_000_000)]
)
async def test_limits_by_edition(open_account, edition: str, most: int) -> None:
    async with open_account(edition=edition) as account:
        assert (await account.get("/limits")).json()["DailyApiRequests"]["Max"] == most


async def test_the_daily_limit_rolls(open_account) -> None:
    """Section 1.6: 403 REQUEST_LIMIT_EXCEEDED until the window of 24 hours has rolled on."""
    async with open_account(options={"daily_requests": "3", "token_ttl": "1000000"}) as account:
        for _ in range(3):
            assert (await account.get("/limits")).status_code == 200
            account.clock.advance(hours=1)
        answer = await account.get("/limits")
        assert answer.status_code == 403
        assert answer.json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
        assert answer.headers["Sforce-Limit-Info"] == "api-usage=3/3"
        account.clock.advance(hours=21, minutes=1)
        assert (await account.get("/limits")).status_code == 200
        assert (await account.get("/limits")).status_code == 403


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("fail429", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("fail5xx", 503, "SERVER_UNAVAILABLE"),
        ("fail5xx_after", 500, "UNKNOWN_EXCEPTION"),
        ("fail401", 401, "INVALID_SESSION_ID"),
        ("query_timeout", 400, "QUERY_TIMEOUT"),
    ],
)
async def test_faults_speak_the_vendors_language(empty, fault: str, status: int, code: str) -> None:
    """Section 1.6: the codes a client must react to."""
    assert (await empty.http.post("/_sandbox/faults", json={fault: 10_000})).json()["values"] == {fault: 10_000}
    answer = await empty.ask("SELECT Id FROM User")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert (await empty.http.get("/_sandbox/faults")).json()["injected"] == {fault: 1}
    assert (await empty.http.delete("/_sandbox/faults")).status_code == 204
    await empty.sign_in()
    assert (await empty.ask("SELECT Id FROM User")).status_code == 200


async def test_lost_cursors_and_failed_jobs(open_account) -> None:
    async with open_account(scale=2_000) as account:
        await account.http.post("/_sandbox/faults", json={"locator_gone": 10_000, "bulk_failed": 10_000})
        page = (await account.ask("SELECT Id FROM WorkOrder", **{"Sforce-Query-Options": "batchSize=200"})).json()
        assert (await account.http.get(page["nextRecordsUrl"])).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
        url = "/services/data/v59.0/jobs/query"
        job = (await account.http.post(url, json={"operation": "query", "query": "SELECT Id FROM User"})).json()
        assert (await account.http.get(f"{url}/{job['id']}")).json()["state"] == "Failed"


@pytest.mark.parametrize("body", [b"[]", b'{"fail5xx": "much"}', b'{"fail5xx": true}', b"{"])
async def test_faults_that_are_no_numbers(empty, body: bytes) -> None:
    assert (await empty.http.post("/_sandbox/faults", content=body)).status_code == 400


async def test_wrong_methods_and_crashes_answer_arrays(empty) -> None:
    """Section 1.6."""
    answer = await empty.http.put("/services/data/v59.0/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    empty.box.store.reading.execute("SELECT 1")
    await empty.box.run(lambda: empty.box.store.reading.execute('DROP TABLE "Lead"'))
    app = empty.http._transport.app
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://x", headers=empty.http.headers
    ) as client:
        answer = await client.get("/services/data/v59.0/query?q=SELECT+Id+FROM+Lead")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")


@pytest.mark.parametrize("settings", [{"options": {"colour": "red"}}, {"edition": "gold"}])
def test_unknown_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match="unknown"):
        create_app(SandboxConfig(**settings))
