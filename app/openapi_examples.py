"""Examples in the OpenAPI document: for each operation a request and its answer, and a value for each parameter.

They were answers of the service once, cut short; a test holds them against the schemas.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

PARAMETERS: dict[str, Any] = {
    "code": "not-found",
    "destination": "zoho_crm",
    "expires": 1795255200,
    "name": "Account.csv",
    "signature": "0b7e1c9f4a6d2835e0b7e1c9f4a6d2835e0b7e1c",
    "slug": "zoho_crm",
    "source": "servicetracker",
}
"""Values of required parameters whose schema shows none; a closed list and a typed id speak for themselves."""


@cache
def recorded() -> dict[str, Any]:
    """`{operation id: {"request" | "answer": {media type: value}}}`."""
    found: dict[str, Any] = json.loads(files("app").joinpath("openapi_examples.json").read_text("utf-8"))
    return found


def add_examples(operation: dict[str, Any]) -> None:
    """Puts the recorded values beside the schemas, where the route shows none of its own."""
    known = recorded().get(operation["operationId"], {})
    for parameter in operation.get("parameters", []):
        if parameter.get("required") and parameter["name"] in PARAMETERS and not _shows(parameter):
            parameter["example"] = PARAMETERS[parameter["name"]]
    bodies = [(operation.get("requestBody", {}), known.get("request", {}))]
    bodies += [(each, known.get("answer", {})) for status, each in operation["responses"].items() if status[0] == "2"]
    for body, values in bodies:
        for media, content in body.get("content", {}).items():
            if media in values and not _shows(content):
                content["example"] = values[media]


def _shows(described: dict[str, Any]) -> bool:
    return "example" in described or "examples" in described or "examples" in described.get("schema", {})
