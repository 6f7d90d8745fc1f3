"""Search, lookup and filtered search, whose index may lag behind (Freshsales fact sheet section 10)."""

import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.answers import Json, bad, not_found, reply, wrong_type
from connectors.freshsales.sandbox.contactparts import primary_email
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.render import MCR_OFFSET, render, thin
from connectors.freshsales.sandbox.schema import Module
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.times import kept, parse_moment
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.views import asked_page, meta, order
from connectors.freshsales.sandbox.writer import KEYED

_MOST_RULES = 25
_MOST_FOUND = 100
_COLUMNS = {"owner_id": "owner", "created_at": "created", "updated_at": "updated", "creater_id": "creator", "id": "id"}
_LINKS = {
    ("contact", "sales_account_id"): "contact_account", ("contact", "sales_accounts"): "contact_account",
    ("deal", "sales_account_id"): "deal_account",
}  # fmt: skip
_LIKE = re.compile(r"([%_\\])")
Clause = tuple[str, list[Any]]


def _module(crm: Crm, name: str) -> Module:
    module = crm.schema.modules.get(name)
    searchable = name in ("contact", "sales_account", "deal") or (name == "lead" and crm.options.classic)
    if module is None or not (searchable or module.custom):
        raise not_found()
    return module


def _like(text: str) -> str:
    return "%" + _LIKE.sub(r"\\\1", text.lower()) + "%"


async def search(crm: Crm, request: Request) -> Response:
    """GET /search?q=&include=contact,deal: a bare array; ids are texts there."""
    query = request.query_params
    text = (query.get("q") or "").strip()
    names = [name for name in (query.get("include") or "contact,sales_account,deal").split(",") if name]
    found: list[Json] = []
    for name in names:
        if name == "user":
            users = crm.book.rows["users"].values()
            found += [_user_hit(user) for user in users if text.lower() in user["display_name"].lower()]
        elif name in crm.schema.modules:
            found += [_hit(crm, row) for row in _matching(crm, _module(crm, name), text)]
    page = asked_page(query)
    return reply(200, found[page.offset : page.offset + page.size] if text else [])


def _matching(crm: Crm, module: Module, text: str) -> list[Row]:
    where = (
        "module = ? AND deleted = 0 AND indexed <= ? AND (lower(name) LIKE ? ESCAPE '\\'"
        " OR id IN (SELECT id FROM keys WHERE module = ? AND value LIKE ? ESCAPE '\\'))"
    )
    like = _like(text)
    return crm.store.rows(
        where, (module.name, crm.search_horizon(), like, module.name, like), f"ORDER BY id LIMIT {_MOST_FOUND}"
    )


def _hit(crm: Crm, row: Row) -> Json:
    owner = crm.book.rows["users"].get(row.owner or 0)
    accounts = [key for key, _ in crm.store.linked("contact_account", row.id)][:1]
    primary = crm.store.live("sales_account", accounts) if accounts else []
    return {
        "id": str(row.id), "type": row.module, "name": row.name, "email": primary_email(row.data.get("emails", [])),
        "avatar": None, "country": row.data.get("country"), "mcr_id": MCR_OFFSET + row.id,
        "owner": {"id": owner["id"], "name": owner["display_name"]} if owner else None,
        "primary_sales_account_name": primary[0].name if primary else None, "updated_at": crm.when(row.updated),
        "website": row.data.get("website"),
    }  # fmt: skip


def _user_hit(user: Json) -> Json:
    return {"id": str(user["id"]), "type": "user", "name": user["display_name"], "email": user["email"], "avatar": None}


async def lookup(crm: Crm, request: Request) -> Response:
    """GET /lookup?q=&f=<field>&entities=contact: exact matches, nested per entity; none is an empty inner list."""
    query = request.query_params
    value, name = (query.get("q") or "").strip(), query.get("f") or ""
    if not value or not name:
        raise bad("q and f can't be empty")
    answer: Json = {}
    for entity in filter(None, (query.get("entities") or "contact").split(",")):
        module = _module(crm, entity.strip())
        rows = _looked_up(crm, module, name, value)
        answer[module.plural] = {module.plural: [render(crm, row) for row in rows]}
    return reply(200, answer)


def _looked_up(crm: Crm, module: Module, name: str, value: str) -> list[Row]:
    name = "emails" if name == "email" else name
    if name not in module.fields:
        return []
    clause, values = _clause(crm, module, name, "equals", value)
    where = f"module = ? AND deleted = 0 AND indexed <= ? AND {clause}"
    return crm.store.rows(where, [module.name, crm.search_horizon(), *values], f"ORDER BY id LIMIT {_MOST_FOUND}")


async def filtered_search(crm: Crm, request: Request) -> Response:
    """POST /filtered_search/{entity} {filter_rule}: rules are ANDed, rows are thin; paging in query or body."""
    module = _module(crm, request.path_params["entity"])
    body = json_object(request)
    rules = body.get("filter_rule")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules) or len(rules) > _MOST_RULES:
        raise wrong_type("filter_rule")
    given = {name: str(body[name]) for name in ("page", "per_page", "sort", "sort_type") if name in body}
    query = type(request.query_params)({**given, **dict(request.query_params)})
    clauses = [_rule(crm, module, rule) for rule in rules]
    where = " AND ".join(["module = ? AND deleted = 0 AND indexed <= ?", *[clause for clause, _ in clauses]])
    values = [module.name, crm.search_horizon(), *[value for _, more in clauses for value in more]]
    page = asked_page(query)
    rows = crm.store.rows(where, values, f"{order(module, query)} LIMIT {page.size} OFFSET {page.offset}")
    total = crm.store.count(f"SELECT count(*) FROM records WHERE {where}", values)  # noqa: S608 - our own condition
    return reply(200, {module.plural: [thin(crm, row) for row in rows], "meta": meta(total, page)})


def _rule(crm: Crm, module: Module, rule: Json) -> Clause:
    name, operator = rule.get("attribute"), rule.get("operator")
    name = {"contact_email.email": "emails", "email": "emails"}.get(str(name), str(name))
    if name not in module.fields and name != "id":
        raise bad(f"The attribute {name[:100]} is invalid.")
    if not isinstance(operator, str) or operator not in _OPERATORS:
        raise bad(f"The operator {str(operator)[:100]} is invalid.")
    return _clause(crm, module, name, operator, rule.get("value"))


def _clause(crm: Crm, module: Module, name: str, operator: str, value: Any) -> Clause:
    test, values = _OPERATORS[operator](crm, name, value)
    link, field = _LINKS.get((module.name, name)), module.fields.get(name)
    if link:
        # only column names and marks of this module enter the text
        return f"id IN (SELECT left_id FROM links WHERE kind = ? AND {test('right_id')})", [link, *values]  # noqa: S608
    keyed = name in KEYED.get(module.name, ()) or (field is not None and field.unique and not field.selector)
    exact = operator in ("equals", "is_in") and keyed
    if name == "emails" or exact:
        found = f"id IN (SELECT id FROM keys WHERE module = ? AND field = ? AND {test('value')})"  # noqa: S608
        return found, [module.name, name, *values]
    return test(_expression(module, name)), values


def _expression(module: Module, name: str) -> str:
    if name in _COLUMNS:
        return _COLUMNS[name]
    if module.custom and name in ("creator_id", "updater_id"):
        return {"creator_id": "creator", "updater_id": "updater"}[name]
    inner = f'custom_field."{name}"' if name.startswith("cf_") else f'"{name}"'
    return f"json_extract(data, '$.{inner}')"


Test = Callable[[str], str]


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if len(items) > _MOST_FOUND or not all(isinstance(item, str | int | float) for item in items):
        raise wrong_type("value")
    return [str(item).strip().lower() for item in items]


def _is_in(_: Crm, __: str, value: Any) -> tuple[Test, list[Any]]:
    texts = _texts(value)
    marks = ",".join("?" * len(texts))
    return (lambda column: f"{_folded(column)} IN ({marks})"), list(texts)


def _folded(column: str) -> str:
    """Comparable without regard to case; values of `keys` are kept that way, so that their index serves."""
    return column if column == "value" else f"lower(CAST({column} AS TEXT))"


def _equals(crm: Crm, name: str, value: Any) -> tuple[Test, list[Any]]:
    return _is_in(crm, name, _texts(value)[:1])


def _contains(_: Crm, __: str, value: Any) -> tuple[Test, list[Any]]:
    texts = _texts(value)
    if len(texts) != 1:
        raise wrong_type("value")
    return (lambda column: f"lower(CAST({column} AS TEXT)) LIKE ? ESCAPE '\\'"), [_like(texts[0])]


def _compared(sign: str) -> Callable[[Crm, str, Any], tuple[Test, list[Any]]]:
    def made(crm: Crm, name: str, value: Any) -> tuple[Test, list[Any]]:
        try:
            moment = parse_moment(str(value), crm.zone)
        except ValueError as error:
            raise bad("value is invalid") from error
        if name in ("created_at", "updated_at"):
            return (lambda column: f"{column} {sign} ?"), [int(moment.timestamp())]
        if as_id(value) is not None:
            raise wrong_type("value")
        text = kept(moment) if name.endswith("_time") else moment.astimezone(crm.zone).date().isoformat()
        return (lambda column: f"{column} {sign} ?"), [text]

    return made


# Operators with evidence (section 10); others are refused.
_OPERATORS: dict[str, Callable[[Crm, str, Any], tuple[Test, list[Any]]]] = {
    "is_in": _is_in, "equals": _equals, "contains": _contains, "is_after": _compared(">"), "is_before": _compared("<"),
}  # fmt: skip
