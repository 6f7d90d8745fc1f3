"""Line items of quotes, orders and invoices: rows with a product, and the totals Zoho computes from them."""

import re
from typing import Any

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, invalid
from connectors.zoho_crm.sandbox.values import Batch, as_id, lookup_id

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_TEXTS = {"Description": 2000}


def check_rows(batch: Batch, field_name: str, value: Any, old: list[Json], path: str) -> list[Json]:
    """The rows after a write (Zoho fact sheet section 16): a row with an id is kept or changed, one without is added,
    `_delete` and rows left out on an update with `[]` go."""
    if not isinstance(value, list):
        raise invalid(field_name, path, expected_data_type="jsonarray")
    if len(value) > 100:
        raise invalid(field_name, path, maximum_length=100)
    if not value:
        return []
    rows = {row["id"]: row for row in old}
    kept: dict[str, Json] = {}
    for number, entry in enumerate(value):
        where = f"{path}[{number}]"
        if not isinstance(entry, dict):
            raise invalid(field_name, where, expected_data_type="jsonobject")
        row_id = as_id(entry["id"]) if "id" in entry else None
        before = rows.get(str(row_id)) if row_id is not None else None
        if "id" in entry and before is None:
            raise invalid("id", f"{where}.id", message="the id given seems to be invalid")
        if "_delete" in entry and before is not None:
            continue
        row = _row(batch, entry, before or {"id": str(batch.crm.store.next_id())}, where)
        kept[row["id"]] = row
    return list(kept.values())


def _row(batch: Batch, entry: Json, before: Json, path: str) -> Json:
    row = dict(before)
    if "Product_Name" in entry or "Product_Name" not in row:
        row["Product_Name"] = _product(batch, entry.get("Product_Name"), f"{path}.Product_Name")
    for key in ("Quantity", "List_Price"):
        if key in entry:
            row[key] = _number(entry[key], key, path)
    for key, limit in _TEXTS.items():
        if key in entry:
            row[key] = _text(entry[key], key, limit, path)
    if "Discount" in entry:
        row["Discount"] = _discount(entry["Discount"], path)
    if "Line_Tax" in entry:
        row["Line_Tax"] = _taxes(entry["Line_Tax"], path)
    row.setdefault("Quantity", 1)
    if row.get("List_Price") is None:
        row["List_Price"] = _unit_price(batch, row["Product_Name"])
    return _totals(row)


def _product(batch: Batch, value: Any, path: str) -> str:
    product = lookup_id(value)
    if product is None:
        details = {"api_name": "Product_Name", "json_path": path}
        raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
    if batch.crm.store.row("Products", product) is None:
        raise invalid("Product_Name", f"{path}.id", message="the id given seems to be invalid", id=str(product))
    return str(product)


def _unit_price(batch: Batch, product: str) -> float:
    row = batch.crm.store.row("Products", int(product))
    return (row.data.get("Unit_Price") if row else None) or 0


def _number(value: Any, key: str, path: str) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(key, f"{path}.{key}", expected_data_type="double")
    return value


def _text(value: Any, key: str, limit: int, path: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid(key, f"{path}.{key}", expected_data_type="textarea")
    if value is not None and len(value) > limit:
        raise invalid(key, f"{path}.{key}", maximum_length=limit)
    return value


def _discount(value: Any, path: str) -> float | int | str:
    """An amount, or a percentage as text (`5%`)."""
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d+(?:\.\d+)?", value):
        return float(value)
    return _number(value, "Discount", path)


def _taxes(value: Any, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise invalid("Line_Tax", f"{path}.Line_Tax", expected_data_type="jsonarray")
    for number, tax in enumerate(value):
        if not isinstance(tax, dict) or not isinstance(tax.get("percentage"), int | float):
            raise invalid("percentage", f"{path}.Line_Tax[{number}].percentage", expected_data_type="double")
    return value


def _totals(row: Json) -> Json:
    total = row["Quantity"] * row["List_Price"]
    discount = row.get("Discount") or 0
    if isinstance(discount, str):
        discount = total * float(discount.rstrip("%")) / 100
    after = total - discount
    taxes = [{**tax, "value": round(after * tax["percentage"] / 100, 2)} for tax in row.get("Line_Tax", [])]
    row["Line_Tax"] = taxes
    row["Total"], row["Total_After_Discount"] = round(total, 2), round(after, 2)
    row["Tax"] = round(sum(tax["value"] for tax in taxes), 2)
    row["Net_Total"] = round(after + row["Tax"], 2)
    return row


def document_totals(record: Json, rows: list[Json]) -> None:
    """Sub total and grand total of the document."""
    record["Sub_Total"] = round(sum(row["Net_Total"] for row in rows), 2)
    parts = record["Sub_Total"] - (record.get("Discount") or 0) + (record.get("Tax") or 0)
    record["Grand_Total"] = round(parts + (record.get("Adjustment") or 0), 2)
