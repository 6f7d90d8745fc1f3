"""The OpenAPI document is whole: every operation named, described, refusable; every reference leads somewhere."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.access import Scope
from app.main import openapi_document
from app.problem_pages import kinds
from app.webhooks.kinds import EventType

PUBLIC = {"/v1/quotes", "/v1/quotes/{quote_id}", "/v1/oauth/token", "/v1/downloads/{file_id}"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_operations_are_named_once_in_snake_case(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)


def test_operations_have_a_summary_and_a_slice(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        assert operation["summary"], path
        assert len(operation["tags"]) >= 1, path


def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        refusals = {code: each for code, each in operation["responses"].items() if code >= "400" and code != "503"}
        for code, each in refusals.items():
            # RFC 6749 wants its own refusals as plain JSON
            own = path == "/v1/oauth/token" and code in ("400", "401")
            medias = ["application/json"] * own + ["application/problem+json"] * (code != "401" or not own)
            assert list(each["content"]) == medias, (method, path, code)
            assert all(media["examples"] for media in each["content"].values()), (method, path, code)
        if path.startswith("/v1"):
            assert {"400", "429", "500"} <= set(refusals), (method, path)
            if "{" in path:
                assert "404" in refusals, (method, path)
            if "requestBody" in operation:
                assert {"413", "415", "422"} <= set(refusals), (method, path)


def test_all_but_the_public_routes_need_a_key(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if not path.startswith("/v1") or path in PUBLIC or path.startswith(("/v1/platforms", "/v1/pairs")):
            continue
        assert operation["security"] == [{"bearer": []}], (method, path)
        assert {"401", "403"} <= set(operation["responses"]), (method, path)


def test_posts_that_act_take_an_idempotency_key(document: dict[str, Any]) -> None:
    reading = {
        "/v1/oauth/token",
        "/v1/engagements/{engagement_id}/mapping/validate",
        "/v1/engagements/{engagement_id}/connections/{role}/test",
    }
    for method, path, operation in operations(document):
        if method == "post" and path not in reading:
            names = {each["name"] for each in operation["parameters"] if each["in"] == "header"}
            assert "Idempotency-Key" in names, path


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    named = set(re.findall(r"#/components/schemas/([\w.-]+)", str(document)))
    assert named == set(document["components"]["schemas"])


def test_webhooks_are_described(document: dict[str, Any]) -> None:
    assert set(document["webhooks"]) == {kind.value for kind in EventType}


async def test_every_problem_code_has_its_page(http: httpx.AsyncClient) -> None:
    codes = [each.kind() for each in kinds()]
    assert len(codes) == len(set(codes))
    for code in codes:
        page = (await http.get(f"/problems/{code}")).json()
        assert page["code"] == code
        assert page["title"]
    assert (await http.get("/problems/nonsense")).status_code == 404
    assert {each["code"] for each in (await http.get("/problems")).json()["data"]} == set(codes)


async def test_served_document_is_the_generated_one(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    assert (await http.get("/openapi.json")).json() == document


def test_scopes_are_the_closed_list(app: FastAPI) -> None:
    """Every scope that a route asks for is one that a key can hold."""
    from fastapi.routing import iter_route_contexts

    asked = set()
    for route in iter_route_contexts(app.routes):
        for dependency in getattr(getattr(route, "dependant", None), "dependencies", []):
            scope = getattr(dependency.call, "scope", None)
            if scope is not None:
                asked.add(scope)
    assert "webhooks:read" in asked
    assert asked <= {scope.value for scope in Scope}
