"""GET /selector/...: the administrator's lists (Freshsales fact sheet section 12)."""

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, forbidden, not_found, reply
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.render import user_row
from connectors.freshsales.sandbox.values import as_id

_PLAIN = (
    "territories", "deal_stages", "deal_types", "deal_reasons", "deal_payment_statuses", "deal_products",
    "lead_sources", "campaigns", "industry_types", "business_types", "contact_statuses", "lifecycle_stages",
    "sales_activity_types", "sales_activity_outcomes", "sales_activity_entity_types", "currencies", "designations",
)  # fmt: skip
_CLASSIC = ("lead_stages", "lead_reasons")


def _rows(crm: Crm, kind: str) -> list[Json]:
    return list(crm.book.rows[kind].values())


async def selector(crm: Crm, request: Request) -> Response:
    """GET /selector/{name}; owners may be refused with 403 where the key's user lacks the right (section 1)."""
    name = request.path_params["name"]
    if name == "owners":
        if crm.options.owners_denied:
            raise forbidden()
        return reply(200, {"users": [user_row(user) for user in _rows(crm, "users")]})
    if name == "deal_pipelines":
        pipelines = [{**row, "deal_stages": crm.book.stages_of(row["id"])} for row in _rows(crm, name)]
        return reply(200, {name: pipelines})
    if name in _PLAIN or (name in _CLASSIC and crm.options.classic):
        return reply(200, {name: _rows(crm, name)})
    raise not_found()


async def pipeline_stages(crm: Crm, request: Request) -> Response:
    """GET /selector/deal_pipelines/{id}/deal_stages"""
    key = as_id(request.path_params["id"]) or 0
    if key not in crm.book.rows["deal_pipelines"]:
        raise not_found()
    return reply(200, {"deal_stages": crm.book.stages_of(key)})


async def type_outcomes(crm: Crm, request: Request) -> Response:
    """GET /selector/sales_activity_types/{id}/sales_activity_outcomes"""
    key = as_id(request.path_params["id"]) or 0
    if key not in crm.book.rows["sales_activity_types"]:
        raise not_found()
    rows = [row for row in _rows(crm, "sales_activity_outcomes") if row["sales_activity_type_id"] == key]
    return reply(200, {"sales_activity_outcomes": rows})
