"""The OpenAPI document: what the framework derives, completed with every refusal, the webhooks and examples."""

from typing import Any

from app.errors import (
    AppError,
    BadRequest,
    BodyTooLarge,
    Forbidden,
    InternalError,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    WrongMediaType,
)
from app.problems import Problem, responses
from app.settings import Settings

_REF = "#/components/schemas/{model}"
_OPERATIONS = ("get", "put", "post", "delete", "patch")


def generate() -> dict[str, Any]:
    """The document of the service as the code has it, made without starting anything."""
    from app.main import create_app

    return create_app(Settings.model_construct()).openapi()


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Adds what holds for every operation: refusals as problem documents, and the `Problem` schema itself."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template=_REF)
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, item in document["paths"].items():
        if path.startswith("/v1"):
            for method in _OPERATIONS:
                if method in item:
                    _complete_operation(path, item[method])
    return document


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    kinds: list[type[AppError]] = [BadRequest, TooMany, InternalError]
    if operation.get("security"):
        kinds += [Unauthenticated, Forbidden]
    if "{" in path:
        kinds.append(NotFound)
    if operation.get("parameters") or "requestBody" in operation:
        kinds.append(Invalid)
    if "requestBody" in operation:
        kinds += [BodyTooLarge, WrongMediaType]
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
