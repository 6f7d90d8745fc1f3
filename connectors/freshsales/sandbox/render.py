"""Records as the API shows them: the full form of GET and the thin form of search (fact sheet sections 3 to 6, 10)."""

from decimal import Decimal
from typing import Any

from connectors.freshsales.sandbox.answers import Json
from connectors.freshsales.sandbox.contactparts import primary_email
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.dealparts import shown_line
from connectors.freshsales.sandbox.schema import PLURALS
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.times import shown
from connectors.freshsales.sandbox.values import money

# 19 digits, above what a float can hold (section 1)
MCR_OFFSET = 7_000_000_000_000_000_000
RECORD_TYPE_ID = "71010794476"
_LINK_NAMES = (
    "conversations", "timeline_feeds", "document_associations", "notes", "tasks", "appointments", "reminders",
    "duplicates", "connections",
)  # fmt: skip
_CONTACT_TEXTS = (
    "first_name", "last_name", "job_title", "city", "state", "zipcode", "country", "time_zone", "work_number",
    "mobile_number", "address", "keyword", "medium", "facebook", "twitter", "linkedin", "external_id", "work_email",
    "subscription_status", "subscription_types", "unsubscription_reason", "other_unsubscription_reason",
    "whatsapp_subscription_status", "sms_subscription_status", "locale", "first_campaign", "first_medium",
    "first_source", "last_campaign", "last_medium", "last_source", "latest_campaign", "latest_medium", "latest_source",
)  # fmt: skip
_CONTACT_EMPTY = (
    "avatar", "last_seen", "last_contacted", "last_contacted_sales_activity_mode", "last_contacted_mode",
    "last_contacted_via_sales_activity", "completed_sales_sequences", "active_sales_sequences", "web_form_ids",
    "last_assigned_at", "last_seen_chat", "first_seen_chat",
)  # fmt: skip
_ACCOUNT_TEXTS = (
    "name", "address", "city", "state", "zipcode", "country", "number_of_employees", "annual_revenue", "website",
    "phone", "facebook", "twitter", "linkedin", "parent_sales_account_id", "industry_type_id", "business_type_id",
    "territory_id",
)  # fmt: skip
_ACCOUNT_EMPTY = (
    "last_contacted", "last_contacted_mode", "avatar", "last_contacted_via_sales_activity",
    "last_contacted_sales_activity_mode", "completed_sales_sequences", "active_sales_sequences", "last_assigned_at",
    "web_form_ids",
)  # fmt: skip
_DEAL_EMPTY = (
    "completed_sales_sequences", "active_sales_sequences", "web_form_id", "upcoming_activities_time",
    "last_assigned_at",
    "last_contacted_sales_activity_mode", "last_contacted_via_sales_activity", "avatar", "deal_prediction",
    "deal_prediction_last_updated_at", "freddy_forecast_metrics", "last_deal_prediction", "rotten_days",
)  # fmt: skip
_LEAD_TEXTS = (
    "first_name", "last_name", "job_title", "department", "work_number", "mobile_number", "address", "city", "state",
    "zipcode", "country", "time_zone", "facebook", "twitter", "linkedin", "keyword", "medium", "lead_stage_id",
    "lead_reason_id", "lead_source_id", "campaign_id", "territory_id", "lead_quality", "has_authority",
    "do_not_disturb", "company", "deal",
)  # fmt: skip


def render(crm: Crm, row: Row) -> Json:
    """The body of GET for a record of any module that views list."""
    match row.module:
        case "contact":
            return _contact(crm, row)
        case "sales_account":
            return _account(crm, row)
        case "deal":
            return _deal(crm, row)
        case "lead":
            return _lead(crm, row)
        case _:
            return _custom(crm, row)


def _custom_values(crm: Crm, row: Row) -> Json:
    """All custom fields of the module, null where nothing is set; date-times carry the account's offset."""
    given = row.data.get("custom_field", {})
    found: Json = {}
    for name, field in crm.schema.modules[row.module].fields.items():
        if field.custom:
            value = given.get(name)
            found[name] = shown(value, crm.zone) if field.type == "date_time_split" and value else value
    return found


def _base(crm: Crm, row: Row) -> Json:
    path = PLURALS.get(row.module, f"custom_module/{row.module}")
    return {
        "id": row.id,
        "links": {name: f"/crm/sales/{path}/{row.id}/{name}" for name in _LINK_NAMES},
        "custom_field": _custom_values(crm, row),
        "created_at": crm.when(row.created), "updated_at": crm.when(row.updated),
        "recent_note": crm.store.last_note(row.id), "is_deleted": row.deleted,
        "team_user_ids": row.data.get("team_user_ids"), "tags": row.data.get("tags") or [],
    }  # fmt: skip


def _deal_sums(crm: Crm, kind: str, key: int) -> Json:
    """Open and won deals of a contact or account; sums are money texts (section 1)."""
    amounts = {"Open": Decimal(0), "Closed Won": Decimal(0), "Closed Lost": Decimal(0)}
    counts = dict.fromkeys(amounts, 0)
    ids = crm.store.linking(kind, key)
    for deal in crm.store.live("deal", ids) if ids else []:
        facet = deal.facet or "Open"
        amounts[facet] += Decimal(deal.data.get("amount") or 0)
        counts[facet] += 1
    return {
        "open_deals_amount": money(amounts["Open"]), "open_deals_count": counts["Open"],
        "won_deals_amount": money(amounts["Closed Won"]), "won_deals_count": counts["Closed Won"],
    }  # fmt: skip


def _contact(crm: Crm, row: Row) -> Json:
    data, emails = row.data, row.data.get("emails", [])
    lifecycle = crm.options.lifecycle_on_get == "value"
    return {
        **dict.fromkeys(_CONTACT_EMPTY), **{name: data.get(name) for name in _CONTACT_TEXTS}, **_base(crm, row),
        **_deal_sums(crm, "deal_contact", row.id),
        "display_name": row.name, "email": primary_email(emails),
        "emails": [{**item, "_destroy": False} for item in emails],
        "phone_numbers": [{**item, "_destroy": False} for item in data.get("phone_numbers", [])],
        "lead_score": 0, "customer_fit": 0, "total_sessions": None, "system_tags": [],
        "mcr_id": MCR_OFFSET + row.id, "record_type_id": RECORD_TYPE_ID,
        "lifecycle_stage_id": data.get("lifecycle_stage_id") if lifecycle else None,
        "contact_status_id": data.get("contact_status_id") if lifecycle else None,
    }  # fmt: skip


def _account(crm: Crm, row: Row) -> Json:
    return {
        **dict.fromkeys(_ACCOUNT_EMPTY), **{name: row.data.get(name) for name in _ACCOUNT_TEXTS}, **_base(crm, row),
        **_deal_sums(crm, "deal_account", row.id),
        "owner_id": row.owner, "record_type_id": RECORD_TYPE_ID, "has_connections": False,
    }  # fmt: skip


def _deal(crm: Crm, row: Row) -> Json:
    data = row.data
    amount = Decimal(data.get("amount") or 0)
    currency = crm.book.rows["currencies"].get(data.get("currency_id") or 0) or crm.book.first("currencies")
    probability = data.get("probability") or 0
    return {
        **dict.fromkeys(_DEAL_EMPTY), **_base(crm, row),
        "name": data.get("name"), "amount": money(amount),
        "base_currency_amount": money((amount / Decimal(currency["exchange_rate"])).quantize(Decimal("0.01"))),
        "expected_close": data.get("expected_close"), "closed_date": data.get("closed_date"),
        "stage_updated_time": shown(data.get("stage_updated_time"), crm.zone), "probability": probability,
        "deal_pipeline_id": data.get("deal_pipeline_id"), "deal_stage_id": data.get("deal_stage_id"),
        "age": (crm.now() - row.created) // 86_400, "collaboration": {},
        "expected_deal_value": money((amount * Decimal(str(probability)) / 100).quantize(Decimal("0.01"))),
        "fc_widget_collaboration": {"convo_token": "sandbox", "auth_token": "sandbox", "encoded_jwt_token": "sandbox"},
        "forecast_category": data.get("forecast_category"), "has_products": bool(data.get("products")),
        "record_type_id": RECORD_TYPE_ID,
    }  # fmt: skip


def lines_of(crm: Crm, row: Row) -> list[Json]:
    return [shown_line(crm, row.id, line) for line in row.data.get("products", [])]


def _lead(crm: Crm, row: Row) -> Json:
    emails = row.data.get("emails", [])
    return {
        **{name: row.data.get(name) for name in _LEAD_TEXTS}, **_base(crm, row), "display_name": row.name,
        "email": primary_email(emails), "emails": [{**item, "_destroy": False} for item in emails], "lead_score": 0,
    }  # fmt: skip


def _custom(crm: Crm, row: Row) -> Json:
    """A custom module's record; its creator is `creator_id`, unlike elsewhere (section 11)."""
    base = _base(crm, row)
    return {
        "id": row.id, "name": row.name, "owner_id": row.owner, "custom_field": base["custom_field"],
        "created_at": base["created_at"], "updated_at": base["updated_at"], "creator_id": row.creator,
        "updater_id": row.updater, "avatar": None, "recent_note": base["recent_note"], "links": base["links"],
        "record_type_id": RECORD_TYPE_ID, "is_deleted": row.deleted,
    }  # fmt: skip


def account_brief(row: Row, *, primary: bool) -> Json:
    """An account inside a contact (section 3)."""
    return {
        "id": row.id, "name": row.name, "avatar": None, "website": row.data.get("website"), "is_primary": primary,
        "partial": True, "record_type_id": RECORD_TYPE_ID,
    }  # fmt: skip


def thin(crm: Crm, row: Row) -> Json:
    """A row of filtered_search: no custom fields; deals without pipeline, stage and owner (section 10)."""
    found: Json = {
        "partial": True, "id": row.id, "created_at": crm.when(row.created), "updated_at": crm.when(row.updated),
    }  # fmt: skip
    if row.module in ("contact", "lead"):
        emails = row.data.get("emails", [])
        return {
            **found, "first_name": row.data.get("first_name"), "last_name": row.data.get("last_name"),
            "display_name": row.name, "email": primary_email(emails), "emails": emails,
            "job_title": row.data.get("job_title"), "mobile_number": row.data.get("mobile_number"),
            "work_number": row.data.get("work_number"), "city": row.data.get("city"),
            "country": row.data.get("country"), "external_id": row.data.get("external_id"),
        }  # fmt: skip
    if row.module == "sales_account":
        return {**found, "name": row.name, "website": row.data.get("website"), "phone": row.data.get("phone")}
    if row.module == "deal":
        return {**found, "name": row.name, "amount": row.data.get("amount"),
                "expected_close": row.data.get("expected_close")}  # fmt: skip
    return {**found, "name": row.name}


def user_row(user: Json) -> Json:
    """A user in a sideload."""
    names: tuple[str, ...] = ("id", "display_name", "email", "is_active", "work_number", "mobile_number")
    return {name: user[name] for name in names}


def plain(row: Json, *hidden: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in hidden}
