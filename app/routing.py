"""The route class of every slice: strict JSON in, an audit entry out, and the answer to a repeated request kept."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.audited import note_done
from app.dependencies import OPENING, prove_caller
from app.errors import WrongMediaType
from app.idempotency import Pending, Replay, keep_answer

_JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json\s*(;|$)", re.IGNORECASE)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """Reads JSON as the standard has it: UTF-8, no NaN, no lone surrogates; and no NUL, which PostgreSQL refuses."""

    async def json(self) -> Any:
        """The parsed body. Raises json.JSONDecodeError, which becomes a problem document."""
        if not hasattr(self, "_json"):
            body = await self.body()
            if _NUL.search(body):
                raise orjson.JSONDecodeError("the character U+0000 is not allowed", "", 0)
            self._json = orjson.loads(body)
        return self._json


class ApiRoute(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        takes_json = self.body_field is not None and not _is_form(self)
        opens_transaction = _asks_for(self.dependant, OPENING)

        async def handle(request: Request) -> Response:
            if takes_json and _has_body(request) and not _JSON.match(request.headers.get("content-type", "")):
                raise WrongMediaType("Send the body as JSON, with `Content-Type: application/json`.")
            request.state.opens_transaction = opens_transaction
            try:
                response = await inner(StrictRequest(request.scope, request.receive))
            except Replay as earlier:
                return _repeat(earlier)
            except Exception:
                await prove_caller(request)  # whoever is refused for another reason has at least a valid key
                raise
            await prove_caller(request)
            await note_done(request, response)
            pending: Pending | None = getattr(request.state, "idempotency", None)
            if pending is not None:
                await keep_answer(pending, response.status_code, dict(response.headers), bytes(response.body))
            return response

        return handle


def api_router(prefix: str, tag: str) -> APIRouter:
    """A slice's router: paths below /v1."""
    return APIRouter(prefix=f"/v1{prefix}", tags=[tag], route_class=ApiRoute)


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _asks_for(dependant: Dependant, calls: frozenset[Any]) -> bool:
    return dependant.call in calls or any(_asks_for(each, calls) for each in dependant.dependencies)


def _is_form(route: APIRoute) -> bool:
    return any(type(each.field_info).__name__ in {"Form", "File"} for each in route.dependant.body_params)


def _repeat(earlier: Replay) -> Response:
    response = Response(earlier.body, status_code=earlier.status, headers=earlier.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response
