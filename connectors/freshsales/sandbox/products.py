"""The product catalogue with its prices, on Pro and Enterprise (Freshsales fact sheet section 6)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, bad, empty, forbidden, not_found, reply, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.includes import asked
from connectors.freshsales.sandbox.records import selected
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.unlucky import refuse_unlucky
from connectors.freshsales.sandbox.values import as_decimal, as_id, check, check_custom
from connectors.freshsales.sandbox.views import asked_page, meta
from connectors.freshsales.sandbox.writer import read_body

_TEXTS = ("name", "category", "description", "product_code", "sku_number", "parent_product")
_MAX_PRICES = 50


def _catalogue(crm: Crm) -> None:
    if not crm.plan.catalogue:
        raise forbidden()


def _shown(crm: Crm, row: Row, names: list[str]) -> Json:
    data = row.data
    base = crm.options.currency
    prices = data.get("product_pricings", [])
    amount = next((price["unit_price"] for price in prices if price["currency_code"] == base), None)
    custom = {name: None for name, field in crm.schema.modules["product"].fields.items() if field.custom}
    shown: Json = {
        "id": row.id, **{name: data.get(name) for name in _TEXTS}, "custom_field": {**custom, **data["custom_field"]},
        "territory_id": data.get("territory_id"), "valid_till": data.get("valid_till"),
        "is_active": data.get("is_active", True), "owner_id": row.owner, "is_deleted": row.deleted,
        "created_at": crm.when(row.created), "updated_at": crm.when(row.updated),
        "pricing_type": data.get("pricing_type", 0), "avatar": None, "base_currency_amount": amount,
        "creater_id": row.creator, "updater_id": row.updater,
    }  # fmt: skip
    if "product_pricings" in names:
        shown["product_pricings"] = prices
    return shown


def _apply(crm: Crm, row: Row, body: Json) -> None:
    fields = crm.schema.modules["product"].fields
    data = row.data
    for name, field in fields.items():
        if name in body and not field.custom and not field.read_only and name != "parent_product":
            data[name] = check(crm, field, body[name])
    if "parent_product" in body:
        data["parent_product"] = as_id(body["parent_product"])
    if body.get("custom_field") is not None:
        before = data["custom_field"] if crm.options.custom_field_put == "merge" else {}
        data["custom_field"] = {**before, **check_custom(crm, fields, body["custom_field"])}
    if "product_pricings" in body:
        data["product_pricings"] = _prices(crm, body["product_pricings"], data.get("product_pricings", []))
    row.owner = data.pop("owner_id", None) or row.owner
    row.name = str(data.get("name") or "")
    if not row.name:
        raise empty("Name")


def _prices(crm: Crm, given: Any, old: list[Json]) -> list[Json]:
    """One price per currency; rows with an id are changed, `_destroy` removes (section 6)."""
    if not isinstance(given, list) or len(given) > _MAX_PRICES or not all(isinstance(item, dict) for item in given):
        raise wrong_type("product_pricings")
    rows = {row["currency_code"]: dict(row) for row in old}
    codes = {row["currency_code"] for row in crm.book.rows["currencies"].values()}
    for item in given:
        same = next((row for row in rows.values() if row["id"] == as_id(item.get("id"))), None)
        code = same["currency_code"] if same else item.get("currency_code")
        if item.get("_destroy") is True:
            rows.pop(str(code), None)
            continue
        if not isinstance(code, str) or code not in codes:
            raise bad("Currency code is invalid")
        row = same or rows.get(code) or {
            "id": crm.store.next_id(), "currency_code": code, "_destroy": False, "billing_cycle": None,
            "billing_type": None, "unit_price": None, "setup_fee": None, "is_locked": False,
        }  # fmt: skip
        row |= {name: item[name] for name in ("billing_cycle", "billing_type", "setup_fee") if name in item}
        if item.get("unit_price") is not None:
            price = as_decimal(item["unit_price"], "Unit price")
            row["unit_price"] = int(price) if price == price.to_integral_value() else float(price)
        rows[str(code)] = row
    return list(rows.values())


def _row_of(crm: Crm, request: Request, *, with_bin: bool = False) -> Row:
    _catalogue(crm)
    row = crm.store.row("product", as_id(request.path_params["id"]) or 0)
    if row is None or (row.deleted and not with_bin):
        raise not_found()
    return row


async def create(crm: Crm, request: Request) -> Response:
    """POST /cpq/products {"product": {...}}"""
    _catalogue(crm)
    body = read_body(json_object(request), "product")
    refuse_unlucky(crm, "product", body)
    admin = crm.book.admin["id"]
    row = Row(0, "product", "", {"custom_field": {}}, crm.now(), crm.now(), crm.seconds(), owner=admin, creator=admin,
              updater=admin)  # fmt: skip
    with crm.store.transaction():
        _apply(crm, row, body)
        row.id = crm.store.next_id()
        crm.store.save_row(row)
    crm.stats.created["product"] += 1
    return reply(200, {"product": _shown(crm, row, asked(request.query_params))})


async def listing(crm: Crm, request: Request) -> Response:
    """GET /cpq/products: the catalogue a page at a time."""
    _catalogue(crm)
    page = asked_page(request.query_params)
    where = "module = 'product' AND deleted = 0"
    rows = crm.store.rows(where, (), f"ORDER BY id LIMIT {page.size} OFFSET {page.offset}")
    total = crm.store.count(f"SELECT count(*) FROM records WHERE {where}")  # noqa: S608 - our own condition
    names = asked(request.query_params)
    return reply(200, {"products": [_shown(crm, row, names) for row in rows], "meta": meta(total, page)})


async def view(crm: Crm, request: Request) -> Response:
    """GET /cpq/products/{id}?include=product_pricings"""
    return reply(200, {"product": _shown(crm, _row_of(crm, request), asked(request.query_params))})


async def update(crm: Crm, request: Request) -> Response:
    """PUT /cpq/products/{id}"""
    row = _row_of(crm, request)
    body = read_body(json_object(request), "product")
    refuse_unlucky(crm, "product", body, row.data)
    with crm.store.transaction():
        _change(crm, row, body)
    return reply(200, {"product": _shown(crm, row, asked(request.query_params))})


def _change(crm: Crm, row: Row, body: Json) -> None:
    _apply(crm, row, body)
    row.updated, row.updater = crm.now(), crm.book.admin["id"]
    crm.store.save_row(row)
    crm.stats.updated["product"] += 1


def _set_deleted(crm: Crm, row: Row, *, deleted: bool) -> None:
    row.deleted, row.updated = deleted, crm.now()
    with crm.store.transaction():
        crm.store.save_row(row)
    if deleted:
        crm.stats.deleted["product"] += 1


async def delete(crm: Crm, request: Request) -> Response:
    """DELETE /cpq/products/{id}; two answers are reported (section 19 item 4)."""
    row = _row_of(crm, request)
    _set_deleted(crm, row, deleted=True)
    short = crm.options.product_delete == "success"
    return reply(200, {"success": "200"} if short else {"msg": {"id": row.id, "code": "success"}})


async def restore(crm: Crm, request: Request) -> Response:
    """PUT /cpq/products/{id}/restore: products, unlike records, can be restored by API (section 17)."""
    row = _row_of(crm, request, with_bin=True)
    _set_deleted(crm, row, deleted=False)
    return reply(200, {"product": _shown(crm, row, asked(request.query_params))})


async def filterize(crm: Crm, request: Request) -> Response:
    """POST /cpq/products/filterize {filter_rule} -> {products} (section 2); exact values only."""
    _catalogue(crm)
    rules = json_object(request).get("filter_rule") or []
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise wrong_type("filter_rule")
    fields = crm.schema.modules["product"].fields
    where, values = "module = 'product' AND deleted = 0", []
    for rule in rules:
        name, value = rule.get("attribute"), rule.get("value")
        if not isinstance(name, str) or name not in fields:
            raise bad("The attribute is invalid.")
        items = value if isinstance(value, list) else [value]
        marks = ",".join("?" * len(items))
        path = f'custom_field."{name}"' if name.startswith("cf_") else f'"{name}"'
        where += f" AND lower(json_extract(data, '$.{path}')) IN ({marks})"
        values += [str(item).lower() for item in items]
    rows = crm.store.rows(where, values, "ORDER BY id LIMIT 100")
    return reply(200, {"products": [_shown(crm, row, []) for row in rows]})


async def bulk(crm: Crm, request: Request) -> Response:
    """POST /cpq/products_bulk_delete and _bulk_restore {selected_ids}, PUT products_bulk_update {ids, product}."""
    _catalogue(crm)
    what, body = request.path_params["what"], json_object(request)
    if what not in ("update", "delete", "restore"):
        raise not_found()
    ids = selected({"selected_ids": body.get("ids", body.get("selected_ids"))})
    rows = [row for row in (crm.store.row("product", key) for key in ids) if row is not None]
    if what == "update":
        with crm.store.transaction():
            for row in rows:
                _change(crm, row, read_body(body, "product"))
    else:
        for row in rows:
            _set_deleted(crm, row, deleted=what == "delete")
    return reply(200, {"message": f"{len(rows)} products updated."})
