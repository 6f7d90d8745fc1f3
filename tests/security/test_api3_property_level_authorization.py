"""API3:2023 Broken Object Property Level Authorization: no setting what is not offered, no reading of secrets."""

import re
from typing import Any

from tests.api.conftest import Client
from tests.security.conftest import BODIES, DOCUMENT, OPERATIONS, call_of

SECRET = re.compile(r"secret|password|credential|digest|token|private|pepper|data_key|^key$|sealed", re.IGNORECASE)
# Shown once when it is made, or a plain yes or no.
ONCE = {
    ("NewKey", "key"),
    ("Token", "access_token"),
    ("Token", "token_type"),
    ("EndpointWithSecret", "secret"),
    ("ConnectionView", "has_credentials"),
    # Which fields a platform's credentials have, and which of them are secret: a description, no value.
    ("PlatformView", "credentials"),
    ("CredentialField", "secret"),
}
WITH_JSON = [one for one in OPERATIONS if one.name in BODIES and isinstance(BODIES[one.name], dict)]


def _request_models() -> set[str]:
    text = str([operation.described.get("requestBody") for operation in OPERATIONS])
    return set(re.findall(r"#/components/schemas/([\w.-]+)", text))


def test_every_request_model_is_closed() -> None:
    open_ones = [
        name
        for name in _request_models()
        if DOCUMENT["components"]["schemas"][name].get("type") == "object"
        and DOCUMENT["components"]["schemas"][name].get("additionalProperties") is not False
        and not name.startswith("Body_")
    ]
    assert open_ones == []


async def test_mass_assignment_is_refused(belongings: dict[str, str], owner: Client) -> None:
    for operation in WITH_JSON:
        method, path, options = call_of(operation, belongings)
        for extra in ("tenant_id", "state"):
            if (operation.name, extra) == ("update_engagement", "state"):
                continue  # offered there
            body = {**options["json"], extra: "00000000-0000-0000-0000-000000000000"}
            answer = await owner(method, path, headers=options["headers"], json=body)
            assert answer.status_code == 422, (operation.name, extra, answer.text)
            assert extra in str(answer.json()["errors"]), operation.name


def test_no_answer_has_a_secret_property() -> None:
    found: set[tuple[str, str]] = set()
    for name in _response_models():
        properties: dict[str, Any] = DOCUMENT["components"]["schemas"][name].get("properties", {})
        found |= {(name, each) for each in properties if SECRET.search(each)}
    assert {one for one in found if one not in ONCE and one[1] != "key"} == set()


def _response_models() -> set[str]:
    """Every schema that answers refer to, followed through references."""
    schemas = DOCUMENT["components"]["schemas"]
    left = set(re.findall(r"schemas/([\w.-]+)", str([one.described.get("responses") for one in OPERATIONS])))
    done: set[str] = set()
    while left:
        name = left.pop()
        done.add(name)
        left |= set(re.findall(r"schemas/([\w.-]+)", str(schemas[name]))) - done
    return done


async def test_stored_credentials_never_come_back(belongings: dict[str, str], owner: Client) -> None:
    path = f"/v1/engagements/{belongings['engagement_id']}/connections/destination"
    body = {
        "config": {"base_url": "http://127.0.0.1:9", "accounts_url": "http://127.0.0.1:9"},
        "credentials": {"client_id": "c", "client_secret": "canary-secret", "refresh_token": "canary-refresh"},
    }
    stored = await owner.put(path, json=body)
    tested = await owner.post(f"{path}/test")
    for answer in (stored, tested, await owner.get(path), await owner.get(f"{path.rpartition('/connections')[0]}")):
        assert "canary" not in answer.text
    assert stored.json()["has_credentials"] is True
