"""Quotes, which the vendor calls CPQ documents, on Pro and Enterprise (Freshsales fact sheet sections 6 and 19)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, empty, forbidden, not_found, reply
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.dealparts import lines_total, read_lines
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.includes import asked
from connectors.freshsales.sandbox.render import lines_of
from connectors.freshsales.sandbox.schema import Field
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.values import as_decimal, as_id, check, money, record_of
from connectors.freshsales.sandbox.writer import read_body

_TEXTS = (
    "document_type", "stage", "display_name", "currency_code",
    "shipping_address", "shipping_city", "shipping_state", "shipping_zipcode", "shipping_country", "billing_address",
    "billing_city", "billing_state", "billing_zipcode", "billing_country",
)  # fmt: skip
_LINKS = {"deal_id": "deal", "contact_id": "contact", "sales_account_id": "sales_account"}


def _field(name: str, type_: str, selector: str | None = None) -> Field:
    return Field(0, name, name.replace("_", " ").capitalize(), type_, 0, selector=selector)


def _apply(crm: Crm, row: Row, body: Json) -> None:
    data = row.data
    data |= {name: check(crm, _field(name, "text"), body[name]) for name in _TEXTS if name in body}
    for name, module in _LINKS.items():
        if name in body:
            data[name] = None if body[name] is None else record_of(crm, module, body[name], name)
    if not data.get("deal_id"):
        raise empty("Deal")
    if "valid_till" in body:
        data["valid_till"] = check(crm, _field("valid_till", "date"), body["valid_till"])
    if body.get("owner_id") is not None:
        row.owner = check(crm, _field("owner_id", "dropdown", "users"), body["owner_id"])
    if body.get("amount") is not None:
        data["amount"] = money(as_decimal(body["amount"], "Amount"))
    if body.get("products") is not None:
        data["products"] = read_lines(crm, body["products"], data)
        data["amount"] = lines_total(data["products"])
    row.name = str(data.get("display_name") or "")


def _shown(crm: Crm, row: Row, *, lines: bool) -> Json:
    data: dict[str, Any] = row.data
    shown: Json = {
        "id": row.id, **{name: data.get(name) for name in (*_TEXTS, *_LINKS, "valid_till", "amount")},
        "document_number": data["document_number"], "owner_id": row.owner, "creater_id": row.creator,
        "updater_id": row.updater, "is_deleted": row.deleted, "created_at": crm.when(row.created),
        "updated_at": crm.when(row.updated), "pricing_table_settings": "{}", "signatures": [],
    }  # fmt: skip
    if lines:
        shown["products"] = lines_of(crm, row)
    return {"cpq_document": shown}


def _row_of(crm: Crm, request: Request, *, with_bin: bool = False) -> Row:
    if not crm.plan.catalogue:
        raise forbidden()
    row = crm.store.row("cpq_document", as_id(request.path_params["id"]) or 0)
    if row is None or (row.deleted and not with_bin):
        raise not_found()
    return row


async def create(crm: Crm, request: Request) -> Response:
    """POST /cpq/cpq_documents: the deal is required, the number is the account's next `DOC-n`."""
    if not crm.plan.catalogue:
        raise forbidden()
    body, admin = read_body(json_object(request), "cpq_document"), crm.book.admin["id"]
    row = Row(0, "cpq_document", "", {}, crm.now(), crm.now(), crm.seconds(), owner=admin, creator=admin, updater=admin)
    with crm.store.transaction():
        _apply(crm, row, body)
        number = crm.store.count("SELECT count(*) FROM records WHERE module = 'cpq_document'") + 1
        row.data["document_number"] = f"DOC-{number}"
        row.id = crm.store.next_id()
        crm.store.save_row(row)
    crm.stats.created["cpq_document"] += 1
    return reply(200, _shown(crm, row, lines="products" in body))


async def view(crm: Crm, request: Request) -> Response:
    """GET /cpq/cpq_documents/{id}?include=products"""
    return reply(200, _shown(crm, _row_of(crm, request), lines="products" in asked(request.query_params)))


async def update(crm: Crm, request: Request) -> Response:
    """PUT /cpq/cpq_documents/{id}"""
    row, body = _row_of(crm, request), read_body(json_object(request), "cpq_document")
    with crm.store.transaction():
        _apply(crm, row, body)
        row.updated, row.updater = crm.now(), crm.book.admin["id"]
        crm.store.save_row(row)
    crm.stats.updated["cpq_document"] += 1
    return reply(200, _shown(crm, row, lines="products" in body))


async def delete(crm: Crm, request: Request) -> Response:
    """DELETE /cpq/cpq_documents/{id}"""
    row = _row_of(crm, request)
    row.deleted = True
    with crm.store.transaction():
        crm.store.save_row(row)
    crm.stats.deleted["cpq_document"] += 1
    return reply(200, {"msg": {"id": row.id, "code": "success"}})


async def restore(crm: Crm, request: Request) -> Response:
    """PUT /cpq/cpq_documents/{id}/restore"""
    row = _row_of(crm, request, with_bin=True)
    row.deleted = False
    with crm.store.transaction():
        crm.store.save_row(row)
    return reply(200, _shown(crm, row, lines=False))


async def forget(crm: Crm, request: Request) -> Response:
    """DELETE /cpq/cpq_documents/{id}/forget"""
    row = _row_of(crm, request, with_bin=True)
    with crm.store.transaction():
        crm.store.drop_row(row.id)
    return reply(200, {"msg": {"id": row.id, "code": "success"}})


async def related_products(crm: Crm, request: Request) -> Response:
    """GET /cpq/cpq_documents/{id}/related_products"""
    return reply(200, {"products": lines_of(crm, _row_of(crm, request))})
