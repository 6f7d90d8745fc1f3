"""Reading records: lists, single records, search, COQL, counts, deleted rows and related lists."""

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox import coql, criteria
from connectors.zoho_crm.sandbox.answers import Json, Refusal, bad_param, missing_param, reply
from connectors.zoho_crm.sandbox.conditions import BadCondition, Condition, Sql, to_sql
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.external import addressed_id
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.paging import MAX_PER_PAGE, Page, asked_page, next_token, number
from connectors.zoho_crm.sandbox.relations import related_rows
from connectors.zoho_crm.sandbox.render import Renderer
from connectors.zoho_crm.sandbox.schema import Module
from connectors.zoho_crm.sandbox.store import ROW_COLUMNS, Row, as_row, marks
from connectors.zoho_crm.sandbox.times import parse_datetime, shown_seconds
from connectors.zoho_crm.sandbox.values import as_id

_SORTS = {"id": "id", "Created_Time": "created", "Modified_Time": "modified"}
_MAX_FIELDS = 50
_SEARCH_ROWS = 2_000


def asked_fields(params: QueryParams) -> list[str]:
    """The mandatory `fields` parameter, at most fifty names (Zoho fact sheet section 14)."""
    text = params.get("fields", "").strip()
    if not text:
        raise missing_param("fields")
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) > _MAX_FIELDS:
        raise Refusal(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": _MAX_FIELDS, "param_name": "fields"})
    return names


def header_time(request: Request, name: str) -> int | None:
    """A time header in seconds since the epoch; INVALID_DATA for another form."""
    text = request.headers.get(name)
    if text is None:
        return None
    try:
        return int(parse_datetime(text).timestamp())
    except ValueError as error:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"header_name": name}) from error


def _info(page: Page, count: int, *, more: bool, **extra: Any) -> Json:
    return {"per_page": page.size, "count": count, "page": page.number, "more_records": more, **extra}


async def list_records(crm: Crm, request: Request) -> Response:
    """GET /{module}?fields= with paging, sorting, ids and If-Modified-Since (Zoho fact sheet section 14)."""
    module = crm.schema.module(request.path_params["module"])
    params = request.query_params
    names = asked_fields(params)
    page = asked_page(module.api_name, params, crm.seconds())
    sort, way = _sorting(module, params)
    since = header_time(request, "If-Modified-Since")
    where = Sql("r.module = ?", [module.api_name])
    if since is not None:
        where = Sql(f"{where.text} AND r.modified > ?", [*where.values, since])
    if (ids := _ids(params)) is not None:
        where = Sql(f"{where.text} AND r.id IN ({marks(ids)})", [*where.values, *ids])
    rows = _select(crm, where, sort, way, page)
    if not rows:
        return reply(304 if since is not None else 204)
    shown, more = rows[: page.size], len(rows) > page.size
    last = (
        shown[-1].modified if sort == "modified" else shown[-1].created if sort == "created" else shown[-1].id,
        shown[-1].id,
    )
    token = next_token(module.api_name, params, page, last, len(shown), crm.seconds()) if more else None
    info = _info(
        page, len(shown), more=more, sort_by=params.get("sort_by", "id"), sort_order=way.lower(), next_page_token=token,
        previous_page_token=None, page_token_expiry=shown_seconds(crm.now() + 86_400, crm.zone) if token else None,
        call=False, email=False,
    )  # fmt: skip
    renderer = Renderer(crm, module, shown)
    return reply(200, {"data": [renderer.listed(row, names) for row in shown], "info": info})


def _sorting(module: Module, params: QueryParams) -> tuple[str, str]:
    sort_by = params.get("sort_by", "id")
    # notes come oldest first unless asked otherwise (Zoho fact sheet section 16)
    way = params.get("sort_order", "asc" if module.api_name == "Notes" else "desc").lower()
    if sort_by not in _SORTS:
        raise bad_param("sort_by")
    if way not in ("asc", "desc"):
        raise bad_param("sort_order")
    if "cvid" in params and "sort_by" in params:
        raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {
            "ambiguity_due_to": [{"param_name": "cvid"}, {"param_name": "sort_by"}],
        })  # fmt: skip
    return _SORTS[sort_by], way.upper()


def _ids(params: QueryParams) -> list[int] | None:
    text = params.get("ids")
    if text is None:
        return None
    ids = [as_id(part.strip()) for part in text.split(",")]
    if any(found is None for found in ids):
        raise bad_param("ids")
    if len(ids) > 100:
        raise Refusal(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": 100, "param_name": "ids"})
    return [found for found in ids if found is not None]


def _select(crm: Crm, where: Sql, sort: str, way: str, page: Page) -> list[Row]:
    """One row more than the page holds, so that `more_records` is known."""
    text, values = where.text, list(where.values)
    if page.after is not None:
        mark = ">" if way == "ASC" else "<"
        text += f" AND (r.{sort}, r.id) {mark} (?, ?)"
        values.extend(page.after)
    sql = f"SELECT {ROW_COLUMNS} FROM records r WHERE {text} ORDER BY r.{sort} {way}, r.id {way} LIMIT ? OFFSET ?"  # noqa: S608
    return [as_row(raw) for raw in crm.store.all(sql, (*values, page.size + 1, page.offset))]


async def get_record(crm: Crm, request: Request) -> Response:
    """GET /{module}/{id}, or by an external value with X-EXTERNAL; 204 when there is none."""
    module = crm.schema.module(request.path_params["module"])
    record_id = addressed_id(crm, module, request, missing_ok=True)
    row = crm.store.row(module.api_name, record_id) if record_id is not None else None
    if row is None:
        return reply(204)
    if (since := header_time(request, "If-Modified-Since")) is not None and row.modified <= since:
        return reply(304)
    renderer = Renderer(crm, module, [row])
    if request.query_params.get("fields"):
        return reply(200, {"data": [renderer.listed(row, asked_fields(request.query_params))]})
    return reply(200, {"data": [renderer.whole(row)]})


async def full_data(crm: Crm, request: Request) -> Response:
    """GET /{module}/{id}/actions/fetch_full_data?fields= (rich text that lists cut, Zoho fact sheet section 10)."""
    module = crm.schema.module(request.path_params["module"])
    row = crm.store.row(module.api_name, as_id(request.path_params["id"]) or 0)
    if row is None:
        return reply(204)
    names = asked_fields(request.query_params)
    renderer = Renderer(crm, module, [row])
    body = {name: renderer.value(row, module.fields[name]) for name in names if name in module.fields}
    return reply(200, {"data": [{**body, "id": str(row.id)}]})


def _searched(module: Module, params: QueryParams) -> Condition | None:
    """The condition of a search: criteria beat email, email beats phone, phone beats word."""
    if text := params.get("criteria"):
        return criteria.parse(text, module)
    for kind in ("email", "phone"):
        if value := params.get(kind):
            return criteria.by_kind(module, kind, value)
    word = params.get("word", "").strip()
    if len(word) < 2:
        raise missing_param("criteria")
    return criteria.by_word(module, word)


def _search_where(crm: Crm, module: Module, tree: Condition) -> Sql:
    """Search knows only what the index has seen: younger changes are missing (Zoho fact sheet section 14)."""
    try:
        found = to_sql(crm, module, tree)
    except BadCondition as error:
        raise criteria.bad_criteria(str(error)) from error
    horizon = crm.seconds() - crm.search_lag()
    return Sql(f"r.module = ? AND r.touched <= ? AND ({found.text})", [module.api_name, horizon, *found.values])


async def search(crm: Crm, request: Request) -> Response:
    """GET /{module}/search by criteria, email, phone or word; at most 2,000 rows, 204 when nothing is found."""
    module = crm.schema.module(request.path_params["module"])
    params = request.query_params
    size = number(params, "per_page", MAX_PER_PAGE, most=MAX_PER_PAGE)
    page = number(params, "page", 1)
    if page * size > _SEARCH_ROWS:
        raise Refusal(400, "LIMIT_REACHED", "the limit of search results is reached", {"limit": _SEARCH_ROWS})
    tree = _searched(module, params)
    where = _search_where(crm, module, tree) if tree is not None else Sql("0", [])
    asked = Page(page, size, (page - 1) * size, None, 0)
    rows = _select(crm, where, "id", "DESC", asked)
    if not rows:
        return reply(204)
    shown = rows[:size]
    renderer = Renderer(crm, module, shown)
    names = asked_fields(params) if params.get("fields") else list(module.fields)
    info = _info(asked, len(shown), more=len(rows) > size)
    return reply(200, {"data": [renderer.listed(row, names) for row in shown], "info": info})


async def count(crm: Crm, request: Request) -> Response:
    """GET /{module}/actions/count, whole or with a search condition."""
    module = crm.schema.module(request.path_params["module"])
    where = Sql("r.module = ?", [module.api_name])
    if any(request.query_params.get(name) for name in ("criteria", "email", "phone", "word")):
        tree = _searched(module, request.query_params)
        where = _search_where(crm, module, tree) if tree is not None else Sql("0", [])
    found = crm.store.one(f"SELECT count(*) FROM records r WHERE {where.text}", where.values)  # noqa: S608
    return reply(200, {"count": found[0] if found else 0})


async def query(crm: Crm, request: Request) -> Response:
    """POST /coql."""
    text = json_object(request.scope).get("select_query")
    if not isinstance(text, str):
        details = {"api_name": "select_query", "json_path": "$.select_query"}
        raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
    answer = coql.run(crm, text)
    return reply(204) if answer is None else reply(200, answer)


async def deleted(crm: Crm, request: Request) -> Response:
    """GET /{module}/deleted?type=all|recycle|permanent (Zoho fact sheet section 15)."""
    module = crm.schema.module(request.path_params["module"])
    params = request.query_params
    kind = params.get("type", "all")
    if kind not in ("all", "recycle", "permanent"):
        raise bad_param("type")
    page = asked_page(module.api_name, params, crm.seconds())
    kinds = ("recycle", "permanent") if kind == "all" else (kind,)
    rows = crm.store.all(
        "SELECT id, name, kind, deleted_by, creator, deleted_at FROM bin WHERE module = ? "  # noqa: S608
        f"AND kind IN ({marks(kinds)}) ORDER BY deleted_at DESC, id DESC LIMIT ? OFFSET ?",
        (module.api_name, *kinds, page.size + 1, page.offset),
    )
    if not rows:
        return reply(204)
    people, shown = crm.people, rows[: page.size]
    data = [
        {
            "id": str(row[0]), "display_name": row[1], "type": row[2], "deleted_by": people.brief(row[3]),
            "created_by": people.brief(row[4]), "deleted_time": shown_seconds(row[5], crm.zone),
        }
        for row in shown
    ]  # fmt: skip
    return reply(200, {"data": data, "info": _info(page, len(data), more=len(rows) > page.size)})


async def related(crm: Crm, request: Request) -> Response:
    """GET /{module}/{id}/{related_list}?fields= (Zoho fact sheet section 14)."""
    module = crm.schema.module(request.path_params["module"])
    parent = crm.store.row(module.api_name, as_id(request.path_params["id"]) or 0)
    if parent is None:
        details = {"resource_path_index": 1}
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", details)
    names = asked_fields(request.query_params)
    page = asked_page(request.url.path, request.query_params, crm.seconds())
    child, rows, extras = related_rows(crm, module, parent.id, request.path_params["related"], page)
    if not rows:
        return reply(204)
    shown = rows[: page.size]
    return reply(200, {
        "data": _with_extras(crm, child, shown, names, extras),
        "info": _info(page, len(shown), more=len(rows) > page.size),
    })  # fmt: skip


def _with_extras(crm: Crm, child: Module, rows: Sequence[Row], names: list[str], extras: dict[int, Json]) -> list[Json]:
    renderer = Renderer(crm, child, rows)
    return [{**renderer.listed(row, names), **extras.get(row.id, {})} for row in rows]
