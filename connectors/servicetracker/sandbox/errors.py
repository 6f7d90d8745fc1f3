"""Errors as the vendor answers them: an array for the data API, an object for the token endpoint.

Source fact sheet sections 1.1 and 1.6.
"""

from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

JSON_TYPE = "application/json;charset=UTF-8"


class ApiError(Exception):
    """An answer of the data API other than success."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def entry(self) -> dict[str, Any]:
        """One element of the error array; `fields` only where the vendor names them."""
        plain: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return plain if self.fields is None else {**plain, "fields": self.fields}


class TokenError(Exception):
    """A refusal of the token endpoint: always 400 with an object."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def malformed_query(message: str) -> ApiError:
    return ApiError(400, "MALFORMED_QUERY", message)


def invalid_field(message: str) -> ApiError:
    return ApiError(400, "INVALID_FIELD", message)


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def json_answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers, JSON_TYPE)


def error_bytes(code: str, message: str) -> bytes:
    return orjson.dumps([{"message": message, "errorCode": code}])


async def answer_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return json_answer([error.entry()], error.status)


async def answer_token_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TokenError)
    return json_answer(error.body, 400)


async def answer_http_error(_request: Request, error: Exception) -> Response:
    """Paths and methods the router does not know."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        message = "HTTP Method not allowed for this resource"
        return json_answer([{"message": message, "errorCode": "METHOD_NOT_ALLOWED"}], 405)
    return json_answer([not_found().entry()], 404)


async def answer_crash(_request: Request, _error: Exception) -> Response:
    """A defect of the sandbox still answers in the vendor's shape; the server logs the traceback."""
    message = "An unexpected error occurred in the sandbox"
    return json_answer([{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}], 500)
