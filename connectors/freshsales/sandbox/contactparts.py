"""The parts of a contact that are lists: e-mail addresses, phones and linked accounts (fact sheet section 3)."""

from typing import Any

from connectors.freshsales.sandbox.answers import Json, bad, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.values import as_id, record_of

_MAX_ITEMS = 50
_LABELS = ("Work", "Personal", "Other")
_PHONE_LABELS = ("Personal", "Home", "Other")


def _address(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type("emails")
    text = value.strip()
    local, at, domain = text.partition("@")
    if not (local and at and domain) or "@" in domain or any(mark.isspace() for mark in text) or len(text) > 256:
        raise bad("Email is invalid")
    return text


def read_emails(crm: Crm, given: Any, old: list[Json]) -> list[Json]:
    """The new list of addresses from a text, texts, or rows `{value, is_primary, id?, _destroy?}`.

    Texts replace the list; rows are merged into it by id or address, as their `_destroy` key implies.
    """
    if given is None or given == "":
        return []
    items = given if isinstance(given, list) else [given]
    if len(items) > _MAX_ITEMS or not all(isinstance(item, str | dict) for item in items):
        raise wrong_type("emails")
    if all(isinstance(item, str) for item in items):
        known = {row["value"].lower(): row for row in old}
        addresses = {_address(item).lower(): _address(item) for item in items}
        rows = [known.get(key) or _new_email(crm, text, "Work") for key, text in addresses.items()]
        return _one_primary(rows, rows[0]["id"] if rows else None)
    return _merge_emails(crm, items, [dict(row) for row in old])


def _merge_emails(crm: Crm, items: list[Any], rows: list[Json]) -> list[Json]:
    primary: int | None = None
    for item in items:
        given = item if isinstance(item, dict) else {"value": item}
        key = as_id(given.get("id"))
        value = given.get("value")
        found = next((row for row in rows if row["id"] == key or _same(row["value"], value)), None)
        if given.get("_destroy") in (True, "true"):
            rows = [row for row in rows if row is not found]
            continue
        if found is None:
            label = given.get("label")
            found = _new_email(crm, _address(value), label if label in _LABELS else "Work")
            rows.append(found)
        elif value is not None:
            found["value"] = _address(value)
        if given.get("is_primary") in (True, "true"):
            primary = found["id"]
    return _one_primary(rows, primary)


def _same(kept: str, given: Any) -> bool:
    return isinstance(given, str) and kept.lower() == given.strip().lower()


def _new_email(crm: Crm, value: str, label: str) -> Json:
    return {"id": crm.store.next_id(), "value": value, "is_primary": False, "label": label}


def _one_primary(rows: list[Json], wanted: int | None) -> list[Json]:
    current = next((row["id"] for row in rows if row["is_primary"]), None)
    ids = [row["id"] for row in rows]
    chosen = next((key for key in (wanted, current) if key in ids), ids[0] if ids else None)
    for row in rows:
        row["is_primary"] = row["id"] == chosen
    return rows


def set_primary_email(crm: Crm, given: Any, old: list[Json]) -> list[Json]:
    """The field `email`: the primary address; the others stay."""
    if given is None or given == "":
        return [row for row in old if not row["is_primary"]]
    return _merge_emails(crm, [{"value": given, "is_primary": True}], [dict(row) for row in old])


def primary_email(rows: list[Json]) -> str | None:
    return next((row["value"] for row in rows if row["is_primary"]), None)


def read_phones(crm: Crm, given: Any) -> list[Json]:
    """`phone_numbers`: rows `{value, label}`; numbers stay as they were sent (section 14)."""
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > _MAX_ITEMS:
        raise wrong_type("phone_numbers")
    rows: list[Json] = []
    for item in given:
        if not isinstance(item, dict) or not isinstance(item.get("value"), str):
            raise wrong_type("phone_numbers")
        label = item.get("label")
        rows.append({
            "id": as_id(item.get("id")) or crm.store.next_id(), "value": item["value"][:30],
            "label": label if label in _PHONE_LABELS else "Other", "is_primary": not rows,
        })  # fmt: skip
    return rows


def read_accounts(crm: Crm, given: Any) -> list[tuple[int, bool]]:
    """`sales_accounts`: rows `{id, is_primary}` that replace the contact's links; exactly one is primary.

    400 "The type for sales_accounts is invalid." for another shape (section 15, live).
    """
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(item, dict) and "id" in item for item in given):
        raise wrong_type("sales_accounts")
    found = {}
    for item in given:
        if item.get("_destroy") in (True, "true"):
            continue
        key = record_of(crm, "sales_account", item["id"], "Account")
        found[key] = item.get("is_primary") in (True, "true")
    primary = next((key for key, flag in found.items() if flag), next(iter(found), None))
    return [(key, key == primary) for key in found]
