"""RFC 9457 problem documents: one shape for every refusal, and the table of what each code means."""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.audited import note_refusal
from app.errors import (
    AppError,
    BadRequest,
    BodyTooLarge,
    Forbidden,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    TooMany,
    Unauthenticated,
    WrongMediaType,
    pointer_to,
)

log = structlog.get_logger()

MAX_ERRORS = 100
EXAMPLE_REQUEST = "req_01j6gv5gy6fsfrma3wfhpsy6sb"
_BY_STATUS: dict[int, type[AppError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
    415: WrongMediaType,
    422: Invalid,
    429: TooMany,
}
_WHERE = {"query": "query", "header": "header", "cookie": "cookie", "path": "path"}


class FieldProblem(BaseModel):
    """One place that is wrong: a JSON pointer into the body, or `/query/limit`, `/header/if-match`."""

    pointer: str = Field(examples=["/records/contacts"])
    code: str = Field(examples=["greater-than-equal"])
    detail: str = Field(examples=["Input should be greater than or equal to 0"])


class Problem(BaseModel):
    """What went wrong and what to do next. `code` is stable, the texts are not; further members depend on the code."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/not-found"], description="A page about this code.")
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404], ge=400, le=599)
    code: str = Field(examples=["not-found"])
    detail: str = Field(examples=["No such run."])
    request_id: str = Field(examples=[EXAMPLE_REQUEST])
    errors: list[FieldProblem] | None = None


def document(error: AppError, request_id: str) -> dict[str, Any]:
    """The problem document of an error."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "request_id": request_id,
        **error.extra,
    }


def problem_response(error: AppError, request_id: str) -> Response:
    """The answer to a refused request."""
    return Response(
        orjson.dumps(document(error, request_id), default=str),
        status_code=error.status,
        media_type=error.media_type,
        headers=error.headers,
    )


def responses(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: the refusals it can answer beyond those of every route (401, 403, 413, 422, 429, 500).

    Several errors of one status are described together.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = found.setdefault(
            error.status,
            {"description": "", "content": {}},
        )
        content = entry["content"].setdefault(
            error.media_type, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        example = document(error(), EXAMPLE_REQUEST)
        content["examples"][error.kind()] = {"summary": error.title, "value": example}
        titles = {each["summary"] for media in entry["content"].values() for each in media["examples"].values()}
        entry["description"] = "; ".join(sorted(titles))
    return found


def install(app: FastAPI) -> None:
    """Makes every refusal of the framework and of the service a problem document."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def request_id_of(scope: Mapping[str, Any]) -> str:
    """The id that the frame gave to this request."""
    return str(scope.get("state", {}).get("request_id", ""))


async def _on_app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    if isinstance(error, Unauthenticated | Forbidden):
        log.warning(
            "access_refused",
            code=error.code,
            reason=getattr(error, "reason", "") or error.detail,
            key=getattr(error, "key_id", ""),
            client=request.client.host if request.client else "",
        )
        await note_refusal(request, error)
    elif error.status >= 500:
        log.warning("request_failed", code=error.code, detail=error.detail)
    return problem_response(error, request_id_of(request.scope))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if found and all(each["loc"][:1] == ("path",) for each in found):
        return problem_response(NotFound("Nothing has this id."), request_id_of(request.scope))
    places = [
        {
            "pointer": _pointer(each["loc"], each["type"]),
            "code": each["type"].replace("_", "-"),
            "detail": _explain(each),
        }
        for each in found[:MAX_ERRORS]
    ]
    return problem_response(
        Invalid("Correct the places named in `errors`.", errors=places), request_id_of(request.scope)
    )


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code, BadRequest if error.status_code < 500 else InternalError)
    problem = kind(_DETAILS.get(error.status_code, ""))
    problem.headers = dict(error.headers or {})
    if error.status_code == MethodNotAllowed.status:
        problem.headers["Allow"] = ", ".join(_methods(request))
    return problem_response(problem, request_id_of(request.scope))


_DETAILS = {
    400: "The body could not be read; send UTF-8 JSON.",
    404: "No such path; see /openapi.json.",
    405: "Use one of the methods in the Allow header.",
    413: "Send less in one request.",
}


def _methods(request: Request) -> list[str]:
    """Every method of the path; the framework names those of the first route that it found."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex is not None and route.path_regex.match(request.scope["path"]):
            found |= route.methods or set()
    return sorted(found)


def _explain(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"The body is not JSON: {error.get('ctx', {}).get('error', 'it does not parse')}."
    return str(error["msg"]).removeprefix("Value error, ")


def _pointer(location: tuple[int | str, ...], kind: str) -> str:
    """`("body", "a", 0)` → `/a/0`; other places keep their name: `/query/limit`."""
    place, rest = (location[0], location[1:]) if location else ("body", ())
    if kind == "json_invalid":
        rest = ()
    parts = list(rest) if place == "body" else [_WHERE.get(str(place), str(place)), *rest]
    return pointer_to(*parts)
