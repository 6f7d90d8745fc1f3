"""A database that does not answer is an outage to wait for: callers are told when to come again, nothing is half done.

A transaction whose connection broke was rolled back, or its commit was lost; either way the same Idempotency-Key finds
out which.
"""

import asyncpg
import structlog
from fastapi import FastAPI, Request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.responses import Response

from app.errors import NotReady
from app.problems import problem_response, request_id_of

log = structlog.get_logger()

RETRY_SECONDS = 2
_AWAY = (
    *(asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.TooManyConnectionsError),
    *(ConnectionError, NoConnectionFree, asyncpg.InternalClientError),
)


def install(app: FastAPI) -> None:
    """Answers 503 with Retry-After where the database is away."""
    for kind in (*_AWAY, asyncpg.InterfaceError, DBAPIError):
        app.add_exception_handler(kind, _on_database_error)


def is_outage(error: BaseException) -> bool:
    """Whether the connection is at fault and not what was asked of it."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_outage(error.orig))
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error)  # "connection is closed", "the underlying connection is closing": it has no code
    return isinstance(error, _AWAY) or (error.__cause__ is not None and is_outage(error.__cause__))


async def _on_database_error(request: Request, error: Exception) -> Response:
    if not is_outage(error):
        raise error
    log.warning("database_away", error=type(error).__name__)
    problem = NotReady("The database does not answer. Send it again, with the same Idempotency-Key.")
    return problem_response(problem.with_headers(Retry_After=str(RETRY_SECONDS)), request_id_of(request.scope))
