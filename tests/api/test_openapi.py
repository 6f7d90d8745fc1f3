"""The OpenAPI document is whole: every operation named, described, refusable; every reference leads somewhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator

from app.access import Scope, is_token, read_key_id
from app.main import openapi_document
from app.openapi_headers import LOCATED, TAGGED
from app.problem_pages import kinds
from app.webhooks.kinds import EventType

PUBLIC = {"/v1/quotes", "/v1/quotes/{quote_id}", "/v1/oauth/token", "/v1/downloads/{file_id}"}


BINARY = {
    *("*/*", "application/octet-stream", "application/zip"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


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


def test_what_repeats_a_request_can_meet_is_told(document: dict[str, Any]) -> None:
    """Every POST with an Idempotency-Key: none sent, still in flight, sent with another body; and the answer's mark."""
    for method, path, operation in operations(document):
        if not any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", [])):
            continue
        told = {
            kind
            for answer in operation["responses"].values()
            for media in answer.get("content", {}).values()
            for kind in media.get("examples", {})
        }
        assert told >= {"idempotency-key-missing", "request-in-flight", "idempotency-key-reused"}, (method, path)
        success = next(each for status, each in operation["responses"].items() if status[0] == "2")
        assert "Idempotency-Replayed" in success["headers"], path


def test_headers_are_described(document: dict[str, Any]) -> None:
    named = {operation["operationId"] for _, _, operation in operations(document)}
    assert named >= LOCATED | TAGGED
    for method, path, operation in operations(document):
        if not path.startswith("/v1"):
            continue
        for status, answer in operation["responses"].items():
            wanted = {"Request-Id"}
            wanted |= {"Location", "Retry-After"} if status == "202" else set()
            wanted |= {"Retry-After"} if status == "429" else set()
            wanted |= {"WWW-Authenticate"} if status == "401" else set()
            assert wanted <= set(answer["headers"]), (method, path, status)
            for reference in answer["headers"].values():
                assert reference["$ref"].rpartition("/")[2] in document["components"]["headers"]


def test_operations_show_what_is_sent_and_what_comes_back(document: dict[str, Any]) -> None:
    """An example that its schema takes, for every body that is text; parameters that must be given show theirs."""
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        bodies = [operation.get("requestBody", {})]
        bodies += [each for status, each in operation["responses"].items() if status[0] == "2"]
        for media, content in (item for body in bodies for item in body.get("content", {}).items()):
            if media in BINARY:
                continue
            shown = [content["example"]] if "example" in content else content.get("schema", {}).get("examples", [])
            assert shown, (where, media)
            if media.endswith("json"):
                schema = content["schema"] | {"components": document["components"]}
                faults = [str(each) for value in shown for each in Draft202012Validator(schema).iter_errors(value)]
                assert not faults, (where, faults[:3])
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            assert (
                not parameter.get("required")
                or {"example", "examples"} & set(parameter)
                or {"examples", "enum", "default", "const"} & set(schema)
            ), (where, parameter["name"])


def test_examples_hold_no_secret(document: dict[str, Any]) -> None:
    """Nothing in the document works as a key, and no address is one of a machine."""
    text = json.dumps(document)
    assert not [key for key in re.findall(r"ts[kt]_[0-9a-z_]+", text) if read_key_id(key) or is_token(key)]
    assert "127.0.0.1" not in text
    assert "localhost" not in text


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
