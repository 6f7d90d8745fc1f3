"""The parts of a deal that depend on each other: stage, product lines, amount, contacts (fact sheet section 5)."""

from decimal import Decimal
from typing import Any

from connectors.freshsales.sandbox.answers import Json, Refusal, bad, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.times import kept
from connectors.freshsales.sandbox.values import as_decimal, as_id, money, record_of

PERCENT = 1  # `discount_type`: the codes are not documented; 1 is what recordings show, read here as percent
_MAX_LINES = 500


def settle_stage(crm: Crm, data: Json, body: Json, old: Json | None) -> None:
    """Pipeline and stage belong together; a new stage sets probability and times (section 5)."""
    stages, pipelines = crm.book.rows["deal_stages"], crm.book.rows["deal_pipelines"]
    stage_id, pipeline_id = data.get("deal_stage_id"), data.get("deal_pipeline_id")
    if stage_id and "deal_stage_id" in body:
        if "deal_pipeline_id" not in body or pipeline_id is None:
            pipeline_id = stages[stage_id]["deal_pipeline_id"]
        elif stages[stage_id]["deal_pipeline_id"] != pipeline_id:
            raise bad("Deal stage is invalid")
    elif pipeline_id not in pipelines or not stage_id or stages[stage_id]["deal_pipeline_id"] != pipeline_id:
        pipeline_id = pipeline_id or crm.book.default_pipeline["id"]
        stage_id = crm.book.stages_of(pipeline_id)[0]["id"]
    data["deal_pipeline_id"], data["deal_stage_id"] = pipeline_id, stage_id
    stage = stages[stage_id]
    if old is None or old.get("deal_stage_id") != stage_id:
        data["stage_updated_time"] = kept(crm.utc_now())
        if body.get("probability") is None:
            data["probability"] = stage["probability"]
        closed = stage["forecast_type"] != "Open"
        if body.get("closed_date") is None:
            data["closed_date"] = crm.utc_now().astimezone(crm.zone).date().isoformat() if closed else None


def read_lines(crm: Crm, given: Any, data: Json) -> list[Json]:
    """`products`: the deal's new lines; an unknown product is a 400 (section 5)."""
    if not isinstance(given, list) or len(given) > _MAX_LINES or not all(isinstance(item, dict) for item in given):
        raise wrong_type("products")
    if not crm.plan.catalogue:
        raise Refusal(403, "You are not authorised to perform this operation.")
    currency = crm.book.rows["currencies"].get(data.get("currency_id") or 0) or crm.book.first("currencies")
    return [_line(crm, item, currency["currency_code"]) for item in given if item.get("_destroy") is not True]


def _line(crm: Crm, item: Json, currency: str) -> Json:
    key = record_of(crm, "product", item.get("id", item.get("product_id")), "Product")
    (product,) = crm.store.live("product", [key])
    prices = product.data.get("product_pricings", [])
    price: Json = next((row for row in prices if row["currency_code"] == currency), {})
    unit = item.get("unit_price", price.get("unit_price"))
    return {
        "product_id": key,
        "unit_price": money(as_decimal(0 if unit is None else unit, "Unit price")),
        "setup_fee": item.get("setup_fee", price.get("setup_fee")),
        "billing_type": item.get("billing_type", price.get("billing_type")),
        "billing_cycle": item.get("billing_cycle", price.get("billing_cycle")),
        "currency_code": currency,
        "quantity": money(as_decimal(item.get("quantity", 1), "Quantity")),
        "discount": money(as_decimal(item.get("discount") or 0, "Discount")),
        "discount_type": as_id(item.get("discount_type")) or PERCENT,
        "association_id": as_id(item.get("association_id")) or crm.store.next_id(),
    }


def lines_total(lines: list[Json]) -> str:
    """The amount that the lines add up to: quantity times price less discount."""
    total = Decimal(0)
    for line in lines:
        gross = Decimal(line["quantity"]) * Decimal(line["unit_price"])
        discount = Decimal(line["discount"])
        total += gross * (100 - discount) / 100 if line["discount_type"] == PERCENT else gross - discount
    return money(total.quantize(Decimal("0.01")))


def shown_line(crm: Crm, deal_id: int, line: Json) -> Json:
    """A line in an answer; the quantity is a number there (section 5)."""
    found = crm.store.row("product", line["product_id"])
    product = found.data if found else {}
    quantity = Decimal(line["quantity"])
    whole = int(quantity) if quantity == quantity.to_integral_value() else float(quantity)
    return {
        **line, "quantity": whole, "deal_id": deal_id, "_id": line["association_id"], "id": line["product_id"],
        "name": found.name if found else None, "pricing_type": product.get("pricing_type", 0), "avatar": None,
        "owner_id": found.owner if found else None, "category": product.get("category"),
    }  # fmt: skip


def read_contacts(crm: Crm, body: Json, current: list[int]) -> list[int]:
    """The linked contacts after `contacts_added_list` and `contacts_removed_list` (and `contact_ids` on create)."""
    found = list(current)
    for name in ("contacts_added_list", "contact_ids"):
        given = body.get(name)
        if given is None or (name == "contact_ids" and not crm.options.deal_create_lines):
            continue
        if not isinstance(given, list):
            raise wrong_type(name)
        found += [record_of(crm, "contact", value, "Contact") for value in given]
    removed = body.get("contacts_removed_list") or []
    if not isinstance(removed, list):
        raise wrong_type("contacts_removed_list")
    gone = {as_id(value) for value in removed}
    return [key for key in dict.fromkeys(found) if key not in gone]
