"""Saved views and how records are listed through them (Freshsales fact sheet sections 2 to 5 and 10)."""

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.activityrows import render_activity, targetable
from connectors.freshsales.sandbox.answers import Json, bad, not_found, reply
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.includes import Sideloads, asked
from connectors.freshsales.sandbox.records import module_of, row_of
from connectors.freshsales.sandbox.render import render
from connectors.freshsales.sandbox.schema import Module
from connectors.freshsales.sandbox.values import as_id

PER_PAGE = 25
MOST_PER_PAGE = 100
_DAY = 86_400
_MAX_PAGE = 10**9
_SORT_COLUMNS = {"id": "id", "created_at": "created", "updated_at": "updated", "name": "name", "display_name": "name"}


@dataclass(frozen=True, slots=True)
class Page:
    """Which page was asked for; `per_page` is 25 unless told, 100 at most (section 10)."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def _whole(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    value = as_id(text)
    if value is None or not 1 <= value <= _MAX_PAGE:
        raise bad(f"{name} is invalid")
    return value


def asked_page(query: QueryParams) -> Page:
    return Page(_whole(query, "page", 1), min(_whole(query, "per_page", PER_PAGE), MOST_PER_PAGE))


def order(module: Module, query: QueryParams) -> str:
    """The ORDER BY of `sort` and `sort_type`; ids break ties. 400 for an unknown field."""
    name = query.get("sort") or "id"
    kind = (query.get("sort_type") or "asc").lower()
    if kind not in ("asc", "desc"):
        raise bad("sort_type is invalid")
    if name in _SORT_COLUMNS:
        column = _SORT_COLUMNS[name]
    elif name in module.fields or name in ("open_deals_amount", "last_contacted"):
        inner = f'custom_field."{name}"' if name.startswith("cf_") else f'"{name}"'
        column = f"json_extract(data, '$.{inner}')"
    else:
        raise bad("sort is invalid")
    return f"ORDER BY {column} {kind}, id {kind}"


def meta(total: int, page: Page) -> Json:
    return {"total_pages": -(-total // page.size), "total": total}


def condition(crm: Crm, module: Module, view: str) -> tuple[str, list[Any]]:
    """The rows of a view; those built on what the sandbox does not record are empty."""
    where, values = "module = ? AND deleted = ?", [module.name, int(view == "Recycle Bin")]
    name = view.lower()
    if view == "Recycle Bin" or name.startswith("all "):
        return where, values
    extra: dict[str, tuple[str, list[Any]]] = {
        "open deals": ("facet = ?", ["Open"]),
        "won deals": ("facet = ?", ["Closed Won"]),
        "lost deals": ("facet = ?", ["Closed Lost"]),
        "hot deals": ("facet = 'Open' AND json_extract(data, '$.probability') >= ?", [60]),
        "cold deals": ("facet = 'Open' AND updated < ?", [crm.now() - 30 * _DAY]),
        "recent deals": ("created >= ?", [crm.now() - 7 * _DAY]),
        "recently modified": ("updated >= ?", [crm.now() - 7 * _DAY]),
        "never contacted": ("1", []),
    }
    if name in extra:
        clause, more = extra[name]
        return f"{where} AND {clause}", [*values, *more]
    if name.startswith("new "):
        return f"{where} AND created >= ?", [*values, crm.now() - 7 * _DAY]
    if name.startswith("my ") and "territory" not in name:
        return f"{where} AND owner = ?", [*values, crm.book.admin["id"]]
    return f"{where} AND 0", values


async def filters(crm: Crm, request: Request) -> Response:
    """GET /{p}/filters: the views, whose names are the practical key (section 3)."""
    module = module_of(crm, request)
    rows = [
        {
            "id": key, "name": name, "model_class_name": module.model, "user_id": 0, "is_default": True,
            "updated_at": crm.when(0), "user_name": None, "current_user_permissions": ["manage_views"],
        }
        for key, name in module.views.items()
    ]  # fmt: skip
    return reply(200, {"filters": rows, "meta": {}})


def _view_of(module: Module, request: Request) -> str:
    name = module.views.get(as_id(request.path_params["view"]) or 0)
    if name is None:
        raise not_found()
    return name


async def listing(crm: Crm, request: Request) -> Response:
    """GET /{p}/view/{view_id}?page&per_page&sort&sort_type&include"""
    module = module_of(crm, request)
    where, values = condition(crm, module, _view_of(module, request))
    page = asked_page(request.query_params)
    tail = f"{order(module, request.query_params)} LIMIT {page.size} OFFSET {page.offset}"
    side = Sideloads(crm, asked(request.query_params))
    rows = [side.add(row, render(crm, row)) for row in crm.store.rows(where, values, tail)]
    total = crm.store.count(f"SELECT count(*) FROM records WHERE {where}", values)  # noqa: S608 - our own condition
    return reply(200, {module.plural: rows, **side.arrays(), "meta": meta(total, page)})


async def scroll(crm: Crm, request: Request) -> Response:
    """GET /{p}/scroll/{view_id}?limit&last_fetched_id: the rows after an id (section 2)."""
    module = module_of(crm, request)
    where, values = condition(crm, module, _view_of(module, request))
    query = request.query_params
    limit = min(_whole(query, "limit", PER_PAGE), MOST_PER_PAGE)
    last = as_id(query.get("last_fetched_id") or "0")
    if last is None:
        raise bad("last_fetched_id is invalid")
    side = Sideloads(crm, asked(query))
    found = crm.store.rows(f"{where} AND id > ?", [*values, last], f"ORDER BY id LIMIT {limit}")
    rows = [side.add(row, render(crm, row)) for row in found]
    return reply(200, {module.plural: rows, **side.arrays(), "meta": {"has_next": len(rows) == limit}})


async def notes_of(crm: Crm, request: Request) -> Response:
    """GET /{p}/{id}/notes (section 1); notes have no call of their own for reading."""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"])
    page = asked_page(request.query_params)
    found = crm.store.targeting(row.id, "note")
    shown = [
        {**render_activity(crm, note), "targetable": targetable(note)}
        for note in found[page.offset : page.offset + page.size]
    ]
    return reply(200, {"notes": shown, "meta": meta(len(found), page)})


async def appointments_of(crm: Crm, request: Request) -> Response:
    """GET /contacts/{id}/appointments (section 2)."""
    module = module_of(crm, request)
    row = row_of(crm, module, request.path_params["id"])
    if module.name != "contact":
        raise not_found()
    found = crm.store.targeting(row.id, "appointment")
    shown = [{**render_activity(crm, each), "targetable": targetable(each)} for each in found]
    return reply(200, {"appointments": shown, "meta": {"total_pages": 1, "total": len(shown)}})


async def feed(crm: Crm, request: Request) -> Response:
    """GET /contacts/{id}/activities(.json) and /{p}/{id}/timeline_feeds: what happened to a record (section 7)."""
    module = module_of(crm, request)
    timeline = request.url.path.endswith("timeline_feeds")
    if not timeline and module.name != "contact":
        raise not_found()
    row = row_of(crm, module, request.path_params["id"])
    page = asked_page(request.query_params)
    found = crm.store.all(
        "SELECT r.id, r.module, r.created FROM targets t JOIN records r ON r.id = t.id WHERE t.target = ?"
        " ORDER BY r.id DESC LIMIT ? OFFSET ?",
        (row.id, page.size + 1, page.offset),
    )
    rows = [
        {
            "composite_id": f"{module.name}_{key}", "action_data": {}, "action_type": f"{kind}_create",
            "created_at": crm.when(created), "user_activity": True, "targetable_type": module.model,
            "targetable_id": row.id, "actionable_type": kind, "actionable_id": key, "targetable_name": row.name,
            "automation": False,
        }
        for key, kind, created in found[: page.size]
    ]  # fmt: skip
    ends = {"has_next": len(found) > page.size, "has_previous": page.number > 1}
    return reply(200, {"timeline_feeds" if timeline else "activities": rows, "meta": ends})
