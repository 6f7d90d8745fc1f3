"""Puts the sandbox together: store, middleware, routes, errors."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import FaultMiddleware, FaultSwitch
from connectors.servicetracker.sandbox import errors, routes_own, routes_query, routes_records
from connectors.servicetracker.sandbox.bulk_jobs import BulkJobs
from connectors.servicetracker.sandbox.context import Sandbox, body_of, check_options, sandbox_of
from connectors.servicetracker.sandbox.cursors import Cursors
from connectors.servicetracker.sandbox.gate import Gate
from connectors.servicetracker.sandbox.generator import API_USER_ID
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.tokens import TokenBook
from connectors.servicetracker.sandbox.usage import RollingDay

_TWO_DAYS = str(2 * 86_400)
tokens_router = APIRouter()


def create_app(config: SandboxConfig) -> FastAPI:
    """A ServiceTracker sandbox; its lifespan opens the store and fills it where it is empty.

    Options (all text): `bulk=off`; `bulk_polls` (polls a job answers InProgress); `token_ttl`, `cursor_ttl` (seconds);
    `open_cursors`; `daily_requests`, `daily_bulk_jobs`; `content_links=open`; `rotate_refresh_token=on`; `today` (last
    day of the generated history); `client_id`, `client_secret`, `refresh_token`, `username`, `password`.
    Editions: developer, enterprise (default), unlimited, full_sandbox. Raises ValueError for anything else.
    """
    check_options(config.options, config.edition)
    switch = FaultSwitch()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        folder, temporary = _folder(config)
        box = _sandbox(config, folder, switch)
        app.state.sandbox = box
        try:
            if not await box.run(lambda: box.store.filled):
                await box.run(routes_own.fill, box)
            yield
        finally:
            box.threads.shutdown(wait=True, cancel_futures=True)
            box.store.close()
            if temporary:
                shutil.rmtree(folder, ignore_errors=True)

    app = FastAPI(title="ServiceTracker sandbox", openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    for router in (tokens_router, routes_query.router, routes_records.router, routes_own.router):
        app.include_router(router)
    app.add_exception_handler(errors.ApiError, errors.answer_api_error)
    app.add_exception_handler(errors.TokenError, errors.answer_token_error)
    app.add_exception_handler(HTTPException, errors.answer_http_error)
    app.add_exception_handler(Exception, errors.answer_crash)

    def running() -> Sandbox:
        box: Sandbox = app.state.sandbox
        return box

    app.add_middleware(Gate, sandbox=running)
    app.add_middleware(FaultMiddleware, switch=switch, too_many=_too_many, failed=_failed)
    return app


def _folder(config: SandboxConfig) -> tuple[Path, bool]:
    """Where the state lies, and whether it is to be removed at the end."""
    if config.state_dir is None:
        return Path(tempfile.mkdtemp(prefix="servicetracker-sandbox-")), True
    config.state_dir.mkdir(parents=True, exist_ok=True)
    return config.state_dir, False


def _sandbox(config: SandboxConfig, folder: Path, switch: FaultSwitch) -> Sandbox:
    options = config.options
    store = Store(folder / "servicetracker.sqlite")
    lifetime = timedelta(seconds=float(options.get("cursor_ttl", _TWO_DAYS)))
    cursors = Cursors(store, config.clock, most=int(options.get("open_cursors", "10")), lifetime=lifetime)
    polls, open_links = int(options.get("bulk_polls", "0")), options.get("content_links") == "open"
    jobs = BulkJobs(store, folder / "bulk", config.clock, polls=polls, open_links=open_links)
    tokens = TokenBook(options, config.clock, API_USER_ID)
    return Sandbox(config, store, tokens, cursors, jobs, switch, RollingDay(config.clock), folder)


def _too_many() -> tuple[int, bytes]:
    """The vendor answers too many calls at once with 403 (source fact sheet section 1.6)."""
    return 403, errors.error_bytes(
        "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    )


def _failed(status: int) -> bytes:
    code = "SERVER_UNAVAILABLE" if status == 503 else "UNKNOWN_EXCEPTION"
    return errors.error_bytes(code, "The server could not answer")


@tokens_router.post("/services/oauth2/token")
async def token(request: Request) -> Response:
    """Source fact sheet section 1.1."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise errors.TokenError("invalid_request", "the request must be form-encoded")
    form = _form(await body_of(request))
    root = str(request.base_url).rstrip("/")
    return errors.json_answer(
        sandbox_of(request).tokens.grant(form, request.headers.get("authorization"), root),
        headers={"Cache-Control": "no-store"},
    )


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise errors.TokenError("invalid_request", "the form cannot be read") from None
