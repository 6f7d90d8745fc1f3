"""The application: lifespan, routers, error handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from app import health, outages, problem_pages, problems
from app.audit_routes import router as audit
from app.downloads.router import router as downloads
from app.engagements.router import router as engagements
from app.frame import Frame
from app.keys.router import router as keys
from app.mappings.router import router as mappings
from app.migrations import head
from app.platforms.router import router as platforms
from app.quotes.router import router as quotes
from app.reference.router import router as reference
from app.runs.router import router as runs
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from app.webhooks.router import router as webhooks
from app.widget.router import router as widget

VERSION = "1.0.0"
# In the order of the document; each is made by app.routing.api_router.
ROUTERS = (
    *(health.router, problem_pages.router),
    *(platforms, quotes, engagements, mappings, runs, webhooks, keys, downloads, audit, widget, reference),
)
EXPOSED_HEADERS = (
    *("Location", "ETag", "Retry-After", "Request-Id", "Idempotency-Replayed"),
    *("RateLimit", "RateLimit-Policy", "WWW-Authenticate"),
)
ACCEPTED_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID", "Tranship-Tenant")


# The framework's own spans hold paths and parameters, and a download's path is its secret; the frame makes ours.
OWN_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class Service(FastAPI):
    """FastAPI inside the frame, which must stand outside of everything the framework adds."""

    request_seconds: float | None = None

    def build_middleware_stack(self) -> ASGIApp:
        return Frame(super().build_middleware_stack(), seconds=self.request_seconds)

    def openapi(self) -> dict[str, Any]:
        """The document with every refusal, the webhooks and the problem schema described."""
        from app.openapi import complete, scopes_of

        if not self.openapi_schema:
            self.openapi_schema = complete(super().openapi(), scopes_of(self))
        return self.openapi_schema


def create_app(settings: Settings, runtime: Runtime | None = None) -> FastAPI:
    """The service. With a `runtime` given it is used and left open, which lets tests move its clock."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.migration_head = head()
        if runtime is not None:
            app.state.runtime = runtime
            yield
            return
        async with open_runtime(settings, pool_size=20) as opened:
            await opened.db.pool()  # opened once, before the first requests would each open one
            app.state.runtime = opened
            yield

    app = Service(
        title="Tranship",
        summary="Moves a company from one CRM to another: mapped by machine, confirmed by a person, reversible.",
        description=DESCRIPTION,
        version=VERSION,
        lifespan=lifespan,
        max_body_size=settings.max_body_bytes,
        redirect_slashes=False,
        docs_url=None,  # the framework's pages run a script of somebody else's server; app.reference is ours
        redoc_url=None,
        telemetry=OWN_TELEMETRY,
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=list(ACCEPTED_HEADERS),
            expose_headers=list(EXPOSED_HEADERS),
        )
    app.request_seconds = settings.request_seconds
    problems.install(app)
    outages.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of the service as the code has it, made without starting anything."""
    return create_app(Settings.model_construct()).openapi()


DESCRIPTION = """\
Every request carries `Authorization: Bearer KEY`, except quotes, platforms and pairs, which are public.

POSTs that create or act need an `Idempotency-Key`: the same key and body give the same answer, marked
`Idempotency-Replayed: true`. Lists are `{"object": "list", "data": […], "has_more", "next_cursor"}`. Refusals are
`application/problem+json` with a stable `code`. Long work answers 202 with `Location`; poll it, or follow its events.
Bodies are taken at their word: `"5"` is no number, `0` no boolean, and members that nobody knows are refused. Some
reads send more along when `expand` asks for it, from a closed list.
"""
