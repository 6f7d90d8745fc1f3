"""Puts the sandbox together: routes under both hosts' prefixes, error answers, gate and faults around them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.freshsales.sandbox import (
    activities,
    control,
    dump,
    files,
    lists,
    phone,
    products,
    quotes,
    records,
    search,
    selectors,
    settings,
    upserting,
    views,
)
from connectors.freshsales.sandbox.answers import Refusal, reply
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import BARE_SETTINGS, PREFIXES, Gate
from connectors.freshsales.sandbox.quota import too_many
from connectors.freshsales.sandbox.seeds import seed
from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import FaultMiddleware, FaultSwitch

Endpoint: TypeAlias = Callable[[Crm, Request], Awaitable[Response]]

_CONTROL: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/_sandbox/stats", control.stats),
    ("GET", "/_sandbox/dump", dump.dump),
    ("GET POST DELETE", "/_sandbox/faults", control.faults),
    ("POST", "/_sandbox/admin", control.admin),
    ("POST", "/_sandbox/reset", control.reset),
)

# Also answered without `/api` (fact sheet section 19 item 10).
_SETTINGS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/module_customizations", settings.list_modules),
    ("POST", "/module_customizations", settings.create_module),
    ("GET", "/module_customizations/{id}", settings.get_module),
    ("PUT", "/module_customizations/{id}", settings.update_module),
    ("DELETE", "/module_customizations/{id}", settings.delete_module),
    ("GET", "/{plural}/fields", settings.fields),
    ("GET", "/{plural}/forms", settings.forms),
    ("POST", "/{plural}/forms/{form}/fields", settings.create_field),
)

# The calls of every record module, below /{plural} and /custom_module/{entity}.
_RECORDS: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "", records.create),
    ("GET", "/filters", views.filters),
    ("GET", "/view/{view}", views.listing),
    ("POST", "/bulk_destroy", records.bulk_destroy),
    ("GET", "/{id}", records.view),
    ("PUT", "/{id}", records.update),
    ("DELETE", "/{id}", records.delete),
    ("POST", "/{id}/clone", records.clone),
    ("DELETE", "/{id}/forget", records.forget),
)

_CRM_ONLY: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/{plural}/scroll/{view}", views.scroll),
    ("POST", "/{plural}/upsert", upserting.upsert),
    ("POST", "/{plural}/bulk_upsert", upserting.bulk_upsert),
    ("POST", "/{plural}/bulk_assign_owner", records.bulk_assign_owner),
    ("POST", "/{plural}/{id}/convert", records.convert_lead),
    ("POST", "/{plural}/{id}/manage_team_members", records.manage_team),
    ("GET", "/{plural}/{id}/notes", views.notes_of),
    ("GET", "/{plural}/{id}/appointments", views.appointments_of),
    ("GET", "/{plural}/{id}/activities", views.feed),
    ("GET", "/{plural}/{id}/activities.json", views.feed),
    ("GET", "/{plural}/{id}/timeline_feeds", views.feed),
    ("GET", "/{plural}/{id}/document_associations", files.associations),
)

_OTHERS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/contacts/lists/{id}", lists.contacts),
    ("GET", "/lists", lists.listing),
    ("POST", "/lists", lists.create),
    ("PUT", "/lists/{id}", lists.update),
    ("PUT", "/lists/{id}/{what}", lists.change),
    ("GET", "/selector/deal_pipelines/{id}/deal_stages", selectors.pipeline_stages),
    ("GET", "/selector/sales_activity_types/{id}/sales_activity_outcomes", selectors.type_outcomes),
    ("GET", "/selector/{name}", selectors.selector),
    ("GET", "/search", search.search),
    ("GET", "/lookup", search.lookup),
    ("POST", "/filtered_search/{entity}", search.filtered_search),
    ("GET", "/job_statuses/{id}", upserting.status),
    ("POST", "/documents", files.upload),
    ("POST", "/document_links", files.link),
    ("POST", "/phone_calls", phone.create),
    ("GET", "/cpq/products", products.listing),
    ("POST", "/cpq/products", products.create),
    ("POST", "/cpq/products/filterize", products.filterize),
    ("PUT POST", "/cpq/products_bulk_{what}", products.bulk),
    ("GET", "/cpq/products/{id}", products.view),
    ("PUT", "/cpq/products/{id}", products.update),
    ("DELETE", "/cpq/products/{id}", products.delete),
    ("PUT", "/cpq/products/{id}/restore", products.restore),
    ("POST", "/cpq/cpq_documents", quotes.create),
    ("GET", "/cpq/cpq_documents/{id}", quotes.view),
    ("PUT", "/cpq/cpq_documents/{id}", quotes.update),
    ("DELETE", "/cpq/cpq_documents/{id}", quotes.delete),
    ("PUT", "/cpq/cpq_documents/{id}/restore", quotes.restore),
    ("DELETE", "/cpq/cpq_documents/{id}/forget", quotes.forget),
    ("GET", "/cpq/cpq_documents/{id}/related_products", quotes.related_products),
)

_ACTIVITIES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "", activities.create),
    ("GET", "", activities.listing),
    ("GET", "/{id}", activities.view),
    ("PUT", "/{id}", activities.update),
    ("DELETE", "/{id}", activities.delete),
)


def _paths() -> Iterator[tuple[str, str, Endpoint, str | None]]:
    """Verbs, path, endpoint and the activity kind of a path, more special paths first: the first match wins."""
    for verbs, path, endpoint in _CONTROL:
        yield verbs, path, endpoint, None
    for verbs, path, endpoint in _SETTINGS:
        yield verbs, f"{BARE_SETTINGS}{path}", endpoint, None
    for prefix in PREFIXES:
        for verbs, path, endpoint in _SETTINGS:
            yield verbs, f"{prefix}/settings{path}", endpoint, None
        for verbs, path, endpoint in _OTHERS:
            yield verbs, f"{prefix}{path}", endpoint, None
        for kind in activities.ACTIVITY_KINDS:
            for verbs, path, endpoint in _ACTIVITIES:
                yield verbs, f"{prefix}/{kind}{path}", endpoint, kind
        for verbs, path, endpoint in _RECORDS:
            yield verbs, f"{prefix}/custom_module/{{entity}}{path}", endpoint, None
        for verbs, path, endpoint in _CRM_ONLY:
            yield verbs, f"{prefix}{path}", endpoint, None
        for verbs, path, endpoint in _RECORDS:
            yield verbs, f"{prefix}/{{plural}}{path}", endpoint, None


def create_app(config: SandboxConfig) -> FastAPI:
    """The whole vendor on one port, below `/crm/sales/api` and `/api`, and our own `/_sandbox`.

    The store opens and closes with the application's lifespan. ValueError for an unknown edition or option.
    """
    if config.csv_dir is not None:
        raise ValueError("the Freshsales sandbox is a destination and takes no CSV folder")
    faults = FaultSwitch()
    crm = Crm(config, faults)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        crm.open()
        try:
            seed(crm)
            yield
        finally:
            crm.close()

    routes = [
        Route(path, _bound(crm, endpoint, kind), methods=verbs.split()) for verbs, path, endpoint, kind in _paths()
    ]
    app = FastAPI(title="Freshsales sandbox", openapi_url=None, lifespan=lifespan, routes=list(routes))
    app.add_exception_handler(Refusal, _refusal_handler(crm))
    app.add_exception_handler(HTTPException, _no_route)
    app.add_middleware(FaultMiddleware, switch=faults, too_many=_too_many, failed=_failed)
    app.add_middleware(Gate, crm=crm)
    return app


def _bound(crm: Crm, endpoint: Endpoint, kind: str | None) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        if kind is not None:
            request.path_params["kind"] = kind
        return await endpoint(crm, request)

    return call


def _refusal_handler(crm: Crm) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        crm.stats.refused[str(error.status)] += 1
        return reply(error.status, error.body())

    return refused


async def _no_route(_: Request, error: Exception) -> Response:
    """An unknown path or method: 404 in the shape of fact sheet section 15."""
    assert isinstance(error, HTTPException)
    return reply(404, Refusal(404).body())


def _too_many() -> tuple[int, bytes]:
    refusal = too_many()
    return refusal.status, orjson.dumps(refusal.body())


def _failed(status: int) -> bytes:
    return orjson.dumps(Refusal(status, "Something went wrong").body())
