"""API4:2023 Unrestricted Resource Consumption: body, page, nesting, text and rate all have an end."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.rates import Policy
from tests.api.conftest import Client
from tests.security.conftest import DOCUMENT, OPERATIONS

LISTS = [
    one
    for one in OPERATIONS
    if one.method == "GET" and "Page_" in str(one.described["responses"]["200"]) and one.described.get("parameters")
]


def test_every_list_has_a_page_size_of_at_most_a_hundred() -> None:
    for operation in LISTS:
        limits = [each for each in operation.described["parameters"] if each["name"] == "limit"]
        if operation.name in ("list_platforms", "list_pairs"):
            continue  # as many as there are connectors
        assert limits[0]["schema"]["maximum"] == 100, operation.name


UNBOUNDED = {
    "put_mapping": "a document: bounded by the body, and by app.domain.validating.MOST before it is judged",
    "validate_mapping": "the same",
    "answer_question": "ten thousand bytes, see app.engagements.questions.MAX_ANSWER",
    "put_connection": "members are named by a pattern of at most fifty letters",
    "create_access_token": "members that nobody knows are passed over, as RFC 6749 has it",
}


def unbounded(schema: dict[str, Any], where: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Places of free text, lists and maps without an end: each would fill the memory below the body's limit."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        if name not in seen:
            yield from unbounded(DOCUMENT["components"]["schemas"][name], where, seen | {name})
        return
    if "properties" not in schema:  # beside properties they only narrow
        for one in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
            yield from unbounded(one, where, seen)
    kind = schema.get("type")
    fixed = {"enum", "const", "format", "maxLength"} & set(schema)
    if kind == "string" and not fixed and not re.search(r"\{(\d+,)?\d+\}\$$", schema.get("pattern", "")):
        yield where
    if kind == "array":
        yield from [] if "maxItems" in schema else [where]
        yield from unbounded(schema.get("items", {}), f"{where}[]", seen)
    for part, one in schema.get("properties", {}).items():
        yield from unbounded(one, f"{where}.{part}", seen)
    if kind == "object" and schema.get("additionalProperties") is not False and "maxProperties" not in schema:
        yield where


def test_every_text_and_list_that_callers_send_is_bounded() -> None:
    for operation in OPERATIONS:
        for content in operation.described.get("requestBody", {}).get("content", {}).values():
            found = [*unbounded(content["schema"], "")]
            assert not found or operation.name in UNBOUNDED, (operation.name, found)
        for parameter in operation.described.get("parameters", []):
            # the server takes 64 KiB of headers in all, and a path is no longer than its line
            if parameter["in"] == "query":
                assert not [*unbounded(parameter["schema"], "")], (operation.name, parameter["name"])


@pytest.mark.parametrize(
    ("query", "status"), [("limit=101", 422), ("limit=0", 422), (f"cursor={'a' * 1001}", 422), ("limit=100", 200)]
)
async def test_page_caps(owner: Client, query: str, status: int) -> None:
    assert (await owner.get(f"/v1/engagements?{query}")).status_code == status


async def test_body_caps(owner: Client) -> None:
    big = {"name": "x" * 70_000, "source": "servicetracker", "destination": "zoho_crm"}
    assert (await owner.post("/v1/engagements", json=big)).status_code == 413
    nested = b'{"name":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    answer = await owner.post("/v1/engagements", content=nested, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


async def test_idempotency_keys_have_an_end(owner: Client) -> None:
    answer = await owner.post("/v1/keys", json={}, headers={"Idempotency-Key": "k" * 256})
    assert answer.status_code == 400


async def test_a_key_has_a_rate_and_says_it(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.dependencies.KEY_POLICY", Policy("key", 3, 60))
    answers = [await owner.get("/v1/engagements") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"]
    assert answers[0].headers["ratelimit"].startswith('"key";r=2;t=')


async def test_the_public_price_has_a_rate_by_address(http: httpx.AsyncClient) -> None:
    body = {"source": "servicetracker", "destination": "zoho_crm"}
    codes = [
        (await http.post("/v1/quotes", json=body, headers={"Idempotency-Key": str(number)})).status_code
        for number in range(31)
    ]
    assert codes == [201] * 30 + [429]
