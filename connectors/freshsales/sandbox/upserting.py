"""The calls for upsert, bulk upsert and job status (Freshsales fact sheet section 10)."""

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import bad, not_found, reply, wrong_type
from connectors.freshsales.sandbox.bulk import job_status, start_job, upsert_row
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import PREFIXES, json_object
from connectors.freshsales.sandbox.includes import asked
from connectors.freshsales.sandbox.records import answer, module_of
from connectors.freshsales.sandbox.values import as_id


async def upsert(crm: Crm, request: Request) -> Response:
    """POST /{p}/upsert: 201 when created, 200 when updated, `?include=` honoured."""
    module = module_of(crm, request)
    body = json_object(request)
    identifier, data = body.get("unique_identifier"), body.get(module.name)
    if not isinstance(identifier, dict) or len(identifier) != 1:
        raise bad("Please provide a unique field as unique_identifier")
    if not isinstance(data, dict):
        raise wrong_type(module.name)
    ((name, value),) = identifier.items()
    with crm.store.transaction():
        row, made = upsert_row(crm, module, name, value, data)
    return reply(201 if made else 200, answer(crm, module, row, asked(request.query_params), lines="products" in data))


async def bulk_upsert(crm: Crm, request: Request) -> Response:
    """POST /{p}/bulk_upsert: `{message, job_status_url}`, an absolute URL on the host that was asked."""
    module = module_of(crm, request)
    key = start_job(crm, module, json_object(request))
    prefix = next(each for each in PREFIXES if request.url.path.startswith(each))
    url = f"{str(request.base_url).rstrip('/')}{prefix}/job_statuses/{key}"
    message = "The request has been accepted. Please check the status of the job."
    return reply(int(crm.options.bulk_status), {"message": message, "job_status_url": url})


async def status(crm: Crm, request: Request) -> Response:
    """GET /job_statuses/{id}"""
    found = job_status(crm, as_id(request.path_params["id"]) or 0)
    if found is None:
        raise not_found()
    return reply(200, found)
