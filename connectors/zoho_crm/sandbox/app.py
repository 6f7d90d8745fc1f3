"""Puts the sandbox together: routes, error answers, gate and faults around them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.faults import FaultMiddleware, FaultSwitch
from connectors.zoho_crm.sandbox import (
    accounts,
    bulkread,
    bulkwrite,
    control,
    fields,
    files,
    modules,
    org,
    pipelines,
    reading,
    records,
    recyclebin,
    relations,
    tags,
)
from connectors.zoho_crm.sandbox.answers import Refusal, problem, reply
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import Gate
from connectors.zoho_crm.sandbox.limits import too_many
from connectors.zoho_crm.sandbox.seeds import seed_customer

Endpoint: TypeAlias = Callable[[Crm, Request], Awaitable[Response]]
_V8 = "/crm/v8"
_BULK = "/crm/bulk/v8"
_SETTINGS = f"{_V8}/settings"
_MODULE = f"{_V8}/{{module}}"
_RECORD = f"{_V8}/{{module}}/{{id}}"

# More special paths first: the first match wins.
_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/oauth/v2/token", accounts.token),
    ("POST", "/oauth/v2/token/revoke", accounts.revoke),
    ("GET", "/_sandbox/stats", control.stats),
    ("GET", "/_sandbox/dump", control.dump),
    ("GET POST DELETE", "/_sandbox/faults", control.faults),
    ("POST", "/_sandbox/admin", control.admin),
    ("POST", "/_sandbox/reset", control.reset),
    ("POST", f"{_BULK}/write", bulkwrite.create_job),
    ("GET", f"{_BULK}/write/{{id}}", bulkwrite.get_job),
    ("GET", f"{_BULK}/write/{{id}}/result", bulkwrite.get_result),
    ("POST", f"{_BULK}/read", bulkread.create_job),
    ("GET", f"{_BULK}/read/{{id}}", bulkread.get_job),
    ("GET", f"{_BULK}/read/{{id}}/result", bulkread.get_result),
    ("GET", f"{_V8}/org", org.get_org),
    ("GET", f"{_V8}/users", org.list_users),
    ("POST", f"{_V8}/users", org.create_user),
    ("GET", f"{_V8}/users/{{id}}", org.get_user),
    ("PUT", f"{_V8}/users/{{id}}", org.update_user),
    ("DELETE", f"{_V8}/users/{{id}}", org.delete_user),
    ("GET", f"{_V8}/__features", org.features),
    ("GET", f"{_V8}/__features/{{feature}}", org.features),
    ("POST", f"{_V8}/coql", reading.query),
    ("POST", f"{_V8}/upload", bulkwrite.upload),
    ("POST", f"{_V8}/files", files.upload_files),
    ("GET", f"{_V8}/files", files.get_file),
    ("GET", f"{_SETTINGS}/profiles", org.list_profiles),
    ("GET", f"{_SETTINGS}/roles", org.list_roles),
    ("GET", f"{_SETTINGS}/modules", modules.list_modules),
    ("POST", f"{_SETTINGS}/modules", modules.create_module),
    ("GET", f"{_SETTINGS}/modules/{{id}}", modules.get_module),
    ("PUT", f"{_SETTINGS}/modules/{{id}}", modules.update_module),
    ("GET", f"{_SETTINGS}/fields", fields.list_fields),
    ("POST", f"{_SETTINGS}/fields", fields.create_fields),
    ("PATCH", f"{_SETTINGS}/fields", fields.patch_fields),
    ("GET", f"{_SETTINGS}/fields/{{id}}", fields.get_field),
    ("PATCH", f"{_SETTINGS}/fields/{{id}}", fields.patch_field),
    ("DELETE", f"{_SETTINGS}/fields/{{id}}", fields.delete_field),
    ("GET", f"{_SETTINGS}/fields/{{id}}/pick_list_values", fields.pick_list_values),
    ("GET", f"{_SETTINGS}/global_picklists", fields.list_global_picklists),
    ("POST", f"{_SETTINGS}/global_picklists", fields.create_global_picklist),
    ("GET", f"{_SETTINGS}/global_picklists/{{id}}", fields.list_global_picklists),
    ("GET", f"{_SETTINGS}/layouts", modules.list_layouts),
    ("GET", f"{_SETTINGS}/layouts/{{id}}", modules.list_layouts),
    ("PATCH", f"{_SETTINGS}/layouts/{{id}}", modules.patch_layout),
    ("GET", f"{_SETTINGS}/pipeline", pipelines.list_pipelines),
    ("POST", f"{_SETTINGS}/pipeline", pipelines.create_pipeline),
    ("PUT PATCH", f"{_SETTINGS}/pipeline", pipelines.update_pipeline),
    ("POST", f"{_SETTINGS}/pipeline/actions/transfer", pipelines.transfer),
    ("GET", f"{_SETTINGS}/pipeline/{{id}}", pipelines.list_pipelines),
    ("PUT PATCH", f"{_SETTINGS}/pipeline/{{id}}", pipelines.update_pipeline),
    ("GET", f"{_SETTINGS}/related_lists", relations.related_lists),
    ("GET", f"{_SETTINGS}/tags", tags.list_tags),
    ("POST", f"{_SETTINGS}/tags", tags.create_tags),
    ("DELETE", f"{_SETTINGS}/tags/{{id}}", tags.delete_tag),
    ("GET", f"{_SETTINGS}/recycle_bin", recyclebin.list_bin),
    ("DELETE", f"{_SETTINGS}/recycle_bin", recyclebin.drop_many),
    ("GET", f"{_SETTINGS}/recycle_bin/actions/count", recyclebin.count_bin),
    ("POST", f"{_SETTINGS}/recycle_bin/actions/restore", recyclebin.restore_many),
    ("POST", f"{_SETTINGS}/recycle_bin/actions/empty", recyclebin.empty_bin),
    ("GET", f"{_SETTINGS}/recycle_bin/{{id}}", recyclebin.one_in_bin),
    ("DELETE", f"{_SETTINGS}/recycle_bin/{{id}}", recyclebin.drop_many),
    ("POST", f"{_SETTINGS}/recycle_bin/{{id}}/actions/restore", recyclebin.restore_one),
    ("GET", _MODULE, reading.list_records),
    ("POST", _MODULE, records.insert),
    ("PUT", _MODULE, records.update),
    ("DELETE", _MODULE, recyclebin.delete_many),
    ("POST", f"{_MODULE}/upsert", records.upsert),
    ("GET", f"{_MODULE}/search", reading.search),
    ("GET", f"{_MODULE}/deleted", reading.deleted),
    ("GET", f"{_MODULE}/actions/count", reading.count),
    ("POST", f"{_MODULE}/actions/mass_delete", recyclebin.mass_delete),
    ("POST", f"{_MODULE}/actions/mass_update", records.mass_update),
    ("POST", f"{_MODULE}/actions/change_owner", records.change_owner),
    ("POST", f"{_MODULE}/actions/add_tags", tags.add_tags),
    ("POST", f"{_MODULE}/actions/remove_tags", tags.remove_tags),
    ("GET", _RECORD, reading.get_record),
    ("PUT", _RECORD, records.update_one),
    ("DELETE", _RECORD, recyclebin.delete_one),
    ("GET", f"{_RECORD}/actions/fetch_full_data", reading.full_data),
    ("POST", f"{_RECORD}/actions/change_owner", records.change_owner),
    ("POST", f"{_RECORD}/actions/add_tags", tags.add_tags),
    ("POST", f"{_RECORD}/actions/remove_tags", tags.remove_tags),
    ("GET", f"{_RECORD}/Attachments", files.list_attachments),
    ("POST", f"{_RECORD}/Attachments", files.attach),
    ("GET", f"{_RECORD}/Attachments/{{child}}", files.download),
    ("DELETE", f"{_RECORD}/Attachments/{{child}}", files.detach),
    ("POST", f"{_RECORD}/Notes", records.add_notes),
    ("GET", f"{_RECORD}/photo", files.get_photo),
    ("POST", f"{_RECORD}/photo", files.put_photo),
    ("DELETE", f"{_RECORD}/photo", files.delete_photo),
    ("GET", f"{_RECORD}/{{related}}", reading.related),
    ("PUT", f"{_RECORD}/{{related}}", relations.link),
    ("DELETE", f"{_RECORD}/{{related}}", relations.unlink),
    ("PUT", f"{_RECORD}/{{related}}/{{child}}", relations.link),
    ("DELETE", f"{_RECORD}/{{related}}/{{child}}", relations.unlink),
)


def create_app(config: SandboxConfig) -> FastAPI:
    """The whole vendor on one port: accounts server, API, upload host and our own `/_sandbox`.

    The store opens and closes with the application's lifespan. ValueError for an unknown edition or option.
    """
    faults = FaultSwitch()
    crm = Crm(config, faults)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        crm.open()
        try:
            seed_customer(crm)
            yield
        finally:
            await crm.stop()
            crm.close()

    routes = [Route(path, _bound(crm, endpoint), methods=verbs.split()) for verbs, path, endpoint in _ROUTES]
    app = FastAPI(title="Zoho CRM sandbox", openapi_url=None, lifespan=lifespan, routes=list(routes))
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_middleware(FaultMiddleware, switch=faults, too_many=_too_many)
    app.add_middleware(Gate, crm=crm)
    return app


def _bound(crm: Crm, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        return await endpoint(crm, request)

    return call


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return reply(error.status, error.body())


async def _no_route(_: Request, error: Exception) -> Response:
    """404 and 405 in the vendor's words (Zoho fact sheet section 3)."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        message = "The http request method type is not a valid one"
        return reply(400, problem("INVALID_REQUEST_METHOD", message))
    return reply(404, problem("INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one"))


def _too_many() -> tuple[int, bytes]:
    refusal = too_many("The concurrency limit of the user for the app is exceeded")
    return refusal.status, orjson.dumps(refusal.body())
