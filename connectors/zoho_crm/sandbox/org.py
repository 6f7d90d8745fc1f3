"""Org, users, roles, profiles and feature limits (Zoho fact sheet section 5)."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import (
    ItemProblem,
    Json,
    Refusal,
    bad_param,
    batch_reply,
    invalid,
    reply,
    success,
)
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.editions import UNIQUE_FIELDS_PER_MODULE
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.paging import number
from connectors.zoho_crm.sandbox.people import ORG_ZGID, User
from connectors.zoho_crm.sandbox.provision import unique_used
from connectors.zoho_crm.sandbox.schema import Module
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.values import as_id

_ADMIN = "Administrator"


async def get_org(crm: Crm, _: Request) -> Response:
    """GET /org: the edition stands in `license_details.paid_type`."""
    admin = crm.people.admin
    org: Json = {
        "id": str(admin.id - 1_000), "zgid": ORG_ZGID, "company_name": "Example Field Services", "country": "US",
        "country_code": "US", "currency": "US Dollar", "iso_code": crm.options.currency, "currency_symbol": "$",
        "currency_locale": "en_US", "time_zone": crm.options.time_zone, "primary_email": admin.email,
        "primary_zuid": admin.zuid, "domain_name": "org700012345", "type": "production", "mc_status": False,
        "privacy_settings": False, "hipaa_compliance_enabled": False,
        "license_details": {
            "paid": crm.edition.paid_type != "free", "paid_type": crm.edition.paid_type, "paid_expiry": None,
            "trial_type": None, "trial_expiry": None, "users_license_purchased": crm.options.licences,
            "portal_users_license_purchased": 0,
        },
    }  # fmt: skip
    return reply(200, {"org": [org]})


def _shown_user(crm: Crm, user: User) -> Json:
    people = crm.people
    return {
        "id": str(user.id), "full_name": user.full_name, "first_name": user.first_name, "last_name": user.last_name,
        "email": user.email, "zuid": user.zuid, "status": user.status, "confirm": user.confirmed,
        "role": {"id": str(user.role), "name": people.roles[user.role]},
        "profile": {"id": str(user.profile), "name": people.profiles[user.profile]},
        "time_zone": crm.options.time_zone, "locale": "en_US", "language": "en_US", "country": "US",
        "created_time": shown_seconds(user.created, crm.zone), "type__s": "Regular User",
    }  # fmt: skip


def _types(crm: Crm) -> dict[str, Callable[[User], bool]]:
    admin = next(key for key, name in crm.people.profiles.items() if name == _ADMIN)
    return {
        "AllUsers": lambda u: u.status != "deleted",
        "ActiveUsers": lambda u: u.status == "active",
        "DeactiveUsers": lambda u: u.status == "inactive",
        "ConfirmedUsers": lambda u: u.confirmed and u.status != "deleted",
        "NotConfirmedUsers": lambda u: not u.confirmed and u.status != "deleted",
        "DeletedUsers": lambda u: u.status == "deleted",
        "ActiveConfirmedUsers": lambda u: u.status == "active" and u.confirmed,
        "AdminUsers": lambda u: u.profile == admin and u.status != "deleted",
        "ActiveConfirmedAdmins": lambda u: u.profile == admin and u.status == "active" and u.confirmed,
        "CurrentUser": lambda u: u.id == crm.people.admin.id,
    }


async def list_users(crm: Crm, request: Request) -> Response:
    """GET /users?type=&page=&per_page=, 204 when nobody fits."""
    params = request.query_params
    fits = _types(crm).get(params.get("type", "AllUsers"))
    if fits is None:
        raise bad_param("type")
    size, page = number(params, "per_page", 200, most=200), number(params, "page", 1)
    users = [user for user in sorted(crm.people.users.values(), key=lambda u: u.id) if fits(user)]
    shown = users[(page - 1) * size : page * size]
    if not shown:
        return reply(204)
    info = {"per_page": size, "count": len(shown), "page": page, "more_records": len(users) > page * size}
    return reply(200, {"users": [_shown_user(crm, user) for user in shown], "info": info})


async def get_user(crm: Crm, request: Request) -> Response:
    """GET /users/{id}."""
    user = crm.people.users.get(as_id(request.path_params["id"]) or 0)
    return reply(204) if user is None else reply(200, {"users": [_shown_user(crm, user)]})


async def create_user(crm: Crm, request: Request) -> Response:
    """POST /users: one per call, invited and not confirmed yet; licences are limited."""
    items = json_object(request.scope).get("users")
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "users", "maximum_length": 1})
    try:
        user = _created(crm, items[0])
    except ItemProblem as refused:
        return reply(400, {"users": [refused.body()]})
    return reply(201, {"users": [success("User added", {"id": str(user.id)})]})


def _created(crm: Crm, item: Json) -> User:
    for name in ("last_name", "email", "role", "profile"):
        if not item.get(name):
            details = {"api_name": name, "json_path": f"$.users[0].{name}"}
            raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
    role, profile = _named_id(item["role"]), _named_id(item["profile"])
    if role not in crm.people.roles:
        raise invalid("role", "$.users[0].role", message="the id given seems to be invalid")
    if profile not in crm.people.profiles:
        raise invalid("profile", "$.users[0].profile", message="the id given seems to be invalid")
    email = item["email"]
    if not isinstance(email, str) or "@" not in email or len(email) > 100:
        raise invalid("email", "$.users[0].email", expected_data_type="email")
    if crm.people.by_email(email) is not None:
        raise ItemProblem("DUPLICATE_DATA", "duplicate data", {"api_name": "email", "json_path": "$.users[0].email"})
    if crm.people.active_count() >= crm.options.licences:
        raise ItemProblem(
            "LICENSE_LIMIT_EXCEEDED", "Request exceeds your license limit", {"limit": crm.options.licences}
        )
    first = str(item.get("first_name") or "")
    return crm.people.add(first, str(item["last_name"]), email, role, profile, confirmed=False)


def _named_id(value: Any) -> int:
    return as_id(value.get("id") if isinstance(value, dict) else value) or 0


async def update_user(crm: Crm, request: Request) -> Response:
    """PUT /users/{id}: names and status."""
    items = json_object(request.scope).get("users")
    user = crm.people.users.get(as_id(request.path_params["id"]) or 0)
    if user is None or not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    change = items[0]
    user.first_name = str(change.get("first_name", user.first_name))
    user.last_name = str(change.get("last_name", user.last_name))
    if change.get("status") in ("active", "inactive"):
        user.status = change["status"]
    crm.people.save(user)
    return reply(200, {"users": [success("User updated", {"id": str(user.id)})]})


async def delete_user(crm: Crm, request: Request) -> Response:
    """DELETE /users/{id}."""
    user = crm.people.users.get(as_id(request.path_params["id"]) or 0)
    if user is None or user.id == crm.people.admin.id:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    user.status = "deleted"
    crm.people.save(user)
    return batch_reply("users", [success("User deleted", {"id": str(user.id)})])


async def list_profiles(crm: Crm, _: Request) -> Response:
    """GET /settings/profiles."""
    profiles = [
        {"id": str(key), "name": name, "display_label": name, "category": False, "custom": False, "description": None}
        for key, name in crm.people.profiles.items()
    ]
    return reply(200, {"profiles": profiles})


async def list_roles(crm: Crm, _: Request) -> Response:
    """GET /settings/roles."""
    top = next(iter(crm.people.roles))
    roles = [
        {
            "id": str(key), "name": name, "display_label": name, "share_with_peers": True, "description": None,
            "reporting_to": None if key == top else {"id": str(top), "name": crm.people.roles[top]},
            "admin_user": key == top,
        }
        for key, name in crm.people.roles.items()
    ]  # fmt: skip
    return reply(200, {"roles": roles})


def _features(crm: Crm, module: Module | None) -> dict[str, tuple[str, int, int]]:
    """Label, limit and use per feature; per-module features only with a module."""
    custom = sum(each.kind == "custom" for each in crm.schema.modules.values())
    modules = crm.options.custom_modules_cap or crm.edition.custom_modules
    found = {
        "custommodule": ("Custom Modules", modules, custom),
        "user_licenses": ("User Licenses", crm.options.licences, crm.people.active_count()),
    }
    if module is not None:
        fields = crm.options.custom_fields_cap or crm.edition.custom_fields
        used = sum(item.custom for item in module.fields.values())
        external = sum(item.external is not None for item in module.fields.values())
        found["custom_field"] = ("Custom Fields", fields, used)
        found["unique_field"] = ("Unique Fields", UNIQUE_FIELDS_PER_MODULE, unique_used(crm, module))
        found["external_field"] = ("External Fields", 0 if module.api_name == "Calls" else 2, external)
    return found


def _shown_feature(name: str, label: str, limit: int, used: int, *, per_module: bool) -> Json:
    details = {
        "available_count": {"total": max(0, limit - used)},
        "limits": {"total": limit, "edition_limit": limit},
        "used_count": {"total": used},
    }
    return {
        "api_name": name, "parent_feature": None, "details": details, "components": [], "module_supported": per_module,
        "feature_label": label,
    }  # fmt: skip


async def features(crm: Crm, request: Request) -> Response:
    """GET /__features?module=&api_names= and GET /__features/{name}: limits and use in this org."""
    params = request.query_params
    module = crm.schema.module(params["module"]) if params.get("module") else None
    known = _features(crm, module)
    asked = request.path_params.get("feature") or params.get("api_names")
    names = [name.strip() for name in asked.split(",")] if asked else list(known)
    single = ("custommodule", "user_licenses")
    shown = [_shown_feature(n, *known[n], per_module=n not in single) for n in names if n in known]
    if not shown:
        return reply(204)
    info = {"per_page": 200, "count": len(shown), "page": 1, "more_records": False}
    return reply(200, {"__features": shown, "info": info})
