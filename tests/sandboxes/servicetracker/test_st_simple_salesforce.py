"""simple-salesforce as an independent client (source fact sheet section 1.9), over a real port.

The library always writes https addresses; an adapter sends them to the sandbox's plain port.
"""

import datetime
import re

import pytest
import requests
import simple_salesforce as vendor
from requests.adapters import HTTPAdapter


class PlainPort(HTTPAdapter):
    """Takes any https address to http://127.0.0.1:PORT."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(self, request, **more):
        request.url = re.sub(r"^https://[^/]+", f"http://127.0.0.1:{self._port}", request.url)
        return super().send(request, **more)


@pytest.fixture(scope="module")
def session(live_port: int):
    with requests.Session() as session:
        session.mount("https://", PlainPort(live_port))
        yield session


@pytest.fixture(scope="module")
def sf(session) -> vendor.Salesforce:
    """Signed in by client credentials."""
    return vendor.Salesforce(
        consumer_key="sandbox-client", consumer_secret="sandbox-secret", domain="servicetracker.my", session=session
    )


def test_signing_in_by_password(session) -> None:
    client = vendor.Salesforce(
        username="integration@example.net",
        password="sandbox-password",
        consumer_key="sandbox-client",
        consumer_secret="sandbox-secret",
        domain="servicetracker.my",
        session=session,
    )
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] > 10


def test_signing_in_wrongly(session) -> None:
    with pytest.raises(vendor.exceptions.SalesforceAuthenticationFailed, match="invalid_client"):
        vendor.Salesforce(consumer_key="sandbox-client", consumer_secret="x", domain="st.my", session=session)


def test_query_and_query_more(sf) -> None:
    query = "SELECT Id, Subject, Account.Name FROM WorkOrder"
    whole = sf.query_all(query)
    first = sf.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    assert first["done"]
    assert whole["totalSize"] == len(whole["records"]) == 72
    assert sum(1 for _ in sf.query_all_iter(query)) == 72
    for _ in range(2):
        sf.restful("composite/sobjects", method="POST", json={"records": _leads(150)})
    page = sf.query("SELECT Id FROM Lead", headers={"Sforce-Query-Options": "batchSize=200"})
    assert not page["done"]
    more = sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    same = sf.query_more(page["nextRecordsUrl"].rpartition("/")[2])
    assert more["records"] == same["records"]
    assert len(page["records"]) + len(more["records"]) == page["totalSize"]


def _leads(count: int) -> list[dict]:
    return [{"attributes": {"type": "Lead"}, "LastName": f"L{number}", "Company": "C"} for number in range(count)]


def test_describes(sf) -> None:
    assert {one["name"] for one in sf.describe()["sobjects"]} >= {"Account", "WorkOrder", "Site__c"}
    assert any(one["name"] == "Service_Type__c" for one in sf.WorkOrder.describe()["fields"])
    assert sf.Account.metadata()["objectDescribe"]["label"] == "Client"


def test_get_and_get_by_custom_id(sf) -> None:
    record_id = sf.Account.create({"Name": "Custom", "AccountNumber": "has blank 1"})["id"]
    assert sf.Account.get(record_id)["Name"] == "Custom"
    assert sf.Account.get_by_custom_id("AccountNumber", "has blank 1")["Id"] == record_id
    sf.Account.create({"Name": "Custom", "AccountNumber": "has blank 1"})
    with pytest.raises(vendor.exceptions.SalesforceMoreThanOneRecord):
        sf.Account.get_by_custom_id("AccountNumber", "has blank 1")
    with pytest.raises(vendor.exceptions.SalesforceResourceNotFound):
        sf.Account.get("0015g00000zzzzzAAA")


def test_create_update_delete_and_deleted(sf) -> None:
    record_id = sf.Contact.create({"LastName": "Brief"})["id"]
    assert sf.Contact.update(record_id, {"Title": "Guest"}) == 204
    assert sf.Contact.get(record_id)["Title"] == "Guest"
    assert sf.Contact.delete(record_id) == 204
    now = datetime.datetime.now(datetime.UTC)
    window = (now - datetime.timedelta(days=1), now + datetime.timedelta(minutes=5))
    assert record_id in [one["id"] for one in sf.Contact.deleted(*window)["deletedRecords"]]
    assert record_id not in sf.Contact.updated(*window)["ids"]
    found = sf.query_all(f"SELECT IsDeleted FROM Contact WHERE Id = '{record_id}'", include_deleted=True)
    assert [one["IsDeleted"] for one in found["records"]] == [True]
    assert sf.query(f"SELECT Id FROM Contact WHERE Id = '{record_id}'")["totalSize"] == 0


def test_errors_become_the_librarys_exceptions(sf) -> None:
    with pytest.raises(vendor.exceptions.SalesforceMalformedRequest, match="No such column"):
        sf.query("SELECT Colour FROM Account")


def test_bulk_query(sf, monkeypatch) -> None:
    """Creates, polls and pages as section 1.9 lists; the library's waits are cut short."""
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda _seconds: None)
    pages = list(sf.bulk2.WorkOrder.query("SELECT Id, Subject FROM WorkOrder", max_records=30))
    assert len(pages) == 3
    assert all(page.startswith('"Id","Subject"\n') for page in pages)
    assert sum(page.count('"0WO') for page in pages) == 72
    with pytest.raises(vendor.exceptions.SalesforceOperationError, match="INVALID_FIELD"):
        list(sf.bulk2.WorkOrder.query("SELECT Colour FROM WorkOrder"))


def test_limits_and_usage(sf) -> None:
    limits = sf.limits()
    assert limits["DailyApiRequests"]["Max"] == 111_000
    assert limits["DailyApiRequests"]["Remaining"] < 111_000
    usage = sf.api_usage["api-usage"]
    assert usage.total == 111_000
    assert usage.used >= 1


def test_an_expired_session_is_renewed(sf, live_port) -> None:
    """Section 1.9: on INVALID_SESSION_ID the library signs in again and repeats."""
    with requests.Session() as plain:
        plain.post(f"http://127.0.0.1:{live_port}/_sandbox/faults", json={"fail401": 1_000, "seed": 4})
        for _ in range(20):
            assert sf.query("SELECT COUNT() FROM User")["totalSize"] > 10
        injected = plain.get(f"http://127.0.0.1:{live_port}/_sandbox/faults").json()["injected"]
        plain.delete(f"http://127.0.0.1:{live_port}/_sandbox/faults")
    assert injected["fail401"] >= 1
