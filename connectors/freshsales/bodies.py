"""From flat payloads to the bodies of the API and from its rows back to flat records (Freshsales fact sheet 3 to 6).

Pure: nothing here calls anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from connectors.errors import BatchRefused
from connectors.freshsales.modules import Module
from connectors.freshsales.naming import Names, as_id

_LOOKUPS = frozenset({"sales_account_id", "parent_sales_account_id", "owner_id", "targetable_id", "parent_product"})
# What a plain GET leaves out until it is asked for (sections 3 to 5).
_INCLUDES = {
    "contacts": {
        "owner_id": "owner", "sales_account": "sales_accounts", "lead_source_id": "source", "campaign_id": "campaign",
        "territory_id": "territory", "contact_status_id": "contact_status", "lifecycle_stage_id": "contact_status",
    },
    "sales_accounts": {
        "territory_id": "territory", "industry_type_id": "industry_type", "business_type_id": "business_type",
    },
    "deals": {
        "owner_id": "owner", "sales_account_id": "sales_account", "contacts": "contacts", "lead_source_id": "source",
        "campaign_id": "campaign", "deal_type_id": "deal_type", "deal_reason_id": "deal_reason",
        "deal_payment_status_id": "deal_payment_status", "currency_id": "currency", "territory_id": "territory",
    },
    "leads": {"owner_id": "owner", "lead_source_id": "source", "campaign_id": "campaign"},
}  # fmt: skip


_PAYLOAD = msgspec.json.Decoder(dict[str, Any])


def payloads_of(records: Sequence[bytes]) -> list[dict[str, Any]]:
    """The flat payloads of a batch. Raises BatchRefused for what is no JSON object: nothing was sent."""
    try:
        return [_PAYLOAD.decode(record) for record in records]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BatchRefused(f"a record is no JSON object: {error}"[:200], code="NOT_JSON") from None


def flat_body(module: Module, payload: Mapping[str, Any], names: Names, lookups: Iterable[str] = ()) -> dict[str, Any]:
    """The inner object of a write. `lookups` are custom fields that hold ids. Raises UnknownName.

    Blanks written as None are kept: they clear a value (section 1).
    """
    body: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in payload.items():
        if name == "id" or name.startswith("$"):
            continue
        if name.startswith("cf_"):
            custom[name] = as_id(value) if name in lookups and value is not None else value
        elif name in names:
            body[name] = names.id_of(name, value, payload)
        else:
            body.update(_own(module, name, value))
    if custom:
        body["custom_field"] = custom
    return body


def _own(module: Module, name: str, value: Any) -> dict[str, Any]:
    """Fields that the API nests or names otherwise."""
    if name == "email":
        return {"emails": [] if value is None else [{"value": value, "is_primary": True}]}
    if name == "sales_account" and module.name == "contacts":
        return {"sales_accounts": [] if value is None else [{"id": as_id(value), "is_primary": True}]}
    if name == "company_name" and module.name == "leads":
        return {"company": {"name": value}}
    if name == "contacts" and module.name == "deals":
        ids = value if isinstance(value, list) else [] if value is None else [value]
        return {"contacts_added_list": [as_id(one) for one in ids]}
    if name == "tags":
        return {"tags": split(value)}
    return {name: as_id(value) if name in _LOOKUPS and value is not None else value}


def split(value: Any) -> list[str]:
    """Several values as a list: the mapping writes them joined by `;`."""
    items = value if isinstance(value, list) else str(value or "").split(";")
    return [text for one in items if (text := str(one).strip())]


def includes_for(module: Module, fields: Iterable[str]) -> list[str]:
    """What has to be included so that `fields` show."""
    known = _INCLUDES.get(module.name, {})
    return list(dict.fromkeys(known[name] for name in fields if name in known))


def flat_row(module: Module, row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A row as the flat record that was written: custom fields beside standard ones, names instead of ids."""
    record = {name: value for name, value in row.items() if name != "custom_field"}
    custom = row.get("custom_field")
    if isinstance(custom, dict):
        record.update(custom)
    record["id"] = str(row.get("id"))
    if module.name == "contacts":
        _contact(record, names)
    elif module.name == "leads" and isinstance(row.get("company"), dict):
        record["company_name"] = row["company"].get("name")
    elif module.name == "deals" and isinstance(row.get("contact_ids"), list):
        linked = row["contact_ids"]
        record["contacts"] = linked[0] if len(linked) == 1 else linked
    for name in [name for name in record if name in names]:
        record[name] = names.name_of(name, record[name])
    return record


def _contact(record: dict[str, Any], names: Names) -> None:
    """The primary account, and a lifecycle stage that one account does not show although it is set (section 3)."""
    accounts = record.get("sales_accounts")
    if isinstance(accounts, list):
        rows = [one for one in accounts if isinstance(one, dict)]
        primary = [one for one in rows if one.get("is_primary")] or rows[:1]
        record["sales_account"] = primary[0].get("id") if primary else None
    if record.get("lifecycle_stage_id") is None and record.get("contact_status_id") is not None:
        record["lifecycle_stage_id"] = names.lifecycle_of(record["contact_status_id"])


def merged_custom(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The whole `custom_field` object for a PUT: it replaces what is there in some accounts (section 13)."""
    return {name: value for name, value in current.items() if value is not None} | dict(changes)
