"""Marketing lists of contacts (Freshsales fact sheet section 2)."""

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, empty, not_found, reply, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.render import render
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.views import asked_page, meta


def _list_of(crm: Crm, text: object) -> Json:
    found = crm.store.document("list", as_id(text) or 0)
    if found is None:
        raise not_found()
    return found


def _members(crm: Crm, key: int) -> list[int]:
    return [contact for contact, _ in crm.store.linked("list_contact", key)]


def _shown(crm: Crm, kept: Json) -> Json:
    when = crm.when(kept["created"])
    return {
        "id": kept["id"], "name": kept["name"], "created_at": when, "updated_at": when,
        "contacts_count": len(_members(crm, kept["id"])),
    }  # fmt: skip


def _name(request: Request) -> str:
    name = json_object(request).get("name")
    if not isinstance(name, str) or not name.strip():
        raise empty("Name")
    return name.strip()[:256]


async def create(crm: Crm, request: Request) -> Response:
    """POST /lists {name}"""
    name = _name(request)
    with crm.store.transaction():
        kept: Json = {"id": crm.store.next_id(), "name": name, "created": crm.now()}
        crm.store.save_document("list", kept["id"], kept)
    return reply(200, {"list": _shown(crm, kept)})


async def listing(crm: Crm, _: Request) -> Response:
    """GET /lists"""
    rows = crm.store.documents("list")
    return reply(200, {"lists": [_shown(crm, row) for row in rows], "meta": {"total_pages": 1, "total": len(rows)}})


async def update(crm: Crm, request: Request) -> Response:
    """PUT /lists/{id} {name}"""
    kept = {**_list_of(crm, request.path_params["id"]), "name": _name(request)}
    with crm.store.transaction():
        crm.store.save_document("list", kept["id"], kept)
    return reply(200, {"list": _shown(crm, kept)})


async def contacts(crm: Crm, request: Request) -> Response:
    """GET /contacts/lists/{list_id}"""
    kept = _list_of(crm, request.path_params["id"])
    page = asked_page(request.query_params)
    ids = _members(crm, kept["id"])
    rows = crm.store.live("contact", ids[page.offset : page.offset + page.size])
    return reply(200, {"contacts": [render(crm, row) for row in rows], "meta": meta(len(ids), page)})


async def change(crm: Crm, request: Request) -> Response:
    """PUT /lists/{id}/add_contacts, remove_contacts {ids | all}, move_contacts {ids | all, from_list_id}."""
    kept, body, what = _list_of(crm, request.path_params["id"]), json_object(request), request.path_params["what"]
    if what not in ("add_contacts", "remove_contacts", "move_contacts"):
        raise not_found()
    source = _list_of(crm, body.get("from_list_id")) if what == "move_contacts" else kept
    given = _members(crm, source["id"]) if body.get("all") is True else body.get("ids")
    if not isinstance(given, list):
        raise wrong_type("ids")
    ids = [row.id for row in crm.store.live("contact", [as_id(value) or 0 for value in given])]
    with crm.store.transaction():
        if what != "add_contacts":
            _set(crm, source, [key for key in _members(crm, source["id"]) if key not in ids])
        if what != "remove_contacts":
            _set(crm, kept, list(dict.fromkeys([*_members(crm, kept["id"]), *ids])))
    return reply(200, {"message": f"{len(ids)} contact{'' if len(ids) == 1 else 's'} updated."})


def _set(crm: Crm, kept: Json, ids: list[int]) -> None:
    crm.store.set_links("list_contact", kept["id"], [(key, False) for key in ids])
