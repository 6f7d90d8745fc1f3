"""The API's page for people: whole, without a script, without anything from another server."""

import re

import httpx

from tests.security.conftest import DOCUMENT


async def test_the_page_runs_no_script_and_loads_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    """A script of a third party would see every key that is typed here, and offline the page would stay empty."""
    page = await http.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert re.findall(r'(?:src|<link[^>]* href)="([^"]*)"', page.text) == ["/docs/page.css"]
    style = await http.get("/docs/page.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    again = await http.get("/docs", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_every_operation_event_and_schema_is_there_and_every_link_leads_somewhere(
    http: httpx.AsyncClient,
) -> None:
    page = (await http.get("/docs")).text
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    operations = {one["operationId"] for item in DOCUMENT["paths"].values() for one in item.values()}
    events = {item["post"]["operationId"] for item in DOCUMENT["webhooks"].values()}
    schemas = {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]}
    assert operations | events | schemas <= set(anchors)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)
    for code in sorted(set(re.findall(r'href="/problems/([^"]+)"', page)))[:5]:
        assert (await http.get(f"/problems/{code}")).status_code == 200


async def test_what_a_description_says_is_text(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs")).text
    assert "Authorization: Bearer KEY" in page
    assert "`" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)
