"""How Freshsales answers: plain objects, or an `errors` envelope (Freshsales fact sheet section 15)."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson
from starlette.responses import Response

Json: TypeAlias = dict[str, Any]

DUPLICATE_CONTACT_CODE = 3002


class Refusal(Exception):
    """The request, or one row of a bulk job, is refused with a status and the vendor's words."""

    def __init__(self, status: int, *messages: str, error_code: int | None = None) -> None:
        super().__init__(f"{status} {'; '.join(messages)}")
        self.status = status
        self.messages = messages
        self.error_code = error_code

    def errors(self) -> Json:
        """The inner object: a list of messages, but a bare text for 404 (section 15)."""
        if self.status == 404:
            return {"message": "not found"}
        return {"code": self.status, "message": list(self.messages)}

    def body(self) -> Json:
        if self.error_code is not None:
            return {"errors": {"message": list(self.messages)}, "error_code": self.error_code}
        return {"errors": self.errors()}


def bad(*messages: str) -> Refusal:
    """400 with the vendor's list of messages (section 15)."""
    return Refusal(400, *messages)


def wrong_type(name: str) -> Refusal:
    """A JSON value of the wrong type (section 15, seen live for `sales_accounts`)."""
    return bad(f"The type for {name} is invalid.")


def empty(label: str) -> Refusal:
    """A required field without a value (section 15)."""
    return bad(f"{label} can't be empty")


def not_found() -> Refusal:
    return Refusal(404, "not found")


def forbidden() -> Refusal:
    """403 for a missing right or plan (section 15, words of section 1)."""
    return Refusal(403, "You are not authorised to perform this operation.")


def malformed() -> Refusal:
    """500 with the Ruby text that a body of the wrong shape provokes (sections 9 and 15)."""
    return Refusal(500, "no implicit conversion of Symbol into String")


def reply(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer (also a bare `true`); 204 comes without a body."""
    if status == 204:
        return Response(status_code=204, headers=dict(headers or {}))
    return Response(orjson.dumps(body), status_code=status, headers=dict(headers or {}), media_type="application/json")
