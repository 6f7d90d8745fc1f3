"""The two envelopes in which Zoho answers: one fault for the whole request, or one result per item."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from starlette.responses import Response

Json: TypeAlias = dict[str, Any]


class Refusal(Exception):
    """The whole request is refused: `{"code","details","message","status":"error"}` (Zoho fact sheet section 3)."""

    def __init__(self, status: int, code: str, message: str, details: Json | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}

    def body(self) -> Json:
        return problem(self.code, self.message, self.details)


class ItemProblem(Exception):
    """One item of a batch is refused; the others go on (Zoho fact sheet section 3, record-level errors)."""

    def __init__(self, code: str, message: str, details: Json | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details or {}

    def body(self) -> Json:
        return problem(self.code, self.message, self.details)


def problem(code: str, message: str, details: Json | None = None) -> Json:
    return {"code": code, "details": details or {}, "message": message, "status": "error"}


def success(message: str, details: Json, **more: Any) -> Json:
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success", **more}


def reply(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; without a body (204, 304) an empty one."""
    if body is None:
        return Response(status_code=status, headers=dict(headers or {}))
    return Response(
        orjson.dumps(body), status_code=status, headers=dict(headers or {}), media_type="application/json;charset=UTF-8"
    )


def batch_reply(root: str, results: Sequence[Json], *, good: int = 200, all_failed: int = 400) -> Response:
    """One answer for a batch: `good` if every item succeeded, 207 if some did, `all_failed` if none did.

    Zoho fact sheet section 3 (207, 400) and section 19 item 2 (the status of a batch that failed as a whole).
    """
    won = sum(result["status"] == "success" for result in results)
    some = 207 if won else all_failed
    status = good if won == len(results) else some
    return reply(status, {root: list(results)})


def invalid(api_name: str, path: str, *, message: str = "invalid data", **details: Any) -> ItemProblem:
    """INVALID_DATA for one field of one item."""
    return ItemProblem("INVALID_DATA", message, {**details, "api_name": api_name, "json_path": path})


def missing_param(name: str) -> Refusal:
    return Refusal(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param_name": name})


def bad_param(name: str, message: str = "invalid data") -> Refusal:
    return Refusal(400, "INVALID_DATA", message, {"param_name": name})


def invalid_module() -> Refusal:
    message = "the module name given seems to be invalid"
    return Refusal(400, "INVALID_MODULE", message, {"resource_path_index": 0})
