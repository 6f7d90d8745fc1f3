"""`?include=a,b`: related rows as sibling arrays, and the ids that only show with them (fact sheet sections 3 to 5)."""

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import QueryParams

from connectors.freshsales.sandbox.activityrows import KINDS, render_activity, targetable
from connectors.freshsales.sandbox.answers import Json
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.render import account_brief, lines_of, render, thin, user_row
from connectors.freshsales.sandbox.store import Row

# include name -> (id field it reveals, key of the sibling array)
_LISTS = {
    "source": ("lead_source_id", "lead_sources"), "campaign": ("campaign_id", "campaigns"),
    "territory": ("territory_id", "territories"), "contact_status": ("contact_status_id", "contact_statuses"),
    "deal_stage": ("deal_stage_id", "deal_stages"), "deal_type": ("deal_type_id", "deal_types"),
    "deal_reason": ("deal_reason_id", "deal_reasons"), "currency": ("currency_id", "currencies"),
    "deal_payment_status": ("deal_payment_status_id", "deal_payment_statuses"),
    "deal_product": ("deal_product_id", "deal_products"), "business_type": ("business_type_id", "business_types"),
    "industry_type": ("industry_type_id", "industry_types"),
}  # fmt: skip
_ACTIVITIES = {f"{kind}s": kind for kind in ("note", "task", "appointment")} | {"sales_activities": "sales_activity"}
_RECORDS = {
    ("contact", "deals"): ("deal", "deal_contact"), ("sales_account", "deals"): ("deal", "deal_account"),
    ("sales_account", "contacts"): ("contact", "contact_account"),
    ("sales_account", "child_sales_accounts"): ("sales_account", "account_parent"),
}  # fmt: skip


def asked(query: QueryParams) -> list[str]:
    """Names asked for: a comma list, also with the parameter repeated (section 3)."""
    return [name.strip() for text in query.getlist("include") for name in text.split(",") if name.strip()]


class Sideloads:
    """Collects the sibling arrays of one answer."""

    def __init__(self, crm: Crm, names: Iterable[str]) -> None:
        self._crm = crm
        self._names = list(dict.fromkeys(names))
        self._found: dict[str, dict[int, Json]] = {}

    def add(self, row: Row, shown: Json) -> Json:
        """Completes `shown` and remembers what belongs beside it; unknown names are ignored."""
        for name in self._names:
            if name in ("owner", "creater", "updater"):
                self._user(row, shown, name)
            elif name in _LISTS:
                self._listed(row, shown, *_LISTS[name])
            elif name in _ACTIVITIES:
                self._activities(row, shown, name, _ACTIVITIES[name])
            else:
                self._records(row, shown, name)
        return shown

    def arrays(self) -> Json:
        """Every asked array, also an empty one."""
        return {key: list(rows.values()) for key, rows in self._found.items()}

    def _put(self, key: str, rows: Iterable[Json]) -> list[int]:
        kept = self._found.setdefault(key, {})
        ids = []
        for row in rows:
            kept[row["id"]] = row
            ids.append(row["id"])
        return ids

    def _user(self, row: Row, shown: Json, name: str) -> None:
        user_id = {"owner": row.owner, "creater": row.creator, "updater": row.updater}[name]
        user = self._crm.book.rows["users"].get(user_id or 0)
        self._put("users", [user_row(user)] if user else [])
        shown[f"{name}_id"] = user_id

    def _listed(self, row: Row, shown: Json, field: str, kind: str) -> None:
        value = row.data.get(field)
        shown[field] = value
        found = self._crm.book.rows[kind].get(value or 0)
        self._put(kind, [found] if found else [])

    def _activities(self, row: Row, shown: Json, name: str, kind: str) -> None:
        found = self._crm.store.targeting(row.id, kind)
        bodies = [{**render_activity(self._crm, each), "targetable": targetable(each)} for each in found]
        shown[f"{KINDS[kind]}_ids" if kind == "sales_activity" else f"{kind}_ids"] = self._put(name, bodies)

    def _records(self, row: Row, shown: Json, name: str) -> None:
        crm = self._crm
        if (row.module, name) in _RECORDS:
            module, link = _RECORDS[row.module, name]
            ids = crm.store.linking(link, row.id)
            key = "sales_accounts" if module == "sales_account" else name
            shown[f"{name[:-1]}_ids"] = self._put(key, [render(crm, each) for each in crm.store.live(module, ids)])
        elif row.module == "contact" and name == "sales_accounts":
            shown["sales_accounts"] = accounts_of(crm, row)
        elif row.module == "deal" and name == "contacts":
            ids = [key for key, _ in crm.store.linked("deal_contact", row.id)]
            shown["contact_ids"] = self._put("contacts", [thin(crm, each) for each in crm.store.live("contact", ids)])
        elif row.module == "deal" and name == "sales_account":
            ids = [key for key, _ in crm.store.linked("deal_account", row.id)]
            briefs = [account_brief(each, primary=True) for each in crm.store.live("sales_account", ids)]
            shown["sales_account_id"] = next(iter(self._put("sales_accounts", briefs)), None)
        elif row.module == "deal" and name == "products":
            shown["products"] = lines_of(crm, row)


def accounts_of(crm: Crm, row: Row) -> list[Json]:
    """The accounts of a contact, the primary one first."""
    flags: dict[int, Any] = dict(crm.store.linked("contact_account", row.id))
    rows = {each.id: each for each in crm.store.live("sales_account", flags)}
    return [account_brief(rows[key], primary=flag) for key, flag in flags.items()]
