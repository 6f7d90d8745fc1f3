"""A Freshsales account seen from outside, with a client of the tests' own: records by former id, values by label.

Nothing here uses a connector of the product or a sandbox's private paths.
"""

from collections.abc import Mapping
from typing import Any

import httpx

_PAGE = 100
_VIEWS = {
    "contacts": ("All Contacts",),
    "sales_accounts": ("All Accounts",),
    "deals": ("Open Deals", "Won Deals", "Lost Deals"),
}
_INCLUDES = {
    "contacts": "owner,sales_accounts,source,contact_status",
    "sales_accounts": "owner",
    "deals": "owner,sales_account,contacts,source,deal_type,deal_reason",
}
_KEYS = {"contacts": "external_id"}
Row = dict[str, Any]


class Freshsales:
    """Modules by the plural name of the API (`contacts`, `cm_work_order`), fields by label.

    A record shows standard fields by API name and custom ones by label; dropdowns hold the names of their choices,
    `email` is the primary address, `sales_account` and `contacts` hold the ids of what is linked.
    """

    key_label = "Source System ID"

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=f"{url}/crm/sales/api", timeout=60, verify=False)
        self._fields: dict[str, list[Row]] = {}
        self._records: dict[str, dict[str, Row]] = {}
        self._users: dict[str, str] = {}

    async def sign_in(self) -> None:
        """Starts anew: what was read before is forgotten."""
        self._http.headers["Authorization"] = "Token token=sandbox-key"
        self._fields.clear()
        self._records.clear()
        users = (await self.get("/selector/owners"))["users"]
        self._users = {str(one["id"]): str(one["email"]) for one in users}

    async def get(self, path: str, **params: str) -> Row:
        answer = await self._http.get(path, params=params)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        found: Row = answer.json()
        return found

    async def send(self, method: str, path: str, body: Mapping[str, Any]) -> Row:
        answer = await self._http.request(method, path, json=body)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.text[:300])
        found: Row = answer.json()
        return found

    async def fields(self, module: str) -> list[Row]:
        """The module's fields as the account describes them, with choices."""
        if module not in self._fields:
            if module.startswith("cm_"):
                forms = (await self.get(f"/settings/{module}/forms"))["forms"]
                self._fields[module] = [field for form in forms for part in form["fields"] for field in part["fields"]]
            else:
                self._fields[module] = (await self.get(f"/settings/{module}/fields"))["fields"]
        return self._fields[module]

    async def records(self, module: str) -> dict[str, Row]:
        """All live records of a module that carry a former id, by that id."""
        if module not in self._records:
            labelled = [await self._labelled(module, row) for row in await self.rows(module)]
            self._records[module] = {str(row[self.key_label]): row for row in labelled if row.get(self.key_label)}
        return self._records[module]

    async def rows(self, module: str) -> list[Row]:
        """All live records as the API shows them."""
        if module == "products":
            return await self._paged("/cpq/products", "products", include="product_pricings")
        path = f"/custom_module/{module}" if module.startswith("cm_") else f"/{module}"
        views = {one["name"]: str(one["id"]) for one in (await self.get(f"{path}/filters"))["filters"]}
        names = _VIEWS.get(module) or tuple(name for name in views if name.startswith("All "))
        rows: list[Row] = []
        for name in names:
            rows += await self._paged(f"{path}/view/{views[name]}", module, include=_INCLUDES.get(module, "owner"))
        return rows

    async def _paged(self, path: str, key: str, **params: str) -> list[Row]:
        rows: list[Row] = []
        page = 1
        while True:
            found = await self.get(path, page=str(page), per_page=str(_PAGE), **params)
            rows += found[key]
            if len(found[key]) < _PAGE:
                return rows
            page += 1

    async def _labelled(self, module: str, row: Row) -> Row:
        values = {**row, **(row.get("custom_field") or {})}
        shown: Row = {"id": str(row["id"])}
        for field in await self.fields(module):
            value = values.get(field["name"])
            if str(field["name"]).startswith("cf_"):
                shown[field["label"]] = value
            else:
                shown[field["name"]] = value if field["name"] == "owner_id" else _chosen(field, value)
        shown |= {"owner_id": row.get("owner_id"), "email": row.get("email")}
        if module == "leads":
            shown["company_name"] = (row.get("company") or {}).get("name")
        if module in ("contacts", "deals"):
            shown["sales_account"] = _account(row)
        if module == "deals":
            shown["contacts"] = row.get("contact_ids")
        if module in _KEYS:
            shown[self.key_label] = row.get(_KEYS[module])
        if row.get("product_pricings"):
            shown["unit_price"] = row["product_pricings"][0]["unit_price"]
        return shown

    def reference(self, value: Any) -> str | None:
        """The id in a lookup's value."""
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if isinstance(value, dict):
            value = value.get("id")
        return None if value is None else str(value)

    def person(self, value: Any) -> str | None:
        """The address of the user whose id stands in a field."""
        return self._users.get(str(value))

    async def notes(self, module: str, record_id: str) -> list[str]:
        """The texts of a record's notes, the oldest first."""
        rows = await self._paged(f"/{module}/{record_id}/notes", "notes")
        return [str(one["description"]) for one in sorted(rows, key=lambda one: int(one["id"]))]

    async def activities(self, kind: str, module: str, record_id: str) -> list[Row]:
        """Tasks or appointments of a record."""
        found = await self.get(f"/{module}/{record_id}", include=kind)
        return sorted(found.get(kind, []), key=lambda one: int(one["id"]))

    async def files(self, module: str, record_id: str) -> dict[str, Row]:
        """The record's files and links by name."""
        found = await self.get(f"/{module}/{record_id}/document_associations")
        return {str(one["name"]): one for one in (*found["documents"], *found["document_links"])}

    async def close(self) -> None:
        await self._http.aclose()


def _chosen(field: Mapping[str, Any], value: Any) -> Any:
    """A system dropdown's value by the name of its choice."""
    if field["type"] not in ("dropdown", "radio") or value is None:
        return value
    names = {str(one["id"]): one["value"] for one in field.get("choices") or ()}
    return names.get(str(value), value)


def _account(row: Mapping[str, Any]) -> Any:
    accounts = row.get("sales_accounts")
    if isinstance(accounts, list):
        return next((one["id"] for one in accounts if one.get("is_primary")), None)
    return row.get("sales_account_id")
