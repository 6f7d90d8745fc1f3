"""The headers of answers in the OpenAPI document: what clients may rely on, by operation and status."""

from typing import Any

Header = dict[str, Any]

EXAMPLE = "01j6gv5gy6fsfrma3wfhpsy6sb"

LOCATED = frozenset(
    {
        *("create_engagement", "create_quote", "create_run", "create_webhook_endpoint", "propose_mapping"),
        *("replay_webhook_delivery", "replay_webhook_endpoint", "test_webhook_endpoint", "upload_file"),
    }
)
"""Operations whose answer says where to find what was made, or how it goes on."""
TAGGED = frozenset(
    {
        *("create_engagement", "get_engagement", "update_engagement", "get_owners", "put_owners"),
        *("confirm_mapping", "get_mapping", "propose_mapping", "put_mapping"),
    }
)
"""Operations whose answer is a version of a document, to be named in If-Match."""


def _header(description: str, example: str, *, required: bool = False, **schema: Any) -> Header:
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
        "example": example,
    }


HEADERS: dict[str, Header] = {
    "Request-Id": _header("This request in our logs; name it when you ask us.", f"req_{EXAMPLE}", required=True),
    "Location": _header("Where to find it.", f"/v1/runs/run_{EXAMPLE}", required=True),
    "ETag": _header("This version of the document, for If-Match.", '"6f1c0e5a9b7d4c2e8a3f5b1d"', required=True),
    "Retry-After": _header("Seconds after which to ask again.", "1", required=True, pattern="^[0-9]+$"),
    "Retry-After-While-Going": _header("Seconds after which to ask again, while it goes on.", "1", pattern="^[0-9]+$"),
    "Idempotency-Replayed": _header("This answer was given before, to the same key.", "true", enum=["true"]),
    "WWW-Authenticate": _header("How to sign in.", 'Bearer realm="tranship"'),
    "RateLimit-Policy": _header("How many requests (q) in how many seconds (w).", '"key";q=18000;w=60'),
    "RateLimit": _header("How many are left (r), and for how many seconds (t).", '"key";r=17999;t=42'),
}
"""`components.headers`: those that are required are always there."""


def describe_headers(operation: dict[str, Any], *, repeatable: bool) -> None:
    """Names the headers of each of the operation's answers. `repeatable`: it takes an Idempotency-Key."""
    name, keyed = operation["operationId"], "bearer" in str(operation.get("security", []))
    for status, answer in operation["responses"].items():
        found = {"Request-Id": "Request-Id"}
        if keyed and status != "401":
            found |= {"RateLimit": "RateLimit", "RateLimit-Policy": "RateLimit-Policy"}
        if status.startswith("2"):
            found |= _of_success(name, status, repeatable)
        elif status == "401":
            found["WWW-Authenticate"] = "WWW-Authenticate"
        elif status in ("429", "503"):
            found["Retry-After"] = "Retry-After"
        elif status == "409" and repeatable:
            found["Retry-After"] = "Retry-After-While-Going"
        described = {header: {"$ref": f"#/components/headers/{key}"} for header, key in found.items()}
        answer["headers"] = {**described, **answer.get("headers", {})}


def _of_success(name: str, status: str, repeatable: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    if name in LOCATED:
        found["Location"] = "Location"
    if name in TAGGED:
        found["ETag"] = "ETag"
    if status == "202":
        found["Retry-After"] = "Retry-After"
    elif name == "get_run":
        found["Retry-After"] = "Retry-After-While-Going"
    if repeatable:
        found["Idempotency-Replayed"] = "Idempotency-Replayed"
    return found
