"""The OpenAPI document: what the framework derives, completed with every refusal, the webhooks and examples."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.errors import (
    AppError,
    BadRequest,
    BodyTooLarge,
    Forbidden,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InternalError,
    Invalid,
    NotFound,
    NotReady,
    RequestInFlight,
    RequestTimedOut,
    TooMany,
    Unauthenticated,
    WrongMediaType,
)
from app.keys.oauth import CLIENT_SCHEME
from app.openapi_examples import add_examples
from app.openapi_headers import HEADERS, describe_headers
from app.problems import Problem, responses
from app.webhooks.kinds import MEANINGS
from app.webhooks.schemas import WebhookMessage

_REF = "#/components/schemas/{model}"
_BARE = frozenset({"/livez", "/readyz", "/metrics"})
_OPERATIONS = ("get", "put", "post", "delete", "patch")


def scopes_of(app: FastAPI) -> dict[str, str]:
    """The scope that each operation asks for, by operation id."""
    found = {}
    for route in iter_route_contexts(app.routes):
        for dependency in getattr(getattr(route, "dependant", None), "dependencies", []):
            scope = getattr(dependency.call, "scope", None)
            if scope is not None:
                found[str(getattr(route, "operation_id", ""))] = str(scope)
    return found


def complete(document: dict[str, Any], scopes: Mapping[str, str]) -> dict[str, Any]:
    """Adds what holds for every operation: its scope, refusals as problem documents, the `Problem` schema itself."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, WebhookMessage):
        schema = model.model_json_schema(ref_template=_REF, mode="serialization")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    document["webhooks"] = {kind.value: {"post": _webhook(kind.value, text)} for kind, text in MEANINGS.items()}
    document["components"]["securitySchemes"][CLIENT_SCHEME] = {
        "type": "http",
        "scheme": "basic",
        "description": "A key's id and the key itself, for the token endpoint; they may stand in its form instead.",
    }
    document["components"]["headers"] = HEADERS
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, item in document["paths"].items():
        for method in _OPERATIONS:
            if method in item and path not in _BARE:
                _complete_operation(path, item[method])
                describe_headers(item[method], repeatable=_is_repeatable(item[method]))
                if scope := scopes.get(item[method]["operationId"]):
                    item[method]["x-required-scope"] = scope
            if method in item:
                add_examples(item[method])
    return document


def _webhook(kind: str, meaning: str) -> dict[str, Any]:
    """What a receiver of this event gets, and what its answers mean to us."""
    headers = {
        "webhook-id": "The event's id, the same in every attempt.",
        "webhook-timestamp": "Unix seconds of this attempt.",
        "webhook-signature": "`v1,…` over id, timestamp and body (Standard Webhooks); several during a rotation.",
    }
    return {
        "operationId": f"on_{kind.replace('.', '_')}",
        "summary": meaning,
        "tags": ["webhooks"],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model="WebhookMessage")}}},
        },
        "responses": {
            "2XX": {"description": "Received; anything else is tried again for 75 hours."},
            "410": {"description": "No longer wanted: the endpoint is disabled."},
        },
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value that has to be there."""
    left = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **left[0]} if len(left) == 1 else {**rest, "anyOf": left} if left else schema


def _is_repeatable(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])  # who has no value leaves the parameter out
        if parameter["in"] == "header" and parameter.get("description", "").startswith("Required."):
            parameter["required"] = True  # refused with a code of its own
    kinds: list[type[AppError]] = [BadRequest, TooMany, InternalError, NotReady, RequestTimedOut]
    if any("bearer" in each for each in operation.get("security", [])):
        kinds += [Unauthenticated, Forbidden]
    if "{" in path:
        kinds.append(NotFound)
    if operation.get("parameters") or "requestBody" in operation:
        kinds.append(Invalid)
    if "requestBody" in operation:
        kinds += [BodyTooLarge, WrongMediaType]
    if _is_repeatable(operation):
        kinds += [IdempotencyKeyMissing, RequestInFlight, IdempotencyKeyReused]
    found = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(found.get("422")):
        del found["422"]
    for status, entry in responses(*kinds).items():
        known = found.setdefault(str(status), entry)
        if known is not entry:
            known["content"].setdefault(*next(iter(entry["content"].items())))
            for media, body in entry["content"].items():
                known["content"][media].setdefault("examples", {}).update(body["examples"])
    operation["responses"] = dict(sorted(found.items()))
