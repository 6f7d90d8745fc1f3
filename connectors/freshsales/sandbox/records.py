"""Contacts, accounts, deals, leads and custom-module records: create, read, change, clone, delete, forget.

Freshsales fact sheet sections 2 (calls), 11 (custom modules) and 17 (recycle bin).
"""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, bad, empty, not_found, reply, wrong_type
from connectors.freshsales.sandbox.contactparts import primary_email
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.includes import Sideloads, accounts_of, asked
from connectors.freshsales.sandbox.render import lines_of, render
from connectors.freshsales.sandbox.schema import Module
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.unlucky import refuse_unlucky
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.writer import Writer, read_body

BULK_LIMIT = 100  # section 10; the limit of the other bulk calls is unverified
_CRM_MODULES = ("contacts", "sales_accounts", "deals")


def module_of(crm: Crm, request: Request) -> Module:
    """The module of the path; leads exist on the classic suite only (section 3)."""
    if "entity" in request.path_params:
        module = crm.schema.modules.get(request.path_params["entity"])
        if module is None or module.custom is None:
            raise not_found()
        return module
    plural = request.path_params["plural"]
    if plural not in _CRM_MODULES and not (plural == "leads" and crm.options.classic):
        raise not_found()
    return crm.schema.by_plural(plural)


def row_of(crm: Crm, module: Module, text: Any, *, with_bin: bool = False) -> Row:
    """A live record by the id in the path; 404 otherwise."""
    row = crm.store.row(module.name, as_id(text) or 0)
    if row is None or (row.deleted and not with_bin):
        raise not_found()
    return row


def answer(crm: Crm, module: Module, row: Row, names: list[str], *, lines: bool = False) -> Json:
    """`{"<singular>": {...}, sideloads..., "meta": null}` (section 2)."""
    side = Sideloads(crm, names)
    shown = side.add(row, render(crm, row))
    if lines and "products" not in shown:
        shown["products"] = lines_of(crm, row)
    return {module.name: shown, **side.arrays(), "meta": None}


async def create(crm: Crm, request: Request) -> Response:
    """POST /{p}: wrapped or bare body (sections 1 and 2)."""
    module = module_of(crm, request)
    body = read_body(json_object(request), module.name)
    refuse_unlucky(crm, module.name, body)
    with crm.store.transaction():
        row = Writer(crm, module).create(body)
    return reply(200, answer(crm, module, row, _write_includes(request, body), lines="products" in body))


def _write_includes(request: Request, body: Json) -> list[str]:
    """A write answers with what it was asked to include, and with the accounts it linked."""
    names = asked(request.query_params)
    return [*names, "sales_accounts"] if "sales_accounts" in body else names


async def view(crm: Crm, request: Request) -> Response:
    """GET /{p}/{id}?include="""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"], with_bin=crm.options.deleted_view == "row")
    return reply(200, answer(crm, module, row, asked(request.query_params)))


async def update(crm: Crm, request: Request) -> Response:
    """PUT /{p}/{id}"""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"])
    body = read_body(json_object(request), module.name)
    refuse_unlucky(crm, module.name, body, row.data)
    with crm.store.transaction():
        row = Writer(crm, module).update(row, body)
    return reply(200, answer(crm, module, row, _write_includes(request, body), lines="products" in body))


async def clone(crm: Crm, request: Request) -> Response:
    """POST /{p}/{id}/clone: a copy with overrides; unique values are not copied, an account needs a new name."""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"])
    body = read_body(json_object(request), module.name)
    if module.name == "sales_account" and not body.get("name"):
        raise empty(module.fields["name"].label)
    unique = {name for name, field in module.fields.items() if field.unique}
    copied: Json = {name: value for name, value in row.data.items() if name not in unique and name != "emails"}
    copied["custom_field"] = {k: v for k, v in row.data.get("custom_field", {}).items() if k not in unique}
    copied["owner_id"] = row.owner
    if module.name == "contact":
        copied["sales_accounts"] = [{"id": a["id"], "is_primary": a["is_primary"]} for a in accounts_of(crm, row)]
    if module.name == "deal":
        copied["sales_account_id"] = next((key for key, _ in crm.store.linked("deal_account", row.id)), None)
        copied["contacts_added_list"] = [key for key, _ in crm.store.linked("deal_contact", row.id)]
        lines = copied.pop("products", None)
        if lines:
            copied["products"] = [{**line, "association_id": None} for line in lines]
    if module.name == "lead" and (email := primary_email(row.data.get("emails", []))):
        copied["emails"] = [email]
    inner = {**copied["custom_field"], **(body.get("custom_field") or {})}
    with crm.store.transaction():
        made = Writer(crm, module).create({**copied, **body, "custom_field": inner})
    names = [*asked(request.query_params), *(["sales_accounts"] if module.name == "contact" else [])]
    return reply(200, answer(crm, module, made, names))


def bin_row(crm: Crm, row: Row) -> None:
    """Moves a record to the recycle bin; an account loses its deals and children for good (section 17)."""
    row.deleted, row.updated, row.updater = True, crm.now(), crm.book.admin["id"]
    if row.module == "sales_account":
        crm.store.run("DELETE FROM links WHERE right_id = ? AND kind IN ('deal_account', 'account_parent')", (row.id,))
    crm.store.save_row(row)
    crm.stats.deleted[row.module] += 1


async def delete(crm: Crm, request: Request) -> Response:
    """DELETE /{p}/{id} -> `true`, or 204 by switch; a custom module answers a message (sections 2, 11, 17)."""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"])
    with crm.store.transaction():
        bin_row(crm, row)
    if module.custom:
        return reply(200, {"message": f"{module.custom['singular_name']} deleted successfully."})
    return reply(int(crm.options.delete_status), True)


async def forget(crm: Crm, request: Request) -> Response:
    """DELETE /{p}/{id}/forget -> `true`: purged with its activities and files, not to be undone (section 17)."""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"], with_bin=True)
    with crm.store.transaction():
        for (activity,) in crm.store.all("SELECT id FROM targets WHERE target = ?", (row.id,)):
            crm.store.drop_row(activity)
        for (file,) in crm.store.all("SELECT id FROM files WHERE target = ?", (row.id,)):
            (crm.files / str(file)).unlink(missing_ok=True)
        crm.store.run("DELETE FROM files WHERE target = ?", (row.id,))
        crm.store.drop_row(row.id)
    crm.stats.deleted[f"{module.name}:forgotten"] += 1
    return reply(int(crm.options.delete_status), True)


def selected(body: Json) -> list[int]:
    """`selected_ids` of a bulk call: at most 100 ids (sections 2 and 10)."""
    given = body.get("selected_ids")
    if not isinstance(given, list):
        raise wrong_type("selected_ids")
    if len(given) > BULK_LIMIT:
        raise bad(f"Max of {BULK_LIMIT} records are allowed")
    ids = [as_id(value) for value in given]
    if None in ids:
        raise wrong_type("selected_ids")
    return [key for key in ids if key is not None]


async def bulk_destroy(crm: Crm, request: Request) -> Response:
    """POST /{p}/bulk_destroy {selected_ids} -> {message}; unknown ids are passed over."""
    module = module_of(crm, request)
    rows = crm.store.live(module.name, selected(json_object(request)))
    with crm.store.transaction():
        for row in rows:
            bin_row(crm, row)
    return reply(200, {"message": _counted(rows, module, "deleted")})


def _counted(rows: Iterable[Row], module: Module, verb: str) -> str:
    number = len(list(rows))
    noun = module.plural.replace("_", " ")
    return f"{number} {noun} {verb}."


async def bulk_assign_owner(crm: Crm, request: Request) -> Response:
    """POST /contacts/bulk_assign_owner {selected_ids, owner_id} -> {message} (section 2)."""
    module = module_of(crm, request)
    if module.name != "contact":
        raise not_found()
    body = json_object(request)
    rows = crm.store.live(module.name, selected(body))
    with crm.store.transaction():
        for row in rows:
            Writer(crm, module).update(row, {"owner_id": body.get("owner_id")})
    return reply(200, {"message": _counted(rows, module, "updated")})


async def manage_team(crm: Crm, request: Request) -> Response:
    """POST /{p}/{id}/manage_team_members {team_users: [{user_id, designation_id, _destroy?}]} (section 2)."""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"])
    given = json_object(request).get("team_users")
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise wrong_type("team_users")
    members = dict.fromkeys(row.data.get("team_user_ids") or [])
    for item in given:
        user = as_id(item.get("user_id"))
        if user not in crm.book.rows["users"]:
            raise bad("User is invalid")
        if item.get("_destroy") is True:
            members.pop(user, None)
        else:
            members[user] = None
    row.data["team_user_ids"], row.updated = list(members), crm.now()
    with crm.store.transaction():
        crm.store.save_row(row)
    return reply(200, answer(crm, module, row, asked(request.query_params)))


async def convert_lead(crm: Crm, request: Request) -> Response:
    """POST /leads/{id}/convert on the classic suite: contact, account and deal out of one lead (section 2)."""
    module = module_of(crm, request)
    if module.name != "lead":
        raise not_found()
    row = row_of(crm, module, request.path_params["id"])
    data, body = row.data, read_body(json_object(request), "lead")
    modules = crm.schema.modules
    contact: Json = {
        name: data[name]
        for name in ("first_name", "last_name", "job_title", "mobile_number", "work_number", "city", "country", "tags")
        if data.get(name)
    }
    contact["emails"] = [each["value"] for each in data.get("emails", [])]
    with crm.store.transaction():
        company = {**(data.get("company") or {}), **(body.get("company") or {})}
        account = None
        if company.get("name"):
            found = crm.store.by_key("sales_account", "name", str(company["name"]).lower())
            account = found[0] if found else Writer(crm, modules["sales_account"]).create(company).id
            contact["sales_accounts"] = [{"id": account, "is_primary": True}]
        person = Writer(crm, modules["contact"]).create(contact)
        made: Json = {"contact": render(crm, person)}
        deal = {**(data.get("deal") or {}), **(body.get("deal") or {})}
        if deal.get("name"):
            values = {"amount": 0, **deal, "sales_account_id": account, "contacts_added_list": [person.id]}
            made["deal"] = render(crm, Writer(crm, modules["deal"]).create(values))
        if account is not None:
            made["sales_account"] = render(crm, crm.store.live("sales_account", [account])[0])
        crm.store.drop_row(row.id)
    return reply(200, made)
