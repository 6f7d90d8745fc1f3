"""What the demo has to know of each stand-in: its keys, where a connection leads, and its administrator's hand.

The service learns none of this; it is what a client types into a form, and what a person clicks in the vendor's pages.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Action = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StandIn:
    """One platform. `urls` are the members of `config` that hold the base URL, `config` and `options` further settings
    of the connection and of the stand-in. `modules` leads from the names the service writes to those the stand-in's
    dump uses, where they differ; `beside` are records that the vendor makes beside ours and that no call can read or
    delete. `admin` makes actions of a change that the API could not make. `client` is the object of clients, where
    `/_sandbox/dump` lists them; `client_entry` makes the action by which a person enters a client under a former id
    and a name. `key_field` is the name of the field by which records are found again.
    """

    credentials: Mapping[str, str]
    urls: tuple[str, ...] = ("base_url",)
    edition: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    admin: Callable[[Mapping[str, Any]], list[Action]] = lambda _change: []
    client: str = ""
    client_entry: Callable[[str, str], Action] | None = None
    key_field: str = ""

    def connection(self, url: str) -> dict[str, Any]:
        """The body of a connection that leads to `url`."""
        return {"config": {**dict.fromkeys(self.urls, url), **self.config}, "credentials": dict(self.credentials)}


_SELECTORS = {
    "lead_source_id": "lead_sources",
    "deal_type_id": "deal_types",
    "deal_reason_id": "deal_reasons",
    "deal_payment_status_id": "deal_payment_statuses",
    "industry_type_id": "industry_types",
    "business_type_id": "business_types",
    "territory_id": "territories",
    "campaign_id": "campaigns",
    "lost_reason_id": "lost_reasons",
}
_SINGULAR = {
    "contacts": "contact",
    "sales_accounts": "sales_account",
    "deals": "deal",
    "products": "product",
    "tasks": "task",
    "appointments": "appointment",
    "sales_activities": "sales_activity",
    "notes": "note",
    "phone_calls": "note",
    "documents": "file",
    "deal_products": "deal_product",
}


def _freshsales_admin(result: Mapping[str, Any]) -> list[Action]:
    """Options of system dropdowns, stages and unique flags, as the pages of the account offer them."""
    change, attributes = result["change"], result["change"]["attributes"]
    if result.get("advice") and result.get("api_name"):
        module = _SINGULAR.get(change["object"], change["object"])
        return [{"action": "set_unique", "module": module, "field": result["api_name"]}]
    if change["kind"] == "stages":
        if attributes.get("new"):
            stages = [
                [one["name"], one.get("probability") or 0, one.get("forecast") or "Open"]
                for one in attributes["stages"]
            ]
            return [{"action": "create_pipeline", "name": attributes["pipeline"], "stages": stages}]
        return [
            {
                "action": "create_stage",
                "pipeline": attributes.get("pipeline") or None,
                "name": stage["name"],
                "probability": stage.get("probability") or 0,
                "forecast_type": stage.get("forecast") or "Open",
            }
            for stage in attributes["stages"]
        ]
    if change["kind"] != "picklist_values":
        return []
    return [action for value in attributes["picklist"] if (action := _option(change["name"], value))]


def _option(name: str, value: str) -> Action | None:
    if name in _SELECTORS:
        return {"action": "create_row", "selector": _SELECTORS[name], "name": value}
    if name == "deal_pipeline_id":
        return {"action": "create_pipeline", "name": value, "stages": [["New", 10, "Open"]]}
    if name == "lifecycle_stage_id":
        return {"action": "create_lifecycle_stage", "name": value}
    if name == "contact_status_id":
        return {"action": "create_contact_status", "name": value, "lifecycle_stage": "Customer"}
    return {"action": "create_activity_type", "name": value} if name == "sales_activity_type_id" else None


def _zoho_client(former: str, name: str) -> Action:
    values = {"Account_Name": name, "Description": f"About {name}", "Employees": 12, "Source_System_ID": former}
    return {"action": "create_record", "module": "Accounts", "values": values}


def _freshsales_client(former: str, name: str) -> Action:
    values = {"name": name, "website": "https://example.com", "custom_field": {"cf_source_system_id": former}}
    return {"action": "create_record", "module": "sales_account", "values": values}


STAND_INS: Mapping[str, StandIn] = {
    "servicetracker": StandIn({"client_id": "sandbox-client", "client_secret": "sandbox-secret"}, client="Account"),
    # An export: its stamps carry no offset, so a person names the account's zone.
    "octopuspro": StandIn({}, urls=(), config={"timezone": "Australia/Sydney"}),
    "zoho_crm": StandIn(
        {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"},
        urls=("base_url", "accounts_url", "upload_url"),
        edition="enterprise",
        client_entry=_zoho_client,
        key_field="Source_System_ID",
    ),
    # Nobody waits for an hour to turn in a demo: the account's window is a few seconds there (ruling 11).
    "freshsales": StandIn(
        {"api_key": "sandbox-key"},
        edition="enterprise",
        config={"quota_window": 10, "job_poll_seconds": 0.1},
        options={"quota_window": "10", "job_seconds": "0.2"},
        modules=_SINGULAR,
        beside=frozenset({"phone_call"}),  # the log of a call, whose note is ours
        admin=_freshsales_admin,
        client_entry=_freshsales_client,
        key_field="cf_source_system_id",
    ),
}


def has_server(slug: str) -> bool:
    """Whether the platform has a stand-in that serves its API; the others are read from uploaded exports."""
    return slug in STAND_INS and importlib.util.find_spec(f"connectors.{slug}.sandbox") is not None


def has_export(slug: str) -> bool:
    """Whether an export of the platform can be generated."""
    return importlib.util.find_spec(f"connectors.{slug}.generator") is not None
